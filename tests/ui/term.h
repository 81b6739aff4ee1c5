/*
 * term.h: the real screen on a pty, with libvterm as the terminal and a clock controlled by the
 * test. Typed input goes in at one end, the visible screen comes out at the other.
 */
#ifndef TESTS_UI_TERM_H
#define TESTS_UI_TERM_H

#include "ui/text/bytes.h"
#include "ui/ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <vterm.h>

enum { TERM_ACTIONS_MAX = 64 };

struct term {
    int rows, cols;
    int master, slave;
    struct ui *ui;
    VTerm *vt;
    VTermScreen *screen;
    VTermPos cursor;
    bool cursor_shown, alt_screen;
    struct bytes raw; /* everything written to the terminal since term_forget() */
    struct ui_action actions[TERM_ACTIONS_MAX];
    size_t n_actions;
};

/* Opens the screen in a window of that size; type NULL: xterm-256color. Fails the test if it
 * cannot. */
void term_open(struct term *t, int rows, int cols, const char *type);
void term_open_as(struct term *t, int rows, int cols, const char *type, enum ui_theme theme);

/* The same, edited as in vi. */
void term_open_vi(struct term *t, int rows, int cols);

void term_close(struct term *t);

/* A window of that size with nothing in it. */
void term_open_bare(struct term *t, int rows, int cols);

/* A full turn of the loop, and as many as it takes until nothing moves. Time goes on by 100 ms
 * each. */
void term_turn(struct term *t);

/* Types bytes and turns. */
void term_type(struct term *t, const char *keys);
void term_type_bytes(struct term *t, const char *keys, size_t n);

void term_resize(struct term *t, int rows, int cols);

/* Moves what was written to the terminal into libvterm and t->raw. */
void term_drain(struct term *t);

/* Passes time without a turn. */
void term_wait(int ms);
int64_t term_clock(void);

void term_forget(struct term *t); /* raw bytes and actions */

/* The screen as text, rows without their trailing spaces. Free it. */
char *term_text(const struct term *t);

/* The screen's styles, a letter for each cell. Free it. */
char *term_styles(const struct term *t);

/* The screen with its colours: "{80 bold}text{}", numbers as the terminal was sent them. Free
 * it. */
char *term_painted(const struct term *t);

/* Whether a row of the screen holds this. */
bool term_shows(const struct term *t, const char *part);

/* The kind of the latest action, -1: none since term_forget(). */
int term_last_action(const struct term *t);

/* Fails the test unless the bytes are of the sequences that we mean to send. */
void term_check_grammar(const char *bytes, size_t n);

#endif
