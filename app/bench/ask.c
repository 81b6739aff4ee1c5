/* ask.c - see ask.h. Times come from the engine, so that reading events late does not
 * affect them. */
#include "app/bench/ask.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/signals.h"
#include "app/str.h"

/* Progress */

enum { MAX_NAME = 40 };

void bench_progress_begin(struct bench_progress *p, bool quiet)
{
    *p = (struct bench_progress){.on_terminal = !quiet && isatty(STDERR_FILENO)};
}

void bench_progress_wipe(struct bench_progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

/* As much as certainly fits in a terminal row: no character has fewer bytes than columns. */
static size_t line_bytes(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col - 1u : 79;
}

void bench_progress_step(struct bench_progress *p, const char *format, ...)
{
    struct str line = {0};
    va_list args;
    int done = p->n_done++;
    if (!p->on_terminal)
        return;
    str_addf(&line, "%3d%% \xc2\xb7 ", p->n_steps > done ? 100 * done / p->n_steps : 99);
    str_add_visible(&line, p->model, str_cut(p->model, strlen(p->model), MAX_NAME), false);
    str_adds(&line, " \xc2\xb7 ");
    va_start(args, format);
    str_addv(&line, format, args);
    va_end(args);
    bench_progress_wipe(p);
    fwrite(line.data, 1, str_cut(line.data, line.len, line_bytes()), stderr);
    fflush(stderr);
    p->shown = true;
    str_done(&line);
}

/* The engine */

enum { LOOK_MS = 2 };

int bench_check_signals(void)
{
    int signal = signals_next_ending();
    return signal != 0 ? EXIT_SIGNAL + signal : 0;
}

/* The next event. 0, or a signal's exit status. Unless single tokens matter, events are polled at
 * intervals, so that text is batched and many answers do not keep the reader busy. */
static int wait_for_event(struct bench_engine *b, bool tokens_count,
                          const struct engine_event **out)
{
    while (!(*out = engine_next_event(b->engine, 0))) {
        struct pollfd fds[] = {{.fd = signals_fd(), .events = POLLIN},
                               {.fd = engine_wake_fd(b->engine), .events = POLLIN}};
        poll(fds, tokens_count ? 2 : 1, tokens_count ? -1 : LOOK_MS);
        int status = fds[0].revents ? bench_check_signals() : 0;
        if (status != 0)
            return status;
    }
    return 0;
}

void bench_init(struct bench_engine *b, const struct paths *paths, const char *name)
{
    *b = (struct bench_engine){.paths = paths, .name = name, .running.fd = -1};
}

/* Outside the timed section, and once per state: not reported as idle between requests. */
static void tell(struct bench_engine *b, enum running_state state)
{
    struct running_model row = running_model_of(b->engine, b->name, state);
    b->told = state;
    running_publish(&b->running, b->paths, "bench", &row, 1);
}

int bench_open(struct bench_engine *b, const struct engine_options *options, double *load_ms)
{
    const struct engine_event *ev = NULL;
    double start = clock_ms();
    int status = engine_open(&b->engine, options, b->err, sizeof b->err);
    if (status != 0)
        return exit_of_engine(status);
    tell(b, RUNNING_LOADING);
    do {
        status = wait_for_event(b, true, &ev);
        if (status == 0 && ev->type == ENGINE_FATAL)
            status = say_to(b->err, sizeof b->err, exit_of_engine(ev->error), "%s", ev->error_text);
    } while (status == 0 && ev->type != ENGINE_READY);
    *load_ms = clock_ms() - start;
    return status;
}

void bench_close(struct bench_engine *b)
{
    engine_close(b->engine);
    b->engine = NULL;
    running_done(&b->running);
}

/* Questions */

/* Pseudo-random tokens, so that no prompt is a prefix of another. */
static int32_t *make_prompt(const struct bench_engine *b, const struct bench_question *q)
{
    int32_t *tokens = mem_alloc((size_t)q->n_prompt * sizeof *tokens);
    uint64_t state = ((uint64_t)q->seed + 1) * 0x9E3779B97F4A7C15u;
    for (int i = 0; i < q->n_prompt; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        tokens[i] = (int32_t)((state >> 33) % (uint64_t)engine_info(b->engine)->n_vocab);
    }
    return tokens;
}

static int submit(struct bench_engine *b, struct bench_question *q)
{
    int32_t *tokens = make_prompt(b, q);
    const struct engine_request request = {
        .tokens = tokens,
        .n_tokens = (size_t)q->n_prompt,
        .sampling = {.top_p = 1, .repeat_penalty = 1}, /* greedy */
        .max_tokens = q->n_generate,
        .ignore_eos = true,
    };
    q->n_seen = q->n_tokens = 0;
    q->submitted_ms = clock_ms();
    int status = engine_submit(b->engine, &request, &q->id, b->err, sizeof b->err);
    free(tokens);
    return status ? exit_of_engine(status) : 0;
}

/* Tokens from one event share the time since the previous one. */
static void take_usage(struct bench_question *q, const struct engine_usage *u,
                       struct samples *steps)
{
    int n = u->completion_tokens - q->n_seen;
    if (n <= 0)
        return;
    if (q->n_seen == 0) {
        q->ttft_ms = u->time_to_first_token_ms;
        q->first_ms = q->submitted_ms + u->time_to_first_token_ms;
        q->seen_ms = 0;
        n--;
    }
    for (int i = 0; steps && i < n; i++)
        samples_add(steps, (u->generation_time_ms - q->seen_ms) / n);
    q->n_seen = q->n_tokens = u->completion_tokens;
    q->seen_ms = u->generation_time_ms;
    q->last_ms = q->first_ms + u->generation_time_ms;
}

static struct bench_question *question_of(struct bench_question *questions, int n, uint64_t id)
{
    for (int i = 0; i < n; i++)
        if (questions[i].id == id)
            return &questions[i];
    return NULL;
}

static int take_event(struct bench_engine *b, struct bench_question *q,
                      const struct engine_event *ev, struct samples *steps)
{
    take_usage(q, &ev->usage, steps);
    if (ev->type != ENGINE_DONE)
        return 0;
    if (ev->stop == ENGINE_STOP_ERROR)
        return say_to(b->err, sizeof b->err, exit_of_engine(ev->error), "%s", ev->error_text);
    if (q->n_tokens < q->n_generate)
        return say_to(b->err, sizeof b->err, EXIT_ANSWER,
                      "bench: an answer ended early (got %d tokens, limit %d)", q->n_tokens,
                      q->n_generate);
    return 0;
}

int bench_ask(struct bench_engine *b, struct bench_question *questions, int n,
              struct samples *steps)
{
    int status = 0, n_live = 0;
    if (b->told != RUNNING_ANSWERING)
        tell(b, RUNNING_ANSWERING);
    for (; n_live < n && status == 0; n_live += status == 0)
        status = submit(b, &questions[n_live]);
    while (n_live > 0 && status == 0) {
        const struct engine_event *ev;
        status = wait_for_event(b, steps != NULL, &ev);
        struct bench_question *q = status == 0 ? question_of(questions, n, ev->request) : NULL;
        if (q) {
            status = take_event(b, q, ev, steps);
            n_live -= ev->type == ENGINE_DONE;
        } else if (status == 0 && ev->type == ENGINE_FATAL) {
            status = say_to(b->err, sizeof b->err, exit_of_engine(ev->error), "%s", ev->error_text);
        }
    }
    return status;
}
