/* pull.c - see pull.h. The front ends run the pull themselves, each in its own
 * non-blocking way. */
#include "app/commands/pull.h"

#include <string.h>

#include "app/models/catalog.h"
#include "app/numbers.h"

static void add_table(struct str *out)
{
    for (size_t i = 0; i < catalog_size; i++) {
        const struct catalog_entry *e = &catalog[i];
        str_addf(out, "%s%s:%s, ", i ? "\n" : "", e->name, e->type);
        catalog_add_size(out, e);
        str_addf(out, ", %s", e->licence);
    }
    str_adds(
        out,
        "\n/pull llama gets the first of that name; /pull stop ends it, and keeps what has come");
}

void run_pull(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)c;
    if (!*arg) {
        add_table(&reply->text);
    } else if (strcmp(arg, "stop") == 0 || catalog_find(arg)) {
        reply->effect = COMMAND_PULL;
        str_adds(&reply->file_name, arg);
    } else {
        command_refuse(reply, "not a model that can be pulled: ");
        str_add_visible(&reply->text, arg, str_cut(arg, strlen(arg), 40), false);
        str_adds(&reply->text, "; /pull lists them");
    }
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
