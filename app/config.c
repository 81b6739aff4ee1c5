/* config.c - see config.h. The syntax is inih's: `key = value` lines, [sections],
 * comments after # and ;. A reader of our own hands inih the lines; it counts them and
 * refuses what inih would cut. */
#include "app/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/exit.h"
#include "app/mem.h"

enum { KNOWN_MAX = 512, SECTION_MAX = 64 };

struct reading {
    struct config *config;
    struct options *options;
    const char *text;
    size_t len, pos;
    int line;       /* the one handed out last */
    bool continued; /* it goes on with the value of the one before */
    int error_line; /* of config->error; 0: none */

    char section[SECTION_MAX]; /* of the key before */
    struct {
        char *section, *key;
    } known[KNOWN_MAX]; /* what was set so far */
    int n_known;
};

/* Complaints */

static void add_place(struct str *out, const struct config *c, int line, const char *key)
{
    str_addf(out, "config: %s:", c->path);
    if (line > 0)
        str_addf(out, "%d:", line);
    str_adds(out, " ");
    if (key)
        str_addf(out, "%s: ", key);
}

/* Only the first error of the file is reported. */
static void fail_at(struct reading *r, int line, const char *key, const char *reason)
{
    struct config *c = r->config;
    struct str text = {0};
    if (c->status != 0 && r->error_line <= line)
        return;
    add_place(&text, c, line, key);
    str_adds(&text, reason);
    c->status = say_to(c->error, sizeof c->error, EXIT_USAGE, "%s", text.data);
    r->error_line = line;
    str_done(&text);
}

static void warn_at(struct config *c, int line, const char *key, const char *reason)
{
    struct str text = {0};
    if (c->n_warnings++ >= CONFIG_WARNINGS)
        return;
    add_place(&text, c, line, key);
    str_adds(&text, reason);
    c->warnings[c->n_warnings - 1] = text.data;
}

bool config_add_warning(const struct config *c, int n, struct str *out)
{
    bool kept = n < CONFIG_WARNINGS;
    if (kept)
        str_adds(out, c->warnings[n]);
    else
        str_addf(out, "config: %s: %d more lines like these", c->path,
                 c->n_warnings - CONFIG_WARNINGS);
    return kept;
}

void config_warn(const struct config *c, bool quiet)
{
    bool more = true;
    for (int i = 0; i < c->n_warnings && more; i++) {
        struct str line = {0};
        more = config_add_warning(c, i, &line);
        say_notice(quiet, "%s", line.data);
        str_done(&line);
    }
}

/* Values */

static char *keep(struct config *c, const char *text)
{
    c->kept = mem_realloc(c->kept, (size_t)(c->n_kept + 1) * sizeof *c->kept);
    return c->kept[c->n_kept++] = mem_strdup(text);
}

/* A value may continue in lines that begin with a space; one that begins with ~/ is in the home
 * folder. */
static int set_text(struct reading *r, const struct args_option *o, const char *value)
{
    const char **member = (const char **)((char *)r->options + o->offset);
    const char *home = getenv("HOME");
    struct str text = {0};

    if (r->continued && *member)
        str_addf(&text, "%s\n", *member);
    if (!r->continued && strncmp(value, "~/", 2) == 0 && home)
        str_addf(&text, "%s%s", home, value + 1);
    else
        str_adds(&text, value);
    *member = keep(r->config, text.data);
    str_done(&text);
    return 0;
}

/* The option that is spelt so; "top_k", as /set has it, is --top-k. */
static const struct args_option *find_option(const char *key)
{
    char name[2 + SECTION_MAX];
    if (snprintf(name, sizeof name, "--%s", key) >= (int)sizeof name)
        return NULL;
    for (char *s = name; *s; s++)
        *s = *s == '_' ? '-' : *s;
    return args_find(&options_table, name);
}

/* Names the setting that may have been meant. */
static void warn_unknown(struct reading *r, const char *key)
{
    const char **names = mem_alloc(options_table.n_options * sizeof *names);
    struct str reason = {0};
    size_t n = 0;

    for (size_t i = 0; i < options_table.n_options; i++) {
        const struct args_option *o = &options_table.options[i];
        const char *name = strstr(o->names, "--"); /* the long one stands last */
        if ((o->where & IN_CONFIG) && name)
            names[n++] = name + 2;
    }
    const char *nearest = args_nearest(key, names, n);
    str_adds(&reason, "unknown key");
    if (nearest)
        str_addf(&reason, "; did you mean %s?", nearest);
    warn_at(r->config, r->line, key, reason.data);
    str_done(&reason);
    free(names);
}

static void set_option(struct reading *r, const char *key, const char *value)
{
    const struct args_option *o = find_option(key);
    char err[SAY_MAX];

    if (!o) {
        warn_unknown(r, key);
    } else if (!(o->where & IN_CONFIG)) {
        warn_at(r->config, r->line, key, "an option of the command line only");
    } else if (o->type == ARGS_TEXT) {
        set_text(r, o, value);
    } else if (r->continued) {
        fail_at(r, r->line, key, "a line that begins with a space continues the one before");
    } else if (args_set(o, key, value, r->options, err, sizeof err) != 0) {
        fail_at(r, r->line, NULL, err);
    }
}

/* What the screen says of a setting; key is the name in its section. */
static void take_verdict(struct reading *r, int status, const char *key, const char *err)
{
    if (status == UI_ERROR)
        fail_at(r, r->line, key, err);
    else if (status != 0)
        warn_at(r->config, r->line, key, err);
}

static void set_key(struct reading *r, const char *place, const char *key, const char *value)
{
    char err[SAY_MAX] = "";
    take_verdict(r, ui_settings_bind(r->config->ui, place, key, value, err, sizeof err), key, err);
}

