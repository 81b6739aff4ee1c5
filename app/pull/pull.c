/* pull.c - see pull.h. */
#include "app/pull/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/numbers.h"
#include "app/pull/http.h"
#include "app/pull/part.h"
#include "app/pull/place.h"
#include "app/say.h"
#include "app/str.h"

enum {
    RESTART = -10,   /* the part here does not belong to what the server has */
    ELSEWHERE = -11, /* not at this place, but perhaps at the next */
    TELL_MS = 100,
    LITTLE = 1024,   /* a try that brings fewer bytes was in vain */
    RATE_MS = 4000,  /* the period a rate is averaged over */
    PAUSE_MS = 1000, /* before the second try; twice that before the third, and so on */
    PAUSE_DOUBLES = 5,
};

struct pull {
    const struct pull_request *req;
    const struct catalog_file *file;
    const struct pull_watcher *watcher;
    struct pull_result *result;
    struct progress progress;
    struct model_record record; /* sha256 and bytes are what the file must be */
    struct part part;
    struct pull_places places;
    int place;    /* the one in use */
    bool written; /* the record is on the disk */
    char trouble[SAY_MAX];

    double told_ms, rate_ms;
    int64_t rate_bytes;
};

/* Progress */

static bool tell(struct pull *p, enum progress_phase phase)
{
    p->told_ms = clock_ms();
    p->progress.phase = phase;
    p->progress.total = p->record.bytes;
    p->progress.trouble = p->trouble;
    return p->watcher->tell(p->watcher->ud, &p->progress);
}

/* The rate of the last seconds: a moving average. */
static void measure(struct pull *p)
{
    double now = clock_ms(), ms = now - p->rate_ms;
    if (ms < TELL_MS)
        return;
    double rate = (double)(p->part.size - p->rate_bytes) * 1e3 / ms;
    double weight = ms < RATE_MS ? ms / RATE_MS : 1;
    double old = p->progress.bytes_per_second;
    p->progress.bytes_per_second = old > 0 ? old + (rate - old) * weight : rate;
    p->rate_ms = now;
    p->rate_bytes = p->part.size;
}

/* The watcher hears of bytes ten times a second, and of its wake_fd at once. */
static bool go_on_loading(void *ud)
{
    struct pull *p = ud;
    struct pollfd wake = {.fd = p->watcher->wake_fd, .events = POLLIN};
    if (clock_ms() - p->told_ms < TELL_MS && poll(&wake, 1, 0) <= 0)
        return true;
    p->progress.done = p->part.size;
    if (p->progress.phase == PROGRESS_LOADING)
        measure(p);
    return tell(p, p->progress.phase);
}

static bool go_on_waiting(void *ud)
{
    return tell(ud, PROGRESS_WAITING);
}

static bool go_on_reading(void *ud, int64_t done)
{
    struct pull *p = ud;
    p->progress.done = done;
    return clock_ms() - p->told_ms < TELL_MS || tell(p, PROGRESS_READING);
}

static int stopped(char *err, size_t errlen)
{
    return say_to(err, errlen, PULL_STOPPED, "stopped; the same command resumes it");
}

/* The place */

/* What follows a ? may be a secret, and is not recorded. */
static void use_place(struct pull *p, int i)
{
    p->place = i;
    free(p->record.url);
    p->record.url = mem_strdup(p->places.urls[i]);
    p->record.url[strcspn(p->record.url, "?#")] = '\0';
    p->record.etag[0] = '\0';
    p->written = false;
}

/* The digest required */

static struct http_request request_of(const struct pull *p)
{
    return (struct http_request){
        .url = p->places.urls[p->place],
        .token = p->req->token,
        .origin = p->req->endpoint,
        .ca_file = p->req->ca_file,
        .if_range = p->record.etag,
        .patience_s = p->req->patience_s,
    };
}

static int exit_of_http(int status, char *err, size_t errlen)
{
    return status == HTTP_STOPPED ? stopped(err, errlen) : status == 0 ? 0 : EXIT_NETWORK;
}

static int ask_origin(struct pull *p, char *err, size_t errlen)
{
    struct http_sink sink = {NULL, NULL, go_on_loading, p->watcher->wake_fd, p};
    struct http_request req = request_of(p);
    struct http_reply reply;

    p->progress.phase = PROGRESS_ASKING;
    req.head = true;
    int status = http_run(&req, &sink, &reply, err, errlen);
    if (status != 0)
        return exit_of_http(status, err, errlen);
    if (!reply.linked_sha256[0] || reply.linked_size < 0)
        return say_to(err, errlen, EXIT_NETWORK,
                      "%s: does not say what the file's sha256 is; --sha256 can", reply.host);
    memcpy(p->record.sha256, reply.linked_sha256, DIGEST_HEX);
    p->record.bytes = reply.linked_size;
    say_to(p->result->vouched, sizeof p->result->vouched, 0, "as %s says", reply.host);
    return 0;
}

