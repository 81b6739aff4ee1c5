/* cmd.h - the verbs of the command line, and what each is given. */
#ifndef APP_CMD_H
#define APP_CMD_H

#include <stddef.h>

#include "app/config.h"
#include "app/options.h"
#include "app/paths.h"

struct app {
    struct options options;
    struct paths paths;
    struct config config;
    const char **words; /* the other words of the command line */
    size_t n_words;
};

/* Each returns the exit status; if that is not 0, it has said why on standard error. */
int cmd_chat(struct app *app);
int recover_run(struct app *app); /* --recover */
int cmd_batch(struct app *app);
int cmd_log(struct app *app);
int cmd_search(struct app *app);
int cmd_export(struct app *app);
int cmd_import(struct app *app);
int cmd_rm(struct app *app);
int cmd_inspect(struct app *app);
int cmd_models(struct app *app);
int cmd_ps(struct app *app);
int cmd_pull(struct app *app);
int cmd_bench(struct app *app);
int cmd_convert(struct app *app);
int cmd_eval(struct app *app);

/* The three ways to chat, of which cmd_chat chooses one. */
int pipe_run(struct app *app);
int repl_run(struct app *app);

/* SCREEN_UNUSABLE: the terminal cannot show a screen, and nothing was done. */
enum { SCREEN_UNUSABLE = -1 };
int tui_run(struct app *app);

#endif
