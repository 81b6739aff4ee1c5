/*
 * screen.h: brings a grid to a terminal.
 *
 * Curses knows what terminals understand and works out the bytes of a frame; it writes them into
 * memory and never touches the terminal. What comes out is in order and complete: no frame may be
 * left out or cut, or curses' picture of the terminal is wrong until screen_repaint().
 */
#ifndef UI_SCREEN_H
#define UI_SCREEN_H

#include "bytes.h"
#include "grid.h"
#include "theme.h"

#include <stdbool.h>
#include <stddef.h>

struct curses_screen; /* `struct screen` is curses' own */

/*
 * The bytes that enter the screen are appended to *enter. 0, or -1 with one line in err: the
 * terminal type is unknown or cannot move the cursor, or there is no memory.
 */
int screen_open(struct curses_screen **out, const char *term, int rows, int cols, char *err,
                size_t errlen);
void screen_close(struct curses_screen *s);

/* Paints in these colours from the next frame on; NULL, as at first: in none. The theme is
 * copied. */
void screen_set_theme(struct curses_screen *s, const struct theme *theme);

/* Lets the terminal report clicks and the wheel while the screen is shown; before the first
 * frame. */
void screen_listen_to_mouse(struct curses_screen *s);

/* Whether the terminal understands OSC, as far as its description tells. */
bool screen_takes_osc(struct curses_screen *s);

/* The terminfo string of that name; NULL: the terminal has none. Until the screen is closed. */
const char *screen_capability(struct curses_screen *s, const char *name);

/* Appends the bytes that bring the terminal back whatever it is doing, as a program that died
 * would. */
bool screen_restore_bytes(struct curses_screen *s, struct bytes *out);

/* Forgets what the terminal shows: the next frame is painted whole. */
void screen_repaint(struct curses_screen *s);

/*
 * Appends to *out what makes the terminal show g, nothing if it does. The first frame, and the
 * first after screen_leave(), enters the screen. False: out of memory; nothing appended.
 */
bool screen_paint(struct curses_screen *s, const struct grid *g, struct bytes *out);

/* Appends what leaves the screen to other programs. */
bool screen_leave(struct curses_screen *s, struct bytes *out);

#endif
