/*
 * test_power.c - loss of power: what was not synced may be there, or not, or torn.
 *
 * A layer between SQLite and its files keeps a log of what is done to them. From any moment of the
 * log, files are made that a disk could hold if the power had failed then: for each file all that
 * came before its last sync, and of the rest whatever chance says. See "Testing" at sqlite.org,
 * section 3.3, Crash Testing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

enum { TURNS = 12, IMAGES = 400, SECTOR = 512, MAX_FILE = 1 << 20 };

enum file { DATABASE, JOURNAL, LOG, FILES };
static const char *const suffixes[FILES] = {"", "-journal", "-wal"};

struct op {
    enum file file;
    enum { WRITE, TRUNCATE, SYNC } kind;
    size_t offset, len; /* a truncation's new length is its offset */
    char *data;
};

static struct {
    struct op *ops;
    size_t count;
} history;

static void record(struct op op, const void *data)
{
    if (op.kind == WRITE) {
        op.data = malloc(op.len);
        memcpy(op.data, data, op.len);
    }
    history.ops = realloc(history.ops, (history.count + 1) * sizeof(op));
    history.ops[history.count++] = op;
}

/* A file as SQLite sees it, with the real one behind it. */
struct layer {
    sqlite3_file base;
    enum file file;
    sqlite3_file *real;
};

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct layer *)f)->real;
}

static enum file which(sqlite3_file *f)
{
    return ((struct layer *)f)->file;
}

static int layer_close(sqlite3_file *f)
{
    int code = real(f)->pMethods->xClose(real(f));
    free(real(f));
    return code;
}

static int layer_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return real(f)->pMethods->xRead(real(f), out, n, at);
}

static int layer_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    record((struct op){which(f), WRITE, (size_t)at, (size_t)n, NULL}, data);
    return real(f)->pMethods->xWrite(real(f), data, n, at);
}

static int layer_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    record((struct op){which(f), TRUNCATE, (size_t)size, 0, NULL}, NULL);
    return real(f)->pMethods->xTruncate(real(f), size);
}

static int layer_sync(sqlite3_file *f, int flags)
{
    record((struct op){which(f), SYNC, 0, 0, NULL}, NULL);
    return real(f)->pMethods->xSync(real(f), flags);
}

static int layer_size(sqlite3_file *f, sqlite3_int64 *out)
{
    return real(f)->pMethods->xFileSize(real(f), out);
}

static int layer_lock(sqlite3_file *f, int lock)
{
    return real(f)->pMethods->xLock(real(f), lock);
}

static int layer_unlock(sqlite3_file *f, int lock)
{
    return real(f)->pMethods->xUnlock(real(f), lock);
}

static int layer_reserved(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int layer_control(sqlite3_file *f, int op, void *argument)
{
    return real(f)->pMethods->xFileControl(real(f), op, argument);
}

static int layer_sector(sqlite3_file *f)
{
    (void)f;
    return SECTOR;
}

static int layer_promises(sqlite3_file *f)
{
    (void)f;
    return 0; /* none: the worst of disks */
}

/* Version 1: without shared memory SQLite takes a rollback journal, whatever it would prefer. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = layer_close,
    .xRead = layer_read,
    .xWrite = layer_write,
    .xTruncate = layer_truncate,
    .xSync = layer_sync,
    .xFileSize = layer_size,
    .xLock = layer_lock,
    .xUnlock = layer_unlock,
    .xCheckReservedLock = layer_reserved,
    .xFileControl = layer_control,
    .xSectorSize = layer_sector,
    .xDeviceCharacteristics = layer_promises,
};

static sqlite3_vfs *below; /* the system's files */

static int layer_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    (void)vfs;
    struct layer *l = (struct layer *)f;
    l->base.pMethods = NULL;
    l->file = flags & SQLITE_OPEN_WAL ? LOG : flags & SQLITE_OPEN_MAIN_JOURNAL ? JOURNAL : DATABASE;
    l->real = calloc(1, (size_t)below->szOsFile);
    int code = below->xOpen(below, name, l->real, flags, out);
    if (code == SQLITE_OK)
        l->base.pMethods = &methods;
    else
        free(l->real);
    return code;
}

/* A deleted journal does not come back half: the next one is another file. */
static int layer_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    enum file file = strstr(name, "-wal") ? LOG : JOURNAL;
    record((struct op){file, TRUNCATE, 0, 0, NULL}, NULL);
    record((struct op){file, SYNC, 0, 0, NULL}, NULL);
    return below->xDelete(below, name, sync_folder);
}

