/*
 * editor.h: a text with a cursor, a kill ring, undo and redo. The cursor is a byte offset, always
 * on a grapheme cluster boundary. Knows lines, ended by newlines, but nothing of rows or keys.
 */
#ifndef UI_EDITOR_EDITOR_H
#define UI_EDITOR_EDITOR_H

#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EDITOR_MAX = 16 << 20,         /* text size in bytes */
    EDITOR_CHANGES_MAX = 512,      /* undo and redo entries kept */
    EDITOR_REMOVED_MAX = 32 << 20, /* bytes kept for them */
    EDITOR_KILLS = 8,              /* entries of the kill ring */
};

/* One change: undo puts `removed` back in place of the `inserted` bytes, and redo reverses that. */
struct editor_change {
    size_t pos, inserted;
    char *removed;
    size_t removed_len;
    uint32_t step; /* changes with the same step are undone together */
};

struct editor {
    struct bytes text;
    size_t cursor;
    uint64_t revision;   /* incremented by every change of the text */
    size_t changed_from; /* lowest offset changed since the reader reset it to SIZE_MAX */

    struct bytes kills[EDITOR_KILLS]; /* a ring */
    size_t newest;                    /* index of the latest kill */
    bool newest_is_lines;             /* which is whole lines */
    bool killing; /* the last command killed: the next one appends to the same entry */
    bool yanking; /* the last command yanked: this entry, to there */
    size_t yanked, yanked_at, yanked_len;

    /* The undo entries, latest last, followed by the redo entries, next first. */
    struct editor_change changes[EDITOR_CHANGES_MAX];
    size_t n_changes, n_undone, removed;
    uint32_t step;
    bool grouping; /* all changes join one undo step */
    bool typing;   /* the last change was one typed character: the next joins its step */
};

void editor_init(struct editor *e);
void editor_done(struct editor *e);

/* Replaces the whole text, undoably. False: too long, or out of memory. */
bool editor_set(struct editor *e, const char *text, size_t len);

/* Replaces a part; the cursor goes behind what was put there. */
bool editor_replace(struct editor *e, size_t from, size_t to, const char *text, size_t len);

/* Inserts at the cursor. `typed`: joins the undo step of the characters typed before it. */
bool editor_insert(struct editor *e, const char *text, size_t len, bool typed);

/* Deletes from the cursor to a position; `keep`: into the kill ring. */
void editor_delete_to(struct editor *e, size_t pos, bool keep);

/*
 * Copies a range into the kill ring. `lines`: it is whole lines; a missing final newline is added.
 */
void editor_copy(struct editor *e, size_t from, size_t to, bool lines);

/* Yanks the latest kill; then replaces it with the one before, cycling through the ring. */
void editor_yank(struct editor *e);
void editor_yank_older(struct editor *e);

/* Undo and redo; false: nothing left. */
bool editor_undo(struct editor *e);
bool editor_redo(struct editor *e);

/* Discards the redo entries. */
void editor_drop_undone(struct editor *e);

/* All changes between the two are one undo step. */
void editor_begin_group(struct editor *e);
void editor_end_group(struct editor *e);

/* Ends a run of kills, yanks or typed characters; called for every other command. */
void editor_settle(struct editor *e);

/* Transposes the characters, or the words, around the cursor. */
void editor_swap_characters(struct editor *e);
void editor_swap_words(struct editor *e);

/* Changes the case of a range; the cursor does not move. */
enum editor_case { EDITOR_UPPER, EDITOR_LOWER, EDITOR_TITLE, EDITOR_OTHER };
void editor_change_case(struct editor *e, size_t from, size_t to, enum editor_case to_case);

/* Deletes the spaces around the cursor. */
void editor_join_spaces(struct editor *e);

/* Positions. */
size_t editor_left_of(const struct editor *e, size_t pos);
size_t editor_right_of(const struct editor *e, size_t pos);
size_t editor_line_start(const struct editor *e, size_t pos);
size_t editor_line_end(const struct editor *e, size_t pos);

/* The class of a character: letters, digits and _ make words; a newline is a space. */
enum editor_class { EDITOR_SPACE, EDITOR_PUNCTUATION, EDITOR_WORD };
enum editor_class editor_class(const struct editor *e, size_t pos);

/* Where a motion would put the cursor. */
size_t editor_left(const struct editor *e);
size_t editor_right(const struct editor *e);
size_t editor_word_left(const struct editor *e);
size_t editor_word_right(const struct editor *e);
size_t editor_space_left(const struct editor *e); /* over spaces and all that is not space */

#endif