static void set_color(struct reading *r, const char *key, const char *value)
{
    char err[SAY_MAX] = "";
    take_verdict(r, ui_settings_color(r->config->ui, key, value, err, sizeof err), key, err);
}

/* Lines */

static void check_repeated(struct reading *r, const char *section, const char *key)
{
    if (r->continued)
        return;
    for (int i = 0; i < r->n_known; i++)
        if (strcmp(r->known[i].section, section) == 0 && strcmp(r->known[i].key, key) == 0) {
            warn_at(r->config, r->line, key, "stands here again; the last one counts");
            return;
        }
    if (r->n_known == KNOWN_MAX)
        return;
    r->known[r->n_known].section = mem_strdup(section);
    r->known[r->n_known++].key = mem_strdup(key);
}

static int take_pair(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    bool first = strcmp(section, r->section) != 0;

    snprintf(r->section, sizeof r->section, "%s", section);
    check_repeated(r, section, key);
    if (!*section)
        set_option(r, key, value);
    else if (strcmp(section, "keys") == 0)
        set_key(r, "", key, value);
    else if (strncmp(section, "keys.", 5) == 0)
        set_key(r, section + 5, key, value);
    else if (strcmp(section, "colors") == 0)
        set_color(r, key, value);
    else if (first)
        warn_at(r->config, r->line, section, "unknown section");
    return 1;
}

/* Why a line is not for inih; NULL: it is. */
static const char *why_unfit(const char *line, size_t n, int size)
{
    struct str valid = {0};
    size_t bad = str_add_valid(&valid, line, n);
    str_done(&valid);
    if (bad > 0)
        return "not UTF-8";
    if (memchr(line, '\0', n))
        return "holds a NUL";
    if (n > CONFIG_LINE_MAX || (int)n > size - 2)
        return "too long (limit 196 bytes; text continues in lines that begin with a space)";
    return NULL;
}

/* The next line for inih; an empty one for one that will not do. */
static char *next_line(char *out, int size, void *user)
{
    struct reading *r = user;
    const char *line = r->text + r->pos;

    if (r->pos == r->len)
        return NULL;
    const char *end = memchr(line, '\n', r->len - r->pos);
    size_t n = end ? (size_t)(end - line) : r->len - r->pos;
    r->pos += n + (end != NULL);
    r->line++;
    r->continued = n > 0 && (line[0] == ' ' || line[0] == '\t');
    const char *unfit = why_unfit(line, n, size);
    if (unfit) {
        fail_at(r, r->line, NULL, unfit);
        n = 0;
    }
    memcpy(out, line, n);
    memcpy(out + n, "\n", 2);
    return out;
}

static void parse(struct config *c, struct options *o, const struct str *text)
{
    struct reading *r = mem_alloc(sizeof *r);

    *r = (struct reading){.config = c, .options = o, .text = str_get(text), .len = text->len};
    if (r->len >= 3 && memcmp(r->text, "\xef\xbb\xbf", 3) == 0)
        r->pos = 3;
    int wrong = ini_parse_stream(next_line, r, take_pair, r);
    if (wrong > 0)
        fail_at(r, wrong, NULL, "neither KEY = VALUE nor [SECTION]");
    for (int i = 0; i < r->n_known; i++) {
        free(r->known[i].section);
        free(r->known[i].key);
    }
    free(r);
}

/* The file */

static int64_t changed_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Reads the whole open file; reports what cannot be trusted or used. */
static void read_file(struct config *c, struct options *o, int fd)
{
    struct reading none = {.config = c};
    struct str text = {0};
    struct stat st;
    char step[4096];
    ssize_t n = 1;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        fail_at(&none, 0, NULL, "not a regular file");
        return;
    }
    c->size = st.st_size;
    c->changed_ns = changed_ns(&st);
    if ((st.st_mode & S_IWOTH) || (st.st_uid != geteuid() && st.st_uid != 0)) {
        warn_at(c, 0, NULL, "left unread: another user may write it");
        return;
    }
    while (n > 0 && text.len <= CONFIG_MAX) {
        n = read(fd, step, sizeof step);
        if (n > 0)
            str_add(&text, step, (size_t)n);
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (n < 0)
        warn_at(c, 0, NULL, strerror(errno));
    else if (text.len > CONFIG_MAX)
        fail_at(&none, 0, NULL, "too large (limit 65536 bytes)");
    else
        parse(c, o, &text);
    str_done(&text);
}

void config_read(struct config *c, const char *path, struct options *o)
{
    *c = (struct config){.ui = ui_settings_new(), .path = mem_strdup(path), .size = -1};
    if (!c->ui)
        mem_fail();
    if (!path)
        return;
    /* Non-blocking: the path may be a FIFO that nobody writes. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            warn_at(c, 0, NULL, strerror(errno));
        return;
    }
    read_file(c, o, fd);
    close(fd);
}

void config_done(struct config *c)
{
    int n = c->n_warnings < CONFIG_WARNINGS ? c->n_warnings : CONFIG_WARNINGS;
    for (int i = 0; i < n; i++)
        free(c->warnings[i]);
    for (int i = 0; i < c->n_kept; i++)
        free(c->kept[i]);
    free(c->kept);
    free(c->path);
    ui_settings_free(c->ui);
}

bool config_changed(struct config *c)
{
    struct stat st;
    bool there = c->path && stat(c->path, &st) == 0;
    int64_t size = there ? (int64_t)st.st_size : -1, when = there ? changed_ns(&st) : 0;

    if (size == c->size && when == c->changed_ns)
        return false;
    c->size = size;
    c->changed_ns = when;
    return true;
}