/* Whether the digest required is the catalog's. */
static bool is_of_catalog(const struct pull *p)
{
    return !p->req->sha256 && p->file->sha256;
}

/* Advice, if a place has another file than the catalog's. */
static const char *way_out(const struct pull *p)
{
    return is_of_catalog(p) ? "; --from gets the known file elsewhere, --sha256 another one" : "";
}

/* The caller's digest, else the catalog's, else what the origin says. */
static int learn_digest(struct pull *p, char *err, size_t errlen)
{
    const char *known = pull_known_digest(p->req, p->file);
    if (known) {
        memcpy(p->record.sha256, known, DIGEST_HEX);
        if (is_of_catalog(p))
            p->record.bytes = p->file->bytes;
        say_to(p->result->vouched, sizeof p->result->vouched, 0,
               is_of_catalog(p) ? "as this version knows it" : "as given");
        return 0;
    }
    if (http_same_origin(p->places.urls[p->place], p->req->endpoint))
        return ask_origin(p, err, errlen);
    return say_to(err, errlen, EXIT_USAGE,
                  "--from: the file's sha256 is not known here; give it with --sha256");
}

/* What is here */

static int compare_target(struct pull *p, int fd, char *err, size_t errlen)
{
    char found[DIGEST_HEX];
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return say_to(err, errlen, EXIT_NETWORK, "%s/%s: is there, and is not a plain file",
                      p->req->folder, p->file->name);
    p->record.bytes = st.st_size;
    struct digest *digest = digest_new();
    int status = digest_add_file(digest, fd, go_on_reading, p);
    if (status == 0)
        digest_end(digest, found);
    digest_free(digest);
    if (status > 0)
        return stopped(err, errlen);
    if (status < 0)
        return say_to(err, errlen, EXIT_NETWORK, "%s: %s", p->file->name, strerror(errno));
    if (strcmp(found, p->record.sha256) != 0)
        return say_to(
            err, errlen, EXIT_NETWORK,
            "%s: is there with other content (sha256 %.12s..., not %.12s...); duet models "
            "rm %s:%s removes it",
            p->file->name, found, p->record.sha256, p->req->entry->name, p->req->entry->type);
    p->result->was_here = true;
    return 0;
}

/* Whether the file is here, with the size and digest that its record says: then no server is asked.
 * It is not read again: `duet models verify` does that. */
