/*
 * state.h: the contents of `struct ui`, for the files beside this one alone. ui.c owns it,
 * dispatch.c turns keys into changes of it, layout.c draws it; a region knows only its own part.
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
#include "panes/welcome.h"
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
    struct theme_overrides overrides;
    int64_t asked_ms; /* when the terminal was asked for its background; -1: no reply pending */
    bool mouse;       /* mouse reports are enabled */
    bool suspended, resized, dirty;
    int64_t last_frame, last_spin;

    /* the regions */
    struct transcript transcript;
    struct composer composer;
    struct welcome welcome;
    struct pending pending;
    struct sidebar sidebar;
    struct search search;
    struct find find;
    struct dialog dialog;
    struct status status;
    enum focus focus;
    int main_col, composer_row; /* as of the last draw: where they begin */

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
};

#endif
