/*
 * show.c: the real screen with a fake engine behind it, to look at without a model or a store:
 * `ui.run show` in a terminal. Every question gets the same answer, a piece at a time.
 */
#include "show.h"

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ui.h"

static const struct ui_command commands[] = {
    {"/model", "[NAME]", "switch the model, keep the conversation"},
    {"/new", "", "start a new conversation"},
    {"/think", "[on|off]", "thinking before the answer"},
    {"/system", "TEXT", "set the system prompt"},
    {"/help", "", "keys and commands"},
    {"/quit", "", "leave"},
};

static const char *const examples[] = {
    "What is 15% of 240?",
    "Solve 3x + 5 = 20",
    "A train goes 60 km in 45 minutes. How fast is it?",
};

static const char reasoning[] =
    "The question asks for 15% of 240. First I find 10% of 240, which is 24. Then 5% is half of "
    "that, so 12.\n\nAdding both: 24 + 12 = 36. Let me check: 0.15 × 240 = 36. Yes.";
static const char answer[] =
    "## Answer\n\n**15% of 240 is 36.** In steps:\n\n1. `10%` of 240 is 24\n2. `5%` is half of "
    "that, 12, and this line is long enough to show how a list hangs when it has to wrap\n3. "
    "together 36\n\n```c\nint percent(int n) { return n * 15 / 100; }\n```\n\n> 你好，这是一个测试。"
    "Wide text, e\u0301 and 👩‍👩‍👧 too.\n\n\\boxed{36}\n";

struct show {
    struct ui *ui;
    int64_t next_id, answering; /* 0: nothing */
    size_t at;                  /* in reasoning, then in answer */
    bool done;
    int status;
};

static volatile sig_atomic_t resized;

static void on_resize(int signal_number)
{
    (void)signal_number;
    resized = 1;
}

static void set_status(struct show *s)
{
    size_t thought = sizeof reasoning - 1;
    bool busy = s->answering != 0;
    ui_status_set(s->ui, &(struct ui_status){
                             .model = "deepseek",
                             .device = {"cpu, 2 threads", NULL},
                             .state = !busy       ? UI_IDLE
                                      : s->at < 1 ? UI_PREFILL
                                                  : UI_GENERATING,
                             .done = 12,
                             .total = 40,
                             .tokens_per_second = s->next_id > 1 ? 512 : -1,
                             .time_to_first_token_ms = s->next_id > 1 ? 38 : -1,
                             .context_used = 160 + s->next_id * 40 + (int64_t)(s->at / 4),
                             .context_limit = 4096,
                             .draft_tokens = -1,
                         });
    if (busy)
        ui_message_thought(s->ui, s->answering, (int64_t)(s->at < thought ? s->at : thought) / 4,
                           (int64_t)(s->at < thought ? s->at : thought) * 8);
}

static void stop(struct show *s, enum ui_tone tone, const char *note)
{
    if (s->answering)
        ui_message_end(s->ui, s->answering, tone, note);
    s->answering = 0;
    set_status(s);
}

static void ask(struct show *s, const char *text, size_t len)
{
    int64_t id = ++s->next_id;
    ui_message_begin(s->ui, id, UI_USER, "You");
    ui_message_append(s->ui, id, UI_ANSWER, text, len);
    ui_message_end(s->ui, id, UI_INFO, NULL);
    s->answering = ++s->next_id;
    s->at = 0;
    ui_message_begin(s->ui, s->answering, UI_ASSISTANT, "deepseek");
    set_status(s);
}

static void stream(struct show *s)
{
    size_t thought = sizeof reasoning - 1, all = thought + sizeof answer - 1;
    size_t n = 3;
    if (!s->answering)
        return;
    if (s->at < thought) {
        n = s->at + n > thought ? thought - s->at : n;
        ui_message_append(s->ui, s->answering, UI_REASONING, reasoning + s->at, n);
    } else {
        n = s->at + n > all ? all - s->at : n;
        ui_message_append(s->ui, s->answering, UI_ANSWER, answer + s->at - thought, n);
    }
    s->at += n;
    if (s->at == all)
        stop(s, UI_INFO, "212 tokens · 0.4 s · 512 tok/s");
    else
        set_status(s);
}

static void list(struct show *s)
{
    ui_sidebar_set(s->ui,
                   (struct ui_row[]){
                       {7, "What is 15% of 240?", "now"},
                       {6, "Solve 3x + 5 = 20", "10:12"},
                       {5, "今天星期几？", "yesterday"},
                       {4, "A train goes 60 km in 45 minutes. How fast is it?", "Mon"},
                   },
                   4, 7);
}

