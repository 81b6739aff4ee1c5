/*
 * editor.h: a text with a cursor, what was cut from it, and a way back. The cursor is a byte offset and
 * always stands between clusters. Knows lines ended by '\n', nothing of rows or keys.
 */
#ifndef UI_EDITOR_H
#define UI_EDITOR_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EDITOR_MAX = 16 << 20,        /* bytes of text */
    EDITOR_CHANGES_MAX = 512,     /* steps of undo */
    EDITOR_REMOVED_MAX = 32 << 20 /* bytes kept for it */
};

/* One step back: put `removed` where `inserted` bytes now stand. */
struct editor_change {
    size_t pos, inserted;
    char *removed;
    size_t removed_len;
};

struct editor {
    struct bytes text;
    size_t cursor;
    uint64_t revision;   /* grows with every change of the text */
    size_t changed_from; /* lowest offset changed since the reader set it to SIZE_MAX */
    struct bytes cut;    /* for editor_yank() */
    bool cutting;        /* the last command cut: the next adds to it */
    struct editor_change changes[EDITOR_CHANGES_MAX];
    size_t n_changes, removed;
    bool typing; /* the last change was one typed character: the next joins it */
};

void editor_init(struct editor *e);
void editor_done(struct editor *e);

/* Replaces the whole text, which can be undone. False: too long, or out of memory. */
bool editor_set(struct editor *e, const char *text, size_t len);

/* Inserts at the cursor. `typed`: joins the characters typed before it into one step of undo. */
bool editor_insert(struct editor *e, const char *text, size_t len, bool typed);

/* Removes from the cursor to a position; `keep`: for editor_yank(). */
void editor_delete_to(struct editor *e, size_t pos, bool keep);

void editor_yank(struct editor *e);
void editor_undo(struct editor *e);

/* Ends a row of cuts or of typing: for every command that does neither. */
void editor_settle(struct editor *e);

/* Where the cursor would go. */
size_t editor_left(const struct editor *e);
size_t editor_right(const struct editor *e);
size_t editor_word_left(const struct editor *e);
size_t editor_word_right(const struct editor *e);
size_t editor_space_left(const struct editor *e); /* over spaces and all that is not space */
size_t editor_line_start(const struct editor *e, size_t pos);
size_t editor_line_end(const struct editor *e, size_t pos);

#endif
