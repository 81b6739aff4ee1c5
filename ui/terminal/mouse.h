/*
 * mouse.h: what a terminal reports of the mouse.
 */
#ifndef UI_TERMINAL_MOUSE_H
#define UI_TERMINAL_MOUSE_H

#include <stdbool.h>

struct mouse_event {
    enum mouse_kind { MOUSE_OTHER, MOUSE_CLICK, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN } kind;
    int row, col; /* from 0 */
};

/* Parses a report of the form "CSI < button ; column ; row M"; false: not one. */
bool mouse_read(const char *report, struct mouse_event *out);

#endif
