/*
 * status.c: the status line as facts, each with a rank: as many as fit.
 */
#include "panes/status.h"
#include "text/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FACT_MAX = 112, /* bytes */
    FACTS_MAX = 12,
    CONTEXT_WARN = 80, /* percent */
    CONTEXT_FULL = 95,
    GAP = 3,    /* between facts: " · " */
    ROOMY = 56, /* from this width on numbers are spelled out */
    NAME_BRIEF = 24,
};

/* In the order in which they are dropped, the last first. */
enum rank {
    RANK_MODEL,
    RANK_STATE,
    RANK_THINKING,
    RANK_CONTEXT,
    RANK_SPEED,
    RANK_FIRST_TOKEN,
    RANK_DRAFT,
    RANK_DEVICE,
    RANK_BESIDE,
    RANK_MEMORY,
};

enum side { LEFT, RIGHT };

struct fact {
    char text[FACT_MAX];
    char brief[FACT_MAX]; /* shorter form if that is too long; "" if none */
    uint8_t style;
    enum rank rank;
    enum side side;
};

struct facts {
    struct fact at[FACTS_MAX];
    int n;
};

void status_init(struct status *s, const struct keymap *keymap)
{
    *s = (struct status){.keymap = keymap,
                         .now = {
                             .tokens_per_second = -1,
                             .time_to_first_token_ms = -1,
                             .context_used = -1,
                             .context_limit = -1,
                             .draft_tokens = -1,
                         }};
}

void status_done(struct status *s)
{
    for (int i = 0; i < STATUS_STRINGS; i++)
        free(s->strings[i]);
    free(s->hint);
}

static const char **string_at(struct ui_status *now, int i)
{
    const char **const at[STATUS_STRINGS] = {
        &now->model,       &now->thinking,     &now->device.full, &now->device.brief,
        &now->memory.full, &now->memory.brief, &now->beside.full, &now->beside.brief,
    };
    return at[i];
}

