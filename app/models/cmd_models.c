/* cmd_models.c - `duet models`: lists what is installed and shows its origin; the commands that
 * change or check it are in cmd_models_change.c. */
#include <jansson.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/exit.h"
#include "app/json_text.h"
#include "app/mem.h"
#include "app/models/cmd_models.h"
#include "app/models/models.h"
#include "app/models/partial.h"
#include "app/numbers.h"
#include "app/say.h"

/* ls */

static int widest(int width, const char *name)
{
    int columns = str_columns(name);
    return columns > width ? columns : width;
}

static void add_table(const struct model_list *list, struct str *out)
{
    const struct model_file *first = models_default(list);
    int width = 0;
    for (size_t i = 0; i < list->count; i++)
        width = widest(width, list->items[i].name);
    for (size_t i = 0; i < list->count; i++) {
        const struct model_file *file = &list->items[i];
        struct str size = {0};
        numbers_add_bytes(&size, file->bytes);
        str_adds(out, file == first ? "* " : "  ");
        str_add_padded(out, file->name, width);
        str_addf(out, "  %8s  ", size.data);
        str_add_visible(out, file->path, strlen(file->path), false);
        if (file->place >= MODEL_HUGGING_FACE)
            str_addf(out, "  (%s)", models_keeper(file->place));
        str_adds(out, "\n");
        str_done(&size);
    }
}

/* Byte for byte into a pipe; escaped on a terminal. */
static void add_names(const struct model_list *list, struct str *out)
{
    bool shown = isatty(STDOUT_FILENO);
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i].name;
        if (shown)
            str_add_visible(out, name, strlen(name), false);
        else
            str_adds(out, name);
        str_adds(out, "\n");
    }
}

static json_t *json_of(const struct model_file *file, bool first)
{
    json_t *object = json_pack("{s:o, s:o, s:I, s:b, s:b, s:s}", "name", json_text(file->name),
                               "path", json_text(file->path), "bytes", (json_int_t)file->bytes,
                               "demo", file->demo, "default", first, "keeper",
                               models_keeper(file->place));
    if (!object)
        mem_fail();
    if (file->type[0])
        json_object_set_new(object, "type", json_string(file->type));
    return object;
}

static void add_line(json_t *value, struct str *out)
{
    char *line = json_dumps(value, 0);
    json_decref(value);
    if (!line)
        mem_fail();
    str_addf(out, "%s\n", line);
    free(line);
}

static int list(struct app *app, struct str *out)
{
    struct model_list list;
    struct str rest = {0};
    int status = 0;

    models_list(&app->paths, &list);
    if (app->options.json) {
        json_t *array = json_array();
        for (size_t i = 0; i < list.count; i++)
            json_array_append_new(array,
                                  json_of(&list.items[i], &list.items[i] == models_default(&list)));
        add_line(array, out);
    } else if (app->options.quiet) {
        add_names(&list, out);
    } else {
        add_table(&list, out);
    }
    if (list.count == 0 && !app->options.json) {
        say_error("models: none installed");
        status = EXIT_MODEL;
    }
    models_list_done(&list);
    partial_add_hint(&app->paths, "duet pull", &rest);
    if (rest.len > 0)
        say_notice(app->options.quiet || app->options.json, "%s", rest.data);
    str_done(&rest);
    return status;
}

/* show */

static void add_row(struct str *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    str_addf(out, "%-11s ", name);
    str_add_visible(out, value, strlen(value), false);
    str_adds(out, "\n");
}

