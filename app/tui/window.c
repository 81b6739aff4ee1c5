/* window.c - on the screen: where the context window begins, and what to do when a conversation
 * has become too long for the model. Nothing is left out unless the user says so. */
#include <stdlib.h>
#include <string.h>

#include "app/chat/tokens.h"
#include "app/commands/branch.h"
#include "app/commands/compact.h"
#include "app/mem.h"
#include "app/tui/tui.h"

enum room { ROOM_NONE, ROOM_COMPACT, ROOM_FORK, ROOM_NEW };

void tui_show_window(struct tui *t)
{
    const struct chat *c = &t->chat;
    const struct history *h = &c->history;
    size_t from = history_window(h, h->n_turns);
    struct compact_plan plan;
    struct str label = {0};

    if (c->answer)
        return;
    if (compact_is_needed(c, t->context_used) && compact_plan(c, h->n_turns, NULL, &plan)) {
        str_addf(&label, "only from here on it fits %s: /compact, /fork or /new",
                 c->model->file.name);
        ui_context_begin(t->ui, h->turns[plan.from]->number, UI_WARN, label.data);
    } else if (from > 0) {
        ui_context_begin(t->ui, h->turns[from]->number, UI_INFO,
                         "the model is given what follows; /compact off gives it all");
    } else {
        ui_context_begin(t->ui, 0, UI_INFO, NULL);
    }
    str_done(&label);
}

/* Each exchange with what would remain without it and all before it, for choosing more or less than
 * proposed. */
void tui_offer_compact(struct tui *t, const struct turn *first)
{
    const struct history *h = &t->chat.history;
    size_t n, row = 1, from = history_window(h, h->n_turns);
    struct token_count *remains = compact_remains(&t->chat, &n);
    if (!remains)
        return;
    struct ui_row *rows = mem_alloc((n + 1) * sizeof *rows);
    struct row_text {
        struct str exchange, left;
    } *texts = mem_alloc((n + 1) * sizeof *texts);

    rows[0] = (struct ui_row){.title = "nothing: keep everything"};
    for (size_t i = from; i < h->n_turns && row < n; i++) {
        const struct turn *turn = h->turns[i];
        size_t end = i + 1;
        if (turn->role != STORE_USER)
            continue;
        while (end < h->n_turns && h->turns[end]->role != STORE_USER)
            end++;
        struct row_text *text = &texts[row];
        command_add_quote(turn, &text->exchange);
        tokens_print(remains[row - 1], &text->left);
        str_adds(&text->left, " tokens remain");
        rows[row++] = (struct ui_row){h->turns[end]->number, text->exchange.data, text->left.data};
    }
    ui_pick(t->ui, TAG_COMPACT, "Leave out up to", rows, row, first->number);
    for (size_t i = 0; i < row; i++) {
        str_done(&texts[i].exchange);
        str_done(&texts[i].left);
    }
    free(texts);
    free(rows);
    free(remains);
}

void tui_offer_room(struct tui *t, const char *text, size_t len)
{
    const struct history *h = &t->chat.history;
    const struct turn *instead_of = history_turn(h, t->editing);
    struct compact_plan plan;
    struct str question = {0}, compact = {0}, fork = {0}, detail = {0};
    struct ui_row rows[4];
    size_t n = 0, to = !instead_of                ? h->n_turns
                       : instead_of->window_start ? 0
                                                  : instead_of->depth - 1;

    str_add(&question, text, len);
    if (!compact_fits_alone(&t->chat, &question)) { /* no room would help */
        compact_add_advice(&t->chat, &question, &detail);
        ui_notice(t->ui, UI_INFO, detail.data);
        to = 0;
    }
    bool found = compact_plan(&t->chat, to, &question, &plan) && plan.lost > 0;
    if (found) {
        if (plan.lost > 1)
            str_addf(&compact, "leave out the oldest %zu exchanges", plan.lost);
        else
            str_adds(&compact, "leave out the oldest exchange");
        compact_add_lost(&plan, &detail);
        str_adds(&detail, " tokens");
        str_adds(&fork, "the same in a fork; this one stays whole");
        t->chat.history.proposed = h->turns[plan.from]->number;
        rows[n++] = (struct ui_row){ROOM_COMPACT, compact.data, str_get(&detail)};
        rows[n++] = (struct ui_row){ROOM_FORK, fork.data, NULL};
    }
    if (to > 0) {
        rows[n++] = (struct ui_row){ROOM_NEW, "ask it in a new conversation", NULL};
        rows[n++] = (struct ui_row){ROOM_NONE, "nothing: it stays in the composer", NULL};
        str_done(&t->refused);
        t->refused = question;
        question = (struct str){0};
        ui_pick(t->ui, TAG_ROOM, "It does not fit", rows, n, found ? ROOM_COMPACT : ROOM_NEW);
    }
    str_done(&question);
    str_done(&compact);
    str_done(&fork);
    str_done(&detail);
}

/* Applies the choice and reports it. false: refused. */
static bool make_room(struct tui *t, enum room room)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    struct chat *c = &t->chat;
    struct turn *first = history_turn(&c->history, c->history.proposed);
    size_t depth = first ? first->depth : 0;
    struct turn *instead_of = history_turn(&c->history, t->editing);

    if (room == ROOM_NEW) {
        command_run(c, "/new", 4, &reply);
    } else if (room == ROOM_COMPACT && first) {
        command_compact(c, first, &reply);
    } else if (room == ROOM_FORK && first) {
        command_fork(c, instead_of ? instead_of->parent : c->history.leaf, &reply);
        if (!reply.failed)
            history_set_window(&c->history, c->history.turns[depth - 1]);
    }
    tui_follow(t, &reply);
    return !reply.failed;
}

static bool is_draft(const struct tui *t, const struct str *question)
{
    size_t len;
    const char *draft = ui_draft(t->ui, &len);
    return len == question->len && memcmp(draft, str_get(question), len) == 0;
}

/* Text restored to the composer is removed again; a draft from before an edit may be there now. */
static void ask_again(struct tui *t, const struct str *question)
{
    if (is_draft(t, question))
        ui_draft_set(t->ui, "", 0);
    tui_ask(t, question->data, question->len);
}

void tui_make_room(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    struct str question = t->refused;
    struct turn *first = history_turn(&t->chat.history, action->id);

    if (action->tag == TAG_COMPACT) {
        if (first)
            command_compact(&t->chat, first, &reply);
        tui_follow(t, &reply);
        return;
    }
    t->refused = (struct str){0};
    bool again = action->id != ROOM_NONE && is_draft(t, &question);
    if (action->id != ROOM_NONE && make_room(t, (enum room)action->id) && again)
        ask_again(t, &question);
    str_done(&question);
}
