/* folder.c - see folder.h. */
#include "tests/engine/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

int folder_new(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/duet-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int folder_remove(void **state)
{
    char line[128];
    (void)state;
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line);
}

const char *folder_path(void)
{
    return folder;
}

int folder_count(void)
{
    DIR *dir = opendir(folder);
    int n = -2; /* without "." and ".." */
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

const char *path_of(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}
