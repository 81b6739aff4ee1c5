/*
 * editor.h: a text with a cursor, a kill ring, undo and redo. The cursor is a byte offset and
 * always stands between grapheme clusters. Knows lines ended by '\n', nothing of rows or keys.
 */
#ifndef UI_EDITOR_H
#define UI_EDITOR_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EDITOR_MAX = 16 << 20,         /* bytes of text */
    EDITOR_CHANGES_MAX = 512,      /* kept for undo and redo */
    EDITOR_REMOVED_MAX = 32 << 20, /* bytes kept for them */
    EDITOR_CUTS = 8,               /* cuts kept for editor_yank_older() */
};

/* One change: undoing it puts `removed` where `inserted` bytes now stand, which redoing restores.
 */
struct editor_change {
    size_t pos, inserted;
    char *removed;
    size_t removed_len;
    uint32_t step; /* those of one step are undone together */
};

struct editor {
    struct bytes text;
    size_t cursor;
    uint64_t revision;   /* grows with every change of the text */
    size_t changed_from; /* lowest offset changed since the reader set it to SIZE_MAX */

    struct bytes cuts[EDITOR_CUTS]; /* a ring */
    size_t newest;                  /* of them */
    bool lines;                     /* it is whole lines */
    bool cutting;                   /* the last command cut: the next adds to it */
    bool yanking;                   /* the last command put a cut back: */
    size_t yanked, yanked_at, yanked_len;

    /* The changes to undo, the latest last; after them those to redo, the next first. */
    struct editor_change changes[EDITOR_CHANGES_MAX];
    size_t n_changes, n_undone, removed;
    uint32_t step;
    bool holding; /* all changes belong to one step */
    bool typing;  /* the last change was one typed character: the next joins it */
};

void editor_init(struct editor *e);
void editor_done(struct editor *e);

/* Replaces the whole text, which can be undone. False: too long, or out of memory. */
bool editor_set(struct editor *e, const char *text, size_t len);

/* Replaces a part; the cursor goes behind what was put there. */
bool editor_replace(struct editor *e, size_t from, size_t to, const char *text, size_t len);

/* Inserts at the cursor. `typed`: joins the characters typed before it into one step of undo. */
bool editor_insert(struct editor *e, const char *text, size_t len, bool typed);

/* Removes from the cursor to a position; `keep`: for editor_yank(). */
void editor_delete_to(struct editor *e, size_t pos, bool keep);

/* Keeps a part for editor_yank() and leaves it. `lines`: it is whole lines; a last newline is
 * added. */
void editor_copy(struct editor *e, size_t from, size_t to, bool lines);

/* Inserts the latest cut; then the one before it instead, and so on around. */
void editor_yank(struct editor *e);
void editor_yank_older(struct editor *e);

/* A step back and on; false: there is none. */
bool editor_undo(struct editor *e);
bool editor_redo(struct editor *e);

/* Forgets the way on. */
void editor_drop_undone(struct editor *e);

/* Makes all changes between the two one step. */
void editor_hold(struct editor *e);
void editor_release(struct editor *e);

/* Ends a row of cuts, of yanks or of typing: for every command that does none. */
void editor_settle(struct editor *e);

/* Exchanges the characters, or the words, around the cursor. */
void editor_swap_characters(struct editor *e);
void editor_swap_words(struct editor *e);

/* Changes the letters of a part; the cursor stays where it is. */
enum editor_case { EDITOR_UPPER, EDITOR_LOWER, EDITOR_TITLE, EDITOR_OTHER };
void editor_change_case(struct editor *e, size_t from, size_t to, enum editor_case to_case);

/* Takes the spaces around the cursor away. */
void editor_join_spaces(struct editor *e);

/* Places. */
size_t editor_left_of(const struct editor *e, size_t pos);
size_t editor_right_of(const struct editor *e, size_t pos);
size_t editor_line_start(const struct editor *e, size_t pos);
size_t editor_line_end(const struct editor *e, size_t pos);

/* What stands there: 0 space or newline, 1 other signs, 2 letters, digits and _. */
int editor_class(const struct editor *e, size_t pos);

/* Where the cursor would go. */
size_t editor_left(const struct editor *e);
size_t editor_right(const struct editor *e);
size_t editor_word_left(const struct editor *e);
size_t editor_word_right(const struct editor *e);
size_t editor_space_left(const struct editor *e); /* over spaces and all that is not space */

#endif
