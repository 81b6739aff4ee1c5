/*
 * dispatch_mouse.c: the effects of the mouse. Hit testing uses what was drawn last.
 */
#include "dispatch.h"
#include "lookup.h"
#include "terminal/mouse.h"

enum {
    WHEEL_ROWS = 3,
    FOLDED = 0x25b8, /* the fold markers */
    UNFOLDED = 0x25be,
};

static bool is_on_sidebar(const struct ui *u, const struct mouse_event *e)
{
    return u->sidebar.open && e->col < u->main_col;
}

static void scroll(struct ui *u, const struct mouse_event *e)
{
    int rows = e->kind == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS;

    if (u->dialog.kind == DIALOG_SEARCH)
        search_move(&u->search, rows / WHEEL_ROWS);
    else if (u->dialog.kind != DIALOG_NONE)
        dialog_move(&u->dialog, rows);
    else if (is_on_sidebar(u, e))
        lookup_move(u, rows);
    else
        transcript_scroll(&u->transcript, rows);
}

/* A click on a fold marker toggles it. */
static void click_transcript(struct ui *u, const struct mouse_event *e)
{
    if (!transcript_point(&u->transcript, e->row))
        return;
    dispatch_focus(u, FOCUS_TRANSCRIPT);
    transcript_point(&u->transcript, e->row); /* taking the focus moved the selection */
    for (int col = u->main_col; col < u->grid.cols; col++) {
        uint32_t sign = grid_at(&u->grid, e->row, col)->cp[0];
        if (sign == FOLDED || sign == UNFOLDED)
            dispatch_act(u, IN_TRANSCRIPT, ACT_FOLD);
        if (sign != ' ' && sign != 0x258c) /* the bar beside the selected message */
            return;
    }
}

static void click_dialog(struct ui *u, const struct mouse_event *e)
{
    if (u->dialog.kind == DIALOG_SEARCH && search_point(&u->search, e->row, e->col))
        dispatch_act(u, IN_FIELD, ACT_CHOOSE);
    if (u->dialog.kind == DIALOG_PICK && list_point(&u->dialog.list, e->row, e->col))
        dispatch_act(u, IN_LIST, ACT_CHOOSE);
}

static void click(struct ui *u, const struct mouse_event *e)
{
    if (u->dialog.kind != DIALOG_NONE) {
        click_dialog(u, e);
    } else if (is_on_sidebar(u, e)) {
        dispatch_focus(u, FOCUS_SIDEBAR);
        if (list_point(&u->sidebar.list, e->row, e->col))
            dispatch_act(u, IN_LIST, ACT_CHOOSE);
    } else if (e->row >= u->composer_row) {
        dispatch_focus(u, FOCUS_COMPOSER);
    } else {
        click_transcript(u, e);
    }
}

bool dispatch_mouse(struct ui *u, const char *report)
{
    struct mouse_event event;

    if (!u->mouse || !mouse_read(report, &event))
        return false;
    if (event.row >= u->grid.rows || event.col >= u->grid.cols)
        return true;
    if (event.kind == MOUSE_CLICK)
        click(u, &event);
    else if (event.kind != MOUSE_OTHER)
        scroll(u, &event);
    u->dirty = true;
    return true;
}
