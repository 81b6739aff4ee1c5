/* answer.h - one answer on plain streams, as it is written: for the pipe and for line mode. */
#ifndef APP_PLAIN_ANSWER_H
#define APP_PLAIN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "app/chat/chat.h"
#include "app/outlet.h"

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
