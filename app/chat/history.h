/* history.h - the current conversation, and its copy in the store.
 *
 * Memory is authoritative: a tree of turns that only grows, and the path through it that the reader
 * sees. Editing an earlier question or regenerating an answer begins a branch: another child of the
 * same turn. No message is ever lost. history_save() updates the store. When the disk is full or
 * the file is locked, the chat continues and a later save writes everything that is missing.
 * Without a file, the store is in memory.
 *
 * Other instances may add to the same conversation: history_refresh() reads what they added. Calls
 * no engine and no screen; a turn only carries the count that tokens.h keeps with it. */
#ifndef APP_CHAT_HISTORY_H
#define APP_CHAT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"
#include "storage/store.h"

/* How far a turn is in the store. */
struct turn_mark {
    int64_t id; /* 0: not there */
    size_t len[STORE_KINDS];
    bool ended;
};

struct turn {
    int64_t number; /* its name in the conversation, from 1 */
    enum store_role role;
    enum store_state state;
    bool damaged;
    bool window_start; /* of the context: models get nothing from before this turn */
    struct str text[STORE_KINDS];
    bool generated;
    struct store_generation generation; /* where generated */

    /* The tree. */
    struct turn *parent;       /* the history's root where it is the first */
    struct turn *first, *last; /* children, the oldest and the youngest */
    struct turn *next;         /* the next younger child of its parent */
    struct turn *chosen;       /* the child that the path last went through */
    size_t depth;              /* 1 for the first of a path */

    /* How many tokens its message is to an engine, as counted last (tokens.h). */
    struct {
        uint64_t engine;
        size_t len; /* of the text then */
        int64_t n;
    } tokens;

    /* Private. */
    struct turn_mark saved, saving;
    bool window_start_saved;
    bool foreign;  /* came from the store; another instance may be writing it */
    char *kept[8]; /* strings of the generation, copied */
    int n_kept;
};

struct history {
    struct store *store;
    char off[256];     /* why nothing is written to a file; "" when it is */
    char problem[256]; /* why the last save failed; "" when it did not */
    bool again;        /* the one before it failed too: it is not just another program's turn */

    int64_t conversation; /* 0: not in the store yet */
    char *title, *system;
    struct turn **turns; /* the path, the first question first */
    size_t n_turns;
    int64_t proposed; /* number of the turn proposed as start of the window (compact.h); 0: none */

    /* Private. */
    struct turn **all; /* the tree, parents before children */
    size_t n_all;
    struct turn root, *leaf; /* where the path begins, itself no turn; where it ends */
    size_t n_clean;          /* how many turns of the tree are completely in the store */
    int64_t leaf_saved;
    int64_t seen; /* messages of other instances up to this id are in the tree */
    double changed_ms, retry_ms;
    bool urgent;         /* a turn has begun or ended, or the path has changed */
    bool window_changed; /* some turn's window_start differs from the store */
    bool system_changed; /* the system prompt may differ from it */
};

/* Opens the store at path, or for NULL one in memory, with `why` as the reason in h->off. If it
 * cannot be opened h gets one in memory, h->off and err say why, and -1 is returned. */
int history_open(struct history *h, const char *path, const char *why, char *err, size_t errlen);
void history_close(struct history *h);

/* Starts an empty conversation, which is stored with its first turn. */
void history_new(struct history *h, const char *system);

/* Loads a stored conversation. 0 or -1. */
int history_load(struct history *h, int64_t id, char *err, size_t errlen);

/* The tree, in tree.c; pointers to turns hold until the conversation changes. */

/* The turn of this number, or NULL. */
struct turn *history_turn(const struct history *h, int64_t number);
bool history_is_on_path(const struct history *h, const struct turn *turn);

/* How many versions of a turn there are (children of the same parent); *at is the number of this
 * one, from 1, oldest first. */
size_t turn_versions(const struct turn *turn, size_t *at);
struct turn *turn_version(const struct turn *turn, size_t n); /* NULL: no such version */

/* The question that a turn belongs to, itself if it is one; NULL: none. */
struct turn *turn_question(struct turn *turn);

/* The n-th question of the path, from 1, or NULL; and how many there are. */
struct turn *history_question(const struct history *h, size_t n);
size_t history_questions(const struct history *h);

/* How many exchanges were taken off the end of the path, and can be put back. */
size_t history_n_undone(const struct history *h);

/* Where the context window begins in the first n turns of the path: an index, 0 for all of them. */
size_t history_window(const struct history *h, size_t n);

/* Changes, saved by the next history_save() */

/* Adds a turn at the end of the path. */
struct turn *history_add(struct history *h, enum store_role role, enum store_state state,
                         const char *text, size_t len);
void history_append(struct history *h, struct turn *turn, enum store_kind kind, const char *text,
                    size_t len);
void history_end(struct history *h, struct turn *turn, enum store_state state);

void history_set_system(struct history *h, const char *system);

/* Makes the path end with this turn; NULL empties it. */
void history_set_leaf(struct history *h, struct turn *leaf);

/* Leads the path through this turn and onward as it last went, else through the newest child. */
void history_checkout(struct history *h, struct turn *turn);

/* Takes the last exchange off the path, or puts it back. False: there is none. */
bool history_undo(struct history *h);
bool history_redo(struct history *h);

/* Makes the window begin at this turn of the path; NULL: at the path's beginning. */
void history_set_window(struct history *h, struct turn *turn);

/* Copies the path up to this turn into a new conversation. */
void history_fork(struct history *h, const struct turn *last);

/* Copies the whole tree into a history in memory, for what needs a stored conversation where the
 * store cannot be written; close it. */
void history_copy(struct history *out, const struct history *h);

/* Marks the conversation as unstored, to be saved as a new one: the stored one was deleted. */
void history_detach(struct history *h);

/* Opens a new store in place of one that was moved away, and saves the conversation to it. 0, or -1
 * with the old one still in use. */
int history_reopen(struct history *h, const char *path, char *err, size_t errlen);

/* Reads what other instances have added to this conversation. 0, or -1 when it cannot be read. */
int history_refresh(struct history *h);

/* Reopens the last turn, which has ended, for appending. 0, or -1 with the reason. */
int history_resume(struct history *h, char *err, size_t errlen);

/* If the last answer of the current conversation, or else of the last one used, was interrupted:
 * the conversation's id, with its question appended to *question. Else 0. */
int64_t history_interrupted(struct history *h, struct str *question);

/* Records that a conversation's interrupted answer was declined. */
void history_decline(struct history *h, int64_t conversation);

/* A copy of the string that lives as long as the turn, or until all of these are dropped. */
const char *turn_keep(struct turn *turn, const char *string);
void turn_drop_kept(struct turn *turn);

/* Shared by tree.c and history.c: adds a turn under a parent, off the path; empties the tree;
 * records that there is something to save, at once if urgent. */
struct turn *history_new_turn(struct history *h, struct turn *parent, enum store_role role,
                              enum store_state state);
void history_clear(struct history *h);
void history_mark_changed(struct history *h, bool urgent);

/* When the next save is due, in milliseconds from now; -1: nothing waits. */
int history_due_ms(const struct history *h);

/* Brings the store up to date. 0, or -1 with h->problem set. */
int history_save(struct history *h);

#endif
