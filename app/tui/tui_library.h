/* tui_library.h - the stored conversations on the screen: the sidebar, the search, and changes by
 * other instances. */
#ifndef APP_TUI_TUI_LIBRARY_H
#define APP_TUI_TUI_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"
#include "storage/store.h"

struct tui;
struct ui_action;

enum { FOUND_SHOWN = 100, FOUND_PAGES = 64 };

struct tui_library {
    /* What the sidebar asked for last, and that its rows are due. */
    struct str words;
    bool archived, listed;
    size_t wanted;

    /* What is searched for, as far as it has come. */
    struct str query;
    unsigned scope;
    bool searching;
    int64_t next;
    struct store_hits *pages[FOUND_PAGES];
    size_t n_pages;
    const struct store_hit *found[FOUND_SHOWN]; /* in the pages, the best first */
    size_t n_found, n_all;

    double checked_ms; /* when the store was looked at last */
    double rest_ms;    /* another program holds the file: not to be asked before this */
    bool failed;       /* the conversations cannot be listed, as was said */
    bool gone;         /* the conversation at hand was deleted by another instance, as was said */
    bool moved;        /* the file is no longer where it was, as was said */
};

void tui_library_done(struct tui *t);

/* Call it in each turn of the loop; and when it is due next, -1: only when something happens. */
void tui_library_turn(struct tui *t);
int tui_library_timeout_ms(const struct tui *t);

/* What the sidebar lists is to be read anew. */
void tui_list_anew(struct tui *t);

/* Call it before a question is asked: restores a deleted conversation, or stores it anew. */
void tui_library_secure(struct tui *t);

void tui_act_on_library(struct tui *t, const struct ui_action *action);

#endif
