/* commands_pull.c - see commands_pull.h. The front ends run the pull themselves, each in its own
 * non-blocking way. */
#include "app/commands/commands_pull.h"

#include <stdlib.h>
#include <string.h>

#include "app/numbers.h"
#include "app/pull/pull_rest.h"
#include "app/pull/pull_table.h"

static void add_table(struct str *out)
{
    for (size_t i = 0; i < pull_table_size; i++) {
        const struct pull_entry *e = &pull_table[i];
        str_addf(out, "%s%s:%s, ", i ? "\n" : "", e->name, e->type);
        pull_entry_add_size(out, e);
        str_addf(out, ", %s", e->licence);
    }
    str_adds(
        out,
        "\n/pull llama gets the first of that name; /pull stop ends it, and keeps what has come");
}

void command_pull(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)c;
    if (!*arg) {
        add_table(&reply->text);
    } else if (strcmp(arg, "stop") == 0 || pull_entry_named(arg)) {
        reply->effect = COMMAND_PULL;
        str_adds(&reply->file_name, arg);
    } else {
        command_refuse(reply, "not a model that can be pulled: ");
        str_add_visible(&reply->text, arg, str_cut(arg, strlen(arg), 40), false);
        str_adds(&reply->text, "; /pull lists them");
    }
}

void command_pull_add_rest(const struct paths *paths, const char *pull, struct str *out)
{
    char *models = paths->data ? paths_join(paths->data, "models") : NULL;
    for (size_t i = 0; models && i < pull_table_size && out->len == 0; i++) {
        const struct pull_entry *e = &pull_table[i];
        struct pull_rest rest;
        if (pull_rest_of(models, e, &rest) && rest.bytes > 0 && rest.bytes <= rest.total)
            str_addf(out, "%d%% of %s:%s is here; %s %s:%s continues it",
                     (int)((double)rest.bytes * 100 / (double)rest.total), e->name, e->type, pull,
                     e->name, e->type);
    }
    free(models);
}

bool command_pull_add_end(const struct pull_child *c, struct str *out)
{
    if (!c->whole) {
        str_addf(out, "pull %s: ", c->name);
        str_add_visible(out, c->error, strlen(c->error), false);
        if (c->stopped)
            str_addf(out, "; /pull %s continues it", c->name);
        return false;
    }
    str_addf(out, "%s is %s (", c->name, c->was_here ? "on this machine already" : "installed");
    numbers_add_bytes(out, (uint64_t)c->progress.total);
    str_addf(out, "%s); /model %s lets it answer", c->was_here ? "" : ", its sha256 is right",
             c->name);
    return true;
}
