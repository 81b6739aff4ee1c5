/* tui.c - the loop between terminal, engines and signals. What comes in changes state, and once a
 * turn the screen is drawn; no call in here waits for anything but poll(). */
#include "app/tui/tui.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/chat/greeting.h"
#include "app/chat/notices.h"
#include "app/chat/request.h"
#include "app/cmd.h"
#include "app/commands/commands.h"
#include "app/commands/complete.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/signals.h"

enum {
    PROMPTS = 500,    /* for the composer's history */
    NOTIFY_MS = 5000, /* notify when an answer took this long */
    PATIENCE_MS = 50, /* a locked history must not hold up the screen */
    SLOW_MS = 300,    /* opening a model for longer than this is announced */
};

static const char *const examples[] = {
    "What is 15% of 240?",
    "Solve 3x + 5 = 20.",
    "A box holds 12 eggs. How many eggs are in 7 boxes?",
};

void tui_leave(struct tui *t, int status, enum store_state left_as)
{
    t->done = true;
    t->status = status;
    t->left_as = left_as;
}

void tui_suspend(struct tui *t)
{
    ui_suspend(t->ui);
    signals_suspend();
    ui_resume(t->ui);
}

/* Events */

static void take_signals(struct tui *t)
{
    for (int signal; (signal = signals_next()) != 0 && !t->done;) {
        switch (signal) {
        case SIGWINCH: ui_resize(t->ui); break;
        case SIGTSTP: tui_suspend(t); break;
        case SIGCONT: /* stopped from outside: the shell has changed the terminal's modes */
            ui_suspend(t->ui);
            ui_resume(t->ui);
            break;
        case SIGINT:
            if (t->chat.answer) {
                tui_queue_pause(t);
                chat_stop(&t->chat);
                break;
            }
            /* fall through */
        default: tui_leave(t, EXIT_SIGNAL + signal, STORE_INTERRUPTED);
        }
    }
}

static void show_text(struct tui *t, const struct chat_event *ev)
{
    int64_t id = ev->turn->number;
    if (ev->kind != STORE_REASONING) {
        ui_message_append(t->ui, id, UI_ANSWER, ev->text, ev->len);
    } else if (!t->chat.options->hide_reasoning) {
        ui_message_append(t->ui, id, UI_REASONING, ev->text, ev->len);
        tui_show_thought(t, ev->turn);
    }
}

/* After a long wait the user is probably looking elsewhere. */
static void notify(struct tui *t, const struct turn *turn)
{
    const struct store_generation *g = &turn->generation;
    if (g->time_to_first_token_ms + g->generation_time_ms >= NOTIFY_MS && t->n_waiting == 0)
        ui_notify(t->ui, (enum ui_notify)t->chat.options->notify);
}

static void hint_continue(struct tui *t, const struct turn *turn)
{
    char key[UI_KEY_MAX];
    struct str line = {0};
    if (request_filled(&turn->generation)) {
        chat_add_full(&t->chat, &line);
    } else {
        if (ui_key(t->ui, "continue", key))
            str_addf(&line, "%s or ", key);
        str_adds(&line, "/continue resumes it");
    }
    ui_hint(t->ui, line.data);
    str_done(&line);
}

static void on_end(struct tui *t, const struct turn *turn)
{
    notify(t, turn);
    if (t->greeting)
        greeting_done(t->chat.paths);
    t->greeting = false;
    tui_show_thought(t, turn);
    tui_end_turn(t, turn);
    tui_count_context(t);
    if (turn->state == STORE_FAILED)
        tui_queue_pause(t);
    else
        tui_queue_send_next(t); /* what is due after a stop was sent after it */
    if (!t->chat.answer && (turn->state == STORE_STOPPED || t->chat.stop == ENGINE_STOP_LENGTH))
        hint_continue(t, turn);
}

/* A lost model is reloaded once, and once more on the CPU; after that the user has to choose. */
static void on_lost(struct tui *t, const struct chat_event *ev)
{
    struct pool_model *m = ev->model;
    char err[512];

    tui_notice(t, UI_FAIL, "%s: %s", m->file.name, ev->error);
    if (m != t->chat.model || m->on_cpu || (m->n_lost > 1 && !model_pool_has_gpu(&t->chat.pool)))
        return;
    if (chat_reopen(&t->chat, err, sizeof err) != 0)
        ui_notice(t->ui, UI_FAIL, err);
    else
        ui_notice(t->ui, UI_INFO, m->on_cpu ? "continuing on the CPU" : "reloading it");
}

