/* pull.h - /pull: its argument checked and its outcome worded. */
#ifndef APP_COMMANDS_PULL_H
#define APP_COMMANDS_PULL_H

#include "app/commands/commands.h"
#include "app/pull/child.h"

void run_pull(struct chat *c, const char *arg, struct command_reply *reply);

/* Reports how a pull ended. True if it brought a model. */
bool command_pull_add_end(const struct pull_child *c, struct str *out);

#endif
