/* cmd_records.c - the history from the shell: log, search, export, import, rm. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/chat/library.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/outlet.h"
#include "app/records/export.h"
#include "app/records/import.h"
#include "app/say.h"

enum { LISTED = 20, FOUND = 20, PAGE = 500, IMPORT_MAX = 512 * 1024 * 1024 };

struct shelf {
    struct store *store; /* NULL: no history yet */
    struct outlet out;
    char err[512];
    bool quiet;
    bool more; /* than the limit that nobody asked for lets through */
};

enum use { READS, REMOVES, ADDS };

/* Opens the history; a verb that adds nothing makes none where none is, and one that was named must
 * be there. 0 or an exit status. */
static int open_shelf(struct shelf *s, const struct app *app, enum use use)
{
    const char *path = app->options.db ? app->options.db : app->paths.history;
    *s = (struct shelf){.quiet = app->options.quiet};
    outlet_init(&s->out, STDOUT_FILENO);
    if (!path)
        return say_to(s->err, sizeof s->err, EXIT_HISTORY, "history: %s", app->paths.problem);
    if (use != ADDS && access(path, F_OK) != 0 && errno == ENOENT)
        return app->options.db
                   ? say_to(s->err, sizeof s->err, EXIT_HISTORY, "%s: no such history", path)
                   : 0;
    char err[256];
    int status = (use == READS ? store_open_to_read : store_open)(&s->store, path, err, sizeof err);
    if (status == STORE_OK)
        return 0;
    s->store = NULL;
    return say_to(s->err, sizeof s->err, EXIT_HISTORY, "%s%s", err, library_advice(status));
}

static int failed(struct shelf *s)
{
    return say_to(s->err, sizeof s->err, EXIT_HISTORY, "history: %s%s", store_error(s->store),
                  library_advice(store_failure(s->store)));
}

/* Writes pending output and reports failures. The verb's exit status. */
static int close_shelf(struct shelf *s, int status)
{
    char err[256] = "";
    if (s->err[0])
        say_error("%s", s->err);
    int sent = outlet_finish(&s->out, err, sizeof err);
    if (sent != 0 && err[0])
        say_error("%s", err);
    if (s->more && sent == 0)
        say_notice(s->quiet, "there are more; -n N prints up to N");
    store_close(s->store);
    outlet_done(&s->out);
    return sent ? sent : status;
}

/* A number as an id; any other word gives none. */
static int64_t read_id(const char *word)
{
    char *end;
    errno = 0;
    long long id = strtoll(word, &end, 10);
    return errno || *end || end == word || id <= 0 ? 0 : id;
}

static void add_json_line(struct outlet *out, json_t *object)
{
    char *line = object ? json_dumps(object, out->terminal ? JSON_ENSURE_ASCII : 0) : NULL;
    json_decref(object);
    if (!line)
        mem_fail();
    str_addf(&out->pending, "%s\n", line);
    free(line);
}

/* log */

static void add_conversation(const struct options *o, const struct store_conversation *c,
                             struct outlet *out)
{
    time_t when = (time_t)(c->updated_ms / 1000);
    struct tm local;
    char head[64], date[32] = "";

    if (o->json) {
        add_json_line(out,
                      json_pack("{s:I, s:s%, s:I, s:I, s:b}", "id", (json_int_t)c->id, "title",
                                c->title, strlen(c->title), "created_ms", (json_int_t)c->created_ms,
                                "updated_ms", (json_int_t)c->updated_ms, "archived", c->archived));
        return;
    }
    if (localtime_r(&when, &local))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &local);
    if (o->quiet)
        snprintf(head, sizeof head, "%" PRId64, c->id);
    else
        snprintf(head, sizeof head, "%6" PRId64 "  %s  ", c->id, date);
    str_adds(&out->pending, head);
    if (!o->quiet)
        str_add_visible(&out->pending, c->title, strlen(c->title), false);
    str_adds(&out->pending, "\n");
}

