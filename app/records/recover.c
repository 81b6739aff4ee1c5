/* recover.c - duet --recover: turns a damaged history into a usable one. */
#include <stdio.h>

#include "app/cmd.h"
#include "app/exit.h"
#include "app/say.h"
#include "storage/store.h"

int recover_run(struct app *app)
{
    const char *path = app->options.db ? app->options.db : app->paths.history;
    struct store_recovered r;
    char err[512];

    if (!path) {
        say_error("history: %s", app->paths.problem);
        return EXIT_HISTORY;
    }
    if (store_recover(path, &r, err, sizeof err) != STORE_OK) {
        say_error("%s", err);
        return EXIT_HISTORY;
    }
    printf("%lld conversation%s, %lld message%s; %s\nthe file as it was: %s\n",
           (long long)r.conversations, r.conversations == 1 ? "" : "s", (long long)r.messages,
           r.messages == 1 ? "" : "s",
           r.broken     ? "some places could not be read"
           : r.lost > 0 ? "some rows made no sense"
                        : "all could be read",
           r.kept);
    return say_flush();
}
