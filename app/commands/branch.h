/* branch.h - commands that move in the tree of a conversation: versions of questions and
 * answers, undone exchanges, forks. */
#ifndef APP_COMMANDS_BRANCH_H
#define APP_COMMANDS_BRANCH_H

#include "app/commands/commands.h"

void run_edit(struct chat *c, const char *arg, struct command_reply *reply);
void run_regen(struct chat *c, const char *arg, struct command_reply *reply);
void run_version(struct chat *c, const char *arg, struct command_reply *reply);
void run_undo(struct chat *c, const char *arg, struct command_reply *reply);
void run_redo(struct chat *c, const char *arg, struct command_reply *reply);
void run_fork(struct chat *c, const char *arg, struct command_reply *reply);

/* The same for a selected turn of the path; for the front ends' keys. `model` may be NULL: the
 * current one. */
void command_edit(struct chat *c, struct turn *turn, struct command_reply *reply);
void command_regenerate(struct chat *c, struct turn *turn, const char *model,
                        struct command_reply *reply);
void command_switch_version(struct chat *c, struct turn *turn, int step,
                            struct command_reply *reply);
void command_fork(struct chat *c, const struct turn *last, struct command_reply *reply);

/* A positive count, the next word of *arg. false: anything else, which is refused. */
bool command_take_number(const char **arg, size_t *out, struct command_reply *reply);

/* "2 of 3" if there are several; else nothing. */
void command_add_version(const struct turn *turn, struct str *out);

/* The start of a turn's text, on one line. */
void command_add_quote(const struct turn *turn, struct str *out);

#endif
