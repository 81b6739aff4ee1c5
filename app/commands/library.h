/* library.h - commands on stored conversations: list, name, archive, delete, search. */
#ifndef APP_COMMANDS_LIBRARY_H
#define APP_COMMANDS_LIBRARY_H

#include "app/commands/commands.h"

void run_list(struct chat *c, const char *arg, struct command_reply *reply);
void run_switch(struct chat *c, const char *arg, struct command_reply *reply);
void run_search(struct chat *c, const char *arg, struct command_reply *reply);
void run_rename(struct chat *c, const char *arg, struct command_reply *reply);
void run_archive(struct chat *c, const char *arg, struct command_reply *reply);
void run_unarchive(struct chat *c, const char *arg, struct command_reply *reply);
void run_delete(struct chat *c, const char *arg, struct command_reply *reply);
void run_undelete(struct chat *c, const char *arg, struct command_reply *reply);

/* After the history file was moved away: continues in a new one. */
void run_reopen(struct chat *c, const char *arg, struct command_reply *reply);

/* The same for a conversation selected in a list. */
void command_rename(struct chat *c, int64_t id, const char *title, struct command_reply *reply);
void command_archive(struct chat *c, int64_t id, bool archive, struct command_reply *reply);
void command_delete(struct chat *c, int64_t id, struct command_reply *reply);
void command_undelete(struct chat *c, int64_t id, struct command_reply *reply);

#endif
