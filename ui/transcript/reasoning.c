/*
 * reasoning.c: steps as rows. steps.c finds the steps, block.c lays out their text.
 */
#include "transcript/reasoning.h"
#include "markdown/formula.h"
#include "text/array.h"
#include "text/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 2 }; /* the bar left of the text */

void reasoning_done(struct reasoning *r)
{
    for (size_t i = 0; i < r->n; i++)
        block_done(&r->passages[i].block);
    free(r->passages);
    steps_done(&r->steps);
    *r = (struct reasoning){0};
}

/* Folds */

void reasoning_set_fold(struct reasoning *r, enum ui_fold fold)
{
    r->fold = fold;
    for (size_t i = 0; i < r->n; i++)
        r->passages[i].folded = false;
    r->n_placed = 0;
}

bool reasoning_hides(const struct reasoning *r)
{
    bool hides = r->fold != UI_FOLD_OPEN;
    for (size_t i = 0; i < r->n && !hides; i++)
        hides = r->passages[i].folded;
    return hides;
}

void reasoning_fold_step(struct reasoning *r, size_t step)
{
    if (step >= r->n)
        return;
    r->passages[step].folded = !r->passages[step].folded;
    r->n_placed = r->n_placed < step ? r->n_placed : step;
}

/* Layout */

static bool add_passages(struct reasoning *r)
{
    for (; r->n < r->steps.n; r->n++) {
        struct passage *grown = array_grow(r->passages, r->n, &r->cap, sizeof *grown);
        if (!grown)
            return false;
        r->passages = grown;
        r->passages[r->n] = (struct passage){0};
        block_init(&r->passages[r->n].block, false, r->strikes);
    }
    return true;
}

/* Rows before a step's own: a blank line if the text has one, but not between two folded steps. */
static size_t gap_before(const struct reasoning *r, size_t step)
{
    if (step == 0 || r->fold == UI_FOLD_LAST || !r->steps.at[step].apart)
        return 0;
    return !(r->passages[step].folded && r->passages[step - 1].folded);
}

static size_t rows_of(const struct reasoning *r, size_t step)
{
    const struct passage *p = &r->passages[step];
    if (r->fold == UI_FOLD_LAST && step + 1 < r->n)
        return 0;
    return gap_before(r, step) + (p->folded && p->block.n_lines > 0 ? 1 : p->block.n_lines);
}

static void place(struct reasoning *r)
{
    size_t end = r->n_placed > 0 ? r->passages[r->n_placed - 1].end : 0;
    for (size_t i = r->n_placed; i < r->n; i++)
        end = r->passages[i].end = end + rows_of(r, i);
    r->n_placed = r->n > 0 ? r->n - 1 : 0; /* the last step grows */
}

bool reasoning_layout(struct reasoning *r, const char *text, size_t len, int width, bool growing)
{
    size_t n = r->n;
    bool ok = steps_scan(&r->steps, text, len, !growing);

    if (r->fold == UI_FOLD_SHUT)
        return ok;
    ok = add_passages(r) && ok;
    if (width != r->width)
        r->n_laid = r->n_placed = 0;
    if (r->n != n && r->fold == UI_FOLD_LAST)
        r->n_placed = 0;
    r->width = width;
    for (size_t i = r->n_laid; i < r->n; i++) {
        size_t start = r->steps.at[i].start;
        size_t end = i + 1 < r->n ? r->steps.at[i + 1].start : r->steps.known;
        ok &= block_layout(&r->passages[i].block, text + start, end - start, width - INDENT);
    }
    r->n_laid = r->n > 0 ? r->n - 1 : 0;
    place(r);
    return ok;
}

size_t reasoning_rows(const struct reasoning *r)
{
    return r->fold == UI_FOLD_SHUT || r->n == 0 ? 0 : r->passages[r->n - 1].end;
}

size_t reasoning_row_of(const struct reasoning *r, size_t step)
{
    if (step >= r->n)
        return 0;
    return (step > 0 ? r->passages[step - 1].end : 0) + gap_before(r, step);
}

size_t reasoning_step_at(const struct reasoning *r, size_t row)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->passages[middle].end <= row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Drawing */

/* Marks a row as folded, with what is hidden. */
static void draw_more(struct grid *g, struct area at)
{
    int end = at.col + at.width - 2;
    while (end > at.col && grid_at(g, at.row, end - 1)->cp[0] == ' ')
        end--;
    grid_label(g, at.row, end, 2, " …", STYLE_DIM);
}

