/* copy.h - /copy and /export: messages and conversations, to the clipboard or a file. */
#ifndef APP_COMMANDS_COPY_H
#define APP_COMMANDS_COPY_H

#include "app/commands/commands.h"

void run_copy(struct chat *c, const char *arg, struct command_reply *reply);
void run_export(struct chat *c, const char *arg, struct command_reply *reply);

/* Copies a message, as /copy does for the selected one. */
void command_copy_turn(struct chat *c, int64_t number, struct command_reply *reply);

#endif
