/*
 * layout.h: places each region on the grid, for a window of any size.
 */
#ifndef UI_LAYOUT_H
#define UI_LAYOUT_H

#include "state.h"

/* Draws everything; `now` in milliseconds moves the spinner. */
void layout_draw(struct ui *u, int64_t now);

#endif
