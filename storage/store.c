/*
 * store.c - opening and closing a history.
 *
 * The order of opening matters: the file is private before SQLite writes to it, it is known to be
 * ours before anything changes what is in it or stands beside it, and it works before anything old
 * is tidied up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conversation.h"
#include "db.h"
#include "file.h"
#include "index.h"
#include "message.h"
#include "schema.h"
#include "stmt.h"

#define LONGEST_PATH 120 /* bytes of it in an error text */
#define CLOSING_MS   700 /* for a purge; a lost terminal leaves us a second */

static int open_owner(struct store *s)
{
    char *lock = s->path ? file_beside(s->path, "-lock") : NULL;
    if (s->path && !lock)
        return db_no_memory(s);
    int rc = STORE_OK;
    if (owner_open(&s->owner, lock) != 0)
        rc = db_error(s, STORE_EIO, "lock file: %s", strerror(errno));
    free(lock);
    return rc;
}

static int64_t read_data_version(struct store *s)
{
    struct stmt q = stmt_open(s, "PRAGMA data_version");
    int64_t version = stmt_row(&q) ? stmt_int(&q, 0) : s->data_version;
    stmt_close(&q);
    return version;
}

/*
 * Cleans up after dead handles. It can wait: a full disk must not prevent reading a history, and
 * text to be purged is no longer visible.
 */
static void tidy(struct store *s)
{
    message_end_orphans(s);
    conversation_any_abandoned(s, &s->has_deleted);
    s->error[0] = '\0';
}

/* Opens what may not be written. */
static int read_steps(struct store *s)
{
    int rc = owner_open(&s->owner, NULL) == 0 ? db_open_to_read(s)
                                              : db_error(s, STORE_EIO, "%s", strerror(errno));
    if (rc == STORE_OK)
        rc = schema_prepare(s);
    if (rc == STORE_OK)
        rc = index_open(s);
    if (rc == STORE_OK)
        s->data_version = read_data_version(s);
    return rc;
}

static int open_steps(struct store *s)
{
    int rc = db_open(s);
    if (rc == STORE_OK)
        rc = schema_prepare(s);
    if (rc == STORE_OK)
        rc = open_owner(s);
    if (rc == STORE_OK)
        rc = index_open(s);
    if (rc == STORE_OK)
        rc = db_use_journal(s, s->path && !file_is_remote(s->path));
    if (rc == STORE_OK)
        tidy(s);
    if (rc == STORE_OK)
        s->data_version = read_data_version(s);
    return rc;
}

static void release(struct store *s)
{
    db_close(s);
    if (s->letters)
        freelocale(s->letters);
    owner_close(&s->owner);
    free(s->path);
    free(s);
}

/* Puts the path in front of the error text, or its end when it is long. */
static void name_path(struct store *s, const char *path)
{
    char reason[sizeof(s->error)];
    memcpy(reason, s->error, sizeof(reason));
    const char *name = path ? path : ":memory:";
    size_t len = strlen(name);
    bool long_one = len > LONGEST_PATH;
    db_error(s, STORE_ERROR, "%s%s: %s", long_one ? "..." : "",
             long_one ? name + len - LONGEST_PATH : name, reason);
}

static int open_store(struct store **out, const char *path, bool reads_only, char *err,
                      size_t errlen)
{
    *out = NULL;
    struct store *s = calloc(1, sizeof(*s));
    if (!s) {
        snprintf(err, errlen, "history: out of memory");
        return STORE_ENOMEM;
    }
    s->owner.fd = -1;
    s->reads_only = reads_only;
    /* The second is for systems without the first; without either, ASCII's letters are known. */
    s->letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!s->letters)
        s->letters = newlocale(LC_CTYPE_MASK, "en_US.UTF-8", (locale_t)0);
    int rc = STORE_OK;
    if (path && strcmp(path, ":memory:") != 0)
        rc = file_prepare(s, path);
    if (rc == STORE_OK)
        rc = reads_only ? read_steps(s) : open_steps(s);
    if (rc == STORE_OK) {
        *out = s;
        return STORE_OK;
    }
    name_path(s, path);
    snprintf(err, errlen, "%s", s->error);
    if (rc == STORE_ENOTDB || rc == STORE_EFOREIGN || rc == STORE_ENEWER || rc == STORE_EDAMAGED)
        file_give_back(s);
    release(s);
    return rc;
}

int store_open(struct store **out, const char *path, char *err, size_t errlen)
{
    return open_store(out, path, false, err, errlen);
}

int store_open_to_read(struct store **out, const char *path, char *err, size_t errlen)
{
    int rc = open_store(out, path, false, err, errlen);
    if (rc != STORE_EIO || !path || !file_is_unwritable(path))
        return rc;
    return open_store(out, path, true, err, errlen);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->grouped)
        store_rollback(s);
    if (s->has_deleted)
        conversation_purge(s, db_clock_ms() + CLOSING_MS);
    release(s);
}

const char *store_error(const struct store *s)
{
    return s->error;
}

int store_failure(const struct store *s)
{
    return s->failure;
}

void store_set_patience(struct store *s, int ms)
{
    s->patience_ms = ms;
}

bool store_moved(struct store *s)
{
    return db_has_moved(s);
}

bool store_changed(struct store *s)
{
    int64_t version = read_data_version(s);
    bool changed = version != s->data_version;
    s->data_version = version;
    return changed;
}
