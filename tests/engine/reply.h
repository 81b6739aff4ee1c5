/* reply.h - all that an engine tells of an answer: its text by kind, its tokens, its calls. Where
 * the text alone is enough there is answers.h. What cannot be fails the test. */
#ifndef TESTS_ENGINE_REPLY_H
#define TESTS_ENGINE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

enum { REPLY_KINDS = 3, REPLY_TEXT = 1 << 14, REPLY_TOKENS = 4096 };

struct reply {
    uint64_t id;
    char text[REPLY_KINDS][REPLY_TEXT]; /* by enum engine_text */
    int32_t tokens[REPLY_TOKENS];
    size_t n_tokens;
    bool done, unfinished;
    enum engine_stop stop;
    char calls[4096];
    struct engine_usage usage;
};

void reply_submit(struct engine *e, const struct engine_request *req, struct reply *r);

/* Adds an event of its own to a reply. */
void reply_take(struct reply *r, const struct engine_event *ev);

/* Reads until all n are done; what comes of others is dropped. */
void reply_finish(struct engine *e, struct reply *replies, int n);

/* Both for one. */
void reply_get(struct engine *e, const struct engine_request *req, struct reply *r);

#endif
