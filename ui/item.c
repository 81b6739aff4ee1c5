/*
 * item.c: an entry of the transcript. Knows which rows it has and what stands in its margin; how text
 * becomes lines is block.c's, and where the rows go is transcript.c's.
 */
#include "item.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASONING_INDENT = 2 };

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
    block_init(&part->block, item->kind != ITEM_ASSISTANT);
    return part;
}

void item_append(struct item *item, enum ui_text kind, const char *text, size_t len, bool fold)
{
    struct part *part = item->n_parts > 0 ? &item->parts[item->n_parts - 1] : NULL;

    if (!part || part->kind != kind) {
        if (part && part->kind == UI_REASONING)
            part->folded = part->folded || fold;
        part = add_part(item, kind);
    }
    if (!part || !bytes_add(&part->text, text, len))
        item->lost = true;
}

void item_end(struct item *item, enum ui_tone tone, const char *note)
{
    item->ended = true;
    item->tone = tone;
    free(item->note);
    item->note = note && *note ? strdup(note) : NULL;
}

bool item_has_reasoning(const struct item *item)
{
    for (size_t i = 0; i < item->n_parts; i++)
        if (item->parts[i].kind == UI_REASONING)
            return true;
    return false;
}

bool item_is_open(const struct item *item)
{
    for (size_t i = 0; i < item->n_parts; i++)
        if (item->parts[i].kind == UI_REASONING && !item->parts[i].folded)
            return true;
    return false;
}

void item_fold(struct item *item, bool folded)
{
    for (size_t i = 0; i < item->n_parts; i++)
        if (item->parts[i].kind == UI_REASONING)
            item->parts[i].folded = folded;
}

