/* batch.c - `duet batch`: a line of JSON in, a line of JSON out, many at a time.
 *
 * Lines become jobs, which the engine answers together; what is read ahead is bounded, so an input
 * without end is fine. A job keeps its place in the line of jobs until its answer is written: in
 * the order of the input, or as the answers come. Nothing of a batch goes to the history. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/batch/jobs.h"
#include "app/batch/line.h"
#include "app/batch/progress.h"
#include "app/batch/resume.h"
#include "app/chat/notices.h"
#include "app/chat/request.h"
#include "app/clock.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/lines.h"
#include "app/mem.h"
#include "app/models/models.h"
#include "app/models/running.h"
#include "app/outlet.h"
#include "app/say.h"
#include "app/signals.h"

enum {
    AHEAD = 4,               /* jobs per engine slot, queued behind an older one that is not done */
    UNSENT = 4 * 1024 * 1024 /* bytes of output; while more is pending no job starts */
};

struct batch_job {
    struct job job; /* first */
    struct batch_line line;
};

struct batch {
    const struct options *options;
    const struct paths *paths;
    struct model_file file;
    struct engine *engine;
    struct batch_defaults defaults;
    struct response_format format;
    char date[32];

    struct lines in;
    uint64_t in_size; /* in bytes; 0: unknown */
    bool in_ended;
    struct outlet out;
    struct resume resume;

    struct jobs jobs; /* in the order of the input */
    struct batch_progress progress;
    struct running running; /* publishes state for `duet ps` */
    char err[512];
};

/* Jobs */

static void job_free(struct batch_job *job)
{
    batch_line_done(&job->line);
    job_result_done(&job->job.result);
    free(job);
}

static void begin_job(struct batch *b, const char *text, size_t len)
{
    struct batch_job *job = mem_alloc(sizeof *job);
    char why[256];

    job->line.number = b->in.number;
    int status = batch_line_read(&job->line, text, len, &b->defaults, why, sizeof why);
    if (status == 0 && resume_has(&b->resume, job->line.id)) {
        b->progress.n_skipped++;
        job_free(job);
        return;
    }
    jobs_add(&b->jobs, &job->job);
    if (status != 0)
        job_fail(&job->job, ENGINE_EINPUT, why);
    else
        jobs_submit(&b->jobs, &job->job, &job->line.request);
}

static bool is_blank(const char *text, size_t len)
{
    str_trim(text, &len);
    return len == 0;
}

/* Starts as many jobs as there is room for. True if that needs more input. */
static bool begin_jobs(struct batch *b)
{
    const char *text;
    size_t len;

    while (!b->in_ended && jobs_have_room(&b->jobs, AHEAD) && b->out.pending.len < UNSENT) {
        switch (lines_next(&b->in, &text, &len)) {
        case LINES_LINE:
            if (!is_blank(text, len))
                begin_job(b, text, len);
            break;
        case LINES_TOO_LONG: begin_job(b, NULL, 0); break;
        case LINES_WAIT: return true;
        case LINES_END: b->in_ended = true; break;
        }
    }
    return false;
}

/* What the engine says */

static void tell(struct batch *b, enum running_state state)
{
    struct running_model row = running_model_of(b->engine, b->file.name, state);
    running_publish(&b->running, b->paths, "batch", &row, 1);
}

static void take_events(struct batch *b)
{
    if (jobs_take_events(&b->jobs))
        tell(b, RUNNING_ANSWERING);
}

/* Writing */

static void write_job(struct batch *b, const struct batch_job *job)
{
    struct batch_progress *p = &b->progress;
    const struct job_result *result = &job->job.result;
    batch_line_write(&job->line, result, b->file.name, &b->out.pending);
    p->n_failed += result->error_text[0] != '\0';
    p->n_done++;
    p->tokens += result->usage.completion_tokens;
}

/* Writes every finished job whose turn it is; with any_order all finished ones. */
static void write_jobs(struct batch *b, bool any_order)
{
    for (struct job **at = &b->jobs.first; *at;) {
        if (!(*at)->done && !any_order)
            return;
        if (!(*at)->done) {
            at = &(*at)->next;
            continue;
        }
        struct batch_job *job = (struct batch_job *)jobs_take(&b->jobs, at);
        write_job(b, job);
        job_free(job);
    }
}

/* The loop */

static void wait_for_something(struct batch *b, bool wants_input)
{
    struct pollfd fds[4] = {{.fd = engine_wake_fd(b->engine), .events = POLLIN},
                            {.fd = signals_fd(), .events = POLLIN}};
    size_t n = 2;
    int in = -1, out = -1;

    if (wants_input) {
        in = (int)n;
        fds[n++] = (struct pollfd){.fd = b->in.fd, .events = POLLIN};
    }
    if (outlet_is_waiting(&b->out)) {
        out = (int)n;
        fds[n++] = (struct pollfd){.fd = b->out.fd, .events = POLLOUT};
    }
    poll(fds, n, batch_progress_due_ms(&b->progress));
    if (in >= 0 && fds[in].revents)
        lines_feed(&b->in);
    if (out >= 0 && fds[out].revents)
        outlet_send(&b->out);
}

/* Size of the input; 0: unknown. */
static double share_done(const struct batch *b)
{
    uint64_t taken = b->in.bytes - (b->in.held.len - b->in.at);
    int64_t done = b->progress.n_done + b->progress.n_skipped;
    if (b->in_size == 0 || done == 0)
        return 0;
    return (double)taken / (double)b->in_size * (double)done / (double)(done + (int64_t)b->jobs.n);
}

