/* repl.c - line mode: for terminals without cursor movement, for screen readers and slow links.
 * Readline edits the line; while an answer is written the cursor only moves forward. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "app/chat/greeting.h"
#include "app/chat/notices.h"
#include "app/clipboard.h"
#include "app/cmd.h"
#include "app/commands/branch.h"
#include "app/commands/compact.h"
#include "app/commands/pull.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/models/partial.h"
#include "app/numbers.h"
#include "app/plain/answer.h"
#include "app/plain/repl_line.h"
#include "app/plain/repl_pull.h"
#include "app/plain/speech.h"
#include "app/say.h"
#include "app/signals.h"

enum { PROMPTS = 500, NOTIFY_MS = 5000 /* notify when an answer took this long */ };

struct repl {
    struct chat chat;
    struct outlet out;
    struct turn *editing; /* the question being edited; NULL: none */
    struct str attached;  /* files for the next question */
    bool done;
    bool greeting; /* there was no conversation yet */
    int status;
};

static const char fence[] = "\"\"\"";
enum { FENCE = sizeof fence - 1 };

static bool is_fenced(const struct str *text)
{
    return strncmp(str_get(text), fence, FENCE) == 0;
}

/* Reads a question: a line, or all between two `"""`. false at the end of input. */
static bool read_question(struct repl *r, struct str *out)
{
    const char *draft = r->editing ? str_get(&r->editing->text[STORE_TEXT]) : "";
    const char *prompt = r->editing ? "edit> " : "> ";
    char *line;
    do {
        r->status = repl_line_read(&r->chat, out->data ? ". " : prompt, out->data ? "" : draft,
                                   &line);
        if (!line)
            return false;
        if (out->data)
            str_adds(out, "\n");
        str_adds(out, line);
        free(line);
    } while (is_fenced(out) && !strstr(out->data + FENCE, fence));
    if (is_fenced(out)) {
        out->len = (size_t)(strstr(out->data + FENCE, fence) - out->data) - FENCE;
        memmove(out->data, out->data + FENCE, out->len);
        out->data[out->len] = '\0';
    }
    return true;
}

/* Showing */

static void print(struct repl *r, const char *text, size_t len)
{
    char err[256];
    outlet_add(&r->out, text, len);
    outlet_put(&r->out, "\n");
    int status = outlet_finish(&r->out, err, sizeof err);
    if (status > EXIT_SIGNAL && !r->out.error)
        signals_put_back(status - EXIT_SIGNAL); /* it is meant for the line that comes next */
}

static void print_line(void *ud, const char *line)
{
    print(ud, line, strlen(line));
}

static void print_and_free(struct repl *r, struct str *text)
{
    if (text->len > 0)
        print(r, text->data, text->len);
    str_done(text);
}

/* Models that were unloaded to make room. */
static void print_note(struct repl *r)
{
    struct str note = {0};
    model_pool_take_note(&r->chat.pool, &note);
    print_and_free(r, &note);
}

static void show_turn(struct repl *r, const struct turn *turn)
{
    struct str line = {0};
    bool asked = turn->role == STORE_USER;
    size_t at;
    str_adds(&line, asked ? "you" : turn->generated ? turn->generation.model : "assistant");
    if (turn_versions(turn, &at) > 1) {
        str_adds(&line, " (");
        command_add_version(turn, &line);
        str_adds(&line, ")");
    }
    str_adds(&line, ": ");
    struct speech speech = {0};
    speech_add(&speech, str_get(&turn->text[STORE_TEXT]), turn->text[STORE_TEXT].len, true, &line);
    if (turn->state != STORE_COMPLETE) {
        str_adds(&line, "\n(");
        notice_add_end(turn, &line);
        str_adds(&line, ")");
    }
    print_and_free(r, &line);
}

static void show_path(struct repl *r, size_t from)
{
    const struct history *h = &r->chat.history;
    for (size_t i = from; i < h->n_turns; i++)
        if (h->turns[i] != r->chat.answer)
            show_turn(r, h->turns[i]);
}

