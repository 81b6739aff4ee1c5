/* commands.h - slash commands, on the screen and in line mode alike.
 *
 * A command changes the chat and tells the front end what to do next. Text that is not a command is
 * returned as a question; an unknown command never is. */
#ifndef APP_COMMANDS_COMMANDS_H
#define APP_COMMANDS_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/chat/chat.h"
#include "app/str.h"

enum command_effect {
    COMMAND_ASK,               /* not a command: `ask` is the question */
    COMMAND_SAY,               /* only `text` */
    COMMAND_SHOW,              /* another conversation is current */
    COMMAND_PATH,              /* the path has changed, from turn number `from` on */
    COMMAND_ANSWER,            /* the same, and an answer is being written at its end */
    COMMAND_EDIT,              /* edit the question `turn` in the composer */
    COMMAND_COMPACT,           /* ask whether the context window is to begin at `turn` */
    COMMAND_COPY,              /* send `copy` to the clipboard; `text` says what it is */
    COMMAND_HELP,              /* list the commands */
    COMMAND_PICK_MODEL,        /* choose a model */
    COMMAND_PICK_CONVERSATION, /* choose a conversation, filtered by `words` and `archived` */
    COMMAND_SEARCH,            /* show the search hits for `words` */
    COMMAND_ATTACH,            /* insert `file` into the draft under its name */
    COMMAND_PULL,              /* start pulling the model `file_name`, or "stop" */
    COMMAND_QUIT,
};

/* Free it with command_reply_done. */
struct command_reply {
    enum command_effect effect;
    bool failed;
    struct str text;            /* lines for the user */
    struct str file, file_name; /* of COMMAND_ATTACH and COMMAND_PULL */
    struct str copy;
    const char *ask; /* into what was typed */
    size_t ask_len;
    size_t from;       /* from 0 */
    struct turn *turn; /* on the path */
    char words[400];
    bool archived;
};

struct command {
    const char *name;   /* "/model" */
    const char *others; /* further names, or NULL */
    const char *args;   /* "[NAME]" or "" */
    const char *help;
    void (*run)(struct chat *c, const char *arg, struct command_reply *reply);
};

/* False, with the reason as the reply, while an answer is being written; many commands require that
 * none is. */
void command_refuse(struct command_reply *reply, const char *reason);
bool command_may_change(const struct chat *c, struct command_reply *reply);

/* The same, and false if the conversation is unsaved, as leaving would lose it. */
bool command_may_leave(struct chat *c, struct command_reply *reply);

extern const struct command commands[];
extern const size_t n_commands;

/* Whether the input is a command, known or not, rather than a question. */
bool command_is(const char *typed, size_t len);

/* Runs a command. *reply is initialised here. */
void command_run(struct chat *c, const char *typed, size_t len, struct command_reply *reply);

/* The command with this name, "/model"; NULL: none. */
const struct command *command_find(const char *name, size_t len);

void command_reply_done(struct command_reply *reply);

/* The list for line mode. */
void commands_add_help(struct str *out);

/* think.c */
void run_think(struct chat *c, const char *arg, struct command_reply *reply);
void run_nothink(struct chat *c, const char *arg, struct command_reply *reply);
void run_continue(struct chat *c, const char *arg, struct command_reply *reply);
void run_more(struct chat *c, const char *arg, struct command_reply *reply);
void run_answer(struct chat *c, const char *arg, struct command_reply *reply);
void command_toggle_thinking(struct chat *c, struct command_reply *reply);

/* The limit on thinking: "no thinking"; nothing if there is none, or no thinking at all. */
void thinking_add(const struct chat *c, struct str *out);

/* Switches to a stored conversation, or to a model; for the front ends' own menus. */
void command_open(struct chat *c, int64_t conversation, struct command_reply *reply);
void command_use(struct chat *c, const char *model, struct command_reply *reply);

#endif
