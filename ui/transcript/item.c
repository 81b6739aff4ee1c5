/*
 * item.c: one entry of the transcript: its rows and its margin. block.c lays out its text,
 * transcript.c places its rows.
 */
#include "transcript/item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item *item_new(enum item_kind kind)
{
    struct item *item = calloc(1, sizeof *item);
    if (item)
        item->kind = kind;
    return item;
}

void item_free(struct item *item)
{
    if (!item)
        return;
    for (size_t i = 0; i < item->n_parts; i++) {
        bytes_free(&item->parts[i].text);
        block_done(&item->parts[i].block);
        reasoning_done(&item->parts[i].reasoning);
    }
    free(item->parts);
    free(item->name);
    free(item->note);
    free(item);
}

static struct part *add_part(struct item *item, enum ui_text kind)
{
    struct part *parts = realloc(item->parts, (item->n_parts + 1) * sizeof *parts);
    if (!parts)
        return NULL;
    item->parts = parts;
    struct part *part = &parts[item->n_parts++];
    *part = (struct part){.kind = kind};
    block_init(&part->block, item->kind != ITEM_ASSISTANT, item->strikes);
    part->reasoning.strikes = item->strikes;
    return part;
}

/* Reasoning is unfolded while it is written, unless only its last step is to be shown. */
static struct part *begin_part(struct item *item, enum ui_text kind, enum ui_fold fold)
{
    struct part *last = item->n_parts > 0 ? &item->parts[item->n_parts - 1] : NULL;
    if (last && last->kind == UI_REASONING && fold != UI_FOLD_OPEN)
        reasoning_set_fold(&last->reasoning, fold);
    struct part *part = add_part(item, kind);
    if (part)
        part->reasoning.fold = fold == UI_FOLD_LAST ? UI_FOLD_LAST : UI_FOLD_OPEN;
    return part;
}

void item_append(struct item *item, enum ui_text kind, const char *text, size_t len,
                 enum ui_fold fold)
{
    struct part *part = item->n_parts > 0 ? &item->parts[item->n_parts - 1] : NULL;

    if (!part || part->kind != kind)
        part = begin_part(item, kind, fold);
    if (!part) {
        item->lost = true;
        return;
    }
    if (!bytes_add(&part->text, text, len))
        item->lost = true;
    else if (item->kind == ITEM_ASSISTANT)
        boxed_scan(&part->boxed, part->text.data, part->text.len);
}

void item_end(struct item *item, enum ui_tone tone, const char *note)
{
    item->ended = true;
    item->tone = tone;
    free(item->note);
    item->note = note && *note ? strdup(note) : NULL;
}

/* The next reasoning part from *i on; NULL: no more. */
static struct reasoning *next_reasoning(const struct item *item, size_t *i)
{
    while (*i < item->n_parts) {
        struct part *part = &item->parts[(*i)++];
        if (part->kind == UI_REASONING)
            return &part->reasoning;
    }
    return NULL;
}

bool item_has_reasoning(const struct item *item)
{
    size_t i = 0;
    return next_reasoning(item, &i) != NULL;
}

bool item_is_open(const struct item *item)
{
    struct reasoning *r;
    for (size_t i = 0; (r = next_reasoning(item, &i));)
        if (r->fold != UI_FOLD_SHUT)
            return true;
    return false;
}

void item_fold(struct item *item, enum ui_fold fold)
{
    struct reasoning *r;
    for (size_t i = 0; (r = next_reasoning(item, &i));)
        reasoning_set_fold(r, fold);
}

enum ui_fold item_fold_of(const struct item *item)
{
    size_t i = 0;
    const struct reasoning *r = next_reasoning(item, &i);
    return r ? r->fold : UI_FOLD_OPEN;
}

void item_open(struct item *item)
{
    struct reasoning *r;
    for (size_t i = 0; (r = next_reasoning(item, &i));)
        if (r->fold != UI_FOLD_OPEN)
            reasoning_set_fold(r, UI_FOLD_OPEN);
}

size_t item_steps(const struct item *item)
{
    struct reasoning *r;
    size_t n = 0;
    for (size_t i = 0; (r = next_reasoning(item, &i));)
        n += r->steps.n;
    return n;
}

void item_fold_step(struct item *item, size_t step)
{
    struct reasoning *r;
    for (size_t i = 0; (r = next_reasoning(item, &i)); step -= r->steps.n)
        if (step < r->steps.n) {
            reasoning_fold_step(r, step);
            return;
        }
}

bool item_hides(const struct item *item, const char *text)
{
    for (size_t i = 0; i < item->n_parts; i++) {
        const struct part *part = &item->parts[i];
        if (part->kind == UI_REASONING && reasoning_hides(&part->reasoning) &&
            text_contains(part->text.data, text))
            return true;
    }
    return false;
}

