/* read.h - /read: a file's text for the next question. */
#ifndef APP_COMMANDS_READ_H
#define APP_COMMANDS_READ_H

#include "app/commands/commands.h"

void run_read(struct chat *c, const char *arg, struct command_reply *reply);

#endif
