/* cmd_models.c - `duet models`: what is installed. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/models.h"
#include "app/numbers.h"
#include "app/say.h"

static void add_table(const struct model_list *list, struct str *out)
{
    const struct model_file *first = models_default(list);
    size_t width = 0;
    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->items[i].name) > width)
            width = strlen(list->items[i].name);
    for (size_t i = 0; i < list->count; i++) {
        const struct model_file *file = &list->items[i];
        struct str size = {0};
        numbers_add_bytes(&size, file->bytes);
        str_addf(out, "%c %-*s  %8s  ", file == first ? '*' : ' ', (int)width, file->name,
                 size.data);
        str_add_visible(out, file->path, strlen(file->path), false);
        str_adds(out, "\n");
        str_done(&size);
    }
}

static void add_names(const struct model_list *list, struct str *out)
{
    for (size_t i = 0; i < list->count; i++)
        str_addf(out, "%s\n", list->items[i].name);
}

static void add_json(const struct model_list *list, struct str *out)
{
    const struct model_file *first = models_default(list);
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const struct model_file *file = &list->items[i];
        json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:b, s:b}", "name", file->name,
                                               "path", file->path, "bytes", (json_int_t)file->bytes,
                                               "demo", file->demo, "default", file == first));
    }
    char *line = json_dumps(array, 0);
    json_decref(array);
    if (!line)
        mem_fail();
    str_addf(out, "%s\n", line);
    free(line);
}

int cmd_models(struct app *app)
{
    struct model_list list;
    struct str out = {0};
    int status = 0;

    if (app->n_words > 1 || (app->n_words == 1 && strcmp(app->words[0], "ls") != 0)) {
        say_error("models: unknown argument (got %s, limit ls)", app->words[app->n_words - 1]);
        return EXIT_USAGE;
    }
    models_list(&app->paths, &list);
    if (app->options.json)
        add_json(&list, &out);
    else if (app->options.quiet)
        add_names(&list, &out);
    else
        add_table(&list, &out);
    if (list.count == 0 && !app->options.json) {
        say_error("models: none installed");
        status = EXIT_MODEL;
    }
    fwrite(str_get(&out), 1, out.len, stdout);
    int sent = say_flush();
    str_done(&out);
    models_list_done(&list);
    return sent ? sent : status;
}
