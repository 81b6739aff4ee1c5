/* cmd_models_change.c - `duet models rm` and `verify`. Nothing of another program's is ever
 * deleted. */
#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/exit.h"
#include "app/json_text.h"
#include "app/mem.h"
#include "app/models/cmd_models.h"
#include "app/models/partial.h"
#include "app/models/verify.h"
#include "app/numbers.h"
#include "app/progress.h"
#include "app/say.h"
#include "app/signals.h"

/* Facts */

void model_facts_read(const struct model_file *file, struct model_facts *out)
{
    *out = (struct model_facts){.record = {.bytes = -1}};
    char *weights = models_weights(file);
    if (weights && file->place == MODEL_OURS)
        model_record_of(weights, &out->record);
    if (weights)
        models_digest(file, weights, out->sha256);
    free(weights);
    const struct catalog_entry *entry = file->release >= 0
                                            ? catalog_find(releases[file->release].name)
                                            : NULL;
    out->licence = out->record.licence ? out->record.licence : entry ? entry->licence : NULL;
}

void model_facts_date(const struct model_facts *facts, char *out, size_t outlen)
{
    time_t when = (time_t)facts->record.verified;
    struct tm then;
    out[0] = '\0';
    if (when > 0 && localtime_r(&when, &then))
        strftime(out, outlen, "%Y-%m-%d %H:%M", &then);
}

/* rm */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Removes a link, not what it leads to. */
static int remove_path(const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return -1;
    return S_ISDIR(st.st_mode) ? nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT)
                               : unlink(path);
}

static void remove_beside(const char *path)
{
    static const char *const endings[] = {".json", ".part", ".bad"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct str beside = {0};
        str_addf(&beside, "%s%s", path, endings[i]);
        unlink(beside.data);
        str_done(&beside);
    }
}

static int remove_model(struct app *app, const struct model_file *file)
{
    struct str size = {0};
    struct stat st;
    bool link = lstat(file->path, &st) == 0 && S_ISLNK(st.st_mode);
    int status = 0;

    numbers_add_bytes(&size, file->bytes);
    if (!say_confirm(app->options.yes, "delete %s, %s, for good?", file->name,
                     link ? "only the link" : size.data)) {
        say_error("%s: kept", file->name);
        status = EXIT_ANSWER;
    } else if (remove_path(file->path) != 0) {
        say_error("%s: %s", file->path, strerror(errno));
        status = EXIT_ANSWER;
    } else {
        remove_beside(file->path);
        say_notice(app->options.quiet, "%s: deleted, %s", file->name,
                   link ? "the link" : size.data);
    }
    str_done(&size);
    return status;
}

/* Removes what an interrupted pull has left; false: there is nothing. */
static bool remove_rest(struct app *app, const char *name, int *status)
{
    const struct catalog_entry *e = catalog_find(name);
    char *models = app->paths.data ? paths_join(app->paths.data, "models") : NULL;
    struct partial rest;
    bool there = e && models && partial_find(models, e, &rest);
    if (there) {
        char *path = paths_join(models, catalog_path(e));
        struct str size = {0};
        numbers_add_bytes(&size, (uint64_t)(rest.bytes + rest.bad));
        *status = say_confirm(app->options.yes, "delete the %s that are here of %s:%s?", size.data,
                              e->name, e->type)
                      ? 0
                      : EXIT_ANSWER;
        if (*status == 0) {
            if (e->folder)
                remove_path(path);
            remove_beside(path);
            say_notice(app->options.quiet, "%s:%s: deleted, %s", e->name, e->type, size.data);
        } else {
            say_error("%s: kept", name);
        }
        free(path);
        str_done(&size);
    }
    free(models);
    return there;
}

