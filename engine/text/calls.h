/* calls.h - finds and reads the tool calls in a model's answer.
 *
 * Both families write calls as text: Llama an answer that is one JSON object, DeepSeek a list
 * behind a marker. A struct calls is fed the answer's pieces and returns them with their kind,
 * holding back what may still turn out to be the marker. */
#ifndef ENGINE_TEXT_CALLS_H
#define ENGINE_TEXT_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"

#define CALLS_BEGIN     "<｜tool▁calls▁begin｜>"
#define CALLS_END       "<｜tool▁calls▁end｜>"
#define CALLS_ONE_BEGIN "<｜tool▁call▁begin｜>"
#define CALLS_ONE_END   "<｜tool▁call▁end｜>"
#define CALLS_SEPARATOR "<｜tool▁sep｜>"

struct calls;

/* The request has tools that may be called. */
bool calls_wanted(const struct engine_request *req);

/* 0, or -1: out of memory. */
int calls_open(struct calls **out, enum engine_family family);
void calls_close(struct calls *c); /* NULL is fine */

struct calls_piece {
    enum engine_text kind;
    const char *text;
    size_t len;
};

/* Takes a piece of the answer and gives up to two, until the next call. How many, or -1: memory is
 * short. */
int calls_feed(struct calls *c, const char *text, size_t len, struct calls_piece out[2]);

/* The answer is over: gives what was held back, as above. */
int calls_end(struct calls *c, struct calls_piece out[2]);

/* The calls that were written, whole ones only, as OpenAI's tool_calls; NULL where there are none.
 * Until calls_close. */
const char *calls_result(struct calls *c);

#endif
