/* library.h - the stored conversations on the screen: the sidebar, the search, and changes by
 * other instances. */
#ifndef APP_TUI_LIBRARY_H
#define APP_TUI_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"
#include "storage/store.h"

struct tui;
struct ui_action;

enum { FOUND_SHOWN = 100, FOUND_PAGES = 64 };

struct tui_library {
    /* The sidebar's last request, and whether its rows are due. */
    struct str words;
    bool archived, listed;
    size_t wanted;

    /* The current query and the progress of its search. */
    struct str query;
    unsigned scope;
    bool searching;
    int64_t next;
    struct store_hits *pages[FOUND_PAGES];
    size_t n_pages;
    const struct store_hit *found[FOUND_SHOWN]; /* in the pages, the best first */
    size_t n_found, n_all;

    double checked_ms; /* when the store was last checked */
    double rest_ms;    /* locked by another program: not to be accessed before this */
    bool failed;       /* the conversations cannot be listed; already reported */
    bool gone;  /* the current conversation was deleted by another instance; already reported */
    bool moved; /* the file was moved; already reported */
};

void tui_library_done(struct tui *t);

/* Call it every turn of the loop; and when it is due next, -1: only on events. */
void tui_library_tick(struct tui *t);
int tui_library_timeout_ms(const struct tui *t);

/* Requests the sidebar's listing anew. */
void tui_library_list(struct tui *t);

/* Call it before a question is asked: restores a deleted conversation, or stores it anew. */
void tui_library_ensure_stored(struct tui *t);

void tui_act_on_library(struct tui *t, const struct ui_action *action);

#endif
