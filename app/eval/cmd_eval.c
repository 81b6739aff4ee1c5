/* cmd_eval.c - `duet eval`: scores models on a file of problems. See eval.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/eval/eval.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/signals.h"

static int open_problems(struct eval *e)
{
    const struct app *app = e->app;
    if (app->n_words == 0)
        return say_to(e->err, sizeof e->err, EXIT_USAGE,
                      "eval: no file of problems named (`duet eval school` takes duet's own)");
    if (app->n_words > 1)
        return say_to(e->err, sizeof e->err, EXIT_USAGE, "eval: more than one file (got %s)",
                      app->words[1]);
    char *path = eval_find_file(&app->paths, app->words[0]);
    int status = eval_problems_read(&e->problems, path, e->err, sizeof e->err);
    const char *slash = strrchr(path, '/');
    e->set = mem_strdup(slash ? slash + 1 : path);
    free(path);
    return status;
}

static int add_model(struct eval *e, const char *name)
{
    e->models = mem_realloc(e->models, (e->n_models + 1) * sizeof *e->models);
    struct eval_model *m = &e->models[e->n_models];
    *m = (struct eval_model){0};
    int status = models_find(&e->app->paths, name, &m->file, e->err, sizeof e->err);
    if (status != 0)
        return status;
    e->n_models++;
    m->answers = mem_alloc(e->problems.n * (size_t)e->n_samples * sizeof *m->answers);
    for (size_t i = 0; i + 1 < e->n_models; i++)
        if (strcmp(e->models[i].file.path, m->file.path) == 0)
            return say_to(e->err, sizeof e->err, EXIT_USAGE, "--model: %s: named twice",
                          m->file.name);
    return 0;
}

/* Comma-separated names; without any, the default model. */
static int find_models(struct eval *e)
{
    const char *at = e->app->options.model;
    if (!at)
        return add_model(e, NULL);
    for (;;) {
        size_t len = strcspn(at, ",");
        struct str name = {0};
        str_add(&name, at, len);
        int status = add_model(e, str_get(&name));
        str_done(&name);
        if (status != 0 || !at[len])
            return status;
        at += len + 1;
    }
}

/* Whether the problems lie in a folder of the user's, where their transcripts may lie too: not in a
 * pipe, and not among what was installed. */
static bool is_at_home(const struct eval *e, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str folder = {0};
    struct stat st;
    bool named = strcmp(path, e->app->words[0]) == 0;
    str_add(&folder, slash ? path : ".", slash ? (size_t)(slash - path) + 1 : 1);
    bool home = named && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
                access(folder.data, W_OK) == 0;
    str_done(&folder);
    return home;
}

/* Next to the problems, else in the user's data folder. The caller's. */
static char *transcripts_path(const struct eval *e)
{
    const struct options *o = &e->app->options;
    if (o->transcripts)
        return mem_strdup(o->transcripts);

    struct str path = {0};
    char *problems = eval_find_file(&e->app->paths, e->app->words[0]);
    const char *slash = strrchr(problems, '/');
    size_t stem = strlen(e->set);
    if (stem > 6 && strcmp(e->set + stem - 6, ".jsonl") == 0)
        stem -= 6;
    if (is_at_home(e, problems)) {
        str_add(&path, problems, slash ? (size_t)(slash - problems) + 1 : 0);
    } else if (e->app->paths.data) {
        str_addf(&path, "%s/eval", e->app->paths.data);
        paths_make_folder(path.data);
        str_adds(&path, "/");
    }
    str_add(&path, e->set, stem);
    str_adds(&path, ".eval.jsonl");
    free(problems);
    return path.data;
}

static int open_transcripts(struct eval *e)
{
    char *path = transcripts_path(e);
    int status = eval_store_open(&e->store, path, e->err, sizeof e->err);
    if (status == 0)
        say_notice(e->app->options.quiet, "eval: transcripts: %s", path);
    free(path);
    return status;
}

static int run_models(struct eval *e)
{
    int status = 0;
    for (size_t i = 0; i < e->n_models && status == 0; i++)
        status = eval_run(e, &e->models[i]);
    if (status > EXIT_SIGNAL)
        say_notice(e->app->options.quiet, "eval: stopped; the same command resumes it");
    return status;
}

static int show(struct eval *e)
{
    const struct options *o = &e->app->options;
    struct str text = {0};
    int status = 0;
    if (o->html) {
        eval_add_html(e, &text);
        status = eval_report_write(o->html, &text, e->err, sizeof e->err);
        if (status == 0)
            say_notice(o->quiet, "eval: report: %s", o->html);
        str_clear(&text);
    }
    if (o->json)
        eval_add_json(e, &text);
    else
        eval_add_table(e, &text);
    fwrite(text.data, 1, text.len, stdout);
    str_done(&text);
    int written = say_flush();
    return status != 0 ? status : written;
}

static bool any_failed(const struct eval *e)
{
    for (size_t m = 0; m < e->n_models; m++)
        for (size_t i = 0; i < e->problems.n * (size_t)e->n_samples; i++)
            if (e->models[m].answers[i].failed)
                return true;
    return false;
}

static void eval_done(struct eval *e)
{
    for (size_t m = 0; m < e->n_models; m++) {
        for (size_t i = 0; i < e->problems.n * (size_t)e->n_samples; i++)
            eval_answer_done(&e->models[m].answers[i]);
        free(e->models[m].answers);
        model_file_done(&e->models[m].file);
    }
    free(e->models);
    free(e->set);
    eval_store_close(&e->store);
    eval_problems_done(&e->problems);
}

int cmd_eval(struct app *app)
{
    struct eval e = {.app = app, .store.fd = -1, .n_samples = (int)app->options.n_samples};
    int status = 0;

    if (signals_catch() != 0) {
        say_error("signals: %m");
        return EXIT_DEVICE;
    }
    if (app->options.html)
        status = eval_report_check(app->options.html, e.err, sizeof e.err);
    if (status == 0)
        status = open_problems(&e);
    if (status == 0)
        status = find_models(&e);
    if (status == 0)
        status = open_transcripts(&e);
    if (status == 0)
        status = run_models(&e);
    if (status == 0)
        status = show(&e);
    if (status == 0 && any_failed(&e))
        status = EXIT_ANSWER;
    if (e.err[0])
        say_error("%s", e.err);
    eval_done(&e);
    return status;
}
