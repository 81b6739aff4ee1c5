/*
 * list.c: choosing among rows. Knows nothing of their meaning.
 */
#include "panes/list.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    TITLE_MIN = 24, /* minimum width of titles beside details */
    FILTER_MAX = 400,
};

void list_init(struct list *l)
{
    *l = (struct list){.current = -1, .area.height = 1};
}

void list_done(struct list *l)
{
    bytes_free(&l->text);
    bytes_free(&l->filter);
    free(l->rows);
    free(l->shown);
    list_init(l);
}

static const char *title_of(const struct list *l, size_t row)
{
    return l->text.data + l->rows[row].title;
}

static void narrow(struct list *l)
{
    l->n_shown = 0;
    for (size_t i = 0; i < l->n; i++)
        if (l->narrowed || l->filter.len == 0 || text_contains(title_of(l, i), l->filter.data))
            l->shown[l->n_shown++] = i;
    l->selected = l->top = 0;
    l->afresh = true;
}

static bool add_string(struct bytes *text, const char *s, size_t *at_out)
{
    *at_out = text->len;
    return bytes_add(text, s, strlen(s) + 1);
}

bool list_set(struct list *l, const struct ui_row *rows, size_t n, int64_t current)
{
    struct list_row *copy = malloc((n + 1) * sizeof *copy);
    size_t *shown = malloc((n + 1) * sizeof *shown);
    struct bytes text = {0};
    int64_t chosen = current;
    size_t place = l->selected, top = l->top;
    bool afresh = l->narrowed && l->afresh;

    if (!copy || !shown)
        goto fail;
    for (size_t i = 0; i < n; i++) {
        copy[i].id = rows[i].id;
        if (!add_string(&text, rows[i].title ? rows[i].title : "", &copy[i].title) ||
            !add_string(&text, rows[i].detail ? rows[i].detail : "", &copy[i].detail))
            goto fail;
    }
    if (!afresh)
        list_chosen(l, &chosen);
    else if (l->filter.len > 0 && n > 0)
        chosen = rows[0].id;
    free(l->rows);
    free(l->shown);
    bytes_free(&l->text);
    l->rows = copy;
    l->shown = shown;
    l->n = n;
    l->text = text;
    l->current = current;
    narrow(l);
    l->afresh = false;
    if (!afresh) {
        list_move(l, (int64_t)place);
        l->top = top < l->selected ? top : l->selected;
    }
    list_select(l, chosen);
    return true;
fail:
    free(copy);
    free(shown);
    bytes_free(&text);
    return false;
}

void list_select(struct list *l, int64_t id)
{
    for (size_t i = 0; i < l->n_shown; i++)
        if (l->rows[l->shown[i]].id == id)
            l->selected = i;
}

void list_move(struct list *l, int64_t rows)
{
    int64_t to = (int64_t)l->selected + rows, last = (int64_t)l->n_shown - 1;
    to = to > last ? last : to;
    l->selected = to < 0 ? 0 : (size_t)to;
}

/* Newlines and other control characters become spaces; invalid UTF-8 is replaced. */
void list_type(struct list *l, const char *text, size_t len)
{
    for (size_t i = 0; i < len && l->filter.len < FILTER_MAX;) {
        char utf8[4];
        uint32_t cp;
        i += text_decode(text + i, len - i, &cp);
        if (!bytes_add(&l->filter, utf8, text_encode(cp < ' ' || cp == 0x7f ? ' ' : cp, utf8)))
            break;
    }
    narrow(l);
}

void list_erase(struct list *l)
{
    if (l->filter.len == 0)
        return;
    bytes_cut(&l->filter, text_prev(l->filter.data, l->filter.len));
    narrow(l);
}

void list_clear_filter(struct list *l)
{
    bytes_cut(&l->filter, 0);
    narrow(l);
}

bool list_chosen(const struct list *l, int64_t *id_out)
{
    if (l->selected >= l->n_shown)
        return false;
    *id_out = l->rows[l->shown[l->selected]].id;
    return true;
}

const char *list_chosen_title(const struct list *l)
{
    return l->selected < l->n_shown ? title_of(l, l->shown[l->selected]) : NULL;
}

/* Columns for the details of the visible rows; 0: titles would get too narrow. */
static int detail_room(const struct list *l, int height, int room)
{
    int widest = 0;
    for (size_t i = l->top; i < l->n_shown && i < l->top + (size_t)height; i++) {
        const char *detail = l->text.data + l->rows[l->shown[i]].detail;
        int n = text_width(detail, strlen(detail));
        widest = n > widest ? n : widest;
    }
    return widest + TITLE_MIN <= room ? widest : 0;
}

/* Mark, title, and right-aligned detail. */
static void draw_row(const struct list *l, size_t row, struct grid *g, struct area at,
                     int detail_columns)
{
    const char *detail = l->text.data + l->rows[row].detail;
    int n = text_width(detail, strlen(detail)), room = at.width - 4;

    if (l->rows[row].id == l->current)
        grid_label(g, at.row, at.col + 1, 1, "●", STYLE_PROMPT);
    if (detail_columns > 0 && n > 0) {
        grid_label(g, at.row, at.col + at.width - 1 - n, n, detail, STYLE_DIM);
        room -= detail_columns + 2;
    }
    grid_label(g, at.row, at.col + 3, room, title_of(l, row), STYLE_TEXT);
}

bool list_point(struct list *l, int row, int col)
{
    const struct area *a = &l->area;

    if (row < a->row || row >= a->row + a->height || col < a->col || col >= a->col + a->width ||
        l->top + (size_t)(row - a->row) >= l->n_shown)
        return false;
    l->selected = l->top + (size_t)(row - a->row);
    return true;
}

void list_draw(struct list *l, struct grid *g, struct area area, bool active)
{
    struct area line = {area.row, area.col, 1, area.width};

    l->area = area;
    l->area.height = area.height > 0 ? area.height : 1;
    l->top = grid_scroll(l->top, l->selected, (size_t)l->area.height, l->n_shown);
    int details = detail_room(l, l->area.height, area.width - 4);
    for (size_t i = l->top; i < l->n_shown && line.row < area.row + area.height; i++) {
        draw_row(l, l->shown[i], g, line, details);
        if (active && i == l->selected)
            grid_restyle(g, line.row, line.col, line.width, STYLE_SELECTED);
        line.row++;
    }
    if (l->n_shown == 0 && area.height > 0)
        grid_label(g, area.row, area.col + 3, area.width - 4,
                   l->filter.len > 0 ? "nothing matches" : "nothing yet", STYLE_DIM);
}
