/* tokens.h - how many tokens a conversation is to a model.
 *
 * A prompt is a head (with the system prompt and the tools), then message by message, then the
 * opening of the answer. Markers separate these, so their counts add up. Each turn remembers its
 * own count, together with the engine that made it and the length of its text: it is counted once,
 * and again only for another model.
 *
 * Nothing is counted far beyond a context: a count that gives up says so. What the engine cannot
 * render has no count: -1, as has each sum with it. */
#ifndef APP_CHAT_TOKENS_H
#define APP_CHAT_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/chat/chat.h"

/* What all counts for one model begin with. */
struct tokens {
    const struct chat *chat;
    const struct pool_model *model;
    int64_t most;          /* that are counted; most + 1 stands for any number beyond */
    int64_t head, opening; /* of the prompt, of the answer */
    int64_t bare;          /* the head without system prompt and tools */
};

/* false: the model (which may be NULL) is not open, or cannot be given these tools. */
bool tokens_begin(struct tokens *k, const struct chat *c, const struct pool_model *model);

/* Of one message, at most k->most + 1; of several by tokens_sum, which stays within that too. Where
 * messages of tools are among them, which depend on their neighbours, the sum may be off by a few.
 */
int64_t tokens_of_turn(const struct tokens *k, struct turn *turn);
int64_t tokens_of_question(const struct tokens *k, const struct str *question);
int64_t tokens_sum(const struct tokens *k, int64_t a, int64_t b);

/* Exactly, of all that the model gets; `generate`: with the opening. The newest turns are counted
 * first. */
struct token_count tokens_of_span(const struct tokens *k, const struct request_span *span,
                                  bool generate);

/* A sum as a count; and a count in words, "1234", "more than 67584" or "unknown". */
struct token_count tokens_count(const struct tokens *k, int64_t sum);
void tokens_print(struct token_count count, struct str *out);

#endif
