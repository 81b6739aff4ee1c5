/* envelope.h - an answer as JSON: one object, or one for each piece as it arrives. */
#ifndef APP_PLAIN_ENVELOPE_H
#define APP_PLAIN_ENVELOPE_H

#include <stddef.h>

#include "app/chat/chat.h"
#include "app/plain/answer.h"

/* Each adds one line. For a terminal, everything beyond ASCII is escaped. */

/* {"type": "reasoning" or "answer", "text": ...} */
void envelope_add_piece(struct outlet *out, enum store_kind kind, const char *text, size_t len);

/* {"tool_calls": [...]}, of an answer that has some */
void envelope_add_calls(struct outlet *out, const struct chat *c);

/* The whole answer with what made it and its numbers; with a type only where one is given. */
void envelope_add_answer(struct outlet *out, const char *type, const struct chat *c,
                         const struct turn *turn);

#endif
