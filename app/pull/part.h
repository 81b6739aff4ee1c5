/* part.h - a file that is on its way: FILE.part, until its digest is the one it must have.
 *
 * The part is opened without following links, must be a plain file of ours with one name, and is
 * locked for as long as it is open, so that of two programs one waits. What it holds of an earlier
 * run is read through the digest before anything is added to it. Only part_finish gives the FILE
 * its name, and never takes that of another file. A wrong one is set aside as FILE.bad. */
#ifndef APP_PULL_PART_H
#define APP_PULL_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/models/record.h"

enum { PART_FAILED = -1, PART_STOPPED = -2, PART_DIFFERS = -3 };

/* Asked some times a second whether to go on; false stops. */
struct part_watcher {
    bool (*waiting)(void *ud);               /* for another program's lock */
    bool (*reading)(void *ud, int64_t done); /* what is there, so many bytes by now */
    void *ud;
};

struct part {
    const char *folder, *file; /* the caller's */
    struct part_watcher watcher;
    int dir, fd;
    char *name, *bad;      /* FILE.part, FILE.bad */
    struct digest *digest; /* of its bytes */
    int64_t size;
};

/* Makes the folder where there is none, and opens the part, empty where there is none; waits while
 * another program has it locked. 0 or one of the above, with a line in err; in any case
 * part_close. */
int part_open(struct part *p, const char *folder, const char *file,
              const struct part_watcher *watcher, char *err, size_t errlen);
void part_close(struct part *p);

/* Reads what is there of it through the digest. */
int part_read(struct part *p, char *err, size_t errlen);

/* Empties it. */
int part_restart(struct part *p, char *err, size_t errlen);

/* Adds bytes at its end. */
int part_add(struct part *p, const char *bytes, size_t len, char *err, size_t errlen);

/* Whether the disk has room for so many more bytes. 0, or PART_FAILED with both numbers in err. */
int part_room(const struct part *p, int64_t more, char *err, size_t errlen);

/* Whether its digest is the record's. Nothing can be added after that unless it is emptied
 * first. */
bool part_is_right(struct part *p, const struct model_record *r);

/* If the digest is the record's, writes the record and renames the part to FILE; else sets the part
 * aside and returns PART_DIFFERS. */
int part_finish(struct part *p, struct model_record *r, char *err, size_t errlen);

#endif