static bool is_over(const struct batch *b)
{
    return (b->in_ended || b->jobs.fatal) && b->jobs.n_running == 0 && !b->jobs.first &&
           !outlet_is_waiting(&b->out);
}

/* Starts and writes what it can; jobs that fail at once make room for more. True if more input is
 * needed. */
static bool move_jobs(struct batch *b)
{
    bool wants_input;
    size_t n;
    do {
        wants_input = begin_jobs(b);
        n = b->jobs.n;
        write_jobs(b, b->options->unordered);
    } while (!wants_input && b->jobs.n < n);
    return wants_input;
}

static int loop(struct batch *b)
{
    for (;;) {
        take_events(b);
        bool wants_input = move_jobs(b);
        batch_progress_show(&b->progress, share_done(b));
        if (b->out.error)
            return outlet_failure(&b->out, b->err, sizeof b->err);
        if (is_over(b))
            return 0;
        wait_for_something(b, wants_input);
        int signal = signals_next_ending();
        if (signal != 0) {
            take_events(b);
            write_jobs(b, true);
            return EXIT_SIGNAL + signal;
        }
    }
}

/* Beginning and end */

static int open_input(struct batch *b, const struct app *app)
{
    const char *name = app->n_words > 0 ? app->words[0] : "-";
    struct stat st;
    int fd = STDIN_FILENO;

    if (app->n_words > 1)
        return say_to(b->err, sizeof b->err, EXIT_USAGE, "batch: more than one file (got %s)",
                      app->words[1]);
    if (strcmp(name, "-") != 0 && (fd = open(name, O_RDONLY | O_CLOEXEC)) < 0)
        return say_to(b->err, sizeof b->err, EXIT_USAGE, "%s: %s", name, strerror(errno));
    lines_init(&b->in, fd);
    if (fd == STDIN_FILENO && isatty(fd))
        return say_to(b->err, sizeof b->err, EXIT_USAGE,
                      "batch: no file named, and standard input is a terminal");
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return say_to(b->err, sizeof b->err, EXIT_USAGE, "%s: %s", name, strerror(EISDIR));
    if (S_ISREG(st.st_mode))
        b->in_size = (uint64_t)st.st_size;
    return 0;
}

static int open_output(struct batch *b)
{
    const char *path = b->options->resume_from;
    b->resume.fd = -1;
    int status = path ? resume_open(&b->resume, path, b->err, sizeof b->err) : 0;
    outlet_init(&b->out, b->resume.fd >= 0 ? b->resume.fd : STDOUT_FILENO);
    if (path)
        b->out.name = path;
    return status;
}

static int open_model(struct batch *b, const struct app *app)
{
    const struct options *o = b->options;
    int status = models_find(&app->paths, o->model, &b->file, b->err, sizeof b->err);
    if (status != 0)
        return status;
    if ((status = response_format_read(&b->format, o, b->err, sizeof b->err)) != 0)
        return status;
    struct engine_options options = options_engine(o, b->file.path);
    options.n_parallel = o->n_parallel > 0 ? (int)o->n_parallel : ENGINE_PARALLEL_BEST;
    status = engine_open(&b->engine, &options, b->err, sizeof b->err);
    if (status != 0)
        return exit_of_engine(status);
    notice_kv_type(o, b->engine);
    jobs_init(&b->jobs, b->engine, b->file.name);
    tell(b, RUNNING_LOADING);
    return 0;
}

static void set_defaults(struct batch *b)
{
    request_date(b->options, b->date, sizeof b->date);
    b->defaults = (struct batch_defaults){b->options, engine_info(b->engine), b->file.name, b->date,
                                          &b->format};
}

static int finish(struct batch *b, int status)
{
    char err[256];
    int sent = outlet_finish(&b->out, err, sizeof err);
    if (status == 0)
        status = sent;
    if (status == sent && err[0])
        memcpy(b->err, err, sizeof err);
    if (status == 0 && b->in.error)
        status = say_to(b->err, sizeof b->err, EXIT_USAGE, "input: %s", strerror(b->in.error));
    if (status == 0 && b->jobs.fatal) {
        memcpy(b->err, b->jobs.err, sizeof b->err);
        status = b->jobs.fatal;
    }
    batch_progress_end(&b->progress);
    if (status == 0 && b->progress.n_failed > 0)
        status = EXIT_ANSWER;
    return status;
}

int cmd_batch(struct app *app)
{
    struct batch b = {.options = &app->options,
                      .paths = &app->paths,
                      .in.fd = -1,
                      .resume.fd = -1,
                      .running.fd = -1};

    if (signals_catch() != 0) {
        say_error("signals: %m");
        return EXIT_DEVICE;
    }
    int status = open_input(&b, app);
    if (status == 0)
        status = open_model(&b, app);
    if (status == 0)
        status = open_output(&b);
    if (status == 0) {
        set_defaults(&b);
        batch_progress_begin(&b.progress, "batch", NULL, app->options.quiet);
        status = finish(&b, loop(&b));
    }
    if (b.err[0])
        say_error("%s", b.err);
    running_done(&b.running);
    engine_close(b.engine);
    response_format_done(&b.format);
    while (b.jobs.first)
        job_free((struct batch_job *)jobs_take(&b.jobs, &b.jobs.first));
    outlet_done(&b.out);
    resume_close(&b.resume);
    lines_done(&b.in);
    if (b.in.fd > STDIN_FILENO)
        close(b.in.fd);
    model_file_done(&b.file);
    return status;
}
