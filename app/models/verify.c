/* verify.c - see verify.h. Caches that name their files after the digests, ollama's
 * and Hugging Face's, say by that what is in them. */
#include "app/models/verify.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/mem.h"
#include "app/models/catalog.h"
#include "app/models/record.h"
#include "app/say.h"

/* "…/blobs/sha256-HEX", "…/blobs/HEX" */
static bool of_blob(const char *path, char hex[DIGEST_HEX])
{
    char *full = realpath(path, NULL);
    const char *name = full ? strrchr(full, '/') : NULL;
    bool blob = name && name - full >= 6 && strncmp(name - 6, "/blobs", 6) == 0;
    if (blob) {
        name += strncmp(name + 1, "sha256-", 7) == 0 ? 8 : 1;
        blob = digest_is_hex(name);
        if (blob)
            memcpy(hex, name, DIGEST_HEX);
    }
    free(full);
    return blob;
}

static bool of_record(const char *path, char hex[DIGEST_HEX])
{
    struct model_record record;
    bool known = model_record_of(path, &record) && record.verified > 0;
    if (known)
        memcpy(hex, record.sha256, DIGEST_HEX);
    model_record_done(&record);
    return known;
}

/* Training them again gives other files, and other digests. */
static bool of_demo(const struct model_file *file, char hex[DIGEST_HEX])
{
    static const struct {
        const char *name, *sha256;
    } demos[] = {
        {"demo-deepseek", "e6ecd400afcdd1c6ccfb444820b724b0a3d717ad32eddddf493e88c9a57bf808"},
        {"demo-llama", "1a10be74e23f96b7ad853b249c48dc09da06453e41cb627d80fb315ab5c5d169"},
    };
    for (size_t i = 0; file->place == MODEL_SHIPPED && i < sizeof demos / sizeof *demos; i++) {
        if (strcmp(file->name, demos[i].name) == 0) {
            memcpy(hex, demos[i].sha256, DIGEST_HEX);
            return true;
        }
    }
    return false;
}

bool models_digest(const struct model_file *file, const char *path, char hex[DIGEST_HEX])
{
    return of_demo(file, hex) || of_blob(path, hex) || of_record(path, hex);
}

struct reading {
    const struct model_file *file;
    bool (*go_on)(void *ud, int64_t done);
    void *ud;
    int64_t before; /* bytes of the files before this one */
};

static bool on_bytes(void *ud, int64_t done)
{
    struct reading *r = ud;
    return r->go_on(r->ud, r->before + done);
}

/* Checks one file. Of several files, the first that is not right is reported. */
static void check_file(const char *path, struct reading *r, struct digest_check *out)
{
    char found[DIGEST_HEX] = "", expected[DIGEST_HEX] = "";
    bool known = models_digest(r->file, path, expected);
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool plain = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    struct digest *digest = digest_new();
    int status = plain ? digest_add_file(digest, fd, on_bytes, r) : -1;

    if (status < 0)
        out->verdict = say_to(out->err, sizeof out->err, DIGEST_FAILED, "%s: %s", path,
                              fd >= 0 && !plain ? "not a plain file" : strerror(errno));
    else if (status > 0)
        out->verdict = DIGEST_STOPPED;
    else
        digest_end(digest, found);
    bool right = known ? strcmp(found, expected) == 0 : catalog_has_digest(found);
    enum digest_verdict verdict = right ? DIGEST_RIGHT : known ? DIGEST_DIFFERS : DIGEST_UNKNOWN;
    if (status == 0 && (verdict > out->verdict || out->found[0] == '\0')) {
        out->verdict = verdict;
        memcpy(out->found, found, sizeof found);
        memcpy(out->expected, expected, sizeof expected);
    }
    r->before += fd >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;
    if (fd >= 0)
        close(fd);
    digest_free(digest);
}

static int is_weights(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 12 && strcmp(entry->d_name + len - 12, ".safetensors") == 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

char *models_weights(const struct model_file *file)
{
    struct dirent **entries;
    int n = scandir(file->path, &entries, is_weights, alphasort);
    if (n < 0)
        return mem_strdup(file->path);
    char *path = n == 1 ? paths_join(file->path, entries[0]->d_name) : NULL;
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    return path;
}

/* Of a folder, reads the weights and every other file with a known digest. */
void models_check(const struct model_file *file, bool (*go_on)(void *ud, int64_t done), void *ud,
                  struct digest_check *out)
{
    struct reading r = {file, go_on, ud, 0};
    struct dirent **entries;
    char expected[DIGEST_HEX];
    int n = scandir(file->path, &entries, is_visible, alphasort);

    *out = (struct digest_check){.verdict = DIGEST_RIGHT};
    if (n < 0) {
        check_file(file->path, &r, out);
        return;
    }
    for (int i = 0; i < 2 * n;
         i++) { /* the weights first: their digest is reported if all is right */
        const struct dirent *entry = entries[i % n];
        char *path = paths_join(file->path, entry->d_name);
        bool wanted = i < n ? is_weights(entry)
                            : !is_weights(entry) && models_digest(file, path, expected);
        if (wanted && out->verdict < DIGEST_DIFFERS)
            check_file(path, &r, out);
        free(path);
    }
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
}
