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

void talk_use(struct talk *t, const char *model);
size_t talk_n_in_memory(const struct talk *t); /* models */

/* Asks and waits for the answer. */
void talk_ask(struct talk *t, const char *question);

/* Runs a command that is not refused, waits for what it begins, and gives what it says, until the
 * next call. */
const char *talk_run(struct talk *t, const char *line);
void talk_refused(struct talk *t, const char *line, const char *reason);

/* Waits for the end of an answer. */
void talk_wait(struct talk *t);

/* The latest turn. */
const struct turn *talk_last(const struct talk *t);

#endif