static void apply(char *image, size_t *size, const struct op *op, size_t len)
{
    size_t end = op->kind == WRITE ? op->offset + len : op->offset;
    assert_true(end <= MAX_FILE);
    if (op->kind == WRITE)
        memcpy(image + op->offset, op->data, len);
    if (op->kind == TRUNCATE && end < *size)
        memset(image + end, 0, *size - end);
    if (op->kind == TRUNCATE || end > *size)
        *size = end;
}

static size_t last_sync(enum file file, size_t moment)
{
    while (moment > 0 &&
           (history.ops[moment - 1].file != file || history.ops[moment - 1].kind != SYNC))
        moment--;
    return moment;
}

/* What could be on the disk, had the power failed before operation `moment`. */
static void make_image(const char *path, enum file file, size_t moment)
{
    char *image = calloc(1, MAX_FILE), name[128];
    size_t size = 0, safe = last_sync(file, moment);
    for (size_t i = 0; i < moment; i++) {
        const struct op *op = &history.ops[i];
        size_t len = op->len;
        int chance = rand() % 4;
        if (op->file != file || op->kind == SYNC || (i >= safe && chance == 0))
            continue;
        if (i >= safe && chance == 1) /* torn */
            len = len / SECTOR ? (size_t)rand() % (len / SECTOR) * SECTOR : 0;
        apply(image, &size, op, len);
    }
    snprintf(name, sizeof(name), "%s%s", path, suffixes[file]);
    if (size > 0 || file == DATABASE)
        must_write(name, image, size);
    else
        unlink(name);
    free(image);
}

/* Streams and ends TURNS answers; ended[i] is when the i-th was known to be safe. */
static void talk(const char *path, size_t *ended)
{
    struct store *s = must_open(path);
    int64_t c = must_create(s, "");
    for (int i = 0; i < TURNS; i++) {
        char text[3000];
        memset(text, 'a' + i, sizeof(text));
        text[sizeof(text) - 1] = '\0';
        int64_t id = must_begin(s, c);
        must_append(s, id, STORE_REASONING, "let me see");
        must_append(s, id, STORE_TEXT, text);
        assert_int_equal(store_message_end(s, id, STORE_COMPLETE, NULL), STORE_OK);
        ended[i] = history.count;
    }
    store_close(s);
}

static void check_image(const char *path, size_t moment, const size_t *ended)
{
    struct store *s = must_open(path);
    size_t safe = 0;
    while (safe < TURNS && ended[safe] <= moment)
        safe++;
    if (safe > 0) {
        struct store_messages *list = must_path(s, 1);
        assert_true(list->count >= safe);
        for (size_t i = 0; i < list->count; i++) {
            assert_false(list->items[i].damaged);
            assert_true(i >= safe || (list->items[i].state == STORE_COMPLETE &&
                                      list->items[i].len[STORE_TEXT] == 2999 &&
                                      list->items[i].text[STORE_TEXT][9] == 'a' + (char)i));
        }
        store_messages_free(list);
    }
    store_close(s);
    assert_int_equal(must_number(path, "SELECT count(*) FROM pragma_integrity_check"
                                       " WHERE integrity_check = 'ok'"),
                     1);
}

static void what_has_ended_survives_loss_of_power(void **state)
{
    struct place *p = *state;
    size_t ended[TURNS];
    below = sqlite3_vfs_find(NULL);
    sqlite3_vfs layer = *below;
    layer.szOsFile = sizeof(struct layer);
    layer.zName = "power";
    layer.xOpen = layer_open;
    layer.xDelete = layer_delete;
    sqlite3_vfs_register(&layer, 1);
    talk(p->path, ended);
    sqlite3_vfs_register(below, 1);
    sqlite3_vfs_unregister(&layer);

    srand(1);
    for (int i = 0; i < IMAGES; i++) {
        size_t moment = (size_t)rand() % (history.count + 1);
        for (enum file file = 0; file < FILES; file++)
            make_image(p->path, file, moment);
        check_image(p->path, moment, ended);
    }
    for (size_t i = 0; i < history.count; i++)
        free(history.ops[i].data);
    free(history.ops);
}

int test_power(void)
{
    const struct CMUnitTest tests[] = {
        place_test(what_has_ended_survives_loss_of_power),
    };
    return cmocka_run_group_tests_name("storage power", tests, NULL, NULL);
}
