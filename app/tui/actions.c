/* actions.c - one short function per user action. */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/chat/notices.h"
#include "app/commands/commands.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/tui/tui.h"
#include "app/tui/visual.h"

/* Showing */

void tui_notice(struct tui *t, enum ui_tone tone, const char *format, ...)
{
    struct str line = {0};
    va_list args;
    va_start(args, format);
    str_addv(&line, format, args);
    va_end(args);
    ui_notice(t->ui, tone, line.data);
    str_done(&line);
}

void tui_hint(struct tui *t, const char *format, ...)
{
    struct str line = {0};
    va_list args;
    va_start(args, format);
    str_addv(&line, format, args);
    va_end(args);
    ui_hint(t->ui, line.data);
    str_done(&line);
}

void tui_count_context(struct tui *t)
{
    struct token_count used = chat_context_used(&t->chat);
    t->context_used = used.n;
    t->context_more = used.more;
    t->asking_known = false;
    tui_show_window(t);
}

void tui_show_conversation(struct tui *t)
{
    size_t undone = history_n_undone(&t->chat.history);
    ui_transcript_clear(t->ui);
    tui_show_path(t, 0);
    tui_library_list(t);
    t->library.gone = false;
    if (undone > 0) {
        tui_notice(t, UI_INFO, "%zu exchange%s taken back; /redo brings %s back", undone,
                   undone == 1 ? " was" : "s were", undone == 1 ? "it" : "one");
    }
}

void tui_pick_model(struct tui *t, int tag)
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
        bool gpu;
        const char *place = !model_pool_has(&t->chat.pool, file->path, &gpu) ? NULL
                            : gpu                                            ? "on the GPU"
                                                                             : "in memory";
        rows[i] = (struct ui_row){(int64_t)i, file->name, current ? "answers now" : place};
    }
    if (list->count == 0)
        ui_hint(t->ui, "no models are installed");
    else
        ui_pick(t->ui, tag, "Models", rows, list->count, selected);
    free(rows);
}

/* Asking and commands */

int tui_ask(struct tui *t, const char *text, size_t len)
{
    struct history *h = &t->chat.history;
    struct turn *instead_of = t->editing ? history_turn(h, t->editing) : NULL;
    char err[512];

    tui_library_ensure_stored(t);
    int status = instead_of ? chat_edit(&t->chat, instead_of, text, len, err, sizeof err)
                            : chat_ask(&t->chat, text, len, err, sizeof err);
    if (status != 0) {
        ui_notice(t->ui, UI_FAIL, err);
        tui_give_back(t, text, len);
        return status;
    }
    if (instead_of) {
        tui_show_path(t, instead_of->depth - 1);
    } else {
        tui_show_turn(t, t->chat.answer->parent);
        tui_begin_turn(t, t->chat.answer);
    }
    return 0;
}

static void say(struct tui *t, const struct command_reply *reply)
{
    if (reply->text.len > 0)
        ui_notice(t->ui, reply->failed ? UI_FAIL : UI_INFO, reply->text.data);
}

static void attach(struct tui *t, const struct command_reply *reply)
{
    if (!ui_draft_attach(t->ui, str_get(&reply->file_name), str_get(&reply->file), reply->file.len))
        ui_hint(t->ui, "The draft is full");
}

/* On the user's request, after one warning about what would be lost. */
static void leave(struct tui *t, int status)
{
    if (t->chat.history.problem[0]) { /* what prevented it may be over */
        history_save(&t->chat.history);
        tui_tell_saved(t);
    }
    if (status != 0 || t->warned || (t->n_waiting == 0 && !t->unsaved)) {
        tui_leave(t, status, STORE_STOPPED);
        return;
    }
    t->warned = true;
    ui_hint(t->ui, t->unsaved ? "the conversation would be lost (/export writes a file); "
                                "repeat to quit anyway"
                              : "queued questions would be lost; repeat to quit anyway");
}

static void follow(struct tui *t, const struct command_reply *reply)
{
    switch (reply->effect) {
    case COMMAND_ASK:
        if (t->chat.answer)
            tui_queue_add(t, reply->ask, reply->ask_len);
        else if (tui_ask(t, reply->ask, reply->ask_len) == EXIT_FIT)
            tui_offer_room(t, reply->ask, reply->ask_len);
        return;
    case COMMAND_SAY: break;
    case COMMAND_SHOW: tui_show_conversation(t); break;
    case COMMAND_PATH:
    case COMMAND_ANSWER: tui_show_path(t, reply->from); break;
    case COMMAND_EDIT: tui_edit(t, reply->turn); break;
    case COMMAND_COMPACT: tui_offer_compact(t, reply->turn); break;
    case COMMAND_COPY: tui_copy(t, reply); return;
    case COMMAND_HELP: ui_help(t->ui); break;
    case COMMAND_PICK_MODEL: tui_pick_model(t, TAG_MODEL); break;
    case COMMAND_PICK_CONVERSATION: ui_sidebar(t->ui, reply->words, reply->archived); break;
    case COMMAND_SEARCH: ui_search(t->ui, *reply->words ? reply->words : NULL); break;
    case COMMAND_ATTACH: attach(t, reply); break;
    case COMMAND_PULL: tui_pull(t, str_get(&reply->file_name)); return;
    case COMMAND_QUIT: leave(t, 0); break;
    }
    tui_library_list(t);
    tui_count_context(t); /* another model has another tokenizer */
    say(t, reply);
}