void item_shift(struct item *item, int columns)
{
    for (size_t i = 0; i < item->n_parts; i++)
        block_scroll(&item->parts[i].block, columns);
}

/* Rows */

enum row_kind {
    ROW_GAP,
    ROW_NAME,
    ROW_FACTS,
    ROW_THOUGHT,
    ROW_TEXT,
    ROW_LOST,
    ROW_NOTE,
    ROW_VERSION,
    ROW_RULE
};

struct row {
    enum row_kind kind;
    struct part *part;
    size_t line;
};

/*
 * A walk over the rows of an item: counts them, finds row `want`, and where the reasoning of a part
 * begins.
 */
struct walk {
    size_t n, want;
    struct row found;
    const struct part *part;
    size_t part_at;
};

static void pass(struct walk *w, enum row_kind kind, struct part *part, size_t rows)
{
    if (w->want >= w->n && w->want - w->n < rows)
        w->found = (struct row){kind, part, w->want - w->n};
    if (kind == ROW_THOUGHT && part == w->part)
        w->part_at = w->n;
    w->n += rows;
}

/*
 * The rows of an item, in order. Height and drawing both derive from here, so they cannot differ.
 */
static void walk_rows(struct item *item, struct walk *w)
{
    pass(w, ROW_GAP, NULL, !item->close_up);
    pass(w, ROW_NAME, NULL, item->kind == ITEM_ASSISTANT);
    for (size_t i = 0; i < item->n_parts; i++) {
        struct part *part = &item->parts[i];
        if (part->kind == UI_REASONING) {
            pass(w, ROW_FACTS, part, 1);
            pass(w, ROW_THOUGHT, part, reasoning_rows(&part->reasoning));
        } else {
            pass(w, ROW_GAP, NULL, i > 0 && part->block.n_lines > 0);
            pass(w, ROW_TEXT, part, part->block.n_lines);
        }
    }
    pass(w, ROW_LOST, NULL, item->lost);
    pass(w, ROW_NOTE, NULL, item->note != NULL);
    pass(w, ROW_VERSION, NULL, item->kind == ITEM_USER && item->versions > 1);
    pass(w, ROW_RULE, NULL, item->kind == ITEM_RULE);
}

static bool is_growing(const struct item *item, const struct part *part)
{
    return item->kind == ITEM_ASSISTANT && !item->ended && part == &item->parts[item->n_parts - 1];
}

static void layout_part(struct item *item, struct part *part, int width)
{
    bool growing = is_growing(item, part);
    int room = width - ITEM_GUTTER - 1;
    size_t len = growing ? text_whole(part->text.data, part->text.len) : part->text.len;

    bool laid = part->kind == UI_REASONING
                    ? reasoning_layout(&part->reasoning, part->text.data, len, room, growing)
                    : block_layout(&part->block, part->text.data, len, room);
    if (!laid)
        item->lost = true;
}

size_t item_rows(struct item *item, int width)
{
    struct walk w = {.want = SIZE_MAX};

    for (size_t i = 0; i < item->n_parts; i++)
        layout_part(item, &item->parts[i], width);
    walk_rows(item, &w);
    return w.n;
}

size_t item_row_of(struct item *item, size_t step)
{
    struct walk w = {.want = SIZE_MAX};
    struct reasoning *r = NULL;

    for (size_t i = 0; i < item->n_parts && !w.part; i++) {
        r = &item->parts[i].reasoning;
        if (step < r->steps.n)
            w.part = &item->parts[i];
        else
            step -= r->steps.n;
    }
    walk_rows(item, &w);
    return w.part ? w.part_at + reasoning_row_of(r, step) : 0;
}

/* Drawing */

static const char *const tone_sign[] = {[UI_INFO] = "●", [UI_WARN] = "■", [UI_FAIL] = "■"};
static const uint8_t tone_style[] = {STYLE_INFO, STYLE_WARN, STYLE_FAIL};

/* The result is part of the answer; otherwise it is shown where it was found. */
static void draw_facts(const struct item *item, const struct part *part, struct grid *g,
                       struct area at)
{
    struct reasoning_facts facts = {
        .thinking = is_growing(item, part),
        .tokens = item->thought_tokens,
        .ms = item->thought_ms,
    };
    for (size_t i = item->n_parts; i-- > 0 && facts.result_len == 0;) {
        const struct part *p = &item->parts[i];
        facts.result = p->boxed.len > 0 ? p->text.data + p->boxed.at : NULL;
        facts.result_len = p->boxed.len;
    }
    reasoning_draw_facts(&part->reasoning, &facts, g, at);
}

