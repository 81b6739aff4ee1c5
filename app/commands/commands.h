/* commands.h - what can be typed after a slash, on the screen and in line mode alike.
 *
 * A command changes the chat, and says what the front end has to do about it. Text that is no
 * command comes back as something to ask; an unknown command never does. */
#ifndef APP_COMMANDS_COMMANDS_H
#define APP_COMMANDS_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/chat/chat.h"
#include "app/str.h"

enum command_effect {
    COMMAND_ASK,               /* not a command: `ask` is the question */
    COMMAND_SAY,               /* only `text` */
    COMMAND_SHOW,              /* another conversation is at hand */
    COMMAND_PATH,              /* the path is another one, from its turn number `from` on */
    COMMAND_ANSWER,            /* the same, and at its end an answer is being written */
    COMMAND_EDIT,              /* let the question `turn` be written anew */
    COMMAND_COMPACT,           /* let the user say whether the window is to begin at `turn` */
    COMMAND_COPY,              /* send `copy` to the clipboard; `text` says what it is */
    COMMAND_HELP,              /* list the commands */
    COMMAND_PICK_MODEL,        /* let one be chosen */
    COMMAND_PICK_CONVERSATION, /* let one be chosen, among those `words` and `archived` say */
    COMMAND_SEARCH,            /* show where `words` are */
    COMMAND_ATTACH,            /* `file` goes into the draft under its name */
    COMMAND_PULL,              /* begin to pull the model `file_name`, or "stop" */
    COMMAND_QUIT,
};

struct command_reply {
    enum command_effect effect;
    bool failed;
    struct str text; /* lines for the user; free with str_done */
    struct str file,
        file_name;   /* of COMMAND_ATTACH and COMMAND_PULL; free with command_reply_done */
    struct str copy; /* free with str_done */
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

/* False, with the reason as the reply, while an answer is being written, which many commands
 * cannot bear. */
void command_refuse(struct command_reply *reply, const char *reason);
bool command_may_change(const struct chat *c, struct command_reply *reply);

/* The same, and false where the conversation is not saved, so that leaving it would lose it. */
bool command_may_leave(struct chat *c, struct command_reply *reply);

extern const struct command commands[];
extern const size_t n_commands;

/* Whether what was typed is a command, known or not, and not a question. */
bool command_is(const char *typed, size_t len);

/* Runs what was typed. *reply is initialised here. */
void command_run(struct chat *c, const char *typed, size_t len, struct command_reply *reply);

/* The command of a name as typed, "/model"; NULL: there is none. */
const struct command *command_find(const char *name, size_t len);

void command_reply_done(struct command_reply *reply);

/* The list for line mode. */
void commands_add_help(struct str *out);

/* commands_think.c */
void command_think(struct chat *c, const char *arg, struct command_reply *reply);
void command_nothink(struct chat *c, const char *arg, struct command_reply *reply);
void command_continue(struct chat *c, const char *arg, struct command_reply *reply);
void command_more(struct chat *c, const char *arg, struct command_reply *reply);
void command_answer(struct chat *c, const char *arg, struct command_reply *reply);
void command_toggle_thinking(struct chat *c, struct command_reply *reply);

/* How the thinking is limited: "no thinking"; nothing where it is not, or there is none. */
void thinking_add(const struct chat *c, struct str *out);

/* Goes to a stored conversation, or to a model; for the front ends' own menus. */
void command_open(struct chat *c, int64_t conversation, struct command_reply *reply);
void command_use(struct chat *c, const char *model, struct command_reply *reply);

#endif
