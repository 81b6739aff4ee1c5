/* trie.c - see trie.h. */
#include "grammar/trie.h"

#include <stdlib.h>
#include <string.h>

#include "text/tokenizer.h"
#include "text/utf8.h"

enum {
    MAX_CLASSES = 8,
    USEFUL = 16, /* a class is worth its memory if it has one token in so many */
};

struct trie {
    const struct tokenizer *tokens;
    struct trie_tree all;
    struct trie_class *class[MAX_CLASSES];
    int n_classes;
};

struct token_text {
    const char *bytes;
    size_t len;
    int32_t id;
};

static int by_bytes(const void *a, const void *b)
{
    const struct token_text *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
    if (order != 0)
        return order;
    return x->len != y->len ? (x->len < y->len ? -1 : 1) : (x->id > y->id) - (x->id < y->id);
}

static size_t same_beginning(const struct token_text *a, const struct token_text *b)
{
    size_t n = 0;
    while (n < a->len && n < b->len && a->bytes[n] == b->bytes[n])
        n++;
    return n;
}

static size_t count_nodes(const struct token_text *list, size_t n)
{
    size_t nodes = 0;
    for (size_t i = 0; i < n; i++)
        nodes += list[i].len - (i > 0 ? same_beginning(&list[i - 1], &list[i]) : 0);
    return nodes;
}

/* The tree of a sorted list. `open` [depth + 1] holds the nodes on the way to the last one. */
static void fill_tree(struct trie_tree *tree, const struct token_text *list, size_t n,
                      uint32_t *open)
{
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = i > 0 ? same_beginning(&list[i - 1], &list[i]) : 0;
        for (; depth > same; depth--)
            tree->node[open[depth]].end = (uint32_t)tree->n;
        for (; depth < list[i].len; depth++) {
            open[depth + 1] = (uint32_t)tree->n;
            tree->node[tree->n++] = (struct trie_node){0, (uint32_t)i, (uint16_t)(depth + 1),
                                                       (uint8_t)list[i].bytes[depth]};
        }
        tree->token[i] = list[i].id;
        tree->depth = depth > tree->depth ? depth : tree->depth;
    }
    for (; depth > 0; depth--)
        tree->node[open[depth]].end = (uint32_t)tree->n;
    tree->node[tree->n] = (struct trie_node){.end = (uint32_t)tree->n, .token = (uint32_t)n};
    tree->n_tokens = n;
}

static int make_tree(struct trie_tree *tree, const struct token_text *list, size_t n, size_t depth)
{
    uint32_t *open = malloc((depth + 1) * sizeof *open);
    tree->node = malloc((count_nodes(list, n) + 1) * sizeof *tree->node);
    tree->token = malloc((n + 1) * sizeof *tree->token);
    if (open && tree->node && tree->token)
        fill_tree(tree, list, n, open);
    free(open);
    return open && tree->node && tree->token ? 0 : -1;
}

static void free_tree(struct trie_tree *tree)
{
    free(tree->node);
    free(tree->token);
}

/* Text of its own, which an answer may be made of. */
static bool is_text(const struct tok_info *info, enum tok_type type, int32_t id)
{
    if (info->banned && info->banned[id])
        return false;
    if (id == info->think_open || id == info->think_close)
        return false;
    return type == TOK_NORMAL || type == TOK_BYTE || type == TOK_USER_DEFINED;
}

int trie_open(struct trie **out, const struct tokenizer *tokens)
{
    const struct tok_info *info = tok_info(tokens);
    struct trie *t = calloc(1, sizeof *t);
    struct token_text *list = malloc(((size_t)info->n_vocab + 1) * sizeof *list);
    size_t n = 0, depth = 0;
    if (!t || !list)
        goto fail;
    t->tokens = tokens;
    for (int32_t id = 0; id < info->n_vocab; id++) {
        struct token_text text = {.id = id};
        text.bytes = tok_bytes(tokens, id, &text.len);
        if (text.len == 0 || text.len > UINT16_MAX || tok_is_end(tokens, id) ||
            !is_text(info, tok_type(tokens, id), id))
            continue;
        list[n++] = text;
        depth = text.len > depth ? text.len : depth;
    }
    qsort(list, n, sizeof *list, by_bytes);
    if (make_tree(&t->all, list, n, depth) != 0)
        goto fail;
    free(list);
    *out = t;
    return 0;
fail:
    free(list);
    trie_close(t);
    return -1;
}