static bool is_kept(struct pull *p)
{
    const char *known = pull_known_digest(p->req, p->file);
    struct model_record old;
    struct str path = {0};
    struct stat st;

    str_addf(&path, "%s/%s", p->req->folder, p->file->name);
    bool kept = model_record_of(path.data, &old) && old.verified > 0 &&
                lstat(path.data, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == old.bytes &&
                (!known || strcmp(known, old.sha256) == 0);
    if (kept) {
        memcpy(p->record.sha256, old.sha256, DIGEST_HEX);
        p->record.bytes = old.bytes;
        p->result->was_here = true;
        say_to(p->result->vouched, sizeof p->result->vouched, 0, "as it was when it came");
    }
    model_record_done(&old);
    str_done(&path);
    return kept;
}

/* Gives a file that was found right a record, without an origin, which nobody knows. */
static void record_target(struct pull *p)
{
    free(p->record.url);
    p->record.url = NULL;
    p->record.verified = (int64_t)time(NULL);
    model_record_write(p->part.dir, p->file->name, &p->record);
}

/* A file that has the name already is the right one, or is left alone and an error. */
static int look_at_target(struct pull *p, char *err, size_t errlen)
{
    const char *file = p->file->name;
    int fd = openat(p->part.dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return say_to(err, errlen, EXIT_NETWORK, "%s/%s: %s", p->req->folder, file,
                      errno == ELOOP ? "is there, as a link" : strerror(errno));
    int status = compare_target(p, fd, err, errlen);
    close(fd);
    if (status == 0)
        record_target(p);
    return status;
}

/* A part of the same file is continued, whichever place it came from. */
static int look_at_part(struct pull *p, char *err, size_t errlen)
{
    struct model_record old;
    bool same = model_record_read(p->part.dir, p->file->name, &old) &&
                strcmp(old.sha256, p->record.sha256) == 0;
    int status = same ? part_read(&p->part, err, errlen) : part_restart(&p->part, err, errlen);
    if (same && p->record.bytes < 0)
        p->record.bytes = old.bytes;
    if (same && old.url && strcmp(old.url, p->record.url) == 0)
        memcpy(p->record.etag, old.etag, sizeof old.etag);
    p->written = same;
    model_record_done(&old);
    if (status == 0 && p->record.bytes >= 0 && p->part.size > p->record.bytes)
        status = part_restart(&p->part, err, errlen);
    return status == PART_STOPPED ? stopped(err, errlen) : status ? EXIT_NETWORK : 0;
}

/* Downloading */

static int keep_record(struct pull *p, char *err, size_t errlen)
{
    if (p->written)
        return 0;
    p->written = model_record_write(p->part.dir, p->file->name, &p->record) == 0;
    return p->written ? 0
                      : say_to(err, errlen, HTTP_FAILED, "%s: %s", p->req->folder, strerror(errno));
}

/* The file's size according to a reply; -1: it does not say. */
static int64_t total_of(const struct http_reply *reply)
{
    return reply->status == 206 ? reply->range_total : reply->length;
}

static int check_size(struct pull *p, const struct http_reply *reply, char *err, size_t errlen)
{
    int64_t total = total_of(reply);
    if (total < 0 && p->record.bytes >= 0)
        return 0; /* the bytes are counted as they come */
    if (total <= 0)
        return say_to(err, errlen, HTTP_FAILED, "%s: %s", reply->host,
                      total < 0 ? "does not say how large the file is" : "sends an empty file");
    if (p->record.bytes >= 0 && total != p->record.bytes)
        return say_to(err, errlen, HTTP_FAILED, "%s: size mismatch (got %lld, must be %lld)%s",
                      reply->host, (long long)total, (long long)p->record.bytes, way_out(p));
    p->record.bytes = total;
    return 0;
}

/* The reply to a request for the rest, or for the whole file. */
static int begin_body(void *ud, const struct http_reply *reply, char *err, size_t errlen)
{
    struct pull *p = ud;
    bool page = strcasecmp(reply->type, "text/html") == 0;

    if (page)
        return say_to(err, errlen, HTTP_FAILED, "%s: sends a page (%s), not a model", reply->host,
                      reply->type);
    if (reply->linked_sha256[0] && strcmp(reply->linked_sha256, p->record.sha256) != 0)
        return say_to(err, errlen, HTTP_FAILED,
                      "%s: has another file (sha256 %.12s..., not %.12s...)%s", reply->host,
                      reply->linked_sha256, p->record.sha256, way_out(p));
    bool rest = reply->status == 206 && reply->range_from == p->part.size &&
                (reply->length < 0 || reply->length == reply->range_total - reply->range_from) &&
                (p->record.bytes < 0 || reply->range_total == p->record.bytes);
    if (p->part.size > 0 && !rest && reply->status != 200)
        return RESTART;
    if (p->part.size == 0 && reply->status != 200)
        return say_to(err, errlen, HTTP_FAILED, "%s: sends a part nobody asked for", reply->host);
    int status = check_size(p, reply, err, errlen);
    if (status == 0 && !rest && p->part.size > 0)
        status = part_restart(&p->part, err, errlen);
    if (status == 0)
        status = part_room(&p->part, p->record.bytes - p->part.size, err, errlen);
    if (status == 0 && strcmp(p->record.etag, reply->etag) != 0) {
        memcpy(p->record.etag, reply->etag, sizeof reply->etag);
        p->written = false;
    }
    return status ? HTTP_FAILED : keep_record(p, err, errlen);
}

static int take_body(void *ud, const char *bytes, size_t len, char *err, size_t errlen)
{
    struct pull *p = ud;
    int64_t room = p->record.bytes - p->part.size;
    bool fits = (int64_t)len <= room;
    if (part_add(&p->part, bytes, fits ? len : (size_t)room, err, errlen) != 0)
        return HTTP_FAILED;
    return fits ? 0
                : say_to(err, errlen, HTTP_FAILED, "size mismatch: more than the file's %lld bytes",
                         (long long)p->record.bytes);
}

/* Requests what is missing, once. */
static int load_some(struct pull *p, char *err, size_t errlen)
{
    struct http_sink sink = {begin_body, take_body, go_on_loading, p->watcher->wake_fd, p};
    struct http_request req = request_of(p);
    struct http_reply reply;

    req.from = p->part.size;
    p->progress.phase = PROGRESS_LOADING;
    p->rate_ms = clock_ms();
    p->rate_bytes = p->part.size;
    int status = http_run(&req, &sink, &reply, err, errlen);
    bool refused = status == HTTP_FAILED && reply.status / 100 == 4;
    if (refused && p->place + 1 < p->places.n)
        return ELSEWHERE;
    if (status == 0 && p->part.size != p->record.bytes)
        status = say_to(err, errlen, HTTP_BROKEN, "%s: ended before the file did", reply.host);
    return status;
}

static bool pause_for(struct pull *p, double ms)
{
    struct pollfd wake = {.fd = p->watcher->wake_fd, .events = POLLIN};
    double end = clock_ms() + ms;
    bool go_on = true;
    p->progress.bytes_per_second = 0;
    while (clock_ms() < end && (go_on = tell(p, PROGRESS_PAUSING)))
        poll(&wake, 1, TELL_MS);
    return go_on;
}

/* Tries until the file is complete, or until several tries in a row were in vain. If nothing has
 * come at all, gives up at once. */
static int load(struct pull *p, char *err, size_t errlen)
{
    bool anew = false; /* it was restarted once */
    bool came = false; /* something came in this run */
    int status = 0;

    for (int in_vain = 0; p->part.size == 0 || p->part.size != p->record.bytes;) {
        int64_t before = p->part.size;
        status = load_some(p, err, errlen);
        if (status == 0)
            break;
        if (status == ELSEWHERE) {
            use_place(p, p->place + 1);
            continue;
        }
        if (status == RESTART && anew)
            status = say_to(err, errlen, HTTP_FAILED,
                            "the server does not know which bytes it sends");
        if (status == RESTART) {
            anew = true;
            if (part_restart(&p->part, err, errlen) != 0)
                return EXIT_NETWORK;
            continue;
        }
        if (status != HTTP_BROKEN)
            return exit_of_http(status, err, errlen);
        say_to(p->trouble, sizeof p->trouble, 0, "%s", err);
        in_vain = p->part.size - before >= LITTLE ? 0 : in_vain + 1;
        came = came || in_vain == 0;
        if (in_vain > (came ? p->req->tries : 0))
            return EXIT_NETWORK;
        int doubles = in_vain < PAUSE_DOUBLES ? in_vain : PAUSE_DOUBLES;
        if (in_vain > 0 && !pause_for(p, PAUSE_MS << (doubles - 1)))
            return stopped(err, errlen);
        p->trouble[0] = '\0';
    }
    return 0;
}

static int pull_file(struct pull *p, char *err, size_t errlen)
{
    const struct part_watcher watcher = {go_on_waiting, go_on_reading, p};
    int status = part_open(&p->part, p->req->folder, p->file->name, &watcher, err, errlen);
    if (status != 0)
        return status == PART_STOPPED ? stopped(err, errlen) : EXIT_NETWORK;
    status = look_at_target(p, err, errlen);
    if (status != 0 || p->result->was_here)
        return status;
    unlinkat(p->part.dir, p->part.bad, 0);
    status = look_at_part(p, err, errlen);
    if (status == 0 && p->record.bytes >= 0 &&
        part_room(&p->part, p->record.bytes - p->part.size, err, errlen) != 0)
        status = EXIT_NETWORK;
    if (status == 0)
        status = load(p, err, errlen);
    if (status == EXIT_NETWORK && p->part.size == p->record.bytes &&
        !part_is_right(&p->part, &p->record))
        part_restart(&p->part, err, errlen); /* the server had more: these bytes are in doubt */
    if (status == 0 && part_finish(&p->part, &p->record, err, errlen) != 0)
        status = EXIT_NETWORK;
    if (status != 0 && p->part.size == 0)
        model_record_remove(p->part.dir, p->file->name);
    return status;
}

int pull_run(const struct pull_request *req, const struct catalog_file *file,
             const struct pull_watcher *watcher, struct pull_result *result, char *err,
             size_t errlen)
{
    struct str name = {0};
    struct pull p = {.req = req,
                     .file = file,
                     .watcher = watcher,
                     .result = result,
                     .part = {.dir = -1, .fd = -1}};

    *result = (struct pull_result){0};
    str_addf(&name, "%s:%s", req->entry->name, req->entry->type);
    p.record = (struct model_record){.name = name.data,
                                     .repository = mem_strdup(req->entry->repository),
                                     .licence = mem_strdup(req->entry->licence),
                                     .bytes = -1};
    int status = pull_places_find(req, file, &p.places, err, errlen);
    if (status == 0)
        use_place(&p, 0);
    bool kept = status == 0 && is_kept(&p);
    if (status == 0 && !kept)
        status = learn_digest(&p, err, errlen);
    if (status == 0 && !kept) {
        status = pull_file(&p, err, errlen);
        part_close(&p.part);
    }
    memcpy(result->sha256, p.record.sha256, DIGEST_HEX);
    result->bytes = p.record.bytes;
    model_record_done(&p.record);
    pull_places_done(&p.places);
    return status;
}