/* Models that were unloaded to make room, each time. */
static void show_note(struct tui *t)
{
    struct str note = {0};
    if (model_pool_take_note(&t->chat.pool, &note))
        ui_notice(t->ui, UI_INFO, note.data);
    str_done(&note);
}

static void take_events(struct tui *t)
{
    struct chat_event ev;
    while (chat_next_event(&t->chat, &ev)) {
        switch (ev.type) {
        case CHAT_TEXT: show_text(t, &ev); break;
        case CHAT_END: on_end(t, ev.turn); break;
        case CHAT_LOST: on_lost(t, &ev); break;
        case CHAT_READY:
        case CHAT_PROGRESS: break; /* the status line shows it */
        }
    }
}

/* Work for each turn of the loop */

void tui_tell_saved(struct tui *t)
{
    const struct history *h = &t->chat.history;
    bool unsaved = h->problem[0] && h->again;
    if (unsaved && !t->unsaved) {
        t->warned = false;
        tui_notice(t, UI_WARN, "not saved: %s; duet keeps trying", h->problem);
    } else if (!h->problem[0] && t->unsaved) {
        ui_notice(t->ui, UI_INFO, "saved");
    }
    t->unsaved = unsaved;
}

static void save(struct tui *t)
{
    int64_t conversation = t->chat.history.conversation;
    chat_save_due(&t->chat);
    if (t->chat.history.conversation != conversation)
        tui_library_list(t); /* it now has a number and a title */
    tui_tell_saved(t);
}