static int list_conversations(struct shelf *s, const struct options *o)
{
    size_t left = o->n_lines > 0 ? (size_t)o->n_lines : LISTED;
    int64_t before = 0;
    struct store_conversations *list;

    while (left > 0) {
        size_t n = left < PAGE ? left : PAGE;
        if (store_conversation_list(s->store, false, before, n, &list) != STORE_OK)
            return failed(s);
        for (size_t i = 0; i < list->count; i++) {
            add_conversation(o, &list->items[i], &s->out);
            before = list->items[i].activity;
        }
        bool last = list->count < n;
        store_conversations_free(list);
        if (last)
            return 0;
        left -= n;
    }
    if (o->n_lines == 0 && store_conversation_list(s->store, false, before, 1, &list) == STORE_OK) {
        s->more = list->count > 0;
        store_conversations_free(list);
    }
    return 0;
}

/* word NULL: the last conversation. */
static int export_to(struct shelf *s, const char *word, enum export_format format)
{
    struct str text = {0};
    int64_t id = s->store ? library_find(s->store, word) : 0;
    if (id < 0)
        return failed(s);
    if (id == 0)
        return say_to(s->err, sizeof s->err, EXIT_USAGE, "no conversation %s", word ? word : "yet");
    int status = export_conversation(s->store, id, format, &text, s->err, sizeof s->err);
    outlet_add(&s->out, str_get(&text), text.len);
    str_done(&text);
    return status == STORE_OK ? 0 : status == STORE_ENOTFOUND ? EXIT_USAGE : EXIT_HISTORY;
}

int cmd_log(struct app *app)
{
    struct shelf s;
    bool last = app->options.resume;
    int status = open_shelf(&s, app, READS);
    if (status == 0 && app->n_words + last > 1)
        status = say_to(s.err, sizeof s.err, EXIT_USAGE, "log: more than one conversation (got %s)",
                        app->words[app->n_words - 1]);
    else if (status == 0 && app->n_words + last == 1)
        status = export_to(&s, last ? NULL : app->words[0],
                           app->options.json ? EXPORT_JSONL : EXPORT_MD);
    else if (status == 0 && s.store)
        status = list_conversations(&s, &app->options);
    return close_shelf(&s, status);
}

/* export */

int cmd_export(struct app *app)
{
    struct shelf s;
    int status = open_shelf(&s, app, READS);
    if (status == 0 && app->options.resume)
        status = export_to(&s, NULL, (enum export_format)app->options.format);
    else if (status == 0 && app->n_words == 0)
        status = say_to(s.err, sizeof s.err, EXIT_USAGE,
                        "export: no conversation named; -c is the last one");
    for (size_t i = 0; status == 0 && i < app->n_words; i++)
        status = export_to(&s, app->words[i], (enum export_format)app->options.format);
    return close_shelf(&s, status);
}

/* search */

/* "answer,reasoning" as bits; 0 and a complaint where a word is none of them. */
static unsigned read_scope(struct shelf *s, const char *list)
{
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {{"question", STORE_IN_QUESTIONS},
                 {"answer", STORE_IN_ANSWERS},
                 {"reasoning", STORE_IN_REASONING}};
    unsigned scope = 0;

    for (const char *at = list; *at; at += strspn(at, ",")) {
        size_t len = strcspn(at, ","), i = 0;
        while (i < 3 && (strlen(names[i].name) != len || strncmp(names[i].name, at, len) != 0))
            i++;
        if (i == 3) {
            say_to(s->err, sizeof s->err, 0,
                   "--in: unknown value (got %.*s, limit question answer reasoning)", (int)len, at);
            return 0;
        }
        scope |= names[i].bit;
        at += len;
    }
    if (scope == 0)
        say_to(s->err, sizeof s->err, 0, "--in: empty");
    return scope;
}

/* A piece of a snippet on one line. */
static void add_flat(struct outlet *out, const char *text, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        size_t n = strcspn(text + at, "\t\n\r");
        n = n < len - at ? n : len - at;
        str_add_visible(&out->pending, text + at, n, false);
        at += n;
        if (at < len)
            str_adds(&out->pending, " ");
    }
}