/* The sign in the margin of a message's first line. */
static void draw_sign(const struct item *item, struct grid *g, int row, int col)
{
    if (item->kind == ITEM_USER)
        grid_label(g, row, col, 1, "›", STYLE_PROMPT);
    else if (item->kind == ITEM_NOTICE)
        grid_label(g, row, col, 1, tone_sign[item->tone], tone_style[item->tone]);
}

static void draw_text(const struct item *item, const struct row *row, struct grid *g,
                      struct area at)
{
    block_draw(&row->part->block, row->line, g, at.row, at.col, 0);
    if (item->kind == ITEM_USER)
        grid_restyle(g, at.row, at.col, at.width, STYLE_USER);
    else if (item->kind == ITEM_NOTICE && item->tone == UI_INFO)
        grid_restyle(g, at.row, at.col, at.width, STYLE_DIM);
}

static int draw_version(const struct item *item, struct grid *g, int row, int col, int room)
{
    char label[64];
    if (item->versions < 2)
        return 0;
    snprintf(label, sizeof label, "‹ %zu of %zu ›", item->version, item->versions);
    return grid_label(g, row, col, room, label, STYLE_DIM);
}

static void draw_name(const struct item *item, struct grid *g, int row, int col, int room)
{
    int at = grid_label(g, row, col, room, item->name ? item->name : "", STYLE_NAME);
    draw_version(item, g, row, col + at + 2, room - at - 2);
}

static void draw_rule(const struct item *item, struct grid *g, struct area at)
{
    uint8_t style = item->tone == UI_INFO ? STYLE_DIM : tone_style[item->tone];
    grid_repeat(g, at.row, at.col, at.width, 0x2500, STYLE_RULE);
    grid_inset_left(g, at, item->name ? item->name : "", style);
}

/* As many of the facts in a note, the first the most important, as the room is wide; 0: no fact. */
static size_t fit_facts(const char *note, int room)
{
    static const char dot[] = " \u00b7 ";
    size_t len = strlen(note), fits = text_fit(note, len, room, NULL), end = 0;
    if (fits == len)
        return len;
    for (const char *at = note; (at = strstr(at, dot)) && at <= note + fits; at += strlen(dot))
        end = (size_t)(at - note);
    return end;
}

static void draw_note(const struct item *item, struct grid *g, int row, int col, int room)
{
    uint8_t style = item->tone == UI_INFO ? STYLE_DIM : tone_style[item->tone];

    if (item->tone != UI_INFO) {
        grid_label(g, row, col, room, tone_sign[item->tone], style);
        col += 2;
        room -= 2;
    }
    size_t len = fit_facts(item->note, room);
    if (len > 0)
        grid_text(g, (struct area){row, col, 1, room}, item->note, len, style);
    else
        grid_label(g, row, col, room, item->note, style);
}

/* Whether a row belongs to the selection; the blank row above a message does not. */
static bool is_selected(const struct item *item, size_t n, const struct row *at, int selected)
{
    if (selected < 0)
        return selected == ITEM_SELECTED && (n > 0 || item->close_up);
    if (at->kind != ROW_THOUGHT)
        return false;
    size_t step = reasoning_step_at(&at->part->reasoning, at->line);
    for (const struct part *p = item->parts; p < at->part; p++)
        step += p->reasoning.steps.n;
    return step == (size_t)selected && at->line >= reasoning_row_of(&at->part->reasoning, step);
}

void item_draw(struct item *item, size_t n, int selected, struct grid *g, struct area at)
{
    int row = at.row, room = at.width - ITEM_GUTTER - 1;
    struct area body = {row, at.col + ITEM_GUTTER, 1, room};
    struct walk w = {.want = n};

    walk_rows(item, &w);
    switch (w.found.kind) {
    case ROW_GAP: break;
    case ROW_NAME: draw_name(item, g, row, body.col, room); break;
    case ROW_FACTS: draw_facts(item, w.found.part, g, body); break;
    case ROW_THOUGHT: reasoning_draw(&w.found.part->reasoning, w.found.line, g, body); break;
    case ROW_TEXT:
        if (w.found.line == 0)
            draw_sign(item, g, row, at.col);
        draw_text(item, &w.found, g, body);
        break;
    case ROW_LOST:
        grid_label(g, row, body.col, room, "■ out of memory: not all is shown", STYLE_FAIL);
        break;
    case ROW_NOTE: draw_note(item, g, row, body.col, room); break;
    case ROW_VERSION: draw_version(item, g, row, body.col, room); break;
    case ROW_RULE: draw_rule(item, g, at); break;
    }
    if (is_selected(item, n, &w.found, selected))
        grid_label(g, row, at.col, 1, "▌", STYLE_PROMPT);
}
