/* branch.c - the path on the screen: its messages, their versions, and editing a question. */
#include <stdlib.h>
#include <string.h>

#include "app/chat/notices.h"
#include "app/commands/branch.h"
#include "app/commands/compact.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/tui/tui.h"

/* The path */

void tui_begin_turn(struct tui *t, const struct turn *turn)
{
    bool asked = turn->role == STORE_USER;
    const char *name = asked ? "You" : turn->generated ? turn->generation.model : "assistant";
    size_t at, n = turn_versions(turn, &at);
    ui_message_begin(t->ui, turn->number, asked ? UI_USER : UI_ASSISTANT, name);
    if (n > 1)
        ui_message_version(t->ui, turn->number, at, n);
}

void tui_end_turn(struct tui *t, const struct turn *turn)
{
    struct str note = {0};
    enum ui_tone tone = turn->state == STORE_FAILED                      ? UI_FAIL
                        : turn->state != STORE_COMPLETE || turn->damaged ? UI_WARN
                                                                         : UI_INFO;
    notice_add_end(turn, &note);
    ui_message_end(t->ui, turn->number, tone, str_get(&note));
    str_done(&note);
}

void tui_show_turn(struct tui *t, const struct turn *turn)
{
    int64_t id = turn->number;
    const struct str *said = &turn->text[STORE_TEXT], *thought = &turn->text[STORE_REASONING];
    tui_begin_turn(t, turn);
    if (thought->len > 0 && !t->chat.options->hide_reasoning) {
        ui_message_append(t->ui, id, UI_REASONING, thought->data, thought->len);
        tui_show_thought(t, turn);
    }
    if (said->len > 0)
        ui_message_append(t->ui, id, UI_ANSWER, said->data, said->len);
    if (turn != t->chat.answer)
        tui_end_turn(t, turn);
}

static void leave_editing(struct tui *t)
{
    if (!t->editing)
        return;
    t->editing = 0;
    t->asking_known = false; /* of another prompt */
    ui_banner(t->ui, NULL, UI_SEND);
    ui_draft_set(t->ui, str_get(&t->stash), t->stash.len);
    str_done(&t->stash);
}

void tui_show_path(struct tui *t, size_t from)
{
    const struct history *h = &t->chat.history;

    leave_editing(t);
    ui_transcript_cut(t->ui, from > 0 ? h->turns[from - 1]->number : 0);
    for (size_t i = from; i < h->n_turns; i++)
        tui_show_turn(t, h->turns[i]);
    tui_count_context(t);
}

/* Editing a question */

void tui_edit(struct tui *t, const struct turn *question)
{
    struct str banner = {0};
    const struct str *said = &question->text[STORE_TEXT];
    size_t len, n = 0;
    for (size_t i = 0; i < question->depth; i++)
        n += t->chat.history.turns[i]->role == STORE_USER;
    if (!t->editing) {
        const char *draft = ui_draft(t->ui, &len);
        str_add(&t->stash, draft, len);
    }
    t->editing = question->number;
    t->asking_known = false;
    str_addf(&banner, "editing question %zu, on a new branch", n);
    ui_banner(t->ui, banner.data, UI_SEND);
    ui_draft_set(t->ui, str_get(said), said->len);
    ui_focus_composer(t->ui);
    str_done(&banner);
}

/* Keys */

/* Performs a key's action on its turn, and keeps the selection there. */
static void of_turn(struct tui *t, const struct ui_action *action, struct turn *turn)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    struct chat *c = &t->chat;
    bool followed = turn_question(c->history.leaf) != turn_question(turn);
    switch (action->kind) {
    case UI_REASK: command_edit(c, turn, &reply); break;
    case UI_REGEN: command_regenerate(c, turn, NULL, &reply); break;
    case UI_VERSION_BEFORE: command_switch_version(c, turn, -1, &reply); break;
    case UI_VERSION_AFTER: command_switch_version(c, turn, 1, &reply); break;
    case UI_FORK: command_fork(c, turn, &reply); break;
    default: break;
    }
    if (reply.failed)
        ui_hint(t->ui, str_get(&reply.text));
    else
        tui_follow(t, &reply);
    if (reply.effect == COMMAND_PATH || reply.effect == COMMAND_ANSWER)
        ui_message_select(t->ui, c->history.turns[reply.from]->number);
    if (reply.effect == COMMAND_ANSWER && followed)
        ui_hint(t->ui, "later messages are kept with the previous version");
    command_reply_done(&reply);
}

static void regenerate_by(struct tui *t, const struct turn *turn)
{
    struct command_reply reply = {0};
    if (command_may_change(&t->chat, &reply)) {
        t->regenerated = turn->number;
        tui_pick_model(t, TAG_REGENERATE);
    } else {
        ui_hint(t->ui, str_get(&reply.text));
    }
    command_reply_done(&reply);
}

void tui_regenerate(struct tui *t, const char *model)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    struct turn *turn = history_turn(&t->chat.history, t->regenerated);
    if (turn && history_is_on_path(&t->chat.history, turn))
        command_regenerate(&t->chat, turn, model, &reply);
    tui_follow(t, &reply);
}

void tui_act_decline(struct tui *t, const struct ui_action *action)
{
    (void)action;
    if (t->editing)
        leave_editing(t);
    else
        tui_decline_continue(t);
}

void tui_act_on_branch(struct tui *t, const struct ui_action *action)
{
    struct turn *turn = history_turn(&t->chat.history, action->id);
    if (!turn || !history_is_on_path(&t->chat.history, turn))
        return;
    if (action->kind == UI_REGEN_WITH)
        regenerate_by(t, turn);
    else
        of_turn(t, action, turn);
}
