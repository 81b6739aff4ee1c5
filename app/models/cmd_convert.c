/* cmd_convert.c - `duet convert`: a model as a GGUF file in another number format. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/models/models.h"
#include "app/numbers.h"
#include "app/say.h"
#include "app/signals.h"
#include "app/str.h"

enum { EVERY_MS = 100, BAR = 24 };

struct conversion {
    bool on_terminal, shown;
    double began_ms, shown_ms;
    uint64_t bytes;
    int n_tensors;
    int n_others;             /* in another format than wanted: */
    char first[72], last[72]; /* tensors */
    struct str wanted, got;   /* formats: "Q4_K or Q6_K" */
    int signal;               /* that ended it; 0: none */
};

static void wipe(struct conversion *c)
{
    if (c->shown)
        fputs("\r\033[K", stderr);
    c->shown = false;
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "[######..................] 25% · 475 MB of 1.9 GB · blk.3.attn_q.weight", or what fits of it. */
static void show(struct conversion *c, const struct engine_convert_step *s)
{
    struct str line = {0};
    double now = clock_ms(), share = (double)s->done / (double)s->total;
    int full = (int)(share * BAR), width = terminal_width();

    if (!c->on_terminal || (c->shown && now < c->shown_ms + EVERY_MS))
        return;
    c->shown_ms = now;
    if (width >= 60)
        str_addf(&line, "[%.*s%.*s] ", full, "########################", BAR - full,
                 "........................");
    str_addf(&line, "%2.0f%%", 100 * share);
    if (width >= 40) {
        str_adds(&line, " \xc2\xb7 ");
        numbers_add_bytes(&line, s->done);
        str_adds(&line, " of ");
        numbers_add_bytes(&line, s->total);
    }
    if (width >= 80)
        str_addf(&line, " \xc2\xb7 %.28s", s->tensor);
    wipe(c);
    fputs(line.data, stderr);
    fflush(stderr);
    c->shown = true;
    str_done(&line);
}

static void add_name(struct str *list, const char *name)
{
    if (strstr(str_get(list), name))
        return;
    str_addf(list, "%s%s", list->len > 0 ? " or " : "", name);
}

static bool step(void *ud, const struct engine_convert_step *s)
{
    struct conversion *c = ud;
    c->bytes = s->total;
    c->n_tensors += s->begins;
    if (s->instead) {
        snprintf(c->last, sizeof c->last, "%s", s->tensor);
        if (c->n_others++ == 0)
            memcpy(c->first, c->last, sizeof c->first);
        add_name(&c->wanted, s->instead);
        add_name(&c->got, s->type);
    }
    show(c, s);
    c->signal = signals_next_ending();
    return c->signal == 0;
}

static void tell_others(const struct conversion *c, bool quiet)
{
    if (c->n_others == 1)
        say_notice(quiet, "%s is in %s: its rows do not divide into blocks of %s", c->first,
                   c->got.data, c->wanted.data);
    if (c->n_others > 1)
        say_notice(quiet,
                   "%d tensors, %s to %s, are in %s: their rows do not divide into blocks of %s",
                   c->n_others, c->first, c->last, c->got.data, c->wanted.data);
}

static void print_result(const struct conversion *c, const char *path)
{
    struct str line = {0};
    str_add_visible(&line, path, strlen(path), false);
    str_adds(&line, ": ");
    numbers_add_bytes(&line, c->bytes);
    str_addf(&line, ", %d tensors, %.1f s\n", c->n_tensors, (clock_ms() - c->began_ms) / 1e3);
    fwrite(line.data, 1, line.len, stdout);
    str_done(&line);
}

static int convert(const struct options *o, struct conversion *c, const char *from, const char *to)
{
    const struct engine_convert request = {
        .model_path = from,
        .out_path = to,
        .type = (enum engine_convert_type)o->convert_type,
        .replace = o->force,
        .n_threads = (int)o->n_threads,
        .step = step,
        .ud = c,
    };
    char err[512];

    int rc = engine_convert(&request, err, sizeof err);
    wipe(c);
    fflush(stderr);
    if (rc == ENGINE_ECANCEL)
        return EXIT_SIGNAL + c->signal;
    if (rc != 0) {
        say_error("%s", err);
        return exit_of_engine(rc);
    }
    tell_others(c, o->quiet);
    if (!o->quiet)
        print_result(c, to);
    return say_flush();
}

int cmd_convert(struct app *app)
{
    struct model_file file;
    struct stat there;
    char err[512];

    if (app->n_words != 2) {
        say_error("convert: needs a model and the file to write (got %zu word%s)", app->n_words,
                  app->n_words == 1 ? "" : "s");
        return EXIT_USAGE;
    }
    if (strcmp(app->words[1], "-") == 0) {
        say_error("convert: -: needs a file, which standard output is not (./- is one)");
        return EXIT_USAGE;
    }
    if (!app->options.force && lstat(app->words[1], &there) == 0) {
        say_error("%s: exists already%s", app->words[1],
                  S_ISREG(there.st_mode) ? "; --force replaces it" : "");
        return EXIT_ANSWER;
    }
    int status = models_find(&app->paths, app->words[0], &file, err, sizeof err);
    if (status != 0) {
        say_error("%s", err);
        return status;
    }
    struct conversion c = {.on_terminal = !app->options.quiet && isatty(STDERR_FILENO),
                           .began_ms = clock_ms()};
    if (signals_catch() == 0) {
        status = convert(&app->options, &c, file.path, app->words[1]);
    } else {
        say_error("signals: %m");
        status = EXIT_DEVICE;
    }
    str_done(&c.wanted);
    str_done(&c.got);
    model_file_done(&file);
    return status;
}
