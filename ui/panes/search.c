/*
 * search.c: a query, and two rows per hit: its conversation, and the matching snippet.
 */
#include "panes/search.h"
#include "keys/keymap.h"
#include "panes/dialog.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 90,
    HIT_ROWS = 2,
    INDENT = 3,
    QUERY_MIN = 12, /* columns */
};

static const char *const where_names[UI_WHERES] = {
    [UI_EVERYWHERE] = "everywhere",
    [UI_IN_QUESTIONS] = "in questions",
    [UI_IN_ANSWERS] = "in answers",
    [UI_IN_REASONING] = "in reasoning",
};

void search_init(struct search *s)
{
    *s = (struct search){.height = 1};
    field_init(&s->query);
}

void search_done(struct search *s)
{
    field_done(&s->query);
    bytes_free(&s->text);
    free(s->hits);
    free(s->summary);
}

/* A text on one line: newlines become spaces. */
static bool add_line(struct bytes *text, const char *s, size_t *at_out)
{
    *at_out = text->len;
    s = s ? s : "";
    if (!bytes_add(text, s, strlen(s) + 1))
        return false;
    for (char *p = text->data + *at_out; *p; p++)
        if (*p == '\n' || *p == '\r' || *p == '\t')
            *p = ' ';
    return true;
}

bool search_set(struct search *s, const struct ui_hit *hits, size_t n, bool grown,
                const char *summary)
{
    struct search_hit *copy = malloc((n + 1) * sizeof *copy);
    char *told = strdup(summary ? summary : "");
    struct bytes text = {0};

    if (!copy || !told)
        goto fail;
    for (size_t i = 0; i < n; i++) {
        copy[i] = (struct search_hit){
            .id = hits[i].id, .match_at = hits[i].match_at, .match_len = hits[i].match_len};
        if (!add_line(&text, hits[i].title, &copy[i].title) ||
            !add_line(&text, hits[i].detail, &copy[i].detail) ||
            !add_line(&text, hits[i].snippet, &copy[i].snippet))
            goto fail;
    }
    free(s->hits);
    free(s->summary);
    bytes_free(&s->text);
    s->hits = copy;
    s->n = n;
    s->text = text;
    s->summary = told;
    if (!grown)
        s->selected = s->top = 0;
    search_move(s, 0);
    return true;
fail:
    free(copy);
    free(told);
    bytes_free(&text);
    return false;
}

void search_move(struct search *s, int64_t hits)
{
    int64_t to = (int64_t)s->selected + hits, last = (int64_t)s->n - 1;
    to = to > last ? last : to;
    s->selected = to < 0 ? 0 : (size_t)to;
}

void search_narrow(struct search *s)
{
    s->where = (enum ui_where)((s->where + 1) % UI_WHERES);
}

bool search_chosen(const struct search *s, int64_t *id_out)
{
    if (s->selected >= s->n)
        return false;
    *id_out = s->hits[s->selected].id;
    return true;
}

/* Drawing */

/* Start of the snippet so that its match is visible, with some context before it. */
static size_t cut_front(const char *snippet, const struct search_hit *hit, int width)
{
    struct text_cluster c;
    size_t from = 0;
    int before = text_width(snippet, hit->match_at);

    while (from < hit->match_at && before > width / 3) {
        text_next(snippet + from, hit->match_at - from, &c);
        from += c.len;
        before -= c.width;
    }
    return from;
}

static void draw_snippet(const struct search *s, const struct search_hit *hit, struct grid *g,
                         int row, int col, int width)
{
    const char *snippet = s->text.data + hit->snippet;
    size_t from = cut_front(snippet, hit, width), match_end = hit->match_at + hit->match_len;
    int end = col + width;

    if (from > 0)
        col += grid_text(g, row, col, end - col, "…", strlen("…"), STYLE_DIM);
    col += grid_text(g, row, col, end - col, snippet + from, hit->match_at - from, STYLE_DIM);
    col += grid_text(g, row, col, end - col, snippet + hit->match_at, hit->match_len, STYLE_MATCH);
    grid_label(g, row, col, end - col, snippet + match_end, STYLE_DIM);
}

