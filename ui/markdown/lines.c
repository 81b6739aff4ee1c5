/*
 * lines.c: laid-out lines, their margins, and breaking styled runs into lines.
 */
#include "markdown/lines.h"
#include "text/array.h"

#include <stdlib.h>
#include <string.h>

void lines_free(struct lines *l)
{
    bytes_free(&l->text);
    free(l->spans);
    free(l->lines);
    *l = (struct lines){0};
}

size_t lines_text_end(const struct lines *l, size_t n)
{
    return n + 1 < l->n ? l->lines[n + 1].text : l->text.len;
}

size_t lines_span_end(const struct lines *l, size_t n)
{
    return n + 1 < l->n ? l->lines[n + 1].span : l->n_spans;
}

struct lines_mark lines_mark(const struct lines *l)
{
    return (struct lines_mark){
        .n = l->n,
        .text = l->text.len,
        .span = l->n_spans,
        .open = l->open,
        .line_text = l->line_text,
        .line_span = l->line_span,
        .col = l->col,
        .fixed = l->fixed,
    };
}

void lines_rewind(struct lines *l, const struct lines_mark *mark)
{
    bytes_cut(&l->text, mark->text);
    l->n_spans = mark->span;
    l->n = mark->n;
    l->open = mark->open;
    l->line_text = mark->line_text;
    l->line_span = mark->line_span;
    l->col = mark->col;
    l->fixed = mark->fixed;
    if (l->open && l->n_spans > l->line_span) /* its last span may have grown */
        l->spans[l->n_spans - 1].end = (uint32_t)(mark->text - mark->line_text);
    if (l->n == 0)
        l->widest = 0;
}

void lines_reopen(struct lines *l)
{
    if (l->n == 0 || l->open)
        return;
    const struct line *last = &l->lines[--l->n];
    l->open = true;
    l->line_text = last->text;
    l->line_span = last->span;
    l->fixed = last->fixed;
    l->col = text_width(l->text.data + last->text, l->text.len - last->text);
}

void lines_put(struct lines *l, const char *s, size_t n, int columns, uint8_t style)
{
    bool same = l->n_spans > l->line_span && l->spans[l->n_spans - 1].style == style;

    if (n == 0)
        return;
    struct line_span *spans = array_grow(l->spans, l->n_spans, &l->cap_spans, sizeof *spans);
    if (spans)
        l->spans = spans;
    if (!spans || !bytes_add(&l->text, s, n)) {
        l->failed = true;
        return;
    }
    if (!same)
        l->spans[l->n_spans++].style = style;
    l->spans[l->n_spans - 1].end = (uint32_t)(l->text.len - l->line_text);
    l->col += columns;
}

void lines_cluster(struct lines *l, const char *s, const struct text_cluster *c, uint8_t style)
{
    char drawn[4 * TEXT_CLUSTER_MAX];
    size_t n = 0;

    if (c->len <= sizeof drawn) {
        lines_put(l, s, c->len, c->width, style);
        return;
    }
    for (int i = 0; i < c->n; i++)
        n += text_encode(c->cp[i], drawn + n);
    lines_put(l, drawn, n, c->width, style);
}

void lines_label(struct lines *l, const char *label, uint8_t style)
{
    lines_put(l, label, strlen(label), text_width(label, strlen(label)), style);
}

void lines_spaces(struct lines *l, int n, uint8_t style)
{
    static const char spaces[] = "                                ";
    const int most = sizeof spaces - 1;
    for (; n > 0; n -= most)
        lines_put(l, spaces, (size_t)(n < most ? n : most), n < most ? n : most, style);
}

void lines_begin(struct lines *l, struct margin *margin)
{
    l->open = true;
    l->line_text = l->text.len;
    l->line_span = l->n_spans;
    l->col = l->fixed = 0;
    for (int i = 0; margin && i < margin->n && i < LINES_MARGIN_MAX; i++) {
        struct margin_entry *entry = &margin->entries[i];
        if (entry->bar && entry->columns > 0)
            lines_label(l, "│ ", STYLE_RULE);
        else if (*entry->label)
            lines_label(l, entry->label, entry->label_style);
        else
            lines_spaces(l, entry->columns, STYLE_TEXT);
        entry->label[0] = '\0';
        entry->fresh = false;
    }
    l->fixed = l->col;
}