static void show_conversation(struct repl *r)
{
    const struct history *h = &r->chat.history;
    struct str line = {0};
    if (h->conversation > 0)
        str_addf(&line, "conversation %lld: %s", (long long)h->conversation, h->title);
    else
        str_adds(&line, "a new conversation");
    print_and_free(r, &line);
    show_path(r, 0);
}

static void print_library(struct repl *r, const struct command_reply *reply)
{
    struct store *store = r->chat.history.store;
    struct str out = {0};
    int status = reply->effect == COMMAND_SEARCH
                     ? library_add_hits(&out, store, reply->words)
                     : library_add_list(&out, store, reply->words, reply->archived);
    if (status != STORE_OK)
        say_error("history: %s%s", store_error(store), library_advice(store_failure(store)));
    print_and_free(r, &out);
}

static void list_models(struct repl *r)
{
    struct model_list list;
    struct str out = {0};
    models_list(r->chat.paths, &list);
    for (size_t i = 0; i < list.count; i++)
        str_addf(&out, "%s\n", list.items[i].name);
    str_adds(&out, "/model NAME lets it answer");
    models_list_done(&list);
    print_and_free(r, &out);
}

/* Asking */

/* For a continued answer, its last line is repeated. */
static void show_beginning(struct repl *r, struct answer_view *view)
{
    const struct turn *turn = r->chat.answer;
    const struct str *said = &turn->text[STORE_TEXT];
    if (said->len == 0 && view->reasoning && turn->text[STORE_REASONING].len > 0) {
        said = &turn->text[STORE_REASONING];
        view->in_reasoning = true;
        outlet_put(&r->out, view->before_reasoning);
    }
    const char *line = said->len > 0 ? memrchr(said->data, '\n', said->len) : NULL;
    line = line ? line + 1 : str_get(said);
    outlet_add(&r->out, line, said->len - (size_t)(line - str_get(said)));
}

/* An unknown terminal may show the sequence rather than obey it. */
static bool takes_osc(void)
{
    static const char *const known[] = {"xterm", "tmux", "screen", "rxvt", "alacritty", "foot"};
    const char *term = getenv("TERM");
    for (size_t i = 0; term && i < sizeof known / sizeof *known; i++)
        if (strncmp(term, known[i], strlen(known[i])) == 0)
            return true;
    return false;
}

/* After a long wait the user is probably looking elsewhere. */
static void notify(struct repl *r)
{
    static const char bell[] = "\a", osc9[] = "\033]9;duet: the answer is ready\a";
    if (r->chat.options->notify == UI_NOTIFY_BELL && r->out.terminal)
        str_adds(&r->out.pending, bell);
    else if (r->chat.options->notify == UI_NOTIFY_OSC9 && r->out.terminal && takes_osc())
        str_adds(&r->out.pending, osc9);
}

static void show_answer(struct repl *r)
{
    const struct options *o = r->chat.options;
    bool colour = o->color == COLOR_ON; /* asked for: a line is to be read aloud as well */
    struct answer_view view = {
        .answer = &r->out,
        .reasoning = o->hide_reasoning ? NULL : &r->out,
        .before_reasoning = colour ? "\033[2mthinking: " : "thinking: ",
        .after_reasoning = colour ? "\033[0m\nanswer: " : "\nanswer: ",
        .broken_off = colour ? "\033[0m\n" : "\n",
        .spoken = !o->raw,
        .tell_waiting = true,
        .stop_only = true,
        .on_typed = repl_line_typed,
        .ud = &r->chat,
    };
    struct turn *turn;
    struct str note = {0};
    char err[512];

    print_note(r);
    show_beginning(r, &view);
    r->status = answer_show(&r->chat, &view, &turn, err, sizeof err);
    if (r->status != 0)
        return;
    if (r->chat.stop == ENGINE_STOP_CANCEL)
        repl_line_drop_typed();
    if (turn->state != STORE_COMPLETE || r->chat.stop == ENGINE_STOP_LENGTH || o->verbose) {
        str_adds(&note, "(");
        notice_add_end(turn, &note);
        str_adds(&note, ")");
    }
    if (turn->generation.time_to_first_token_ms + turn->generation.generation_time_ms >= NOTIFY_MS)
        notify(r);
    if (r->greeting)
        greeting_done(r->chat.paths);
    r->greeting = false;
    if (r->chat.history.problem[0])
        say_error("history: not saved: %s", r->chat.history.problem);
    print_and_free(r, &note);
    print(r, "", 0);
}

