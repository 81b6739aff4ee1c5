/* talk.h - a chat without a screen: questions asked and commands run in the test's own process. */
#ifndef TESTS_APP_TALK_H
#define TESTS_APP_TALK_H

#include "app/chat/chat.h"

struct talk {
    struct options options;
    struct paths paths;
    struct chat chat;
};

/* With a history in memory; db: in this file. The likeliest token is always taken. */
void talk_open(struct talk *t, const char *db);
void talk_close(struct talk *t);

/* A test with one of its own, which is *state: in a sandbox, with a history in memory. */
int talk_new(void **state);
int talk_done(void **state);
#define TALK_TEST(f) cmocka_unit_test_setup_teardown(f, talk_new, talk_done)

void talk_use(struct talk *t, const char *model);
size_t talk_n_in_memory(const struct talk *t); /* models */

/* Asks and waits for the answer. */
void talk_ask(struct talk *t, const char *question);

/* Runs a command that is not refused, waits for what it begins, and gives what it says, until the
 * next call. */
const char *talk_run(struct talk *t, const char *line);

/* Runs a command that asks nothing, and says something in which this part is. One that is refused
 * does nothing but that. */
void talk_says(struct talk *t, const char *line, bool refused, const char *part);
void talk_refused(struct talk *t, const char *line, const char *reason);

/* Waits for the end of an answer. */
void talk_wait(struct talk *t);

/* The latest turn. */
const struct turn *talk_last(const struct talk *t);

/* The tokens of the path from this turn on and a question unless NULL, as the engine has it for all
 * at once; and as the meter shows it for all that the model gets. */
int64_t talk_count(const struct talk *t, size_t from, const char *question);
int64_t talk_used(const struct talk *t);

#endif
