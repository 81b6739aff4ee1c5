/* pull.c - the screen's side of /pull: its progress line, and its end. */
#include <poll.h>
#include <string.h>

#include "app/commands/pull.h"
#include "app/models/partial.h"
#include "app/progress.h"
#include "app/tui/tui.h"

static void show(struct tui *t)
{
    const struct pull_child *c = &t->pull;
    struct str name = {0}, words = {0};
    str_addf(&name, "pull %s", c->name);
    progress_add_words(&words, &c->progress, " \u00b7 ");
    ui_task(t->ui, name.data, progress_share(&c->progress), str_get(&words));
    str_done(&name);
    str_done(&words);
}

static void stop(struct tui *t)
{
    if (t->pull.pid > 0)
        pull_child_stop(&t->pull);
    else
        ui_hint(t->ui, "nothing is being pulled");
}

void tui_pull(struct tui *t, const char *what)
{
    char err[SAY_MAX];
    if (strcmp(what, "stop") == 0) {
        stop(t);
    } else if (t->pull.pid > 0) {
        tui_hint(t, "%s is being pulled; /pull stop ends that", t->pull.name);
    } else if (pull_child_start(&t->pull, what, err, sizeof err) != 0) {
        ui_notice(t->ui, UI_FAIL, err);
    } else {
        show(t);
    }
}

void tui_pull_poll(const struct tui *t, struct pollfd *fd)
{
    *fd = (struct pollfd){.fd = t->pull.pid > 0 ? t->pull.fd : -1, .events = POLLIN};
}

void tui_pull_read(struct tui *t)
{
    struct pull_child *c = &t->pull;
    char trouble[SAY_MAX];
    memcpy(trouble, c->trouble, sizeof trouble);
    bool ended = pull_child_read(c);
    if (c->trouble[0] && strcmp(trouble, c->trouble) != 0)
        ui_hint(t->ui, c->trouble); /* the line says that it is retrying */
    if (!ended) {
        show(t);
        return;
    }
    struct str line = {0};
    bool whole = command_pull_add_end(c, &line);
    ui_task(t->ui, NULL, 0, NULL);
    ui_notice(t->ui, whole || c->stopped ? UI_INFO : UI_FAIL, line.data);
    str_done(&line);
    str_done(&c->line);
}

void tui_pull_offer(struct tui *t)
{
    struct str line = {0};
    partial_add_hint(t->chat.paths, "/pull", &line);
    if (line.len > 0 && !t->chat.options->quiet)
        ui_notice(t->ui, UI_INFO, line.data);
    str_done(&line);
}

void tui_pull_done(struct tui *t)
{
    pull_child_done(&t->pull);
}
