/* compact.h - what is left out of a conversation that has become too long for a model's context:
 * which exchanges, how many tokens, and only on the user's request. Nothing is deleted: the context
 * window begins later (history_set_window), and can be widened again. */
#ifndef APP_COMMANDS_COMPACT_H
#define APP_COMMANDS_COMPACT_H

#include "app/commands/commands.h"

struct compact_plan {
    size_t from;                      /* the path's first turn that is kept */
    size_t lost;                      /* exchanges before it that were given so far */
    size_t kept;                      /* exchanges */
    struct token_count before, after; /* tokens in the prompt, now and after */
    int64_t limit;                    /* token limit */
};

/* Plans for the first `to` turns of the path and one more question unless that is NULL: keeps as
 * many of the newest exchanges as leave room for an answer. false: not even the newest can be kept,
 * or, with -1 in out->before, the tokens cannot be counted. */
bool compact_plan(const struct chat *c, size_t to, const struct str *question,
                  struct compact_plan *out);

/* Adds how many tokens it leaves out, "1234" or "more than 1234", where what it keeps could be
 * counted. */
void compact_add_lost(const struct compact_plan *plan, struct str *out);

/* Whether the conversation is too long for the next model. */
bool compact_is_needed(const struct chat *c, int64_t used);

/* Lets the window begin at this turn of the path, and says what that means;
 * NULL: at its beginning. */
void command_compact(struct chat *c, struct turn *first, struct command_reply *reply);

void run_compact(struct chat *c, const char *arg, struct command_reply *reply);

/* If the conversation does not fit: says so, with the options; else nothing. */
void compact_add_warning(const struct chat *c, struct str *out);

/* Whether the question alone would fit the model's context. */
bool compact_fits_alone(const struct chat *c, const struct str *question);

/* The options after a question was refused. */
void compact_add_advice(const struct chat *c, const struct str *question, struct str *out);

/* For each exchange in the context window, in order: the tokens that remain in the prompt without
 * it and those before it; [*n], the caller's. NULL if they cannot be counted. */
struct token_count *compact_remains(const struct chat *c, size_t *n);

#endif
