/* queue.c - the questions that wait until the answer has ended, above the composer. */
#include <stdlib.h>
#include <string.h>

#include "app/commands/compact.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/tui/tui.h"

enum { WAITING_MAX = 16 };

/* Nothing typed is lost: restored text goes before the current draft. */
void tui_give_back(struct tui *t, const char *text, size_t len)
{
    struct str both = {0};
    size_t drafted;
    if (ui_draft_unsend(t->ui, text, len))
        return;
    const char *draft = ui_draft(t->ui, &drafted);
    str_add(&both, text, len);
    if (drafted > 0)
        str_adds(&both, "\n\n");
    str_add(&both, draft, drafted);
    ui_draft_set(t->ui, both.data, both.len);
    str_done(&both);
}

static void show_waiting(struct tui *t)
{
    const char **texts = mem_alloc((t->n_waiting + 1) * sizeof *texts);
    for (size_t i = 0; i < t->n_waiting; i++)
        texts[i] = str_get(&t->waiting[i]);
    ui_queue_set(t->ui, texts, t->n_waiting, t->n_due);
    free(texts);
    tui_draft_touch(t);
}

/* Inserts a question at this index. */
static void insert_waiting(struct tui *t, size_t at, const char *text, size_t len)
{
    t->waiting = mem_realloc(t->waiting, (t->n_waiting + 1) * sizeof *t->waiting);
    struct str *place = t->waiting + at;
    memmove(place + 1, place, (t->n_waiting++ - at) * sizeof *place);
    t->warned = false;
    *place = (struct str){0};
    str_add(place, text, len);
    show_waiting(t);
}

bool tui_queue_add_paused(struct tui *t, const char *text, size_t len)
{
    if (t->n_waiting == WAITING_MAX)
        return false;
    insert_waiting(t, t->n_waiting, text, len);
    return true;
}

void tui_queue_add(struct tui *t, const char *text, size_t len)
{
    if (t->n_waiting == WAITING_MAX) {
        tui_give_back(t, text, len);
        ui_hint(t->ui, "the queue is full; the draft is kept");
        return;
    }
    insert_waiting(t, t->n_due++, text, len);
}

/* Removes the question at this index; the caller's. */
static struct str take_waiting(struct tui *t, size_t i)
{
    struct str text = t->waiting[i];
    memmove(t->waiting + i, t->waiting + i + 1, (--t->n_waiting - i) * sizeof text);
    t->n_due -= t->n_due > i;
    show_waiting(t);
    return text;
}

void tui_queue_clear(struct tui *t)
{
    while (t->n_waiting > 0)
        str_done(&t->waiting[--t->n_waiting]);
    free(t->waiting);
    t->waiting = NULL;
}

void tui_queue_send_next(struct tui *t)
{
    if (t->n_due == 0 || t->chat.answer)
        return;
    struct str next = take_waiting(t, 0), advice = {0};
    int status = tui_ask(t, next.data, next.len);
    if (status != 0)
        tui_queue_pause(t);
    if (status == EXIT_FIT) { /* no dialog: the user may be writing something else */
        compact_add_advice(&t->chat, &next, &advice);
        ui_notice(t->ui, UI_INFO, advice.data);
    }
    str_done(&advice);
    str_done(&next);
}

void tui_queue_pause(struct tui *t)
{
    size_t drafted;
    ui_draft(t->ui, &drafted);
    t->n_due = 0;
    if (t->n_waiting > 0 && drafted == 0) {
        struct str first = take_waiting(t, 0);
        ui_draft_set(t->ui, first.data, first.len);
        str_done(&first);
    }
    show_waiting(t);
}

static void take_back(struct tui *t, bool keep)
{
    if (t->n_waiting == 0) {
        ui_hint(t->ui, "no question is queued");
        return;
    }
    struct str last = take_waiting(t, t->n_waiting - 1);
    if (keep)
        tui_give_back(t, last.data, last.len);
    str_done(&last);
}

void tui_act_on_queue(struct tui *t, const struct ui_action *action)
{
    switch (action->kind) {
    case UI_TAKE_BACK: take_back(t, true); break;
    case UI_DROP: take_back(t, false); break;
    case UI_ASK_NEXT:
        t->n_due = t->n_waiting;
        tui_queue_send_next(t);
        break;
    default: break;
    }
}