void tui_follow(struct tui *t, struct command_reply *reply)
{
    follow(t, reply);
    command_reply_done(reply);
}

void tui_command(struct tui *t, const char *line)
{
    struct command_reply reply;
    command_run(&t->chat, line, strlen(line), &reply);
    tui_follow(t, &reply);
}

static void act_send(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply;
    struct str typed = {0}; /* the action's text ends with the next call of the screen */
    str_add(&typed, action->text, action->len);
    if (config_changed(t->config))
        ui_notice(t->ui, UI_INFO, "the configuration file has changed; restart duet to apply it");
    t->chat.marked = ui_message_chosen(t->ui);
    command_run(&t->chat, typed.data, typed.len, &reply);
    tui_follow(t, &reply);
    str_done(&typed);
}

static void act_new(struct tui *t, const struct ui_action *action)
{
    (void)action;
    tui_command(t, "/new");
}

static void act_open(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    command_open(&t->chat, action->id, &reply);
    tui_follow(t, &reply);
}

static void act_pick(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    if (action->tag == TAG_COMPACT || action->tag == TAG_ROOM) {
        tui_make_room(t, action);
    } else if (action->id < 0 || (size_t)action->id >= t->offered.count) {
        return;
    } else if (action->tag == TAG_REGENERATE) {
        tui_regenerate(t, t->offered.items[action->id].path);
    } else {
        command_use(&t->chat, t->offered.items[action->id].path, &reply);
        tui_follow(t, &reply);
    }
}

/* The rest */

static void act_stop(struct tui *t, const struct ui_action *action)
{
    char key[UI_KEY_MAX];
    (void)action;
    tui_queue_pause(t);
    if (t->chat.answer)
        chat_stop(&t->chat);
    else if (ui_key(t->ui, "quit", key))
        tui_hint(t, "the model is being loaded; %s leaves", key);
    else
        ui_hint(t->ui, "the model is being loaded");
}

static void act_quit(struct tui *t, const struct ui_action *action)
{
    leave(t, (int)action->id);
}

static void act_models(struct tui *t, const struct ui_action *action)
{
    (void)action;
    tui_pick_model(t, TAG_MODEL);
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
    bool same = edited.len == draft.len &&
                memcmp(str_get(&edited), str_get(&draft), draft.len) == 0;
    if (status == 0 && !same) /* folded parts stay folded */
        ui_draft_set(t->ui, str_get(&edited), edited.len);
    else if (status != 0)
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
        [UI_SEND] = act_send,
        [UI_STOP] = act_stop,
        [UI_QUIT] = act_quit,
        [UI_NEW] = act_new,
        [UI_OPEN] = act_open,
        [UI_LIST] = tui_act_on_library,
        [UI_MODELS] = act_models,
        [UI_PICK] = act_pick,
        [UI_EDIT] = act_edit,
        [UI_SUSPEND] = act_suspend,
        [UI_HANGUP] = act_hangup,
        [UI_REASK] = tui_act_on_branch,
        [UI_REGEN] = tui_act_on_branch,
        [UI_REGEN_WITH] = tui_act_on_branch,
        [UI_VERSION_BEFORE] = tui_act_on_branch,
        [UI_VERSION_AFTER] = tui_act_on_branch,
        [UI_FORK] = tui_act_on_branch,
        [UI_TAKE_BACK] = tui_act_on_queue,
        [UI_DROP] = tui_act_on_queue,
        [UI_ASK_NEXT] = tui_act_on_queue,
        [UI_DECLINE] = tui_act_decline,
        [UI_RENAME] = tui_act_on_library,
        [UI_ARCHIVE] = tui_act_on_library,
        [UI_DELETE] = tui_act_on_library,
        [UI_RESTORE] = tui_act_on_library,
        [UI_SEARCH] = tui_act_on_library,
        [UI_OPEN_HIT] = tui_act_on_library,
        [UI_COPY] = tui_act_copy,
        [UI_THINK] = tui_act_on_thinking,
        [UI_ANSWER_NOW] = tui_act_on_thinking,
        [UI_CONTINUE] = tui_act_on_thinking,
        [UI_THINK_MORE] = tui_act_on_thinking,
    };
    acts[action->kind](t, action);
}
