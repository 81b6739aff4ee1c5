/*
 * arena.c - a chain of blocks behind the object that stands for it.
 *
 * Small objects share blocks, large ones get one of their own size.
 */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16384

struct block {
    struct block *next;
    size_t used, size; /* of data */
    alignas(max_align_t) char data[];
};

/* The first block holds the first object at its start, so that one leads to the other. */
static struct block *first_block(void *first)
{
    return (struct block *)((char *)first - offsetof(struct block, data));
}

static struct block *block_new(size_t size)
{
    size_t room = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
    if (room > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *b = calloc(1, sizeof(*b) + room);
    if (b)
        b->size = room;
    return b;
}

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

void *arena_new(size_t size)
{
    struct block *b = block_new(aligned(size));
    if (!b)
        return NULL;
    b->used = aligned(size);
    return b->data;
}

void *arena_alloc(void *first, size_t size)
{
    struct block *head = first_block(first);
    struct block *b = head->next ? head->next : head;
    size_t need = aligned(size);
    if (need < size)
        return NULL;
    if (b->size - b->used < need) {
        struct block *fresh = block_new(need);
        if (!fresh)
            return NULL;
        /* A block of an object's own size is full at once: the current block
         * stays in front of it. */
        struct block *before = fresh->size == need ? b : head;
        fresh->next = before->next;
        before->next = fresh;
        b = fresh;
    }
    void *p = b->data + b->used;
    b->used += need;
    return p;
}

char *arena_copy(void *first, const char *text, size_t len)
{
    char *p = arena_alloc(first, len + 1);
    if (p && len > 0)
        memcpy(p, text, len);
    return p;
}

void *arena_grow(void *first, void *array, size_t count, size_t item_size)
{
    /* Room is always a power of two: it is used up when the count is one. */
    if (count & (count - 1))
        return array;
    size_t room = count ? 2 * count : 1;
    if (room > SIZE_MAX / item_size)
        return NULL;
    void *grown = arena_alloc(first, room * item_size);
    if (grown && count)
        memcpy(grown, array, count * item_size);
    return grown;
}

void arena_free(void *first)
{
    struct block *b = first ? first_block(first) : NULL;
    while (b) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}