static void end_line(struct lines *l, uint32_t width)
{
    if (!l->open)
        return;
    l->open = false;
    struct line *lines = array_grow(l->lines, l->n, &l->cap, sizeof *lines);
    if (!lines) {
        l->failed = true;
        return;
    }
    l->lines = lines;
    l->lines[l->n++] = (struct line){l->line_text, l->line_span, width, (uint16_t)l->fixed};
    if (width > l->widest)
        l->widest = width;
}

void lines_end(struct lines *l)
{
    end_line(l, 0);
}

void lines_end_wide(struct lines *l, int width)
{
    end_line(l, l->col > width ? (uint32_t)l->col : 0);
}

void lines_gap(struct lines *l, struct margin *margin)
{
    struct margin before = {.n = 0};

    while (before.n < margin->n && before.n < LINES_MARGIN_MAX &&
           !margin->entries[before.n].fresh) {
        before.entries[before.n] = margin->entries[before.n];
        before.n++;
    }
    while (before.n > 0 && !before.entries[before.n - 1].bar)
        before.n--;
    lines_begin(l, &before);
    lines_end(l);
}

/* Margins */

int margin_columns(const struct margin *margin)
{
    int columns = 0;
    for (int i = 0; i < margin->n && i < LINES_MARGIN_MAX; i++)
        columns += margin->entries[i].columns;
    return columns;
}

void margin_push(struct margin *margin, const struct margin_entry *entry, int width)
{
    int at = margin->n++;
    if (at >= LINES_MARGIN_MAX)
        return;
    margin->entries[at] = *entry;
    margin->entries[at].columns = 0;
    if (margin_columns(margin) + entry->columns <= width / 2)
        margin->entries[at].columns = entry->columns;
    else
        margin->entries[at].label[0] = '\0';
}

void margin_pop(struct margin *margin)
{
    if (margin->n > 0)
        margin->n--;
}

bool margin_is_fresh(const struct margin *margin)
{
    return margin->n > 0 && margin->n <= LINES_MARGIN_MAX && margin->entries[margin->n - 1].fresh;
}

/* Runs */

void runs_free(struct runs *r)
{
    bytes_free(&r->text);
    free(r->runs);
    *r = (struct runs){0};
}

void runs_clear(struct runs *r)
{
    bytes_cut(&r->text, 0);
    r->n = 0;
}

bool runs_add(struct runs *r, const char *s, size_t n, uint8_t style, enum run_kind kind,
              uint32_t arg)
{
    struct run *last = r->n > 0 ? &r->runs[r->n - 1] : NULL;
    style |= r->flags;
    bool joins = kind == RUN_TEXT && last && last->kind == RUN_TEXT && last->style == style;

    if (!bytes_add(&r->text, s, n))
        return false;
    if (!joins) {
        struct run *runs = array_grow(r->runs, r->n, &r->cap, sizeof *runs);
        if (!runs)
            return false;
        r->runs = runs;
        last = &runs[r->n++];
        *last = (struct run){.style = style, .kind = (uint8_t)kind, .arg = arg};
    }
    last->end = (uint32_t)r->text.len;
    return true;
}

/* A position between two clusters of the runs. */
struct place {
    size_t run, pos;
};

static bool at_stop(const struct runs *r, const struct place *at)
{
    return at->run >= r->n || r->runs[at->run].kind == RUN_BREAK ||
           r->runs[at->run].kind == RUN_BLOCK;
}

