/* commands_pull.h - /pull: its argument checked and its outcome worded. */
#ifndef APP_COMMANDS_COMMANDS_PULL_H
#define APP_COMMANDS_COMMANDS_PULL_H

#include "app/commands/commands.h"
#include "app/paths.h"
#include "app/pull/pull_child.h"

void command_pull(struct chat *c, const char *arg, struct command_reply *reply);

/* "43% of llama:q8 is here; /pull llama:q8 continues it", of the first model that is here in
 * part; nothing where there is none. pull: "/pull", "duet pull". */
void command_pull_add_rest(const struct paths *paths, const char *pull, struct str *out);

/* Reports how a pull ended. True if it brought a model. */
bool command_pull_add_end(const struct pull_child *c, struct str *out);

#endif
