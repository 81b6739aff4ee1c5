/*
 * vi.h: vi editing: keys become motions, operators and insertions on an editor's text. What needs
 * more than the text, such as earlier prompts, is returned as a request.
 */
#ifndef UI_EDITOR_VI_H
#define UI_EDITOR_VI_H

#include "editor/editor.h"
#include "editor/vi_motion.h"
#include "keys/key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VI_KEYS_MAX = 512 }; /* length of a command that '.' can repeat */

enum vi_mode {
    VI_INSERT,
    VI_REPLACE, /* insert, overwriting */
    VI_NORMAL,
    VI_VISUAL,
    VI_VISUAL_LINES,
};

enum vi_request {
    VI_PASS,   /* not a vi key here */
    VI_DONE,   /* handled */
    VI_UP,     /* a row up, vi->times times; from the top: an earlier prompt */
    VI_DOWN,   /* the same downwards */
    VI_SEARCH, /* search earlier prompts */
    VI_REPEAT, /* retype vi->last; vi->times replaces its count if not 0 */
};

struct vi_record {
    struct key keys[VI_KEYS_MAX];
    size_t n;
    int count; /* given before them */
};

struct vi {
    enum vi_mode mode;

    /*
     * The command being typed: a count, an operator with its own count, and what the next key
     * means.
     */
    int count, op_count;
    uint32_t op, wait;
    int times; /* of the request */

    struct vi_find find;
    size_t anchor; /* the other end of the selection */

    /*
     * Inserting: where it began, how often it is repeated, and whether each copy gets a line of its
     * own.
     */
    size_t inserted_from;
    int insert_times;
    bool insert_lines;

    struct vi_record now, last;
    uint64_t revision; /* revision at the start of the command */
    bool replaying, no_repeat;
};

/* A new text starts in insert mode. */
void vi_start(struct vi *vi, struct editor *e);

enum vi_request vi_key(struct vi *vi, struct editor *e, struct key key);

/* Keeps the cursor on a character, as required outside insert mode. */
void vi_settle(const struct vi *vi, struct editor *e);

/* The selection; false: none. */
bool vi_selected(const struct vi *vi, const struct editor *e, size_t span[2]);

/* The mode indicator for the margin. */
const char *vi_sign(const struct vi *vi);

#endif
