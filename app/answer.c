/* answer.c - see answer.h. */
#include "app/answer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/exit.h"
#include "app/say.h"
#include "app/signals.h"

/* A stream that polls writable takes so many bytes without making us wait. */
enum { STEP = 4096 };

void outlet_init(struct outlet *o, int fd)
{
    *o = (struct outlet){.fd = fd, .terminal = isatty(fd)};
}

void outlet_done(struct outlet *o)
{
    str_done(&o->pending);
}

void outlet_add(struct outlet *o, const char *text, size_t len)
{
    if (o->terminal)
        str_add_visible(&o->pending, text, len, true);
    else
        str_add(&o->pending, text, len);
}

bool outlet_is_waiting(const struct outlet *o)
{
    return o && !o->error && o->sent < o->pending.len;
}

void outlet_send(struct outlet *o)
{
    size_t left = o->pending.len - o->sent;
    ssize_t n = write(o->fd, o->pending.data + o->sent, left < STEP ? left : STEP);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        o->error = errno;
    if (n > 0)
        o->sent += (size_t)n;
    if (o->sent == o->pending.len) {
        str_clear(&o->pending);
        o->sent = 0;
    }
}

int outlet_failure(const struct outlet *o, char *err, size_t errlen)
{
    if (!o->error)
        return 0;
    if (o->error == EPIPE)
        return say_to(err, errlen, EXIT_SIGNAL + SIGPIPE, "%s", "");
    return say_to(err, errlen, EXIT_ANSWER, "stdout: write failed: %s", strerror(o->error));
}

int outlet_finish(struct outlet *o, char *err, size_t errlen)
{
    err[0] = '\0';
    while (outlet_is_waiting(o)) {
        struct pollfd fds[] = {{.fd = o->fd, .events = POLLOUT},
                               {.fd = signals_fd(), .events = POLLIN}};
        poll(fds, 2, -1);
        int signal = signals_next_ending();
        if (signal != 0)
            return EXIT_SIGNAL + signal;
        if (fds[0].revents)
            outlet_send(o);
    }
    return outlet_failure(o, err, errlen);
}

/* The answer */

struct show {
    struct chat *chat;
    const struct answer_view *view;
    struct turn *turn;
    bool in_reasoning, timed_out;
    char last, last_said; /* byte of the reasoning, of the answer */
};

static void leave_reasoning(struct show *s)
{
    if (!s->in_reasoning)
        return;
    s->in_reasoning = false;
    struct str *out = &s->view->reasoning->pending;
    if (s->last != '\n')
        str_adds(out, "\n");
    str_adds(out, s->view->after_reasoning);
}

static void show_text(struct show *s, const struct chat_event *ev)
{
    bool reasoning = ev->kind == STORE_REASONING;
    if (ev->call) { /* goes out when it is whole */
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
        str_adds(&out->pending, s->view->before_reasoning);
    }
    if (reasoning && ev->len > 0)
        s->last = ev->text[ev->len - 1];
    if (!reasoning && ev->len > 0)
        s->last_said = ev->text[ev->len - 1];
    outlet_add(out, ev->text, ev->len);
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
        if (s->last_said && s->last_said != '\n')
            str_adds(&s->view->answer->pending, "\n");
    }
}

/* Reasoning first: both streams may be the same terminal. A standard error that cannot be written
 * is no reason to fail. */
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

/* The answer is stopped once; what there is of it is shown and kept. */
static void watch_deadline(struct show *s)
{
    if (s->view->deadline_ms == 0 || s->timed_out || clock_ms() < s->view->deadline_ms)
        return;
    s->timed_out = true;
    chat_stop(s->chat);
}

static void wait_for_something(const struct show *s)
{
    struct pollfd fds[CHAT_MODELS + 2];
    struct outlet *out = next_outlet(s->view);
    size_t n = chat_poll(s->chat, fds);
    fds[n++] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
    if (out)
        fds[n++] = (struct pollfd){.fd = out->fd, .events = POLLOUT};
    poll(fds, n, timeout_ms(s));
    if (out && fds[n - 1].revents)
        outlet_send(out);
}

int answer_show(struct chat *c, const struct answer_view *view, struct turn **turn_out, char *err,
                size_t errlen)
{
    struct show s = {
        .chat = c, .view = view, .turn = c->answer, .in_reasoning = view->in_reasoning};
    int status = 0;

    err[0] = '\0';
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
    if (status != 0)
        chat_abandon(c, status == EXIT_SIGNAL + SIGINT || status == EXIT_SIGNAL + SIGPIPE
                            ? STORE_STOPPED
                            : STORE_INTERRUPTED);
    *turn_out = s.turn;
    return status == 0 && s.timed_out ? EXIT_TIMEOUT : status;
}