void reasoning_draw(const struct reasoning *r, size_t n, struct grid *g, struct area at)
{
    size_t step = reasoning_step_at(r, n), first = reasoning_row_of(r, step);
    const struct passage *p = &r->passages[step];
    bool back = r->steps.at[step].back_track;

    if (n < first) { /* the gap */
        grid_label(g, at.row, at.col, 1, "│", STYLE_RULE);
        return;
    }
    block_draw(&p->block, n - first, g, at.row, at.col + INDENT, STYLE_MUTED);
    const char *sign = n > first ? "│" : p->folded ? "▸" : back ? "↩" : "│";
    grid_label(g, at.row, at.col, 1, sign, back && n == first ? STYLE_WARN : STYLE_RULE);
    if (p->folded && p->block.n_lines > 1)
        draw_more(g, (struct area){at.row, at.col + INDENT, 1, at.width - INDENT});
}

static void format_ms(char *out, size_t size, int64_t ms)
{
    if (ms < 59950)
        snprintf(out, size, "%.1f s", (double)ms / 1000);
    else
        snprintf(out, size, "%" PRId64 " min %" PRId64 " s", ms / 60000, ms / 1000 % 60);
}

static void format_count(char *out, size_t size, size_t n, const char *what)
{
    if (n > 0)
        snprintf(out, size, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

/* In display order. */
enum { FACT_STEPS, FACT_BACK_TRACKS, FACT_TOKENS, FACT_TIME, FACTS };

static int facts_width(char facts[FACTS][48])
{
    int width = 0;
    for (int i = 0; i < FACTS; i++)
        if (facts[i][0])
            width += text_width(facts[i], strlen(facts[i])) + (width > 0 ? 3 : 0);
    return width;
}

/* Drops the least important entries until the rest fits. */
static void fit_facts(char facts[FACTS][48], int width)
{
    static const int order[] = {FACT_TOKENS, FACT_TIME, FACT_BACK_TRACKS};
    for (int i = 0; i < 3 && facts_width(facts) > width; i++)
        facts[order[i]][0] = '\0';
}

static int result_width(const struct bytes *result)
{
    enum { ARROW = 3, MOST = 24 };
    int width = text_width(result->data, result->len);
    return ARROW + (width < MOST ? width : MOST);
}

void reasoning_draw_facts(const struct reasoning *r, const struct reasoning_facts *f,
                          struct grid *g, struct area at)
{
    bool shut = r->fold != UI_FOLD_OPEN;
    struct bytes result = {0}; /* as drawn; empty: none pinned */
    char facts[FACTS][48] = {{0}};
    int row = at.row, col = at.col, end = col + at.width;

    if (shut && !f->thinking && f->result_len > 0)
        formula_on_line(&result, f->result, f->result_len);

    format_count(facts[FACT_STEPS], sizeof facts[0], r->steps.n, "step");
    format_count(facts[FACT_BACK_TRACKS], sizeof facts[0], r->steps.n_back_tracks, "back-track");
    format_count(facts[FACT_TOKENS], sizeof facts[0], (size_t)(f->tokens > 0 ? f->tokens : 0),
                 "token");
    if (f->ms >= 50) /* less would print as 0.0 s */
        format_ms(facts[FACT_TIME], sizeof facts[0], f->ms);

    col += grid_label(g, row, col, end - col, r->fold == UI_FOLD_SHUT ? "▸ " : "▾ ", STYLE_DIM);
    if (f->thinking)
        col += grid_label(g, row, col, end - col, "thinking… ", STYLE_DIM);
    else if (facts_width(facts) == 0)
        col += grid_label(g, row, col, end - col, "thought", STYLE_DIM);
    fit_facts(facts, end - col - (result.len > 0 ? result_width(&result) : 0));
    bool any = false;
    for (int i = 0; i < FACTS; i++) {
        if (!facts[i][0])
            continue;
        if (any)
            col += grid_label(g, row, col, end - col, " · ", STYLE_DIM);
        col += grid_label(g, row, col, end - col, facts[i], STYLE_DIM);
        any = true;
    }
    if (result.len > 0) {
        col += grid_label(g, row, col, end - col, " → ", STYLE_DIM);
        grid_text(g, (struct area){row, col, 1, end - col}, result.data, result.len, STYLE_RESULT);
    }
    bytes_free(&result);
}
