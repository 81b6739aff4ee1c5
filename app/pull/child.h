/* child.h - a download beside a chat, in a process of its own: `duet pull --json`.
 *
 * So nothing waits for it, and a fault in it leaves the chat alone. It ends with the program
 * that started it; the next pull continues it. */
#ifndef APP_PULL_CHILD_H
#define APP_PULL_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "app/pull/pull.h"
#include "app/say.h"
#include "app/str.h"

struct pull_child {
    pid_t pid; /* 0: none runs */
    int fd;    /* readable when there is news */
    struct str line;
    char name[64]; /* "llama:q8" */
    bool stopped;  /* by us */

    struct progress progress; /* its trouble is below */
    char trouble[SAY_MAX];
    bool was_here; /* it was on this machine already */
    bool whole;
    char error[SAY_MAX]; /* why it failed; "" */
};

/* name: as typed. 0, or -1 with a line in err. */
int pull_child_start(struct pull_child *c, const char *name, char *err, size_t errlen);

/* Reads its output. True when it has ended: then `whole` is set, or `error` says why not. */
bool pull_child_read(struct pull_child *c);

void pull_child_stop(struct pull_child *c); /* it has ended once pull_child_read says so */
void pull_child_done(struct pull_child *c); /* does not wait for it */

#endif
