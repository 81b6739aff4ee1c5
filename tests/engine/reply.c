/* reply.c - see reply.h. */
#include "tests/engine/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void reply_submit(struct engine *e, const struct engine_request *req, struct reply *r)
{
    char err[256] = "";
    memset(r, 0, sizeof *r);
    if (engine_submit(e, req, &r->id, err, sizeof err) != 0)
        fail_msg("%s", err);
}

void reply_take(struct reply *r, const struct engine_event *ev)
{
    r->usage = ev->usage;
    if (ev->type == ENGINE_TEXT)
        strncat(r->text[ev->kind], ev->text, REPLY_TEXT - 1 - strlen(r->text[ev->kind]));
    assert_true(r->n_tokens + ev->n_tokens <= REPLY_TOKENS);
    if (ev->n_tokens > 0)
        memcpy(r->tokens + r->n_tokens, ev->tokens, ev->n_tokens * sizeof *ev->tokens);
    r->n_tokens += ev->n_tokens;
    if (ev->type != ENGINE_DONE)
        return;
    r->done = true;
    r->stop = ev->stop;
    r->unfinished = ev->unfinished;
    snprintf(r->calls, sizeof r->calls, "%s", ev->tool_calls ? ev->tool_calls : "");
}

void reply_finish(struct engine *e, struct reply *replies, int n)
{
    for (int done = 0; done < n;) {
        const struct engine_event *ev = engine_next_event(e, 60000);
        assert_non_null(ev);
        for (int i = 0; i < n; i++)
            if (ev->request == replies[i].id) {
                reply_take(&replies[i], ev);
                done += replies[i].done;
            }
    }
}

void reply_get(struct engine *e, const struct engine_request *req, struct reply *r)
{
    reply_submit(e, req, r);
    reply_finish(e, r, 1);
}
