/* answer.h - one answer on plain streams, as it is written: for the pipe and for line mode.
 *
 * Writes only as much as a stream takes, so that a slow reader holds up neither saving nor Ctrl-C.
 * On a terminal, what it would interpret is shown as \xNN; a pipe or file gets every byte as it
 * is. */
#ifndef APP_PLAIN_ANSWER_H
#define APP_PLAIN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "app/chat/chat.h"
#include "app/str.h"
#include "app/wrap.h"

struct outlet {
    int fd;
    bool terminal, ascii; /* ascii: the terminal shows only ASCII */
    bool wraps;           /* lines for a terminal to show are broken between words (wrap.h) */
    struct wrap wrap;
    struct str pending;
    size_t sent;
    int error; /* errno of the write that failed; nothing is written after it */
};

void outlet_init(struct outlet *o, int fd);
void outlet_done(struct outlet *o);
void outlet_add(struct outlet *o, const char *text, size_t len); /* escaped for a terminal */
void outlet_put(struct outlet *o, const char *text); /* as it is; ends a word that is held */

/* For the caller's own loop: whether there is something to write (and no write has failed), and
 * one write of as much as a writable stream takes. */
bool outlet_is_waiting(const struct outlet *o);
void outlet_send(struct outlet *o);

/* 0, or the exit status for a failed write, with one line in err (none if the reader has
 * exited). */
int outlet_failure(const struct outlet *o, char *err, size_t errlen);

/* Writes what is pending, while signals can still end it. 0 or an exit status. */
int outlet_finish(struct outlet *o, char *err, size_t errlen);

struct answer_view {
    struct outlet *answer, *reasoning;              /* may be the same; NULL: not shown */
    const char *before_reasoning, *after_reasoning; /* put around it as they are */
    const char *broken_off; /* ends what a terminal shows of an answer that a signal ends */
    bool in_reasoning;      /* the last that was shown before was reasoning */
    bool spoken;            /* formulas as words */
    bool tell_waiting;      /* announce waits with a line, once each */
    bool stop_only;         /* Ctrl-C stops the answer, not the program */
    double deadline_ms;     /* clock_ms() at which the answer is stopped; 0: never */

    /* If not NULL, receives every piece instead of the outlets. */
    void (*on_text)(void *ud, enum store_kind kind, const char *text, size_t len);

    /* Standard input can be read; false: it has ended. NULL: it is left alone. */
    bool (*on_typed)(void *ud);
    void *ud;
};

/* Shows the answer that chat_ask has begun until it has ended; *turn_out is its turn. 0, or the
 * exit status of a signal, of a failed write (with one line in err), or EXIT_TIMEOUT if the
 * deadline stopped it. */
int answer_show(struct chat *c, const struct answer_view *view, struct turn **turn_out, char *err,
                size_t errlen);

#endif