static void add_hit(const struct options *o, const struct store_hit *hit, struct outlet *out)
{
    bool colour = options_color(o, out->fd);
    const char *snippet = hit->snippet;

    if (o->json) {
        add_json_line(out, json_pack("{s:I, s:I, s:s, s:s%, s:s%, s:I, s:I}", "conversation",
                                     (json_int_t)hit->conversation, "message",
                                     (json_int_t)hit->message, "kind", library_where(hit), "title",
                                     hit->title, strlen(hit->title), "snippet", snippet,
                                     strlen(snippet), "match_at", (json_int_t)hit->match_at,
                                     "match_len", (json_int_t)hit->match_len));
        return;
    }
    str_addf(&out->pending, "%" PRId64 ":%s:", hit->conversation, library_where(hit));
    add_flat(out, snippet, hit->match_at);
    str_adds(&out->pending, colour ? "\033[1;31m" : "");
    add_flat(out, snippet + hit->match_at, hit->match_len);
    str_adds(&out->pending, colour ? "\033[0m" : "");
    snippet += hit->match_at + hit->match_len;
    add_flat(out, snippet, strlen(snippet));
    str_adds(&out->pending, "\n");
}

/* Like grep: 0 found, 1 none, 2 for any error. */
int cmd_search(struct app *app)
{
    const struct options *o = &app->options;
    struct str query = {0};
    struct shelf s;
    struct store_hits *hits = NULL;
    int status = open_shelf(&s, app, READS);
    unsigned scope = status == 0 && o->in ? read_scope(&s, o->in) : 0;

    for (size_t i = 0; i < app->n_words; i++)
        str_addf(&query, "%s%s", i ? " " : "", app->words[i]);
    if (status == 0 && o->in && scope == 0)
        status = EXIT_USAGE;
    if (status == 0 && query.len == 0)
        status = say_to(s.err, sizeof s.err, EXIT_USAGE, "search: no words to look for");
    if (status == 0 && s.store &&
        store_search(s.store, query.data, scope, o->n_lines > 0 ? (size_t)o->n_lines : FOUND,
                     &hits) != STORE_OK)
        status = failed(&s);
    for (size_t i = 0; hits && i < hits->count; i++)
        add_hit(o, &hits->items[i], &s.out);
    bool found = hits && hits->count > 0;
    s.more = found && o->n_lines == 0 && (hits->next != 0 || hits->found > hits->count);
    store_hits_free(hits);
    str_done(&query);
    status = close_shelf(&s, status ? EXIT_USAGE : !found);
    return found && status == EXIT_ANSWER ? EXIT_USAGE : status; /* found, and not written */
}

/* import */

static int import_values(struct shelf *s, const char *name, const struct str *text)
{
    size_t at = 0, number = 0;
    int status = 0;

    while (status == 0) {
        json_error_t error;
        at += strspn(str_get(text) + at, " \t\r\n");
        if (at >= text->len)
            break;
        json_t *value = json_loadb(text->data + at, text->len - at, JSON_DISABLE_EOF_CHECK, &error);
        if (!value)
            return say_to(s->err, sizeof s->err, EXIT_USAGE, "%s: not JSON: %s at byte %zu", name,
                          error.text, at + (size_t)(error.position > 0 ? error.position : 0));
        at += (size_t)error.position;
        size_t n = json_is_array(value) ? json_array_size(value) : 1;
        for (size_t i = 0; status == 0 && i < n; i++) {
            const json_t *from = json_is_array(value) ? json_array_get(value, i) : value;
            char why[256];
            int64_t id;
            number++;
            status = import_conversation(s->store, from, &id, why, sizeof why);
            if (status == 0)
                str_addf(&s->out.pending, "%" PRId64 "\n", id);
            else
                say_to(s->err, sizeof s->err, 0, "%s: conversation %zu: %s", name, number, why);
        }
        json_decref(value);
    }
    if (status == 0 && number == 0)
        return say_to(s->err, sizeof s->err, EXIT_USAGE, "%s: nothing in it", name);
    return status;
}