static void free_class(struct trie_class *c)
{
    if (!c)
        return;
    charset_done(&c->set);
    free(c->n_chars);
    free(c->all);
    free_tree(&c->other);
    free(c);
}

void trie_close(struct trie *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n_classes; i++)
        free_class(t->class[i]);
    free_tree(&t->all);
    free(t);
}

const struct trie_tree *trie_all(const struct trie *t)
{
    return &t->all;
}

/* Characters, if they are all of the set; else 0. At most 255. */
static int count_chars(const struct charset *set, const bool *ascii, const char *s, size_t len)
{
    int n = 0;
    for (size_t at = 0, size; at < len; at += size, n += n < 255) {
        uint8_t byte = (uint8_t)s[at];
        size = 1;
        if (byte < 0x80) {
            if (!ascii[byte])
                return 0;
            continue;
        }
        int32_t c = utf8_decode(s + at, len - at, &size);
        if (c < 0 || !charset_has(set, c))
            return 0;
    }
    return n;
}

/* Sorts the tokens out. The others are left in list, in order; their number. */
static size_t sort_out(const struct trie *t, struct trie_class *c, struct token_text *list)
{
    bool ascii[128];
    size_t n = 0;
    for (int i = 0; i < 128; i++)
        ascii[i] = charset_has(&c->set, i);
    for (size_t i = 0; i < t->all.n_tokens; i++) {
        struct token_text text = {.id = t->all.token[i]};
        text.bytes = tok_bytes(t->tokens, text.id, &text.len);
        int chars = count_chars(&c->set, ascii, text.bytes, text.len);
        c->n_chars[text.id] = (uint8_t)chars;
        c->most_chars = chars > c->most_chars ? chars : c->most_chars;
        if (chars > 0)
            c->all[text.id / 32] |= (uint32_t)1 << text.id % 32;
        else
            list[n++] = text;
    }
    return n;
}

static struct trie_class *new_class(const struct trie *t, const struct charset *set)
{
    size_t n_vocab = (size_t)tok_info(t->tokens)->n_vocab, n_other;
    struct trie_class *c = calloc(1, sizeof *c);
    struct token_text *list = malloc((t->all.n_tokens + 1) * sizeof *list);
    if (!c || !list)
        goto fail;
    charset_add_set(&c->set, set);
    c->n_chars = calloc(n_vocab, sizeof *c->n_chars);
    c->all = calloc(trie_mask_words((int)n_vocab), sizeof *c->all);
    if (c->set.failed || !c->n_chars || !c->all)
        goto fail;
    n_other = sort_out(t, c, list);
    c->useful = (t->all.n_tokens - n_other) * USEFUL >= t->all.n_tokens;
    if (c->useful && make_tree(&c->other, list, n_other, t->all.depth) != 0)
        goto fail;
    free(list);
    return c;
fail:
    free(list);
    free_class(c);
    return NULL;
}

const struct trie_class *trie_class(struct trie *t, const struct charset *set)
{
    for (int i = 0; i < t->n_classes; i++)
        if (charset_equal(&t->class[i] -> set, set))
            return t->class[i]->useful ? t->class[i] : NULL;
    if (t->n_classes == MAX_CLASSES)
        return NULL;
    struct trie_class *c = new_class(t, set);
    if (!c)
        return NULL;
    if (!c->useful) {
        free(c->n_chars);
        free(c->all);
        c->n_chars = NULL;
        c->all = NULL;
    }
    t->class[t->n_classes++] = c;
    return c->useful ? c : NULL;
}
