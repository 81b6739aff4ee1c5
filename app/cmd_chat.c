/* cmd_chat.c - which of the three ways to chat: the screen, line by line, or one answer. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/exit.h"
#include "app/question.h"
#include "app/say.h"
#include "app/signals.h"

static bool is_dumb_terminal(void)
{
    const char *term = getenv("TERM");
    return !term || !*term || strcmp(term, "dumb") == 0;
}

int cmd_chat(struct app *app)
{
    const struct options *o = &app->options;
    if (o->recover)
        return recover_run(app);
    if (signals_catch() != 0) {
        say_error("signals: %m");
        return EXIT_DEVICE;
    }
    if (question_given(o, app->n_words) || o->json || o->stream_json || o->dry_run) {
        config_warn(&app->config, o->quiet);
        return pipe_run(app);
    }
    if (!isatty(STDOUT_FILENO)) {
        say_error("prompt: none given, and standard output is no terminal to ask on");
        return EXIT_USAGE;
    }
    int status = o->plain || is_dumb_terminal() ? SCREEN_UNUSABLE : tui_run(app);
    if (status != SCREEN_UNUSABLE)
        return status;
    config_warn(&app->config, o->quiet);
    return repl_run(app);
}
