/* cmd_pull.c - `duet pull`: reads the command line, and shows the progress on a terminal, in a log,
 * or as JSON lines for a program. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/cmd.h"
#include "app/digest.h"
#include "app/exit.h"
#include "app/json_text.h"
#include "app/mem.h"
#include "app/models/models.h"
#include "app/progress.h"
#include "app/pull/pull.h"
#include "app/say.h"
#include "app/signals.h"

enum {
    LINE_MS = 10000, /* between progress lines, if there is no bar */
    TOKEN_MAX = 1024,
    TRIES = 6,
};

struct puller {
    const struct app *app;
    struct str name; /* "llama:q8" */
    struct progress_bar bar;
    double said_ms;
    char trouble[SAY_MAX]; /* the last one that was shown */
    int status;            /* an exit status if something other than the download ended it */
};

/* Progress */

static void say_line(struct puller *p, const struct progress *progress)
{
    struct str words = {0};
    if (clock_ms() - p->said_ms < LINE_MS)
        return;
    p->said_ms = clock_ms();
    progress_add_words(&words, progress, ", ");
    say_notice(false, "%s: %s", p->name.data, str_get(&words));
    str_done(&words);
}

static void say_trouble(struct puller *p, const struct progress *progress)
{
    if (progress->trouble[0] && strcmp(progress->trouble, p->trouble) != 0) {
        progress_bar_clear(&p->bar);
        say_notice(p->app->options.quiet, "%s: %s; tries again", p->name.data, progress->trouble);
        snprintf(p->trouble, sizeof p->trouble, "%s", progress->trouble);
    }
}

/* JSON lines, each in one write, so that a reader that is gone is noticed at once. */
static void print_event(struct puller *p, json_t *object)
{
    char *line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!line)
        mem_fail();
    struct str whole = {0};
    str_addf(&whole, "%s\n", line);
    free(line);
    if (write(STDOUT_FILENO, whole.data, whole.len) != (ssize_t)whole.len && p->status == 0)
        p->status = errno == EPIPE ? EXIT_SIGNAL + SIGPIPE : EXIT_ANSWER;
    str_done(&whole);
}

static void print_progress(struct puller *p, const struct progress *progress)
{
    double left = progress_seconds_left(progress);
    json_t *object = json_pack("{s:s, s:s, s:s, s:I}", "event", "progress", "model", p->name.data,
                               "phase", progress_phase_names[progress->phase], "done",
                               (json_int_t)progress->done);
    if (progress->total >= 0)
        json_object_set_new(object, "total", json_integer(progress->total));
    if (progress->bytes_per_second >= 1)
        json_object_set_new(object, "bytes_per_second",
                            json_integer((json_int_t)progress->bytes_per_second));
    if (left >= 0)
        json_object_set_new(object, "seconds_left", json_integer((json_int_t)(left + 0.5)));
    if (progress->trouble[0])
        json_object_set_new(object, "trouble", json_text(progress->trouble));
    print_event(p, object);
}

static bool tell(void *ud, const struct progress *progress)
{
    struct puller *p = ud;
    int signal = signals_next_ending();
    if (signal != 0)
        p->status = EXIT_SIGNAL + signal;
    else if (p->app->options.json)
        print_progress(p, progress);
    else if (p->bar.possible)
        progress_bar_show(&p->bar, p->name.data, progress);
    else if (!p->app->options.quiet)
        say_line(p, progress);
    if (!p->app->options.json)
        say_trouble(p, progress);
    return p->status == 0;
}

/* Before and after */

static void say_begin(struct puller *p, const struct pull_request *req)
{
    const struct catalog_entry *e = req->entry;
    struct str size = {0};
    catalog_add_size(&size, e);
    if (!p->app->options.json)
        say_notice(p->app->options.quiet, "%s: %s (%s, %s)", p->name.data, catalog_path(e),
                   size.data, e->licence);
    str_done(&size);
    p->said_ms = clock_ms();
}

static int say_end(struct puller *p, const struct pull_request *req,
                   const struct pull_result *result, int status, const char *err)
{
    struct str path = {0};
    if (status == PULL_STOPPED)
        status = p->status;
    progress_bar_clear(&p->bar);
    str_addf(&path, "%s/%s", req->folder, catalog_path(req->entry));
    if (p->app->options.json && status == 0)
        print_event(p,
                    json_pack("{s:s, s:s, s:o, s:s, s:I, s:b}", "event", "done", "model",
                              p->name.data, "path", json_text(path.data), "sha256", result->sha256,
                              "bytes", (json_int_t)result->bytes, "was_here", result->was_here));
    else if (p->app->options.json && p->status == 0)
        print_event(p, json_pack("{s:s, s:s, s:i, s:o}", "event", "error", "model", p->name.data,
                                 "status", status, "error", json_text(err)));
    if (status != 0) {
        say_error("%s: %s", p->name.data, err);
    } else if (!p->app->options.json) {
        say_notice(p->app->options.quiet, "%s: %s %s", p->name.data,
                   result->was_here ? "is here already:" : "installed:", path.data);
        say_notice(p->app->options.quiet, "%s: sha256 %s, %s", p->name.data, result->sha256,
                   result->vouched);
    }
    str_done(&path);
    return status ? status : p->status;
}