bool item_hides(const struct item *item, const char *text)
{
    for (size_t i = 0; i < item->n_parts; i++)
        if (item->parts[i].folded && text_contains(item->parts[i].text.data, text))
            return true;
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

/* A walk over the rows of an item: counts them, and finds the one numbered `want`. */
struct walk {
    size_t n, want;
    struct row found;
};

static void pass(struct walk *w, enum row_kind kind, struct part *part, size_t rows)
{
    if (w->want >= w->n && w->want - w->n < rows)
        w->found = (struct row){kind, part, w->want - w->n};
    w->n += rows;
}

/* The rows of an item, in order. Height and drawing both come from here, so that they cannot differ. */
static void walk_rows(struct item *item, struct walk *w)
{
    pass(w, ROW_GAP, NULL, !item->close_up);
    pass(w, ROW_NAME, NULL, item->kind == ITEM_ASSISTANT);
    for (size_t i = 0; i < item->n_parts; i++) {
        struct part *part = &item->parts[i];
        size_t lines = part->folded ? 0 : part->block.n_lines;
        if (part->kind == UI_REASONING)
            pass(w, ROW_THOUGHT, part, 1);
        else
            pass(w, ROW_GAP, NULL, i > 0 && lines > 0);
        pass(w, ROW_TEXT, part, lines);
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

static void lay_out(struct item *item, struct part *part, int width)
{
    size_t len = part->text.len;

    if (part->folded)
        return;
    if (is_growing(item, part))
        len = text_whole(part->text.data, len);
    if (part->kind == UI_REASONING)
        width -= REASONING_INDENT;
    if (!block_lay(&part->block, part->text.data, len, width - ITEM_GUTTER - 1))
        item->lost = true;
}

size_t item_rows(struct item *item, int width)
{
    struct walk w = {.want = SIZE_MAX};

    for (size_t i = 0; i < item->n_parts; i++)
        lay_out(item, &item->parts[i], width);
    walk_rows(item, &w);
    return w.n;
}

/* Drawing */

static const char *const tone_sign[] = {[UI_INFO] = "●", [UI_WARN] = "■", [UI_FAIL] = "■"};
static const uint8_t tone_style[] = {STYLE_INFO, STYLE_WARN, STYLE_FAIL};

static void format_ms(char *out, size_t size, int64_t ms)
{
    if (ms < 59950)
        snprintf(out, size, "%.1f s", (double)ms / 1000);
    else
        snprintf(out, size, "%" PRId64 " min %" PRId64 " s", ms / 60000, ms / 1000 % 60);
}

static void draw_thought(const struct item *item, const struct part *part, struct grid *g, int row,
                         int col, int width)
{
    bool thinking = is_growing(item, part);
    char time[48] = "", tokens[48] = "", label[160];

    if (item->thought_ms >= 50) /* less would be 0.0 s */
        format_ms(time, sizeof time, item->thought_ms);
    if (item->thought_tokens > 0)
        snprintf(tokens, sizeof tokens, " · %" PRId64 " token%s", item->thought_tokens,
                 item->thought_tokens == 1 ? "" : "s");
    snprintf(label, sizeof label, "%s %s%s%s%s", part->folded ? "▸" : "▾",
             thinking ? "thinking…" : "thought", *time ? (thinking ? " " : " for ") : "", time,
             tokens);
    grid_label(g, row, col, width, label, STYLE_DIM);
}

/* The sign in the margin of the first line of what somebody said. */
static void draw_sign(const struct item *item, struct grid *g, int row, int col)
{
    if (item->kind == ITEM_USER)
        grid_label(g, row, col, 1, "›", STYLE_PROMPT);
    else if (item->kind == ITEM_NOTICE)
        grid_label(g, row, col, 1, tone_sign[item->tone], tone_style[item->tone]);
}

static void draw_text(const struct item *item, const struct row *at, struct grid *g, int row,
                      int col, int room)
{
    const struct block *block = &at->part->block;

    if (at->part->kind == UI_REASONING) {
        grid_label(g, row, col, 1, "│", STYLE_RULE);
        block_draw(block, at->line, g, row, col + REASONING_INDENT, STYLE_MUTED);
        return;
    }
    block_draw(block, at->line, g, row, col, 0);
    if (item->kind == ITEM_USER)
        grid_restyle(g, row, col, room, STYLE_USER);
    else if (item->kind == ITEM_NOTICE && item->tone == UI_INFO)
        grid_restyle(g, row, col, room, STYLE_DIM);
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

static void draw_rule(const struct item *item, struct grid *g, int row, int col, int width)
{
    uint8_t style = item->tone == UI_INFO ? STYLE_DIM : tone_style[item->tone];
    grid_repeat(g, row, col, width, 0x2500, STYLE_RULE);
    int at = grid_label(g, row, col + 2, 1, " ", style) + 2;
    at += grid_label(g, row, col + at, width - at - 3, item->name ? item->name : "", style);
    grid_label(g, row, col + at, 1, " ", style);
}

static void draw_note(const struct item *item, struct grid *g, int row, int col, int room)
{
    uint8_t style = item->tone == UI_INFO ? STYLE_DIM : tone_style[item->tone];

    if (item->tone != UI_INFO) {
        grid_label(g, row, col, room, tone_sign[item->tone], style);
        col += 2;
        room -= 2;
    }
    grid_label(g, row, col, room, item->note, style);
}

void item_draw(struct item *item, size_t n, bool marked, struct grid *g, int row, int col,
               int width)
{
    int body = col + ITEM_GUTTER, room = width - ITEM_GUTTER - 1;
    struct walk w = {.want = n};

    walk_rows(item, &w);
    switch (w.found.kind) {
    case ROW_GAP: break;
    case ROW_NAME: draw_name(item, g, row, body, room); break;
    case ROW_THOUGHT: draw_thought(item, w.found.part, g, row, body, room); break;
    case ROW_TEXT:
        if (w.found.line == 0)
            draw_sign(item, g, row, col);
        draw_text(item, &w.found, g, row, body, room);
        break;
    case ROW_LOST:
        grid_label(g, row, body, room, "■ out of memory: not all is shown", STYLE_FAIL);
        break;
    case ROW_NOTE: draw_note(item, g, row, body, room); break;
    case ROW_VERSION: draw_version(item, g, row, body, room); break;
    case ROW_RULE: draw_rule(item, g, row, col, width); break;
    }
    if (marked && (n > 0 || item->close_up))
        grid_label(g, row, col, 1, "▌", STYLE_PROMPT);
}
