/* complete.c - see complete.h. Models, parameters, conversations and files are looked up;
 * for the rest the command table's own words are offered: "[on|off]". */
#include "app/commands/complete.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/args.h"
#include "app/commands/commands.h"
#include "app/mem.h"
#include "app/models/catalog.h"
#include "app/options.h"
#include "app/str.h"

enum { TITLES = 100, FILES = 400 };

static void add_models(struct chat *c, ui_offer offer, void *sink)
{
    struct model_list list;
    models_list(c->paths, &list);
    for (size_t i = 0; i < list.count; i++) {
        bool answers = c->model && strcmp(c->model->file.path, list.items[i].path) == 0;
        offer(sink, list.items[i].name, answers ? "answers now" : NULL);
    }
    models_list_done(&list);
}

static void add_pulls(ui_offer offer, void *sink)
{
    for (size_t i = 0; i < catalog_size; i++) {
        struct str word = {0}, size = {0};
        str_addf(&word, "%s:%s", catalog[i].name, catalog[i].type);
        catalog_add_size(&size, &catalog[i]);
        offer(sink, word.data, size.data);
        str_done(&word);
        str_done(&size);
    }
    offer(sink, "stop", "stop the download");
}

/* "top_k" is --top-k. */
static void add_parameters(ui_offer offer, void *sink)
{
    for (size_t i = 0; i < options_table.n_options; i++) {
        const struct args_option *o = &options_table.options[i];
        const char *name = o->names ? strstr(o->names, "--") : NULL;
        struct str word = {0};
        if (!name || !(o->where & IS_PARAMETER))
            continue;
        str_add(&word, name + 2, strcspn(name + 2, " "));
        for (char *s = word.data; *s; s++)
            *s = *s == '-' ? '_' : *s;
        offer(sink, word.data, o->help);
        str_done(&word);
    }
}

static void add_conversations(struct chat *c, ui_offer offer, void *sink)
{
    struct store_conversations *list;
    if (store_conversation_list(c->history.store, false, 0, TITLES, &list) != STORE_OK)
        return;
    for (size_t i = 0; i < list->count; i++)
        offer(sink, list->items[i].title, NULL);
    store_conversations_free(list);
}

/* Files */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A file's name as completion offers it, with the folder as typed; NULL: it does not match. */
static char *offered_name(const char *folder, const char *typed, const struct dirent *entry)
{
    struct str word = {0}, path = {0};
    struct stat st;

    str_add(&word, typed, strlen(typed));
    bool valid = str_add_valid(&word, entry->d_name, strlen(entry->d_name)) == 0;
    str_addf(&path, "%s/%s", folder, entry->d_name);
    bool known = stat(path.data, &st) == 0;
    if (known && S_ISDIR(st.st_mode))
        str_adds(&word, "/");
    str_done(&path);
    if (known && valid && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
        return word.data;
    str_done(&word);
    return NULL;
}

static void add_files(const char *typed, ui_offer offer, void *sink)
{
    const char *slash = strrchr(typed, '/'), *home = getenv("HOME");
    size_t cut = slash ? (size_t)(slash - typed) + 1 : 0, n = 0;
    struct str folder = {0}, front = {0};
    char *names[FILES];
    struct dirent *entry;

    str_add(&front, typed, cut);
    if (home && cut > 1 && typed[0] == '~' && typed[1] == '/')
        str_addf(&folder, "%s%.*s", home, (int)cut - 1, typed + 1);
    else
        str_adds(&folder, cut > 0 ? str_get(&front) : ".");
    DIR *dir = opendir(folder.data);
    while (dir && n < FILES && (entry = readdir(dir))) {
        bool hidden = entry->d_name[0] == '.' && typed[cut] != '.';
        if (hidden || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strncmp(entry->d_name, typed + cut, strlen(typed + cut)) != 0)
            continue;
        if ((names[n] = offered_name(folder.data, str_get(&front), entry)))
            n++;
    }
    if (dir)
        closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        offer(sink, names[i], NULL);
        free(names[i]);
    }
    str_done(&folder);
    str_done(&front);
}

/* The words of "[on|off|N]" that stand for themselves. */
static void add_choices(const char *args, ui_offer offer, void *sink)
{
    const char *end = args + strcspn(args, " ");
    for (const char *s = args; s < end;) {
        size_t n = strcspn(s, "[]| ");
        struct str word = {0};
        str_add(&word, s, n);
        if (n > 0 && islower((unsigned char)*s))
            offer(sink, word.data, NULL);
        str_done(&word);
        s += n + 1;
    }
}

void command_complete(struct chat *c, const char *line, ui_offer offer, void *sink)
{
    size_t n = strcspn(line, " ");
    const struct command *command = command_find(line, n);
    const char *typed = line + n + strspn(line + n, " ");

    if (!command)
        return;
    if (strcmp(command->name, "/model") == 0 || strcmp(command->name, "/regen") == 0)
        add_models(c, offer, sink);
    else if (strcmp(command->name, "/pull") == 0)
        add_pulls(offer, sink);
    else if (strcmp(command->name, "/set") == 0)
        add_parameters(offer, sink);
    else if (strstr(command->args, "TITLE]"))
        add_conversations(c, offer, sink);
    else if (strcmp(command->args, "FILE") == 0)
        add_files(typed, offer, sink);
    else
        add_choices(command->args, offer, sink);
}