/* What is known about a file, from its record or from its name among blobs. */
static void add_facts(const struct model_file *file, const struct model_facts *facts,
                      struct str *out)
{
    struct str size = {0};
    char when[32] = "";
    numbers_add_bytes(&size, file->bytes);
    str_addf(&size, " (%llu bytes)", (unsigned long long)file->bytes);
    model_facts_date(facts, when, sizeof when);
    add_row(out, "name", file->name);
    add_row(out, "type", file->type);
    add_row(out, "path", file->path);
    add_row(out, "size", size.data);
    add_row(out, "kept by",
            file->place == MODEL_SHIPPED ? "duet, comes with it" : models_keeper(file->place));
    add_row(out, "repository", facts->record.repository);
    add_row(out, "from", facts->record.url);
    add_row(out, "licence", facts->licence);
    add_row(out, "sha256", facts->sha256);
    add_row(out, "verified", when);
    str_done(&size);
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value && *value)
        json_object_set_new(object, key, json_text(value));
}

static int show_one(struct app *app, const char *name, struct models_output *to)
{
    struct str *out = &to->text;
    struct model_file file;
    struct model_facts facts;
    char err[SAY_MAX];
    int status = models_find(&app->paths, name, &file, err, sizeof err);
    if (status != 0) {
        say_error("%s", err);
        return status;
    }
    model_facts_read(&file, &facts);
    if (app->options.json) {
        json_t *object = json_of(&file, false);
        json_object_del(object, "default");
        set_text(object, "repository", facts.record.repository);
        set_text(object, "url", facts.record.url);
        set_text(object, "licence", facts.licence);
        set_text(object, "sha256", facts.sha256);
        if (facts.record.verified > 0)
            json_object_set_new(object, "verified", json_integer(facts.record.verified));
        add_line(object, out);
    } else {
        str_adds(out, out->len > 0 ? "\n" : "");
        add_facts(&file, &facts, out);
    }
    model_record_done(&facts.record);
    model_file_done(&file);
    return 0;
}

/* The table */

static const struct {
    const char *word;
    int (*each)(struct app *app, const char *name, struct models_output *out);
    bool all; /* without a name, for all of them */
} words[] = {
    {"show", show_one, false}, {"rm", models_rm_one, false}, {"verify", models_verify_one, true}};
enum { N_WORDS = sizeof words / sizeof *words };

static int run_each(struct app *app, int word, struct models_output *out)
{
    struct model_list all;
    int worst = 0;
    models_list(&app->paths, &all);
    for (size_t i = 1; i < app->n_words; i++) {
        const struct model_file *file = models_named(&all, app->words[i]);
        out->width = widest(out->width, file ? file->name : app->words[i]);
    }
    models_list_done(&all);
    for (size_t i = 1; i < app->n_words && worst <= EXIT_SIGNAL; i++) {
        int status = words[word].each(app, app->words[i], out);
        worst = status ? status : worst;
    }
    return worst;
}

static int run_all(struct app *app, int word, struct models_output *out)
{
    struct model_list all;
    int worst = 0;
    models_list(&app->paths, &all);
    for (size_t i = 0; i < all.count; i++)
        out->width = widest(out->width, all.items[i].name);
    for (size_t i = 0; i < all.count && worst <= EXIT_SIGNAL; i++) {
        int status = words[word].each(app, all.items[i].name, out);
        worst = status ? status : worst;
    }
    models_list_done(&all);
    return worst;
}

static int run(struct app *app, struct models_output *out)
{
    const char *word = app->n_words > 0 ? app->words[0] : "ls";
    for (int i = 0; i < N_WORDS; i++) {
        if (strcmp(word, words[i].word) != 0)
            continue;
        if (app->n_words > 1)
            return run_each(app, i, out);
        if (words[i].all)
            return run_all(app, i, out);
        say_error("models %s: no model named", word);
        return EXIT_USAGE;
    }
    if (strcmp(word, "ls") == 0 && app->n_words <= 1)
        return list(app, &out->text);
    say_error("models: unknown argument (got %s, limit ls, show, rm, verify)",
              app->words[app->n_words - 1]);
    return EXIT_USAGE;
}

int cmd_models(struct app *app)
{
    struct models_output out = {0};
    int status = run(app, &out);
    fwrite(str_get(&out.text), 1, out.text.len, stdout);
    int sent = say_flush();
    str_done(&out.text);
    return sent ? sent : status;
}