static bool same_string(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same(struct ui_status *a, struct ui_status *b)
{
    for (int i = 0; i < STATUS_STRINGS; i++)
        if (!same_string(*string_at(a, i), *string_at(b, i)))
            return false;
    return a->state == b->state && a->done == b->done && a->total == b->total &&
           a->tokens_per_second == b->tokens_per_second &&
           a->time_to_first_token_ms == b->time_to_first_token_ms &&
           a->context_used == b->context_used && a->context_more == b->context_more &&
           a->context_limit == b->context_limit && a->draft_tokens == b->draft_tokens;
}

bool status_set(struct status *s, const struct ui_status *now)
{
    struct ui_status next = *now;
    if (same(&s->now, &next))
        return false;
    for (int i = 0; i < STATUS_STRINGS; i++) {
        const char **string = string_at(&next, i);
        char *copy = *string ? strdup(*string) : NULL;
        free(s->strings[i]);
        *string = s->strings[i] = copy;
    }
    s->now = next;
    return true;
}

void status_hint(struct status *s, const char *text)
{
    free(s->hint);
    s->hint = text ? strdup(text) : NULL;
}

bool status_is_busy(const struct status *s)
{
    return s->now.state != UI_IDLE;
}

bool status_spins(const struct status *s)
{
    return s->now.state == UI_LOADING || s->now.state == UI_PREFILL;
}

/* Fields */

static struct fact *add(struct facts *f, enum rank rank, enum side side, uint8_t style)
{
    struct fact *fact = &f->at[f->n++];
    *fact = (struct fact){.style = style, .rank = rank, .side = side};
    return fact;
}

/* A text from outside, truncated to the size of a fact. */
static void copy(char out[FACT_MAX], const char *text)
{
    size_t len = strlen(text);
    size_t n = text_whole(text, len < FACT_MAX ? len : FACT_MAX - 1);
    memcpy(out, text, n);
    out[n] = '\0';
}

/* Long names are shortened, to leave room for the other facts. */
static void set_name(struct fact *fact, const char *name)
{
    int used;
    copy(fact->text, name);
    size_t len = strlen(fact->text), n = text_fit(fact->text, len, NAME_BRIEF - 1, &used);
    if (text_width(fact->text, len) > NAME_BRIEF)
        snprintf(fact->brief, FACT_MAX, "%.*s…", (int)n, fact->text);
}

static void add_wording(struct facts *f, enum rank rank, const struct ui_wording *wording)
{
    if (!wording->full)
        return;
    struct fact *fact = add(f, rank, LEFT, STYLE_DIM);
    copy(fact->text, wording->full);
    if (wording->brief)
        copy(fact->brief, wording->brief);
}

/* 12345 -> "12,345" */
static void format_count(char *out, size_t size, int64_t n)
{
    if (n < 1000)
        snprintf(out, size, "%" PRId64, n);
    else if (n < 1000000)
        snprintf(out, size, "%" PRId64 ",%03" PRId64, n / 1000, n % 1000);
    else
        snprintf(out, size, "%.1fM", (double)n / 1e6);
}

/* What the model does, and the key that ends it. */
static void set_activity(struct fact *fact, const struct keymap *map, const char *what,
                         enum keymap_action action, const char *ends)
{
    struct bytes hint = {0};

    keymap_add_hint(map, &hint, IN_ALL, action, ACT_NONE, ends);
    snprintf(fact->text, FACT_MAX, "%s%s%s", what, hint.data ? ", " : "", bytes_string(&hint));
    bytes_free(&hint);
}

static void set_progress(struct fact *fact, const struct ui_status *now, int64_t now_ms)
{
    static const char *const frames[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    const char *spinner = frames[now_ms / STATUS_SPIN_MS % 10];
    char done[32], total[32];

    if (now->state == UI_LOADING && now->total > 0) {
        snprintf(fact->text, FACT_MAX, "%s loading %d%%", spinner,
                 (int)(100.0 * (double)now->done / (double)now->total));
    } else if (now->state == UI_PREFILL && now->total > 0) {
        format_count(done, sizeof done, now->done);
        format_count(total, sizeof total, now->total);
        snprintf(fact->text, FACT_MAX, "%s reading %s of %s", spinner, done, total);
    } else {
        snprintf(fact->text, FACT_MAX, "%s %s", spinner,
                 now->state == UI_LOADING ? "loading" : "reading");
    }
}

static void add_state(struct facts *f, const struct status *s, int64_t now_ms)
{
    const struct keymap *map = s->keymap;

    if (s->now.state == UI_IDLE)
        return;
    struct fact *fact = add(f, RANK_STATE, LEFT, STYLE_INFO);
    if (s->now.state == UI_THINKING)
        set_activity(fact, map, "thinking", ACT_ANSWER_NOW, "answers now");
    else if (s->now.state == UI_GENERATING)
        set_activity(fact, map, "answering", ACT_CANCEL, "stops");
    else
        set_progress(fact, &s->now, now_ms);
}

static void add_speed(struct facts *f, const struct ui_status *now)
{
    if (now->tokens_per_second >= 0)
        snprintf(add(f, RANK_SPEED, RIGHT, STYLE_DIM)->text, FACT_MAX, "%.*f tok/s",
                 now->tokens_per_second < 10 ? 1 : 0, now->tokens_per_second);
    if (now->time_to_first_token_ms >= 0) {
        struct fact *fact = add(f, RANK_FIRST_TOKEN, RIGHT, STYLE_DIM);
        if (now->time_to_first_token_ms < 1000)
            snprintf(fact->text, FACT_MAX, "first token %.0f ms", now->time_to_first_token_ms);
        else
            snprintf(fact->text, FACT_MAX, "first token %.1f s",
                     now->time_to_first_token_ms / 1000);
    }
}

static void add_context(struct facts *f, const struct ui_status *now, int width)
{
    char used[32], limit[32];

    if (now->draft_tokens > 0) {
        format_count(used, sizeof used, now->draft_tokens);
        snprintf(add(f, RANK_DRAFT, RIGHT, STYLE_DIM)->text, FACT_MAX, "draft %s", used);
    }
    if (now->context_used < 0 || now->context_limit <= 0)
        return;
    int percent = (int)(100.0 * (double)now->context_used / (double)now->context_limit);
    uint8_t style = percent > CONTEXT_FULL   ? STYLE_FAIL
                    : percent > CONTEXT_WARN ? STYLE_WARN
                                             : STYLE_DIM;
    format_count(used, sizeof used, now->context_used);
    format_count(limit, sizeof limit, now->context_limit);
    struct fact *fact = add(f, RANK_CONTEXT, RIGHT, style);
    if (width < ROOMY)
        snprintf(fact->text, FACT_MAX, "%s%s/%s", now->context_more ? ">" : "", used, limit);
    else if (now->context_more)
        snprintf(fact->text, FACT_MAX, "over %s / %s tokens", used, limit);
    else
        snprintf(fact->text, FACT_MAX, "%s / %s tokens (%d%%)", used, limit, percent);
}

static int width_of(const struct fact *fact)
{
    return text_width(fact->text, strlen(fact->text));
}

static int total_width(const struct facts *f)
{
    int total = 0;
    for (int i = 0; i < f->n; i++)
        total += width_of(&f->at[i]) + (i > 0 ? GAP : 0);
    return total;
}

/* The first fact that has a shorter form; NULL: none. */
static struct fact *find_wordy(struct facts *f)
{
    for (int i = 0; i < f->n; i++)
        if (f->at[i].brief[0])
            return &f->at[i];
    return NULL;
}

static struct fact *find_worst(struct facts *f)
{
    struct fact *worst = f->at;
    for (int i = 1; i < f->n; i++)
        if (f->at[i].rank >= worst->rank)
            worst = &f->at[i];
    return worst;
}

/*
 * Shortens facts from left to right, then drops them from the highest rank down, until the rest
 * fits.
 */
static void fit(struct facts *f, int width)
{
    struct fact *fact;
    while (total_width(f) > width && (fact = find_wordy(f))) {
        memcpy(fact->text, fact->brief, FACT_MAX);
        fact->brief[0] = '\0';
    }
    while (total_width(f) > width && f->n > 1) {
        fact = find_worst(f);
        memmove(fact, fact + 1, (size_t)(f->at + --f->n - fact) * sizeof *fact);
    }
}

static void draw_side(const struct facts *f, enum side side, struct grid *g, struct area area)
{
    int row = area.row, col = area.col, at = 0;

    for (int i = 0; i < f->n; i++) {
        if (f->at[i].side != side)
            continue;
        if (at > 0)
            at += grid_label(g, row, col + at, GAP, " · ", STYLE_RULE);
        at += grid_label(g, row, col + at, area.width - at, f->at[i].text, f->at[i].style);
    }
}

static int side_width(const struct facts *f, enum side side)
{
    int width = 0;
    for (int i = 0; i < f->n; i++)
        if (f->at[i].side == side)
            width += width_of(&f->at[i]) + (width > 0 ? GAP : 0);
    return width;
}

void status_draw(const struct status *s, struct grid *g, struct area at, int64_t now_ms)
{
    struct facts f = {.n = 0};

    if (s->hint) {
        grid_label(g, at.row, at.col, at.width, s->hint, STYLE_INFO);
        return;
    }
    if (s->now.model)
        set_name(add(&f, RANK_MODEL, LEFT, STYLE_NAME), s->now.model);
    add_wording(&f, RANK_DEVICE, &s->now.device);
    add_wording(&f, RANK_MEMORY, &s->now.memory);
    add_wording(&f, RANK_BESIDE, &s->now.beside);
    if (s->now.thinking)
        set_name(add(&f, RANK_THINKING, LEFT, STYLE_INFO), s->now.thinking);
    add_state(&f, s, now_ms);
    add_speed(&f, &s->now);
    add_context(&f, &s->now, at.width);
    fit(&f, at.width);
    draw_side(&f, LEFT, g, at);
    int right = side_width(&f, RIGHT);
    draw_side(&f, RIGHT, g, (struct area){at.row, at.col + at.width - right, 1, right});
}
