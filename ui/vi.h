/*
 * vi.h: editing as in vi: keys become motions, operators and insertions on an editor's text. What
 * needs more than the text, as earlier prompts, is handed back as a wish.
 */
#ifndef UI_VI_H
#define UI_VI_H

#include "editor.h"
#include "key.h"
#include "vi_motion.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VI_KEYS_MAX = 512 }; /* of a command that '.' can repeat */

enum vi_mode {
    VI_INSERT,
    VI_REPLACE, /* insert, over what stands there */
    VI_NORMAL,
    VI_VISUAL,
    VI_VISUAL_LINES,
};

enum vi_wish {
    VI_PASS,   /* the key is none of vi's here */
    VI_DONE,   /* it was */
    VI_UP,     /* a row up, vi->times times; at the top: an earlier prompt */
    VI_DOWN,   /* the same down */
    VI_SEARCH, /* search earlier prompts */
    VI_REPEAT, /* vi->last is to be typed again; vi->times replaces its count if it is not 0 */
};

struct vi_record {
    struct key keys[VI_KEYS_MAX];
    size_t n;
    int count; /* given before them */
};

struct vi {
    enum vi_mode mode;

    /* The command being typed: a count, an operator with a count of its own, what the next key
     * is. */
    int count, op_count;
    uint32_t op, wait;
    int times; /* of the wish */

    struct vi_find find;
    size_t anchor; /* the other end of what is selected */

    /* Inserting: where it began, how often it is done, and whether each time on a line of its
     * own. */
    size_t inserted_from;
    int insert_times;
    bool insert_lines;

    struct vi_record now, last;
    uint64_t revision; /* when the command began */
    bool replaying, no_repeat;
};

/* A new text is begun by inserting. */
void vi_start(struct vi *vi, struct editor *e);

enum vi_wish vi_key(struct vi *vi, struct editor *e, struct key key);

/* Keeps the cursor on a character, as it has to be outside of inserting. */
void vi_settle(const struct vi *vi, struct editor *e);

/* What is selected; false: nothing. */
bool vi_selected(const struct vi *vi, const struct editor *e, size_t span[2]);

/* The sign of the mode for the margin. */
const char *vi_sign(const struct vi *vi);

#endif