static int read_whole(struct shelf *s, const char *name, struct str *text)
{
    char step[65536];
    bool standard = strcmp(name, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0 && text->len <= IMPORT_MAX && (n = read(fd, step, sizeof step)) > 0)
        str_add(text, step, (size_t)n);
    int error = errno;
    if (fd > STDIN_FILENO)
        close(fd);
    if (n < 0)
        return say_to(s->err, sizeof s->err, EXIT_USAGE, "%s: %s", name, strerror(error));
    if (text->len > IMPORT_MAX)
        return say_to(s->err, sizeof s->err, EXIT_USAGE, "%s: too large (limit %d bytes)", name,
                      IMPORT_MAX);
    return 0;
}

int cmd_import(struct app *app)
{
    struct str text = {0};
    struct shelf s;
    int status = open_shelf(&s, app, ADDS);
    if (status == 0 && app->n_words != 1)
        status = say_to(s.err, sizeof s.err, EXIT_USAGE, "import: %s",
                        app->n_words ? "more than one file" : "no file named");
    if (status == 0)
        status = read_whole(&s, app->words[0], &text);
    if (status == 0)
        status = import_values(&s, app->words[0], &text);
    str_done(&text);
    return close_shelf(&s, status);
}

/* rm */

static int find_named(struct shelf *s, const char *word, struct store_conversations **one)
{
    int64_t id = read_id(word);
    int status = id && s->store ? store_conversation_get(s->store, id, one) : STORE_ENOTFOUND;
    if (status == STORE_ENOTFOUND)
        return say_to(s->err, sizeof s->err, EXIT_USAGE, "no conversation %s", word);
    return status == STORE_OK ? 0 : failed(s);
}

/* Looks up all of them before deleting the first, so that a typo deletes none. */
static int check_named(struct shelf *s, const struct app *app)
{
    struct store_conversations *one;
    int status = 0;
    for (size_t i = 0; status == 0 && i < app->n_words; i++) {
        status = find_named(s, app->words[i], &one);
        if (status == 0)
            store_conversations_free(one);
    }
    return status;
}

struct removal {
    size_t n_deleted, n_kept;
};

static int remove_conversation(struct shelf *s, const struct options *o, const char *word,
                               struct removal *removal)
{
    struct store_conversations *one;
    int status = find_named(s, word, &one);
    if (status != 0)
        return status;
    int64_t id = one->items[0].id;
    bool meant = say_confirm(o->yes, "delete conversation %" PRId64 ", %s, for good?", id,
                             one->items[0].title);
    store_conversations_free(one);
    if (!meant) {
        say_error("conversation %s: kept", word);
        removal->n_kept++;
        return 0;
    }
    if (store_conversation_delete(s->store, id) != STORE_OK)
        return failed(s);
    removal->n_deleted++;
    return 0;
}

/* Here and not when the store closes, which takes no more time than the end of a chat may. */
static int purge(struct shelf *s)
{
    if (store_purge(s->store) == STORE_OK)
        return 0;
    return say_to(s->err, sizeof s->err, EXIT_HISTORY,
                  "history: deleted, but the words are still in the file: %s",
                  store_error(s->store));
}

int cmd_rm(struct app *app)
{
    struct shelf s;
    int status = open_shelf(&s, app, REMOVES);
    if (status == 0 && app->n_words == 0)
        status = say_to(s.err, sizeof s.err, EXIT_USAGE, "rm: no conversation named");
    struct removal removal = {0};
    if (status == 0)
        status = check_named(&s, app);
    for (size_t i = 0; status == 0 && i < app->n_words; i++)
        status = remove_conversation(&s, &app->options, app->words[i], &removal);
    if (status == 0 && removal.n_deleted > 0)
        status = purge(&s);
    return close_shelf(&s, status == 0 && removal.n_kept > 0 ? EXIT_ANSWER : status);
}