static void ask(struct repl *r, struct turn *instead_of, const struct str *question)
{
    char err[512];
    int status = instead_of ? chat_edit(&r->chat, instead_of, str_get(question), question->len, err,
                                        sizeof err)
                            : chat_ask(&r->chat, str_get(question), question->len, err, sizeof err);
    if (status == 0) {
        str_done(&r->attached);
        show_answer(r);
    } else {
        say_error("%s", err);
        if (r->attached.len > 0)
            say_error("the file is attached to the next question; /new drops it");
    }
    if (status == EXIT_FIT) {
        struct str advice = {0};
        compact_add_advice(&r->chat, question, &advice);
        print_and_free(r, &advice);
    }
}

static bool send_copy(struct repl *r, const struct str *text, char *err, size_t errlen)
{
    pid_t pid;
    int fd;
    if (clipboard_is_tmux()) {
        if (clipboard_tmux_start(str_get(text), text->len, &pid, &fd, err, errlen) != 0)
            return false;
        return clipboard_tmux_end(pid, fd) ||
               say_to(err, errlen, false, "clipboard: tmux refused the text");
    }
    if (!r->out.terminal || !takes_osc())
        return say_to(err, errlen, false,
                      "this terminal has no clipboard access; /copy > FILE writes a file");
    clipboard_add_osc52(&r->out.pending, str_get(text), text->len);
    return outlet_finish(&r->out, err, errlen) == 0;
}

static void copy(struct repl *r, struct command_reply *reply)
{
    char err[SAY_MAX];
    if (send_copy(r, &reply->copy, err, sizeof err)) {
        str_adds(&reply->text, " sent to the clipboard");
    } else {
        str_clear(&reply->text);
        say_error("%s", err);
    }
}

static void attach(struct repl *r, struct command_reply *reply)
{
    if (reply->text.len > 0)
        str_adds(&reply->text, "\n");
    str_addf(&reply->text, "%s (", str_get(&reply->file_name));
    numbers_add_bytes(&reply->text, reply->file.len);
    str_adds(&reply->text, ") goes with the next question");
    if (r->attached.len > 0)
        str_adds(&r->attached, "\n");
    str_add(&r->attached, reply->file.data, reply->file.len);
}

static void follow(struct repl *r, struct command_reply *reply)
{
    print_note(r);
    switch (reply->effect) {
    case COMMAND_ASK: break;
    case COMMAND_SAY:
    case COMMAND_COMPACT: break; /* the text asks */
    case COMMAND_SHOW:
        str_done(&r->attached);
        show_conversation(r);
        if (r->chat.answer)
            show_answer(r);
        break;
    case COMMAND_PATH: show_path(r, reply->from); break;
    case COMMAND_ANSWER: show_answer(r); break;
    case COMMAND_EDIT: r->editing = reply->turn; break;
    case COMMAND_COPY: copy(r, reply); break;
    case COMMAND_HELP: commands_add_help(&reply->text); break;
    case COMMAND_PICK_MODEL: list_models(r); break;
    case COMMAND_PICK_CONVERSATION:
    case COMMAND_SEARCH: print_library(r, reply); break;
    case COMMAND_ATTACH: attach(r, reply); break;
    case COMMAND_PULL: repl_pull(str_get(&reply->file_name), print_line, r); break;
    case COMMAND_QUIT: r->done = true; break;
    }
    print_and_free(r, &reply->text);
    command_reply_done(reply);
}

