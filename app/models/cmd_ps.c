/* cmd_ps.c - `duet ps`: the duets that run, and which models they have in memory. */
#include <stdio.h>

#include "app/cmd.h"
#include "app/exit.h"
#include "app/models/running.h"
#include "app/say.h"

int cmd_ps(struct app *app)
{
    struct running_list list;
    struct str out = {0};

    if (app->n_words > 0) {
        say_error("ps: unknown argument (got %s)", app->words[0]);
        return EXIT_USAGE;
    }
    running_read(&app->paths, &list);
    if (app->options.json)
        running_add_json(&out, &list);
    else if (list.count > 0)
        running_add_table(&out, &list);
    else
        say_notice(app->options.quiet, "ps: no duet has a model in memory");
    fwrite(str_get(&out), 1, out.len, stdout);
    str_done(&out);
    running_list_done(&list);
    return say_flush();
}
