/* draft.c - the draft: how much of the context it would take, and a copy of it and the queued
 * questions on disk. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "app/chat/tokens.h"
#include "app/commands/commands.h"
#include "app/tui/tui.h"

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Counting */

/* The prompt's tokens with this question: after the conversation, or in place of the edited one. */
static int64_t count_with(const struct tui *t, const char *text)
{
    const struct history *h = &t->chat.history;
    const struct turn *instead_of = t->editing ? history_turn(h, t->editing) : NULL;
    struct str question = {0};

    str_adds(&question, text);
    struct request_span span = request_span(h, instead_of ? instead_of->depth - 1 : h->n_turns,
                                            &question);
    if (instead_of && instead_of->window_start)
        span.from = span.to;
    struct tokens k;
    int64_t n = tokens_begin(&k, &t->chat, t->chat.model) ? tokens_of_span(&k, &span, true).n : -1;
    str_done(&question);
    return n;
}

/* The prompt tokens of a one-token question, without that token. */
static void count_asking(struct tui *t)
{
    t->asking_known = true;
    t->asking = -1;
    if (t->context_more) /* far too long to count */
        return;
    int64_t with = count_with(t, "x"), alone = chat_count_tokens(&t->chat, "x", 1);
    t->asking = with >= 0 && alone >= 0 ? with - alone : -1;
    t->trims = count_with(t, "x\n\n") == with;
}

static void count(struct tui *t)
{
    uint64_t revision = ui_draft_revision(t->ui) + 1;
    size_t len;

    if (t->chat.answer)
        return;
    uint64_t engine = pool_model_serial(t->chat.model);
    bool asked = t->asking_known;
    const char *draft = ui_draft(t->ui, &len);
    if (command_is(draft, len))
        len = 0; /* not visible to the model */
    if (!asked && len > 0)
        count_asking(t);
    if (revision != t->draft_counted || engine != t->count.engine || (!asked && len > 0)) {
        if (t->trims)
            draft = str_trim(draft, &len);
        t->draft_counted = revision;
        count_set(&t->count, &t->chat, draft, len);
    }
    if (count_step(&t->count, &t->chat))
        return; /* the previous count is shown meanwhile */
    t->draft_tokens = count_tokens(&t->count);
}

/* Keeping */

/* Restores what the last instance left, a NUL before each question. */
static void take_back(struct tui *t, const struct str *left)
{
    const char *at = left->data, *end = left->data + left->len;
    size_t len = strlen(at), n = 0;

    if (len > 0)
        ui_draft_set(t->ui, at, len);
    for (at += len; at < end; at += len) {
        len = strlen(++at);
        n += len > 0 && tui_queue_add_paused(t, at, len);
    }
    if (n > 0)
        tui_hint(t, "%zu question%s that waited %s back", n, n == 1 ? "" : "s",
                 n == 1 ? "is" : "are");
    else
        ui_hint(t->ui, "draft restored");
}

void tui_draft_open(struct tui *t)
{
    struct str left = {0};

    draft_open(&t->draft, t->chat.options->no_log ? NULL : t->chat.paths->state, &left);
    if (left.len > 0)
        take_back(t, &left);
    t->draft.seen = ui_draft_revision(t->ui) + 1;
    str_done(&left);
}

static void keep(struct tui *t)
{
    struct str all = {0};
    size_t len;
    const char *text = ui_draft(t->ui, &len);

    str_add(&all, text, len);
    for (size_t i = 0; i < t->n_waiting; i++) {
        str_add(&all, "", 1);
        str_add(&all, t->waiting[i].data, t->waiting[i].len);
    }
    if (!draft_save(&t->draft, str_get(&all), all.len))
        tui_hint(t, "draft not saved: %s", strerror(errno));
    str_done(&all);
}

void tui_draft_touch(struct tui *t)
{
    draft_touch(&t->draft, now_ms());
}

void tui_draft_tick(struct tui *t)
{
    count(t);
    uint64_t revision = ui_draft_revision(t->ui);
    if (t->draft.seen == revision + 1 && t->draft.due < 0)
        return;
    size_t len;
    ui_draft(t->ui, &len);
    if (draft_due(&t->draft, revision, len == 0, now_ms()))
        keep(t);
}

int tui_draft_timeout_ms(const struct tui *t)
{
    const struct count *c = &t->count;
    bool counting = !t->chat.answer && !c->failed && c->text.len > 0 && count_tokens(c) < 0;
    return counting ? 0 : draft_timeout_ms(&t->draft, now_ms());
}

/* A deliberate quit has warned that queued questions are dropped. */
void tui_draft_done(struct tui *t)
{
    if (t->left_as == STORE_STOPPED && t->n_waiting > 0) {
        tui_queue_clear(t);
        tui_draft_touch(t);
    }
    bool changed = t->draft.due >= 0 || t->draft.seen != ui_draft_revision(t->ui) + 1;
    if (t->draft.fd >= 0 && changed)
        keep(t);
    draft_close(&t->draft);
    count_done(&t->count);
}