static void take_question(struct repl *r, const struct str *typed)
{
    struct command_reply reply;
    struct turn *editing = r->editing;
    size_t len = typed->len;
    r->editing = NULL;
    str_trim(str_get(typed), &len);
    if (len == 0) {
        if (editing)
            print(r, "left unchanged", strlen("left unchanged"));
        return;
    }
    if (!strchr(typed->data, '\n'))
        add_history(typed->data);
    command_run(&r->chat, typed->data, typed->len, &reply);
    if (reply.effect == COMMAND_ASK) {
        struct str question = {0};
        if (r->attached.len > 0)
            str_addf(&question, "%s\n", r->attached.data);
        str_add_valid(&question, reply.ask, reply.ask_len);
        ask(r, editing, &question);
        str_done(&question);
    }
    follow(r, &reply);
}

/* Beginning and end */

/* Saving is not awaited on a hanging disk once the user has interrupted. */
static void wait_for_model(void *ud, int done_fd, double ms)
{
    int signal = background_wait(done_fd, ms);
    (void)ud;
    if (signal == 0)
        return;
    rl_deprep_terminal();
    _exit(EXIT_SIGNAL + signal);
}

/* Earlier questions come from the store, so that deleted ones are gone here too. */
static void load_prompts(struct repl *r)
{
    struct store_prompts *prompts;
    if (store_prompts(r->chat.history.store, PROMPTS, &prompts) != STORE_OK)
        return;
    for (size_t i = prompts->count; i > 0; i--)
        if (!strchr(prompts->items[i - 1], '\n'))
            add_history(prompts->items[i - 1]);
    store_prompts_free(prompts);
}

static void offer(struct repl *r)
{
    struct str question = {0}, line = {0};
    if (chat_find_offer(&r->chat, &question)) {
        str_addf(&line,
                 "The answer to \xe2\x80\x9c%s\xe2\x80\x9d was interrupted. /continue resumes it.",
                 question.data);
        print(r, line.data, line.len);
    }
    str_done(&question);
    str_clear(&line);
    if (!r->chat.options->quiet)
        partial_add_hint(r->chat.paths, "/pull", &line);
    print_and_free(r, &line);
}

static void talk(struct repl *r)
{
    while (!r->done) {
        struct str question = {0};
        if (read_question(r, &question))
            take_question(r, &question);
        else
            r->done = true;
        str_done(&question);
        r->done = r->done || r->status != 0;
    }
}

int repl_run(struct app *app)
{
    struct repl r = {0};
    struct str hello = {0};
    char err[512] = "";

    chat_init(&r.chat, &app->options, &app->paths);
    r.chat.as = "line";
    r.chat.pool.background = (struct background){wait_for_model, NULL};
    outlet_init(&r.out, STDOUT_FILENO);
    r.out.wraps = r.out.terminal && !app->options.raw;
    repl_line_begin(&r.chat);
    r.status = chat_use(&r.chat, NULL, err, sizeof err);
    if (r.status == 0)
        r.status = chat_open_history(&r.chat, err, sizeof err);
    if (r.status == 0) {
        notice_demo(&r.chat);
        notice_history(&r.chat);
        notice_kv_type(&app->options, r.chat.model->engine);
        str_addf(&hello, "duet %s, %s; /help lists the commands, Ctrl-D leaves", DUET_VERSION,
                 r.chat.model->file.name);
        r.greeting = greeting_due(&app->paths, &r.chat.history);
        if (r.greeting)
            str_adds(
                &hello,
                "\nType a question and press Enter; Ctrl-C stops an answer, Alt-a its thinking.");
        print_and_free(&r, &hello);
        if (r.chat.history.n_turns > 0)
            show_conversation(&r);
        offer(&r);
        load_prompts(&r);
        talk(&r);
        clear_history();
        rl_deprep_terminal();
    } else {
        say_error("%s", err);
    }
    chat_done(&r.chat);
    repl_line_drop_typed();
    outlet_done(&r.out);
    str_done(&r.attached);
    return r.status;
}
