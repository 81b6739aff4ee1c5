/* answer.c - see answer.h. */
#include "app/plain/answer.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/exit.h"
#include "app/plain/speech.h"
#include "app/say.h"
#include "app/signals.h"
#include "ui/ui.h"

enum { LONG_PROMPT = 1000 }; /* prompts longer than this, in tokens, are announced */

struct show {
    struct chat *chat;
    const struct answer_view *view;
    struct turn *turn;
    bool in_reasoning, timed_out;
    bool typed_ended;
    bool told_loading, told_reading;
    struct speech speech;
    char last, last_said; /* byte of the reasoning, of the answer */
};

/* The next piece of a stream; `ended`: the last. */
static void say(struct show *s, struct outlet *out, char *last, const char *text, size_t len,
                bool ended)
{
    struct str words = {0};
    if (s->view->spoken) {
        speech_add(&s->speech, text, len, ended, &words);
        text = str_get(&words);
        len = words.len;
    }
    if (len > 0)
        *last = text[len - 1];
    outlet_add(out, text, len);
    str_done(&words);
}

static void leave_reasoning(struct show *s)
{
    if (!s->in_reasoning)
        return;
    s->in_reasoning = false;
    say(s, s->view->reasoning, &s->last, "", 0, true);
    if (s->last != '\n')
        outlet_put(s->view->reasoning, "\n");
    outlet_put(s->view->reasoning, s->view->after_reasoning);
}

static void show_text(struct show *s, const struct chat_event *ev)
{
    bool reasoning = ev->kind == STORE_REASONING;
    if (ev->call) { /* written once complete */
        leave_reasoning(s);
        return;
    }
    if (s->view->on_text) {
        s->view->on_text(s->view->ud, ev->kind, ev->text, ev->len);
        return;
    }
    struct outlet *out = reasoning ? s->view->reasoning : s->view->answer;
    if (!reasoning)
        leave_reasoning(s);
    if (!out)
        return;
    if (reasoning && !s->in_reasoning) {
        s->in_reasoning = true;
        outlet_put(out, s->view->before_reasoning);
    }
    say(s, out, reasoning ? &s->last : &s->last_said, ev->text, ev->len, false);
}

/* Long waits are announced once, as there is no status line. */
static void tell_waiting(struct show *s)
{
    const struct chat *c = s->chat;
    struct str *out = &s->view->answer->pending;
    if (!s->told_loading && c->answering && !c->answering->ready)
        str_addf(out, "(%s is being loaded)\n", c->answering->file.name);
    s->told_loading = true;
    int left = c->usage.prompt_tokens - c->usage.cached_tokens;
    if (!s->told_reading && left >= LONG_PROMPT && c->phase == ENGINE_PREFILL) {
        str_addf(out, "(it reads %d tokens first)\n", left);
        s->told_reading = true;
    }
}

static void show_events(struct show *s)
{
    struct chat_event ev;
    while (chat_next_event(s->chat, &ev)) {
        if (ev.type == CHAT_TEXT)
            show_text(s, &ev);
        if (ev.type != CHAT_END)
            continue;
        s->turn = ev.turn;
        leave_reasoning(s);
        if (s->view->answer)
            say(s, s->view->answer, &s->last_said, "", 0, true);
        if (s->last_said && s->last_said != '\n')
            outlet_put(s->view->answer, "\n");
    }
    if (s->view->tell_waiting)
        tell_waiting(s);
}

/* Reasoning first: both streams may be the same terminal. A failed write to standard error is not
 * an error. */
static struct outlet *next_outlet(const struct answer_view *view)
{
    return outlet_is_waiting(view->reasoning) ? view->reasoning
           : outlet_is_waiting(view->answer)  ? view->answer
                                              : NULL;
}

static int timeout_ms(const struct show *s)
{
    int save = chat_timeout_ms(s->chat);
    if (s->view->deadline_ms == 0 || s->timed_out)
        return save;
    double left = s->view->deadline_ms - clock_ms();
    int end = left <= 0 ? 0 : left > INT_MAX - 1 ? INT_MAX : (int)left + 1;
    return save < 0 || end < save ? end : save;
}

/* Stops the answer once; the text so far is shown and kept. */
static void watch_deadline(struct show *s)
{
    if (s->view->deadline_ms == 0 || s->timed_out || clock_ms() < s->view->deadline_ms)
        return;
    s->timed_out = true;
    chat_stop(s->chat);
}

static void wait_for_something(struct show *s)
{
    struct pollfd fds[CHAT_MODELS + 3];
    struct outlet *out = next_outlet(s->view);
    bool typed = s->view->on_typed && !s->typed_ended;
    fds[0] = (struct pollfd){.fd = typed ? STDIN_FILENO : -1, .events = POLLIN};
    size_t n = 1 + chat_poll(s->chat, fds + 1);
    fds[n++] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
    if (out)
        fds[n++] = (struct pollfd){.fd = out->fd, .events = POLLOUT};
    poll(fds, n, timeout_ms(s));
    if (out && fds[n - 1].revents)
        outlet_send(out);
    if (fds[0].revents)
        s->typed_ended = !s->view->on_typed(s->view->ud);
}

/* Unwritten output is dropped; a terminal that accepts nothing is left alone. */
static void break_off(const struct show *s)
{
    struct outlet *out = s->in_reasoning ? s->view->reasoning : s->view->answer;
    if (!out || !out->terminal)
        return;
    struct pollfd fd = {.fd = out->fd, .events = POLLOUT};
    wrap_done(&out->wrap);
    str_clear(&out->pending);
    out->sent = 0;
    outlet_put(out, s->view->broken_off);
    if (outlet_is_waiting(out) && poll(&fd, 1, 0) > 0)
        outlet_send(out);
}

int answer_show(struct chat *c, const struct answer_view *view, struct turn **turn_out, char *err,
                size_t errlen)
{
    struct show s = {
        .chat = c, .view = view, .turn = c->answer, .in_reasoning = view->in_reasoning};
    int status = 0;

    err[0] = '\0';
    show_events(&s); /* events that arrived in the meantime: the model is loaded */
    while (status == 0 && (c->answer || next_outlet(view))) {
        wait_for_something(&s);
        int signal = signals_next_ending();
        if (signal == SIGINT && view->stop_only)
            chat_stop(c);
        else if (signal != 0)
            status = EXIT_SIGNAL + signal;
        watch_deadline(&s);
        show_events(&s);
        chat_save_due(c);
        if (status == 0 && view->answer)
            status = outlet_failure(view->answer, err, errlen);
    }
    if (status != 0) {
        break_off(&s);
        chat_abandon(c, status == EXIT_SIGNAL + SIGINT || status == EXIT_SIGNAL + SIGPIPE
                            ? STORE_STOPPED
                            : STORE_INTERRUPTED);
    }
    speech_done(&s.speech);
    *turn_out = s.turn;
    return status == 0 && s.timed_out ? EXIT_TIMEOUT : status;
}
