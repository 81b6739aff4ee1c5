/*
 * screen.h: sends a grid to a terminal.
 *
 * Curses knows the terminal's capabilities and computes the bytes of a frame; it writes them to
 * memory and never touches the terminal. Frames must be sent completely and in order, or curses'
 * idea of the screen is wrong until screen_repaint().
 */
#ifndef UI_TERMINAL_SCREEN_H
#define UI_TERMINAL_SCREEN_H

#include "terminal/grid.h"
#include "terminal/theme.h"
#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>

struct curses_screen; /* `struct screen` is taken by curses */

/*
 * Appends the bytes that enter the screen to *enter. 0, or -1 with one line in err: the terminal
 * type is unknown or cannot move the cursor, or out of memory.
 */
int screen_open(struct curses_screen **out, const char *term, int rows, int cols, char *err,
                size_t errlen);
void screen_close(struct curses_screen *s);

/* Uses these colours from the next frame on; NULL, the initial value: none. The theme is copied. */
void screen_set_theme(struct curses_screen *s, const struct theme *theme);

/* Enables mouse reports (clicks, wheel) while the screen is shown; call before the first frame. */
void screen_listen_to_mouse(struct curses_screen *s);

/* Whether the terminal understands OSC, judging by terminfo. */
bool screen_takes_osc(struct curses_screen *s);

/* Whether the terminal strikes text through; where it does not, STYLE_STRUCK changes nothing. */
bool screen_strikes(struct curses_screen *s);

/* A terminfo string by name; NULL: absent. Valid until the screen is closed. */
const char *screen_capability(struct curses_screen *s, const char *name);

/* Appends the bytes that restore the terminal from any state, for use after a crash. */
bool screen_restore_bytes(struct curses_screen *s, struct bytes *out);

/* Forgets the terminal's contents: the next frame is painted in full. */
void screen_repaint(struct curses_screen *s);

/*
 * Appends to *out the bytes that make the terminal show g; none if it already does. The first
 * frame, and the first after screen_leave(), enters the screen. False: out of memory; nothing
 * appended.
 */
bool screen_paint(struct curses_screen *s, const struct grid *g, struct bytes *out);

/* Appends the bytes that leave the screen to other programs. */
bool screen_leave(struct curses_screen *s, struct bytes *out);

#endif
