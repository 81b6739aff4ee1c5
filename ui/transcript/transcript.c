/*
 * transcript.c: the list of items. view.c has those that are visible.
 */
#include "transcript/transcript.h"
#include "text/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void transcript_init(struct transcript *t, enum ui_fold fold)
{
    *t = (struct transcript){
        .follow = true, .fold = fold, .step = ITEM_SELECTED, .width = 80, .height = 20};
}

void transcript_clear(struct transcript *t)
{
    for (size_t i = 0; i < t->n; i++)
        item_free(t->items[i]);
    free(t->items);
    *t = (struct transcript){
        .follow = true,
        .fold = t->fold,
        .strikes = t->strikes,
        .focused = t->focused,
        .step = ITEM_SELECTED,
        .width = t->width,
        .height = t->height,
    };
}

/* Appending */

static struct item *add_item(struct transcript *t, enum item_kind kind)
{
    struct item **items = array_grow(t->items, t->n, &t->cap, sizeof *items);
    if (!items)
        return NULL;
    t->items = items;
    struct item *item = item_new(kind);
    if (!item)
        return NULL;
    item->close_up = kind == ITEM_NOTICE && t->n > 0 && t->items[t->n - 1]->kind == ITEM_NOTICE;
    item->strikes = t->strikes;
    t->items[t->n++] = item;
    return item;
}

/* Searched from the end, where the growing one is. Notices and the rule have the id 0. */
size_t transcript_index(const struct transcript *t, int64_t id)
{
    size_t i = t->n;
    while (i > 0 && t->items[i - 1]->id != id)
        i--;
    return i > 0 && id != 0 ? i - 1 : t->n;
}

static struct item *find(const struct transcript *t, int64_t id)
{
    size_t i = transcript_index(t, id);
    return i < t->n ? t->items[i] : NULL;
}

void transcript_begin(struct transcript *t, int64_t id, enum ui_role role, const char *name)
{
    struct item *item = add_item(t, role == UI_USER ? ITEM_USER : ITEM_ASSISTANT);
    if (!item)
        return;
    item->id = id;
    item->name = name ? strdup(name) : NULL;
}

void transcript_append(struct transcript *t, int64_t id, enum ui_text kind, const char *text,
                       size_t len)
{
    struct item *item = find(t, id);
    if (item && len > 0)
        item_append(item, kind, text, len, t->fold);
}

void transcript_thought(struct transcript *t, int64_t id, int64_t tokens, int64_t ms)
{
    struct item *item = find(t, id);
    if (!item)
        return;
    item->thought_tokens = tokens;
    item->thought_ms = ms;
}

void transcript_end(struct transcript *t, int64_t id, enum ui_tone tone, const char *note)
{
    struct item *item = find(t, id);
    if (item)
        item_end(item, tone, note);
}

enum { TIMES_MAX = 32 };

static void say_times(size_t times, char out[TIMES_MAX])
{
    out[0] = '\0';
    if (times > 1)
        snprintf(out, TIMES_MAX, " \u00b7 %zu times", times);
}

/* How many times the notice at the end says this already. */
static size_t times_said(const struct transcript *t, enum ui_tone tone, const char *text)
{
    const struct item *last = t->n > 0 ? t->items[t->n - 1] : NULL;
    char end[TIMES_MAX];
    size_t len = strlen(text);

    if (!last || last->kind != ITEM_NOTICE || last->tone != tone || last->n_parts != 1)
        return 0;
    const char *said = bytes_string(&last->parts[0].text);
    say_times(last->times, end);
    return strncmp(said, text, len) == 0 && strcmp(said + len, end) == 0 ? last->times : 0;
}

/* What is said again at once is counted: a row of equal lines would push out what is being read. */
void transcript_notice(struct transcript *t, enum ui_tone tone, const char *text)
{
    char end[TIMES_MAX];
    size_t times = times_said(t, tone, text) + 1;
    struct item *item = add_item(t, ITEM_NOTICE);
    if (!item)
        return;
    if (times > 1) {
        struct item **last = &t->items[--t->n - 1];
        item->close_up = (*last)->close_up;
        item_free(*last);
        *last = item;
    }
    say_times(times, end);
    item->times = times;
    item_append(item, UI_ANSWER, text, strlen(text), UI_FOLD_OPEN);
    item_append(item, UI_ANSWER, end, strlen(end), UI_FOLD_OPEN);
    item_end(item, tone, NULL);
}

int64_t transcript_chosen(const struct transcript *t)
{
    if (t->focused && transcript_selected(t) != 0)
        return t->items[t->selected]->id;
    for (size_t i = t->n; i-- > 0;)
        if (t->items[i]->kind == ITEM_ASSISTANT)
            return t->items[i]->id;
    return 0;
}

void transcript_version(struct transcript *t, int64_t id, size_t version, size_t versions)
{
    struct item *item = find(t, id);
    if (!item)
        return;
    item->version = version;
    item->versions = versions;
}

void transcript_cut(struct transcript *t, int64_t id)
{
    struct item *last = find(t, id);
    while (t->n > 0 && t->items[t->n - 1] != last)
        item_free(t->items[--t->n]);
    if (t->rule >= t->n)
        t->rule = 0;
    if (t->selected >= t->n)
        t->selected = t->n ? t->n - 1 : 0;
}

static void remove_rule(struct transcript *t)
{
    size_t at = t->rule;
    if (at == 0)
        return;
    item_free(t->items[at]);
    memmove(t->items + at, t->items + at + 1, (--t->n - at) * sizeof *t->items);
    t->top_item -= t->top_item > at;
    t->selected -= t->selected > at;
    t->rule = 0;
}

void transcript_context_begin(struct transcript *t, int64_t id, enum ui_tone tone,
                              const char *label)
{
    remove_rule(t);
    size_t at = transcript_index(t, id);
    struct item *rule = at < t->n ? add_item(t, ITEM_RULE) : NULL;

    if (!rule)
        return;
    memmove(t->items + at + 1, t->items + at, (t->n - 1 - at) * sizeof *t->items);
    t->items[at] = rule;
    rule->name = strdup(label);
    item_end(rule, tone, NULL);
    t->top_item += t->top_item > at;
    t->selected += t->selected >= at && at > 0;
    t->rule = at;
}

size_t transcript_items(const struct transcript *t)
{
    return t->n;
}

bool transcript_has_messages(const struct transcript *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->items[i]->kind != ITEM_NOTICE)
            return true;
    return false;
}

/* Folds */

bool transcript_uncover(struct transcript *t, size_t item, const char *text,
                        enum ui_fold *before_out)
{
    if (!item_hides(t->items[item], text))
        return false;
    *before_out = item_fold_of(t->items[item]);
    item_fold(t->items[item], UI_FOLD_OPEN);
    return true;
}

void transcript_set_fold(struct transcript *t, size_t item, enum ui_fold fold)
{
    if (item < t->n)
        item_fold(t->items[item], fold);
}

static bool any_open(const struct transcript *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (item_is_open(t->items[i]))
            return true;
    return false;
}

void transcript_fold_all(struct transcript *t)
{
    t->fold = any_open(t) ? UI_FOLD_SHUT : UI_FOLD_OPEN;
    t->step = ITEM_SELECTED;
    for (size_t i = 0; i < t->n; i++)
        item_fold(t->items[i], t->fold);
}
