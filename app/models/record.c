/* record.c - see record.h. */
#include "app/models/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "app/mem.h"
#include "app/smallfile.h"
#include "app/str.h"

enum { RECORD_MAX = 16 * 1024 };

void model_record_done(struct model_record *r)
{
    free(r->name);
    free(r->repository);
    free(r->licence);
    free(r->url);
    *r = (struct model_record){.bytes = -1};
}

static char *record_name(const char *file, const char *ending)
{
    struct str name = {0};
    str_addf(&name, "%s%s", file, ending);
    return name.data;
}

static char *string_of(const json_t *object, const char *key)
{
    return mem_strdup(json_string_value(json_object_get(object, key)));
}

bool model_record_read(int dir, const char *file, struct model_record *out)
{
    char *name = record_name(file, ".json");
    size_t len = 0;
    char *text = smallfile_read(dir, name, RECORD_MAX, &len);
    json_t *object = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *sha256 = json_string_value(json_object_get(object, "sha256"));
    const char *etag = json_string_value(json_object_get(object, "etag"));
    json_t *bytes = json_object_get(object, "bytes");
    bool fine = sha256 && digest_is_hex(sha256);

    *out = (struct model_record){.bytes = -1};
    if (fine) {
        out->name = string_of(object, "name");
        out->repository = string_of(object, "repository");
        out->licence = string_of(object, "licence");
        out->url = string_of(object, "url");
        memcpy(out->sha256, sha256, DIGEST_HEX);
        out->bytes = json_is_integer(bytes) ? json_integer_value(bytes) : -1;
        snprintf(out->etag, sizeof out->etag, "%s", etag ? etag : "");
        out->verified = json_integer_value(json_object_get(object, "verified"));
    }
    json_decref(object);
    free(text);
    free(name);
    return fine;
}

bool model_record_of(const char *path, struct model_record *out)
{
    const char *slash = strrchr(path, '/');
    struct str folder = {0};
    bool found = false;
    str_add(&folder, path, slash ? (size_t)(slash - path) + 1 : 0);
    int dir = open(slash ? folder.data : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *out = (struct model_record){.bytes = -1};
    if (dir >= 0) {
        found = model_record_read(dir, slash ? slash + 1 : path, out);
        close(dir);
    }
    str_done(&folder);
    return found;
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value && *value)
        json_object_set_new(object, key, json_string(value));
}

static char *text_of(const struct model_record *r)
{
    json_t *object = json_object();
    set_text(object, "name", r->name);
    set_text(object, "repository", r->repository);
    set_text(object, "licence", r->licence);
    set_text(object, "url", r->url);
    set_text(object, "sha256", r->sha256);
    set_text(object, "etag", r->etag);
    if (r->bytes >= 0)
        json_object_set_new(object, "bytes", json_integer(r->bytes));
    if (r->verified > 0)
        json_object_set_new(object, "verified", json_integer(r->verified));
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (!text)
        mem_fail();
    return text;
}

static int write_synced(int fd, const char *text)
{
    size_t len = strlen(text);
    ssize_t n = write(fd, text, len);
    if (n >= 0 && (size_t)n < len)
        errno = ENOSPC;
    return n == (ssize_t)len && fsync(fd) == 0 ? 0 : -1;
}

int model_record_write(int dir, const char *file, const struct model_record *r)
{
    char *name = record_name(file, ".json"), *draft = record_name(file, ".json.new");
    char *text = text_of(r);

    unlinkat(dir, draft, 0);
    int fd = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int status = fd < 0 ? -1 : write_synced(fd, text);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (status == 0 && renameat(dir, draft, dir, name) != 0) {
        status = -1;
        error = errno;
    }
    if (status != 0)
        unlinkat(dir, draft, 0);
    free(text);
    free(name);
    free(draft);
    errno = error;
    return status;
}

void model_record_remove(int dir, const char *file)
{
    char *name = record_name(file, ".json");
    unlinkat(dir, name, 0);
    free(name);
}