static void search(struct show *s, const char *query)
{
    struct ui_hit hits[] = {
        {1, "What is 15% of 240?", "answer · 26 Jul", "15% of 240 is 36.", 11, 2},
        {2, "Solve 3x + 5 = 20", "reasoning · 14:02", "so I take 5 from both sides, and 3x is 15",
         40, 2},
    };
    ui_search_set(s->ui, hits, *query ? 2 : 0, false, *query ? "2 found" : "");
}

static void models(struct show *s)
{
    ui_pick(s->ui, 1, "Model",
            (struct ui_row[]){
                {1, "demo-deepseek", "thinks first"},
                {2, "demo-llama", "answers at once"},
                {3, "deepseek", "not installed"},
            },
            3, 1);
}

static void suspend(struct show *s)
{
    ui_suspend(s->ui);
    raise(SIGSTOP);
    ui_resume(s->ui);
}

static void act(struct show *s, const struct ui_action *a)
{
    switch (a->kind) {
    case UI_SEND:
        if (strcmp(a->text, "/quit") == 0)
            s->done = true;
        else if (strcmp(a->text, "/help") == 0)
            ui_help(s->ui);
        else if (strncmp(a->text, "/model", 6) == 0)
            models(s);
        else if (strcmp(a->text, "/new") == 0)
            ui_transcript_clear(s->ui);
        else if (a->text[0] == '/')
            ui_notice(s->ui, UI_FAIL, "no such command; /help lists them");
        else
            ask(s, a->text, a->len);
        break;
    case UI_STOP: stop(s, UI_WARN, "stopped"); break;
    case UI_THINK:
    case UI_ANSWER_NOW:
    case UI_CONTINUE:
    case UI_THINK_MORE: break;
    case UI_QUIT:
        s->done = true;
        s->status = (int)a->id;
        break;
    case UI_HANGUP: s->done = true; break;
    case UI_NEW: ui_transcript_clear(s->ui); break;
    case UI_LIST: list(s); break;
    case UI_MODELS: models(s); break;
    case UI_OPEN:
    case UI_OPEN_HIT: ui_notice(s->ui, UI_INFO, "opened"); break;
    case UI_SEARCH: search(s, a->text); break;
    case UI_DELETE: ui_sidebar_deleted(s->ui, "What is 15% of 240?"); break;
    case UI_RESTORE: ui_sidebar_deleted(s->ui, NULL); break;
    case UI_RENAME:
    case UI_ARCHIVE: ui_notice(s->ui, UI_INFO, "the rows of this show stay as they are"); break;
    case UI_PICK: ui_notice(s->ui, UI_INFO, "picked"); break;
    case UI_COPY: ui_notice(s->ui, UI_INFO, "copied"); break;
    case UI_EDIT: ui_notice(s->ui, UI_WARN, "there is no editor in this show"); break;
    case UI_SUSPEND: suspend(s); break;
    default: break; /* this show has one path only */
    }
}

int show_run(void)
{
    struct show s = {.next_id = 0};
    char err[256];
    struct ui_options options = {
        .in = STDIN_FILENO,
        .out = STDOUT_FILENO,
        .theme = getenv("NO_COLOR") ? UI_THEME_NONE : UI_THEME_AUTO,
        .commands = commands,
        .n_commands = sizeof commands / sizeof *commands,
        .examples = examples,
        .n_examples = sizeof examples / sizeof *examples,
    };

    setlocale(LC_ALL, "");
    signal(SIGWINCH, on_resize);
    if (ui_open(&s.ui, &options, err, sizeof err) != 0) {
        fprintf(stderr, "%s\n", err);
        return 2;
    }
    set_status(&s);
    while (!s.done) {
        struct pollfd fd;
        struct ui_action action;
        int wait = ui_timeout_ms(s.ui);
        ui_poll(s.ui, &fd);
        if (s.answering && (wait < 0 || wait > 10))
            wait = 10;
        if (poll(&fd, 1, wait) > 0 && fd.revents)
            ui_feed(s.ui);
        if (resized) {
            resized = 0;
            ui_resize(s.ui);
        }
        stream(&s);
        while (ui_next_action(s.ui, &action))
            act(&s, &action);
        ui_draw(s.ui);
    }
    ui_close(s.ui);
    return s.status;
}
