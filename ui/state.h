/*
 * state.h: the contents of `struct ui`. ui.c owns it, dispatch.c turns keys into changes of it,
 * layout.c draws it; each region knows only its own part.
 */
#ifndef UI_STATE_H
#define UI_STATE_H

#include "composer/composer.h"
#include "keys/keymap.h"
#include "panes/dialog.h"
#include "panes/pending.h"
#include "panes/search.h"
#include "panes/sidebar.h"
#include "panes/status.h"
#include "terminal/grid.h"
#include "terminal/input.h"
#include "terminal/screen.h"
#include "terminal/tty.h"
#include "transcript/find.h"
#include "transcript/transcript.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UI_ACTIONS_MAX = 64 };

enum focus { FOCUS_COMPOSER, FOCUS_TRANSCRIPT, FOCUS_SIDEBAR };

struct queued {
    struct ui_action action;
    char *text; /* storage for action.text */
};

struct ui {
    /* the terminal */
    struct tty tty;
    struct curses_screen *screen;
    struct grid grid;
    struct bytes frame; /* the bytes of one */
    struct input input;
    struct keymap keymap;
    int64_t (*clock_ms)(void);
    enum ui_theme theme;
    struct theme_wishes wishes;
    int64_t asked_ms; /* when the terminal was asked for its background; -1: no reply pending */
    bool mouse;       /* mouse reports are enabled */
    bool suspended, resized, dirty;
    int64_t last_frame, last_spin;

    /* the regions */
    struct transcript transcript;
    struct composer composer;
    struct pending pending;
    struct sidebar sidebar;
    struct search search;
    struct find find;
    struct dialog dialog;
    struct status status;
    enum focus focus;
    bool first_time;
    int main_col,
        rule_row; /* as of the last draw: the area right of the sidebar; above the composer */

    /* keys */
    struct key prefix;
    bool has_prefix;
    bool stop_sent;  /* an interrupt asked to stop; the next one quits */
    bool quit_armed; /* an interrupt hit an empty draft; the next one quits */

    /* queued actions, oldest first; `taken` was returned last */
    struct queued actions[UI_ACTIONS_MAX];
    size_t n_actions;
    char *taken;
    bool hangup_told;

    struct ui_command *commands; /* copies, with their strings */
    size_t n_commands;
    char **examples;
    size_t n_examples;
};

/* Draws everything onto the grid. */
void layout_draw(struct ui *u, int64_t now);

/* Handles a terminal event. */
void dispatch_event(struct ui *u, const struct input_event *event);

/* For library.c: queues an action, false: the queue is full; and moves the focus. */
bool dispatch_queue(struct ui *u, struct ui_action action);
void dispatch_focus(struct ui *u, enum focus to);

/*
 * Keys in the sidebar, the search dialog and the find line. False: not handled here, left to
 * dispatch.c.
 */
bool library_act(struct ui *u, enum keymap_place place, enum keymap_action action);
bool library_insert(struct ui *u, enum keymap_place place, const char *text, size_t len);
bool library_cancel(struct ui *u);
bool library_is_field(const struct ui *u); /* a text field there has the focus */
void library_list(struct ui *u);           /* requests the sidebar's rows */
void library_open_sidebar(struct ui *u, const char *words, bool archived);
void library_search(struct ui *u); /* opens the dialog */
void library_step(struct ui *u);   /* continues long-running work */

/* Performs an action in a place, as if bound to a key. */
void dispatch_act(struct ui *u, enum keymap_place place, enum keymap_action action);

/* Handles a mouse report; false: not one. */
bool mouse_take(struct ui *u, const char *report);

/*
 * talk.c: applies the theme and, if the theme is automatic, queries the terminal's background;
 * handles the reply; waits briefly for a pending reply, lest it be typed into the shell.
 */
void talk_choose_theme(struct ui *u, const struct ui_options *opt);
void talk_ask_background(struct ui *u, const struct ui_options *opt);
void talk_take_report(struct ui *u, const char *report);
void talk_await_answer(struct ui *u);

/* Queues UI_HANGUP, once. */
void dispatch_hangup(struct ui *u);

#endif