static void draw_hit(const struct search *s, size_t i, struct grid *g, int row, int col, int width)
{
    const struct search_hit *hit = &s->hits[i];
    const char *detail = s->text.data + hit->detail;
    int n = text_width(detail, strlen(detail)), room = width - INDENT - 1;

    if (n + 12 < room) {
        grid_label(g, row, col + width - n - 1, n, detail, STYLE_DIM);
        room -= n + 2;
    }
    grid_label(g, row, col + INDENT, room, s->text.data + hit->title, STYLE_STRONG);
    if (i == s->selected)
        grid_restyle(g, row, col + 1, width - 1, STYLE_SELECTED);
    draw_snippet(s, hit, g, row + 1, col + INDENT, width - INDENT - 1);
}

static void draw_hits(struct search *s, struct grid *g, int row, int col, int rows, int width)
{
    s->height = rows / HIT_ROWS > 0 ? rows / HIT_ROWS : 1;
    if (s->selected < s->top)
        s->top = s->selected;
    if (s->selected >= s->top + (size_t)s->height)
        s->top = s->selected + 1 - (size_t)s->height;
    for (int i = 0; i < s->height && s->top + (size_t)i < s->n; i++)
        draw_hit(s, s->top + (size_t)i, g, row + i * HIT_ROWS, col, width);
}

static void draw_advice(struct grid *g, int row, int col, int rows, int width)
{
    static const char *const lines[] = {
        "Finds words and parts of words in all conversations:",
        "in questions, answers and reasoning.",
        "\"Quotes\" hold a phrase together.",
    };
    int room = width - INDENT - 1, end = row + rows;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        for (const char *s = lines[i]; *s && row < end; row++) {
            size_t n = text_wrap(s, strlen(s), room);
            grid_text(g, row, col + INDENT, room, s, n, STYLE_DIM);
            s += n;
        }
}

static void draw_foot(const struct search *s, const struct keymap *map, struct grid *g, int row,
                      int col, int width)
{
    struct bytes keys = {0};
    int room = width - 4;

    keymap_add_hint(map, &keys, IN_FIELD, ACT_CHOOSE, ACT_NONE, "opens");
    keymap_add_hint(map, &keys, IN_FIELD, ACT_SCOPE, ACT_NONE, "where");
    keymap_add_hint(map, &keys, IN_ALL, ACT_CANCEL, ACT_NONE, "closes");
    int n = keys.len > 0 ? text_width(keys.data, keys.len) + 2 : 0;
    if (n > 0 && n + 6 <= width) {
        grid_repeat(g, row, col + width - n - 2, n, ' ', STYLE_DIM);
        grid_label(g, row, col + width - n - 1, n - 2, keys.data, STYLE_DIM);
        room -= n + 2;
    }
    bytes_free(&keys);
    if (s->summary && *s->summary && room > 4) {
        grid_repeat(g, row, col + 2, 1, ' ', STYLE_TEXT);
        int used = grid_label(g, row, col + 3, room - 2, s->summary, STYLE_KEY);
        grid_repeat(g, row, col + 3 + used, 1, ' ', STYLE_TEXT);
    }
}

void search_draw(struct search *s, const struct keymap *map, struct grid *g)
{
    int width = g->cols < WIDTH + 4 ? g->cols : WIDTH;
    int rows = g->rows > 12 ? g->rows - 2 : g->rows, col = (g->cols - width) / 2;
    bool empty = *field_text(&s->query) == '\0';

    int row = (g->rows - rows) / 4;
    dialog_box(g, row, col, rows, width, "Search");
    const char *where = where_names[s->where];
    int n = text_width(where, strlen(where));
    if (width - n < QUERY_MIN + 8) /* the query is drawn first */
        n = 0;
    grid_label(g, row + 1, col + width - n - 2, n, where,
               s->where == UI_EVERYWHERE ? STYLE_DIM : STYLE_KEY);
    grid_label(g, row + 1, col + 2, 1, "›", STYLE_PROMPT);
    field_draw(&s->query, g, row + 1, col + 4, width - n - 8, STYLE_TEXT);
    if (rows > 6)
        grid_repeat(g, row + 2, col + 1, width - 2, 0x2500, STYLE_RULE);
    int top = row + (rows > 6 ? 3 : 2);
    if (s->n > 0)
        draw_hits(s, g, top, col, row + rows - 1 - top, width - 1);
    else if (empty)
        draw_advice(g, top, col, row + rows - 1 - top, width - 1);
    draw_foot(s, map, g, row + rows - 1, col, width);
}
