/* tui_actions.c - one short function for each thing a user can want of the screen. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/commands.h"
#include "app/visual.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/notices.h"
#include "app/tui.h"

enum { LISTED = 1000 }; /* conversations in the sidebar */
enum { TAG_MODEL, TAG_CONVERSATION };

/* Showing */

void tui_count_context(struct tui *t)
{
    t->context_used = chat_context_used(&t->chat);
}

static void begin_turn(struct tui *t, const struct turn *turn)
{
    bool asked = turn->role == STORE_USER;
    const char *name = asked ? "You" : turn->generated ? turn->generation.model : "assistant";
    ui_message_begin(t->ui, turn->number, asked ? UI_USER : UI_ASSISTANT, name);
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

static void show_turn(struct tui *t, const struct turn *turn)
{
    int64_t id = turn->number;
    const struct str *said = &turn->text[STORE_TEXT], *thought = &turn->text[STORE_REASONING];
    begin_turn(t, turn);
    if (thought->len > 0 && !t->chat.options->hide_reasoning) {
        ui_message_append(t->ui, id, UI_REASONING, thought->data, thought->len);
        ui_message_thought(t->ui, id, turn->generation.reasoning_tokens, 0);
    }
    if (said->len > 0)
        ui_message_append(t->ui, id, UI_ANSWER, said->data, said->len);
    tui_end_turn(t, turn);
}

void tui_show_conversation(struct tui *t)
{
    const struct history *h = &t->chat.history;
    ui_transcript_clear(t->ui);
    for (size_t i = 0; i < h->n_turns; i++)
        show_turn(t, h->turns[i]);
    tui_count_context(t);
    tui_show_sidebar(t);
}

/* Rows with their dates; the caller's to free with free_rows. */
static struct ui_row *list_rows(struct tui *t, struct store_conversations **list)
{
    if (store_conversation_list(t->chat.history.store, false, 0, LISTED, list) != STORE_OK)
        return NULL;
    struct ui_row *rows = mem_alloc(((*list)->count + 1) * sizeof *rows);
    for (size_t i = 0; i < (*list)->count; i++) {
        const struct store_conversation *c = &(*list)->items[i];
        time_t when = (time_t)(c->updated_ms / 1000);
        struct tm local;
        char *date = mem_alloc(16);
        if (localtime_r(&when, &local))
            strftime(date, 16, "%d %b", &local);
        rows[i] = (struct ui_row){.id = c->id, .title = c->title, .detail = date};
    }
    return rows;
}

static void free_rows(struct ui_row *rows, struct store_conversations *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)rows[i].detail);
    free(rows);
    store_conversations_free(list);
}

void tui_show_sidebar(struct tui *t)
{
    struct store_conversations *list;
    struct ui_row *rows = list_rows(t, &list);
    if (!rows)
        return;
    ui_sidebar_set(t->ui, rows, list->count, t->chat.history.conversation);
    free_rows(rows, list);
}

static void pick_conversation(struct tui *t)
{
    struct store_conversations *list;
    struct ui_row *rows = list_rows(t, &list);
    if (!rows) {
        ui_notice(t->ui, UI_FAIL, store_error(t->chat.history.store));
        return;
    }
    if (list->count == 0)
        ui_hint(t->ui, "no conversations yet");
    else
        ui_pick(t->ui, TAG_CONVERSATION, "Conversations", rows, list->count,
                t->chat.history.conversation);
    free_rows(rows, list);
}

static void pick_model(struct tui *t)
{
    struct model_list *list = &t->offered;
    models_list_done(list);
    models_list(t->chat.paths, list);
    struct ui_row *rows = mem_alloc((list->count + 1) * sizeof *rows);
    int64_t selected = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct model_file *file = &list->items[i];
        bool current = t->chat.model && strcmp(t->chat.model->file.path, file->path) == 0;
        selected = current ? (int64_t)i : selected;
        rows[i] = (struct ui_row){(int64_t)i, file->name, current ? "answers now" : NULL};
    }
    if (list->count == 0)
        ui_hint(t->ui, "no models are installed");
    else
        ui_pick(t->ui, TAG_MODEL, "Models", rows, list->count, selected);
    free(rows);
}

/* Asking and commands */

void tui_ask(struct tui *t, const char *text, size_t len)
{
    struct history *h = &t->chat.history;
    char err[512];

    int status = chat_ask(&t->chat, text, len, err, sizeof err);
    if (status != 0) {
        ui_notice(t->ui, UI_FAIL, err);
        if (status == EXIT_FIT)
            ui_notice(t->ui, UI_INFO, "/new begins a conversation with an empty context");
        ui_draft_set(t->ui, text, len);
        return;
    }
    const struct turn *question = h->turns[h->n_turns - 2];
    show_turn(t, question);
    begin_turn(t, t->chat.answer);
}

