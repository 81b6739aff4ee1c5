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

void search_init(struct search *s, const struct keymap *keymap)
{
    *s = (struct search){.keymap = keymap, .height = 1};
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

bool search_point(struct search *s, int row, int col)
{
    const struct area *a = &s->area;
    size_t hit = s->top + (size_t)((row - a->row) / HIT_ROWS);

    if (row < a->row || row >= a->row + s->height * HIT_ROWS || col < a->col ||
        col >= a->col + a->width || hit >= s->n)
        return false;
    s->selected = hit;
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

/* Draws a piece of a line and moves on in its area. */
static void draw_piece(struct grid *g, struct area *at, const char *text, size_t len, uint8_t style)
{
    int used = grid_text(g, *at, text, len, style);
    at->col += used;
    at->width -= used;
}

static void draw_snippet(const struct search *s, const struct search_hit *hit, struct grid *g,
                         struct area at)
{
    const char *snippet = s->text.data + hit->snippet, *match = snippet + hit->match_at;
    size_t from = cut_front(snippet, hit, at.width);

    if (from > 0)
        draw_piece(g, &at, "…", strlen("…"), STYLE_DIM);
    draw_piece(g, &at, snippet + from, hit->match_at - from, STYLE_DIM);
    draw_piece(g, &at, match, hit->match_len, STYLE_MATCH);
    grid_label(g, at.row, at.col, at.width, match + hit->match_len, STYLE_DIM);
}

static void draw_hit(const struct search *s, size_t i, struct grid *g, struct area at)
{
    const struct search_hit *hit = &s->hits[i];
    const char *detail = s->text.data + hit->detail;
    int n = text_width(detail, strlen(detail)), room = at.width - INDENT - 1;
    struct area below = {at.row + 1, at.col + INDENT, 1, room};

    if (n + 12 < room) {
        grid_label(g, at.row, at.col + at.width - n - 1, n, detail, STYLE_DIM);
        room -= n + 2;
    }
    grid_label(g, at.row, at.col + INDENT, room, s->text.data + hit->title, STYLE_STRONG);
    if (i == s->selected)
        grid_restyle(g, at.row, at.col + 1, at.width - 1, STYLE_SELECTED);
    draw_snippet(s, hit, g, below);
}

static void draw_hits(struct search *s, struct grid *g, struct area area)
{
    struct area at = {area.row, area.col, HIT_ROWS, area.width};

    s->area = area;
    s->height = area.height / HIT_ROWS > 0 ? area.height / HIT_ROWS : 1;
    s->top = grid_scroll(s->top, s->selected, (size_t)s->height, s->n);
    for (size_t i = s->top; i < s->n && i < s->top + (size_t)s->height; i++) {
        draw_hit(s, i, g, at);
        at.row += HIT_ROWS;
    }
}

static void draw_advice(struct grid *g, struct area area)
{
    static const char *const lines[] = {
        "Finds words and parts of words in all conversations:",
        "in questions, answers and reasoning.",
        "\"Quotes\" hold a phrase together.",
    };
    struct area at = {area.row, area.col + INDENT, 1, area.width - INDENT - 1};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        for (const char *s = lines[i]; *s && at.row < area.row + area.height; at.row++) {
            size_t n = text_wrap(s, strlen(s), at.width);
            grid_text(g, at, s, n, STYLE_DIM);
            s += n;
        }
}

static void draw_foot(const struct search *s, struct grid *g, struct area border)
{
    struct bytes keys = {0};

    int taken = 0;
    for (int scope = 1; scope >= 0 && taken == 0; scope--) { /* in a narrow window without it */
        bytes_cut(&keys, 0);
        keymap_add_hint(s->keymap, &keys, IN_FIELD, ACT_CHOOSE, ACT_NONE, "opens");
        if (scope)
            keymap_add_hint(s->keymap, &keys, IN_FIELD, ACT_SCOPE, ACT_NONE, "where");
        keymap_add_hint(s->keymap, &keys, IN_ALL, ACT_CANCEL, ACT_NONE, "closes");
        taken = grid_inset_right(g, border, bytes_string(&keys), STYLE_DIM);
    }
    border.width -= taken;
    bytes_free(&keys);
    if (s->summary)
        grid_inset_left(g, border, s->summary, STYLE_KEY);
}

/* The query, and where it is looked for if both fit. */
static void draw_query(const struct search *s, struct grid *g, struct area at)
{
    const char *where = where_names[s->where];
    int n = text_width(where, strlen(where));

    if (at.width - n < QUERY_MIN + 8)
        n = 0;
    grid_label(g, at.row, at.col + at.width - n - 2, n, where,
               s->where == UI_EVERYWHERE ? STYLE_DIM : STYLE_KEY);
    grid_label(g, at.row, at.col + 2, 1, "›", STYLE_PROMPT);
    field_draw(&s->query, g, (struct area){at.row, at.col + 4, 1, at.width - n - 8}, STYLE_TEXT);
}

void search_draw(struct search *s, struct grid *g)
{
    int width = g->cols < WIDTH + 4 ? g->cols : WIDTH;
    int height = g->rows > 12 ? g->rows - 2 : g->rows;
    struct area box = {(g->rows - height) / 4, (g->cols - width) / 2, height, width};
    int head = height > 6 ? 3 : 2, last = box.row + height - 1;
    struct area body = {box.row + head, box.col, height - 1 - head, width - 1};

    dialog_box(g, box, "Search");
    draw_query(s, g, (struct area){box.row + 1, box.col, 1, width});
    if (height > 6)
        grid_repeat(g, box.row + 2, box.col + 1, width - 2, 0x2500, STYLE_RULE);
    if (s->n > 0)
        draw_hits(s, g, body);
    else if (*field_text(&s->query) == '\0')
        draw_advice(g, body);
    draw_foot(s, g, (struct area){last, box.col, 1, width});
}
