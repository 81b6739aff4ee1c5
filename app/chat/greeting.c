/* greeting.c - see greeting.h. */
#include "app/chat/greeting.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/chat/library.h"
#include "app/mem.h"

static const char name[] = "greeted";

bool greeting_due(const struct paths *paths, struct history *h)
{
    if (!paths->state)
        return false;
    char *path = paths_join(paths->state, name);
    bool greeted = access(path, F_OK) == 0;
    free(path);
    return !greeted && library_find(h->store, NULL) == 0;
}

void greeting_done(const struct paths *paths)
{
    if (!paths->state)
        return;
    char *path = paths_join(paths->state, name);
    paths_make_folder(paths->state);
    int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    free(path);
}