int models_rm_one(struct app *app, const char *name, struct models_output *out)
{
    struct model_list list;
    int status = 0;
    (void)out;
    models_list(&app->paths, &list);
    const struct model_file *file = models_named(&list, name);
    if (file && file->place == MODEL_OURS) {
        status = remove_model(app, file);
    } else if (remove_rest(app, name, &status)) {
    } else if (!file) {
        say_error("%s: no such model (`duet models` lists them)", name);
        status = EXIT_MODEL;
    } else if (file->place == MODEL_SHIPPED) {
        say_error("%s: comes with duet, and stays", name);
        status = EXIT_USAGE;
    } else {
        say_error("%s: belongs to %s, and is left to it (%s)", name, models_keeper(file->place),
                  file->path);
        status = EXIT_USAGE;
    }
    models_list_done(&list);
    return status;
}

/* verify */

struct verifying {
    const struct model_file *file;
    struct progress_bar bar;
    double told_ms;
    int signal;
};

static bool go_on(void *ud, int64_t done)
{
    struct verifying *v = ud;
    struct progress progress = {
        .phase = PROGRESS_READING, .done = done, .total = (int64_t)v->file->bytes, .trouble = ""};
    if (clock_ms() - v->told_ms < 100)
        return true;
    v->told_ms = clock_ms();
    progress_bar_show(&v->bar, v->file->name, &progress);
    v->signal = signals_next_ending();
    return v->signal == 0;
}

static void add_verdict(const struct app *app, const struct model_file *file,
                        const struct digest_check *check, struct models_output *out)
{
    static const char *const words[] = {
        [DIGEST_RIGHT] = "right", [DIGEST_UNKNOWN] = "unknown", [DIGEST_DIFFERS] = "differs"};
    if (app->options.json) {
        json_t *object = json_pack("{s:o, s:s, s:s}", "name", json_text(file->name), "verdict",
                                   words[check->verdict], "sha256", check->found);
        if (check->expected[0])
            json_object_set_new(object, "expected", json_string(check->expected));
        char *line = json_dumps(object, 0);
        json_decref(object);
        str_addf(&out->text, "%s\n", line ? line : "");
        free(line);
    } else if (!app->options.quiet || check->verdict == DIGEST_DIFFERS) {
        str_add_padded(&out->text, file->name, out->width);
        str_addf(&out->text, "  %-7s  sha256 %s\n", words[check->verdict], check->found);
    }
}

/* Reports a wrong digest, with advice that depends on whose file it is. */
static int tell_difference(const struct model_file *file, const struct digest_check *check)
{
    if (file->place == MODEL_OURS)
        say_error("%s: sha256 differs (must be %.12s...); duet models rm %s, then pull it again",
                  file->name, check->expected, file->name);
    else if (file->place == MODEL_SHIPPED)
        say_error("%s: sha256 differs (must be %.12s...); it comes with duet: install that again",
                  file->name, check->expected);
    else
        say_error("%s: sha256 differs (must be %.12s...); %s keeps it", file->name, check->expected,
                  models_keeper(file->place));
    return EXIT_NETWORK;
}

int models_verify_one(struct app *app, const char *name, struct models_output *out)
{
    struct model_file file;
    struct digest_check check;
    char err[SAY_MAX];
    int status = models_find(&app->paths, name, &file, err, sizeof err);
    if (status != 0) {
        say_error("%s", err);
        return status;
    }
    struct verifying v = {.file = &file};
    progress_bar_init(&v.bar, &app->options);
    signals_catch();
    models_check(&file, go_on, &v, &check);
    progress_bar_clear(&v.bar);
    if (check.verdict == DIGEST_STOPPED) {
        status = EXIT_SIGNAL + v.signal;
    } else if (check.verdict == DIGEST_FAILED) {
        say_error("%s", check.err);
        status = EXIT_MODEL;
    } else {
        add_verdict(app, &file, &check, out);
        fwrite(str_get(&out->text), 1, out->text.len, stdout); /* the next may take long */
        fflush(stdout);
        str_clear(&out->text);
        if (check.verdict == DIGEST_DIFFERS)
            status = tell_difference(&file, &check);
    }
    model_file_done(&file);
    return status;
}
