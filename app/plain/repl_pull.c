/* repl_pull.c - /pull in line mode: a progress line now and then, and no other input until it has
 * ended; Ctrl-C stops it. */
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "app/commands/pull.h"
#include "app/plain/repl_pull.h"
#include "app/progress.h"
#include "app/signals.h"

enum { STEPS = 10 };

/* A line for every further tenth. */
static void show(const struct pull_child *c, int *step, void (*print)(void *ud, const char *line),
                 void *ud)
{
    int now = (int)(progress_share(&c->progress) * STEPS);
    struct str line = {0};
    if (now > *step && c->progress.phase == PROGRESS_LOADING) {
        *step = now;
        progress_add_words(&line, &c->progress, ", ");
        print(ud, line.data);
    }
    str_done(&line);
}

void repl_pull(const char *name, void (*print)(void *ud, const char *line), void *ud)
{
    struct pull_child child;
    struct str line = {0};
    char err[SAY_MAX];
    int step = 0, ending = 0; /* a signal meant for the whole program */

    if (strcmp(name, "stop") == 0) {
        print(ud, "nothing is being pulled; Ctrl-C ends a pull");
        return;
    }
    if (pull_child_start(&child, name, err, sizeof err) != 0) {
        print(ud, err);
        return;
    }
    for (bool ended = false; !ended;) {
        struct pollfd fds[] = {{.fd = child.fd, .events = POLLIN},
                               {.fd = signals_fd(), .events = POLLIN}};
        poll(fds, 2, -1);
        int signal = fds[1].revents ? signals_next_ending() : 0;
        if (signal != 0)
            pull_child_stop(&child);
        ending = signal != 0 && signal != SIGINT ? signal : ending;
        if (!fds[0].revents)
            continue;
        ended = pull_child_read(&child);
        show(&child, &step, print, ud);
    }
    if (ending)
        signals_put_back(ending);
    command_pull_add_end(&child, &line);
    print(ud, line.data);
    str_done(&line);
    pull_child_done(&child);
}