static void queue(struct tui *t, const char *text, size_t len)
{
    if (t->queued.len > 0) {
        ui_draft_set(t->ui, text, len);
        ui_hint(t->ui, "one question waits already; this one stays here");
        return;
    }
    str_add(&t->queued, text, len);
    ui_hint(t->ui, "asked when this answer has ended");
}

static void say(struct tui *t, const struct command_reply *reply)
{
    if (reply->text.len > 0)
        ui_notice(t->ui, reply->failed ? UI_FAIL : UI_INFO, reply->text.data);
}

static void follow(struct tui *t, const struct command_reply *reply)
{
    switch (reply->effect) {
    case COMMAND_ASK:
        if (t->chat.answer)
            queue(t, reply->ask, reply->ask_len);
        else
            tui_ask(t, reply->ask, reply->ask_len);
        return;
    case COMMAND_SAY: break;
    case COMMAND_SHOW: tui_show_conversation(t); break;
    case COMMAND_HELP: ui_help(t->ui); break;
    case COMMAND_PICK_MODEL: pick_model(t); break;
    case COMMAND_PICK_CONVERSATION: pick_conversation(t); break;
    case COMMAND_QUIT: tui_leave(t, 0, STORE_STOPPED); break;
    }
    tui_count_context(t); /* another model counts otherwise */
    say(t, reply);
}

static void act_send(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply;
    struct str typed = {0}; /* the action's text ends with the next call of the screen */
    str_add(&typed, action->text, action->len);
    command_run(&t->chat, typed.data, typed.len, &reply);
    follow(t, &reply);
    str_done(&reply.text);
    str_done(&typed);
}

static void act_new(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply;
    (void)action;
    command_run(&t->chat, "/new", 4, &reply);
    follow(t, &reply);
    str_done(&reply.text);
}

static void open_conversation(struct tui *t, int64_t id)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    command_open(&t->chat, id, &reply);
    follow(t, &reply);
    str_done(&reply.text);
}

static void act_open(struct tui *t, const struct ui_action *action)
{
    open_conversation(t, action->id);
}

static void act_pick(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    if (action->tag == TAG_CONVERSATION) {
        open_conversation(t, action->id);
    } else if (action->id >= 0 && (size_t)action->id < t->offered.count) {
        command_use(&t->chat, t->offered.items[action->id].path, &reply);
        follow(t, &reply);
    }
    str_done(&reply.text);
}

/* The rest */

static void act_stop(struct tui *t, const struct ui_action *action)
{
    (void)action;
    if (t->queued.len > 0) { /* what was to be asked next is not to be asked now */
        ui_draft_set(t->ui, t->queued.data, t->queued.len);
        str_done(&t->queued);
    }
    if (t->chat.answer)
        chat_stop(&t->chat);
    else
        ui_hint(t->ui, "the model is being loaded; Ctrl-D leaves");
}

static void act_quit(struct tui *t, const struct ui_action *action)
{
    tui_leave(t, (int)action->id, STORE_STOPPED);
}

static void act_list(struct tui *t, const struct ui_action *action)
{
    (void)action;
    tui_show_sidebar(t);
}

static void act_models(struct tui *t, const struct ui_action *action)
{
    (void)action;
    pick_model(t);
}

static void act_edit(struct tui *t, const struct ui_action *action)
{
    struct str draft = {0}, edited = {0};
    char err[256];
    size_t len;
    const char *text = ui_draft(t->ui, &len);

    (void)action;
    str_add(&draft, text, len);
    ui_suspend(t->ui);
    int status = visual_edit(&draft, &edited, err, sizeof err);
    ui_resume(t->ui);
    if (status == 0)
        ui_draft_set(t->ui, str_get(&edited), edited.len);
    else
        ui_notice(t->ui, UI_FAIL, err);
    str_done(&draft);
    str_done(&edited);
}

static void act_suspend(struct tui *t, const struct ui_action *action)
{
    (void)action;
    tui_suspend(t);
}

static void act_hangup(struct tui *t, const struct ui_action *action)
{
    (void)action;
    tui_leave(t, EXIT_SIGNAL + SIGHUP, STORE_INTERRUPTED);
}

void tui_act(struct tui *t, const struct ui_action *action)
{
    static void (*const acts[])(struct tui * t, const struct ui_action *action) = {
        [UI_SEND] = act_send,       [UI_STOP] = act_stop,     [UI_QUIT] = act_quit,
        [UI_NEW] = act_new,         [UI_OPEN] = act_open,     [UI_LIST] = act_list,
        [UI_MODELS] = act_models,   [UI_PICK] = act_pick,     [UI_EDIT] = act_edit,
        [UI_SUSPEND] = act_suspend, [UI_HANGUP] = act_hangup,
    };
    acts[action->kind](t, action);
}
