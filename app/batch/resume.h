/* resume.h - the output of an earlier run of a batch: which lines are answered already. */
#ifndef APP_BATCH_RESUME_H
#define APP_BATCH_RESUME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct resume {
    int fd;      /* the file, to be appended to */
    char **done; /* sorted ids of its answers, as JSON */
    size_t n_done;
};

/* Opens the file, creating it if necessary. Unfinished answers (errors, a torn last line) are
 * removed from it, to be tried again; a file with anything else in it, or that another run has
 * open, is refused. 0, or an exit status with one line in err; *r is for resume_close in both
 * cases. */
int resume_open(struct resume *r, const char *path, char *err, size_t errlen);
void resume_close(struct resume *r);

bool resume_has(const struct resume *r, const json_t *id);

#endif