/* Advances over an atom or a cluster, returned in *c; an atom counts as a letter. */
static void step(const struct runs *r, struct place *at, struct text_cluster *c)
{
    const struct run *run = &r->runs[at->run];
    if (run->kind == RUN_ATOM) {
        size_t n = run->end - at->pos;
        *c = (struct text_cluster){.len = n, .n = 1, .cp = {'x'}};
        c->width = text_width(r->text.data + at->pos, n);
    } else {
        text_next(r->text.data + at->pos, run->end - at->pos, c);
    }
    at->pos += c->len;
    while (at->run < r->n && at->pos >= r->runs[at->run].end && !at_stop(r, at))
        at->run++;
}

/*
 * Finds the end of the line that begins at `from`, and the start of the next, for `room` columns.
 * `fresh`: the line is empty, so at least one cluster is taken.
 */
static void find_break(const struct runs *r, struct place from, int room, bool fresh,
                       struct place *end, struct place *next)
{
    struct text_cluster c, prev = {.n = 1, .cp = {' '}};
    struct place at = from, word_end = from; /* end of the last non-space */
    int used = 0;

    *end = *next = from;
    while (!at_stop(r, &at)) {
        struct place here = at;
        bool atom = r->runs[at.run].kind == RUN_ATOM;
        step(r, &at, &c);
        bool space = !atom && text_is_space(&c);
        bool breaks = here.pos > from.pos && text_breaks_before(&prev, &c);
        if (breaks) {
            *end = word_end;
            *next = here;
        }
        if (!space && used + c.width > room) {
            if (next->pos == from.pos && fresh) { /* a word wider than the line */
                bool first = here.pos == from.pos;
                *end = first ? at : here;
                *next = *end;
            }
            return;
        }
        used += c.width;
        prev = c;
        if (!space)
            word_end = at;
    }
    *end = word_end;
    *next = at;
}

static void put_text(struct lines *l, const char *s, size_t n, uint8_t style)
{
    struct text_cluster c;
    size_t begin = 0;
    int columns = 0;

    for (size_t i = 0; i < n; i += c.len) {
        text_next(s + i, n - i, &c);
        if (c.len <= 4 * TEXT_CLUSTER_MAX) {
            columns += c.width;
            continue;
        }
        lines_put(l, s + begin, i - begin, columns, style);
        lines_cluster(l, s + i, &c, style);
        begin = i + c.len;
        columns = 0;
    }
    lines_put(l, s + begin, n - begin, columns, style);
}

static void put_range(const struct runs *r, struct place from, const struct place *to,
                      struct lines *l)
{
    while (from.pos < to->pos) {
        const struct run *run = &r->runs[from.run];
        size_t end = run->end < to->pos ? run->end : to->pos;
        put_text(l, r->text.data + from.pos, end - from.pos, run->style);
        from.pos = end;
        from.run++;
    }
}

static void skip_spaces(const struct runs *r, struct place *at)
{
    while (!at_stop(r, at) && r->runs[at->run].kind == RUN_TEXT &&
           (r->text.data[at->pos] == ' ' || r->text.data[at->pos] == '\t')) {
        struct text_cluster c;
        step(r, at, &c);
    }
}

size_t runs_layout(const struct runs *r, size_t first, struct lines *l, struct margin *margin,
                   int width)
{
    struct place at = {first, first > 0 ? r->runs[first - 1].end : 0}, end, next;

    while (at.run < r->n && r->runs[at.run].kind != RUN_BLOCK) {
        if (at_stop(r, &at)) { /* a line break */
            if (!l->open)
                lines_begin(l, margin);
            lines_end_wide(l, width);
            at.pos = r->runs[at.run++].end;
            continue;
        }
        if (!l->open)
            lines_begin(l, margin);
        bool fresh = l->col == l->fixed;
        find_break(r, at, width - l->col, fresh, &end, &next);
        put_range(r, at, &end, l);
        bool done = at_stop(r, &next);
        if (!done || next.run >= r->n || r->runs[next.run].kind == RUN_BLOCK)
            lines_end_wide(l, width);
        at = next;
        if (!done)
            skip_spaces(r, &at);
    }
    lines_end_wide(l, width);
    return at.run;
}