/* The request */

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Its value is a secret, and never shown. */
static int take_token(struct pull_request *req)
{
    req->token = environment("HF_TOKEN");
    size_t n = 0;
    while (req->token && n <= TOKEN_MAX && req->token[n] > ' ' && req->token[n] < 0x7f)
        n++;
    if (!req->token || (n <= TOKEN_MAX && req->token[n] == '\0'))
        return 0;
    say_error(n > TOKEN_MAX ? "HF_TOKEN: too long for a token"
                            : "HF_TOKEN: a character that no token has");
    return EXIT_USAGE;
}

/* Capital letters are accepted: digests are copied from all sorts of pages. */
static int take_digest(const char *given, char hex[DIGEST_HEX])
{
    size_t len = strlen(given);
    for (size_t i = 0; i <= len && i < DIGEST_HEX; i++)
        hex[i] = given[i] >= 'A' && given[i] <= 'F' ? (char)(given[i] + 'a' - 'A') : given[i];
    hex[DIGEST_HEX - 1] = '\0';
    if (len == DIGEST_HEX - 1 && digest_is_hex(hex))
        return 0;
    say_error("--sha256: not 64 hexadecimal digits (got %zu characters)", len);
    return EXIT_USAGE;
}

static int prepare(const struct app *app, struct pull_request *req, char hex[DIGEST_HEX])
{
    const struct options *o = &app->options;
    const char *endpoint = environment("HF_ENDPOINT"), *ca = environment("CURL_CA_BUNDLE");

    *req = (struct pull_request){
        .endpoint = endpoint ? endpoint : "https://huggingface.co",
        .from = o->from,
        .sha256 = o->sha256 ? hex : NULL,
        .ca_file = ca ? ca : environment("SSL_CERT_FILE"),
        .patience_s = o->timeout_s > 0 ? o->timeout_s : 30,
        .tries = TRIES,
    };
    if (app->n_words == 0 || ((o->from || o->sha256) && app->n_words > 1)) {
        say_error("pull: %s", app->n_words ? "--from and --sha256 are for one model"
                                           : "no model named; deepseek and llama are known, each "
                                             "also with :q4, :q8 or :f16 behind its name");
        return EXIT_USAGE;
    }
    if (!app->paths.data) {
        say_error("models: no folder for them: %s", app->paths.problem);
        return EXIT_NETWORK;
    }
    int status = take_token(req);
    return status == 0 && o->sha256 ? take_digest(o->sha256, hex) : status;
}

/* A file that another program has downloaded serves as well, in its place. */
static bool is_elsewhere(struct puller *p, const char *name)
{
    struct model_list list;
    models_list(&p->app->paths, &list);
    const struct model_file *file = models_named(&list, name);
    bool found = file && file->place >= MODEL_HUGGING_FACE;
    if (found && p->app->options.json)
        print_event(p, json_pack("{s:s, s:s, s:o, s:I, s:b}", "event", "done", "model", file->name,
                                 "path", json_text(file->path), "bytes", (json_int_t)file->bytes,
                                 "was_here", 1));
    else if (found)
        say_notice(p->app->options.quiet, "%s: is on this machine already, kept by %s: %s",
                   file->name, models_keeper(file->place), file->path);
    models_list_done(&list);
    return found;
}

static int pull_one(const struct app *app, struct pull_request *req, const char *name)
{
    struct puller p = {.app = app};
    struct pull_watcher watcher = {tell, signals_fd(), &p};
    struct pull_result result;
    const char *offline = environment("HF_HUB_OFFLINE");
    bool any = !app->options.from && !app->options.sha256;
    char err[512] = "";

    req->entry = catalog_find(name);
    if (!req->entry) {
        say_error("%s: not a model that can be pulled (deepseek and llama, with :q4, :q8 or :f16)",
                  name);
        return EXIT_USAGE;
    }
    if (any && is_elsewhere(&p, name))
        return p.status;
    if (offline && strcmp(offline, "0") != 0) {
        say_error("%s: HF_HUB_OFFLINE is set", name);
        return EXIT_NETWORK;
    }
    progress_bar_init(&p.bar, &app->options);
    str_addf(&p.name, "%s:%s", req->entry->name, req->entry->type);
    say_begin(&p, req);
    int status = pull_model(req, &watcher, &result, err, sizeof err);
    status = say_end(&p, req, &result, status, err);
    str_done(&p.name);
    return status;
}

int cmd_pull(struct app *app)
{
    struct pull_request req;
    char hex[DIGEST_HEX];
    int status = prepare(app, &req, hex);
    if (status != 0)
        return status;
    signals_catch();
    char *folder = paths_join(app->paths.data, "models");
    req.folder = folder;
    for (size_t i = 0; status == 0 && i < app->n_words; i++)
        status = pull_one(app, &req, app->words[i]);
    free(folder);
    return status;
}
