/* history.h - the conversation at hand, and its copy in the store.
 *
 * What is in memory is the truth: a list of turns that only grows. history_save() brings the store
 * up to it. When the disk is full or the file is locked, the chat goes on and a later save brings
 * everything that is missing. Where no file can be had, the store is one in memory.
 *
 * Knows nothing of engines or screens. */
#ifndef APP_HISTORY_H
#define APP_HISTORY_H

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
    int64_t number; /* its place in the conversation, from 1 */
    enum store_role role;
    enum store_state state;
    bool damaged;
    struct str text[STORE_KINDS];
    bool generated;
    struct store_generation generation; /* where generated */

    /* Private. */
    struct turn_mark saved, saving;
    char *kept[8]; /* strings of the generation */
    int n_kept;
};

struct history {
    struct store *store;
    char off[256];     /* why nothing is written to a file; "" when it is */
    char problem[256]; /* why the last save failed; "" when it did not */

    int64_t conversation; /* 0: not in the store yet */
    char *title, *system;
    struct turn **turns;
    size_t n_turns;

    /* Private. */
    struct store_messages *loaded; /* the strings of turns that came from the store */
    size_t n_clean;                /* so many turns at the start are wholly in the store */
    double changed_ms, retry_ms;
    bool urgent; /* a turn has begun or ended */
};

/* Opens the store at path; NULL is one in memory, kept by nobody, and `why` says so in h->off. When
 * it cannot be opened h gets one in memory, h->off and err say why, and -1 is returned. */
int history_open(struct history *h, const char *path, const char *why, char *err, size_t errlen);
void history_close(struct history *h);

/* An empty conversation. It comes to the store with its first turn. */
void history_new(struct history *h, const char *system);

/* Makes a stored conversation the one at hand. 0 or -1. */
int history_load(struct history *h, int64_t id, char *err, size_t errlen);

/* The conversation that `name` means: its number, its title, or the start of its title; NULL is the
 * one used last. The id, 0: none, or a negative store_status. */
int64_t history_find(struct history *h, const char *name);

void history_set_system(struct history *h, const char *system);

/* Adds a turn at the end; it lives until the conversation changes. */
struct turn *history_add(struct history *h, enum store_role role, enum store_state state,
                         const char *text, size_t len);
void history_append(struct history *h, struct turn *turn, enum store_kind kind, const char *text,
                    size_t len);
void history_end(struct history *h, struct turn *turn, enum store_state state);

/* A copy of the string that lives as long as the turn. */
const char *turn_keep(struct turn *turn, const char *string);

/* When the next save is due, in milliseconds from now; -1: nothing waits. */
int history_due_ms(const struct history *h);

/* Brings the store up to date. 0, or -1 with h->problem set. */
int history_save(struct history *h);

#endif
