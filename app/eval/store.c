/* store.c - the transcripts: every answer that a run gave, a line of JSON each, written when
 * it is there, so that a killed run loses what was not finished and no more. See eval.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/eval/eval.h"
#include "app/exit.h"
#include "app/lines.h"
#include "app/mem.h"
#include "app/say.h"

static const char opening[] = "{\"eval\": 1, "; /* of every line */

struct eval_entry {
    struct eval_key key;
    off_t at;
};

static uint64_t hex_of(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text ? strtoull(text, NULL, 16) : 0;
}

static bool note_line(struct eval_store *s, const char *text, size_t len, off_t at)
{
    json_t *line = len > sizeof opening && memcmp(text, opening, sizeof opening - 1) == 0
                       ? json_loadb(text, len, JSON_ALLOW_NUL, NULL)
                       : NULL;
    bool ours = json_is_string(json_object_get(line, "run")) &&
                json_is_string(json_object_get(line, "identity"));
    if (ours) {
        s->entries = mem_realloc(s->entries, (s->n + 1) * sizeof *s->entries);
        s->entries[s->n++] = (struct eval_entry){
            .key = {hex_of(line, "run"), hex_of(line, "identity"),
                    (int)json_integer_value(json_object_get(line, "sample"))},
            .at = at};
    }
    json_decref(line);
    return ours;
}

/* Of two transcripts of one answer the later one sorts first. */
static int by_key(const void *a, const void *b)
{
    const struct eval_entry *p = a, *q = b;
    if (p->key.run != q->key.run)
        return p->key.run < q->key.run ? -1 : 1;
    if (p->key.problem != q->key.problem)
        return p->key.problem < q->key.problem ? -1 : 1;
    if (p->key.sample != q->key.sample)
        return p->key.sample < q->key.sample ? -1 : 1;
    return (p->at < q->at) - (p->at > q->at);
}

/* Whether an unterminated last line is the remainder of one of ours. */
static bool is_torn(const char *text, size_t len)
{
    size_t n = len < sizeof opening - 1 ? len : sizeof opening - 1;
    return memcmp(text, opening, n) == 0;
}

/* Notes every line; *end is where the last whole one ends. False: a line is not ours (*number). */
static bool read_entries(struct eval_store *s, struct lines *in)
{
    const char *text;
    size_t len;
    enum lines_got got;
    while ((got = lines_next(in, &text, &len)) != LINES_END) {
        off_t behind = (off_t)(in->bytes - (in->held.len - in->at));
        if (got == LINES_WAIT) {
            lines_feed(in);
        } else if (got == LINES_TOO_LONG) {
            return false;
        } else if (note_line(s, text, len, s->end)) {
            s->end = behind;
        } else {
            bool last = in->ended && in->at == in->held.len;
            return last && is_torn(text, len);
        }
    }
    return !in->error;
}

static int refuse(struct eval_store *s, const char *why, char *err, size_t errlen)
{
    return say_to(err, errlen, EXIT_USAGE, "%s: %s", s->path, why);
}

/* Truncates an incomplete last line; a complete one that lacks its newline gets it. */
static int mend_end(struct eval_store *s, char *err, size_t errlen)
{
    struct stat st;
    char last = '\n';
    if (fstat(s->fd, &st) != 0 || (st.st_size > s->end && ftruncate(s->fd, s->end) != 0) ||
        (s->end > 0 && pread(s->fd, &last, 1, s->end - 1) != 1))
        return refuse(s, strerror(errno), err, errlen);
    if (last == '\n')
        return 0;
    if (pwrite(s->fd, "\n", 1, s->end) != 1)
        return refuse(s, strerror(errno), err, errlen);
    s->end++;
    return 0;
}

int eval_store_open(struct eval_store *s, const char *path, char *err, size_t errlen)
{
    struct lines in;
    struct stat st;

    *s = (struct eval_store){.fd = -1, .path = mem_strdup(path)};
    s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (s->fd < 0 || fstat(s->fd, &st) != 0)
        return refuse(s, strerror(errno), err, errlen);
    if (!S_ISREG(st.st_mode))
        return refuse(s, "not a regular file", err, errlen);
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0)
        return refuse(s, "another duet eval is writing it", err, errlen);
    lines_init(&in, s->fd);
    bool ours = read_entries(s, &in);
    int64_t number = in.number;
    lines_done(&in);
    if (!ours)
        return say_to(err, errlen, EXIT_USAGE,
                      "%s: line %" PRId64 ": not a transcript of duet eval", path, number);
    if (s->n > 0)
        qsort(s->entries, s->n, sizeof *s->entries, by_key);
    return mend_end(s, err, errlen);
}

void eval_store_close(struct eval_store *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s->entries);
    *s = (struct eval_store){.fd = -1};
}

json_t *eval_store_find(const struct eval_store *s, const struct eval_key *key, off_t *at)
{
    size_t low = 0, high = s->n;
    const struct eval_entry wanted = {*key, INT64_MAX}; /* before all of its key */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_key(&s->entries[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->n || s->entries[low].key.run != key->run ||
        s->entries[low].key.problem != key->problem || s->entries[low].key.sample != key->sample)
        return NULL;
    *at = s->entries[low].at;
    return eval_store_read(s, *at);
}

json_t *eval_store_read(const struct eval_store *s, off_t at)
{
    struct str line = {0};
    char step[16384];
    json_t *read = NULL;
    for (ssize_t n; (n = pread(s->fd, step, sizeof step, at + (off_t)line.len)) > 0;) {
        const char *end = memchr(step, '\n', (size_t)n);
        str_add(&line, step, end ? (size_t)(end - step) : (size_t)n);
        if (end)
            break;
    }
    if (line.len > 0)
        read = json_loadb(line.data, line.len, JSON_ALLOW_NUL, NULL);
    str_done(&line);
    return read;
}

int eval_store_add(struct eval_store *s, const json_t *line, off_t *at, char *err, size_t errlen)
{
    char *text = json_dumps(line, JSON_REAL_PRECISION(12));
    struct str whole = {0};
    if (!text)
        mem_fail();
    str_addf(&whole, "%s\n", text);
    free(text);
    *at = s->end;
    for (size_t done = 0; done < whole.len;) {
        ssize_t n = pwrite(s->fd, whole.data + done, whole.len - done, s->end + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            str_done(&whole);
            return say_to(err, errlen, EXIT_ANSWER, "%s: %s", s->path, strerror(errno));
        }
        done += (size_t)n;
    }
    s->end += (off_t)whole.len;
    str_done(&whole);
    return 0;
}
