/*
 * mouse.c: reads what terminals report in mode 1006 (SGR).
 */
#include "terminal/mouse.h"

#include <stdio.h>

bool mouse_read(const char *report, struct mouse_event *out)
{
    int button, col, row, used = 0;
    char end;

    if (sscanf(report, "\033[<%4d;%5d;%5d%c%n", &button, &col, &row, &end, &used) != 4 ||
        report[used] != '\0' || (end != 'M' && end != 'm') || row < 1 || col < 1)
        return false;
    *out = (struct mouse_event){MOUSE_OTHER, row - 1, col - 1};
    if (end == 'M' && button == 64)
        out->kind = MOUSE_WHEEL_UP;
    else if (end == 'M' && button == 65)
        out->kind = MOUSE_WHEEL_DOWN;
    else if (end == 'M' && button == 0)
        out->kind = MOUSE_CLICK;
    return true;
}