static int soonest(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static void loop(struct tui *t)
{
    struct pollfd fds[CHAT_MODELS + 4];
    struct ui_action action;

    while (!t->done) {
        size_t n = chat_poll(&t->chat, fds + 4);
        ui_poll(t->ui, &fds[0]);
        fds[1] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
        tui_copy_poll(t, &fds[2]);
        tui_pull_poll(t, &fds[3]);
        poll(fds, n + 4,
             soonest(soonest(ui_timeout_ms(t->ui), chat_timeout_ms(&t->chat)),
                     soonest(tui_library_timeout_ms(t), tui_draft_timeout_ms(t))));
        take_signals(t);
        if (fds[0].revents)
            ui_feed(t->ui);
        if (fds[2].revents)
            tui_copy_done(t, false);
        if (fds[3].revents)
            tui_pull_read(t);
        take_events(t);
        while (!t->done && ui_next_action(t->ui, &action))
            tui_act(t, &action);
        show_note(t);
        save(t);
        tui_library_tick(t);
        tui_draft_tick(t);
        tui_show_status(t);
        tui_end_offer_continue(t);
        ui_draw(t->ui);
    }
}

/* Opening and closing */

static void complete(void *ud, const char *line, ui_offer offer, void *sink)
{
    struct tui *t = ud;
    command_complete(&t->chat, line, offer, sink);
}

/* Quitting does not wait for a hanging disk: everything is in memory, and the thread that opens the
 * model ends with the process. */
static void leave_now(struct tui *t)
{
    chat_abandon(&t->chat, t->left_as);
    tui_draft_done(t);
    tui_pull_done(t);
    tui_copy_done(t, true);
    signals_guard_screen(NULL);
    ui_close(t->ui);
    _exit(t->status);
}

/* While a model is opened: keys are echoed, and handled once it is open, except those that quit.
 * Completion (complete.h) needs no engine. */
static void live_on(void *ud, int done_fd, double ms)
{
    struct tui *t = ud;
    struct pollfd fds[3] = {
        [1] = {.fd = done_fd, .events = POLLIN}, [2] = {.fd = signals_fd(), .events = POLLIN}};
    struct ui_action action;
    bool slow = ms >= SLOW_MS;
    if (slow && !t->told_opening)
        ui_hint(t->ui, "opening the model\u2026");
    t->told_opening = slow;
    ui_draw(t->ui);
    ui_poll(t->ui, &fds[0]);
    poll(fds, 3, soonest(ui_timeout_ms(t->ui), slow ? -1 : SLOW_MS - (int)ms));
    if (slow && fds[1].revents) {
        ui_hint(t->ui, NULL);
        t->told_opening = false;
    }
    take_signals(t);
    if (fds[0].revents)
        ui_feed(t->ui);
    while (slow && !t->done && ui_is_leaving(t->ui) && ui_next_action(t->ui, &action))
        tui_act(t, &action);
    if (slow && t->done)
        leave_now(t);
}

static int open_screen(struct tui *t, char *err, size_t errlen)
{
    t->greeting = greeting_due(t->chat.paths, &t->chat.history);
    struct ui_command *listed = mem_alloc(n_commands * sizeof *listed);
    const char **prompts = mem_alloc(PROMPTS * sizeof *prompts);
    struct store_prompts *stored = NULL;
    size_t n_prompts = 0;

    for (size_t i = 0; i < n_commands; i++)
        listed[i] = (struct ui_command){commands[i].name, commands[i].args, commands[i].help};
    if (store_prompts(t->chat.history.store, PROMPTS, &stored) == STORE_OK)
        for (size_t i = stored->count; i > 0; i--)
            prompts[n_prompts++] = stored->items[i - 1];
    struct ui_options options = {
        .in = STDIN_FILENO,
        .out = STDOUT_FILENO,
        .theme = options_theme(t->chat.options, STDOUT_FILENO),
        .reasoning = (enum ui_fold)t->chat.options->reasoning,
        .commands = listed,
        .n_commands = n_commands,
        .history = prompts,
        .n_history = n_prompts,
        .examples = examples,
        .n_examples = sizeof examples / sizeof *examples,
        .settings = t->config->ui,
        .mouse = t->chat.options->mouse,
        .first_time = t->greeting,
        .complete = complete,
        .complete_ud = t,
        .vi = t->chat.options->editing == EDITING_VI,
    };
    int status = ui_open(&t->ui, &options, err, errlen);
    if (stored)
        store_prompts_free(stored);
    free(prompts);
    free(listed);
    return status;
}

static void show_config_warnings(struct tui *t)
{
    bool more = true;
    for (int i = 0; i < t->config->n_warnings && more; i++) {
        struct str line = {0};
        more = config_add_warning(t->config, i, &line);
        ui_notice(t->ui, UI_WARN, line.data);
        str_done(&line);
    }
}

/* A line of its own, if there is one. */
static void show_line(struct tui *t, enum ui_tone tone, struct str *line)
{
    if (line->len > 0)
        ui_notice(t->ui, tone, line->data);
    str_clear(line);
}

static void show_notices(struct tui *t)
{
    struct str line = {0};
    if (!t->chat.options->quiet) {
        notice_add_demo(&t->chat, "/pull", &line);
        show_line(t, UI_INFO, &line);
        notice_add_kv_type(t->chat.options, t->chat.model->engine, &line);
        show_line(t, UI_INFO, &line);
    }
    notice_add_history(&t->chat, &line);
    show_line(t, UI_WARN, &line);
    str_done(&line);
}

/* The screen is drawn before the model is opened: reading a vocabulary takes a moment. */
static int start(struct tui *t, char *err, size_t errlen)
{
    store_set_patience(t->chat.history.store, PATIENCE_MS);
    signals_guard_screen(t->ui);
    t->chat.pool.background = (struct background){live_on, t};
    tui_show_conversation(t);
    tui_draft_open(t);
    tui_show_status(t);
    ui_draw(t->ui);
    int status = chat_use(&t->chat, NULL, err, errlen);
    if (status != 0)
        return status;
    tui_count_context(t);
    show_notices(t);
    tui_offer_continue(t);
    tui_pull_offer(t);
    show_config_warnings(t);
    return 0;
}

int tui_run(struct app *app)
{
    struct tui t = {.config = &app->config, .context_used = -1, .draft_tokens = -1};
    char err[512] = "";

    chat_init(&t.chat, &app->options, &app->paths);
    t.chat.as = "screen";
    int status = chat_open_history(&t.chat, err, sizeof err);
    if (status == 0 && (status = open_screen(&t, err, sizeof err)) != 0)
        status = status == UI_BAD_TERM ? SCREEN_UNUSABLE : EXIT_DEVICE;
    if (status == 0 && (status = start(&t, err, sizeof err)) == 0) {
        err[0] = '\0';
        loop(&t);
        status = t.status;
        chat_abandon(&t.chat, t.left_as);
    }
    if (t.ui)
        tui_draft_done(&t);
    signals_guard_screen(NULL);
    ui_close(t.ui);
    if (status != 0 && err[0])
        say_notice(status == SCREEN_UNUSABLE && app->options.quiet, "%s", err);
    tui_copy_done(&t, true);
    tui_pull_done(&t);
    str_done(&t.copied);
    chat_done(&t.chat);
    models_list_done(&t.offered);
    tui_library_done(&t);
    tui_queue_clear(&t);
    str_done(&t.stash);
    str_done(&t.refused);
    return status;
}
