/* args.c - see args.h. */
#include "app/args.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/mem.h"
#include "app/say.h"

const char *args_next_word(const char **list, size_t *len)
{
    const char *word = *list + strspn(*list, " ");
    *len = strcspn(word, " ");
    *list = word + *len;
    return *len > 0 ? word : NULL;
}

/* The place of name[0..len) in a list of words, or -1. */
static int place_in(const char *list, const char *name, size_t len)
{
    size_t n;
    int place = 0;
    for (const char *word; list && (word = args_next_word(&list, &n)); place++)
        if (n == len && memcmp(word, name, n) == 0)
            return place;
    return -1;
}

static const struct args_option *find(const struct args_table *table, const char *name, size_t len)
{
    const struct args_option *found = NULL;
    for (size_t i = 0; i < table->n_options; i++) {
        const struct args_option *o = &table->options[i];
        if (place_in(o->names, name, len) < 0 && place_in(o->others, name, len) < 0)
            continue;
        if (!found || (!(found->where & table->where) && (o->where & table->where)))
            found = o;
    }
    return found;
}

const struct args_option *args_find(const struct args_table *table, const char *name)
{
    return find(table, name, strlen(name));
}

const char *args_name(const struct args_option *o)
{
    const char *list = o->names, *name = NULL, *word;
    for (size_t len; (word = args_next_word(&list, &len));)
        name = word;
    return name;
}

/* Suggestions */

/* The edit distance of a and b, where swapping two letters counts as one step; at most 63 letters
 * each. */
static int distance(const char *a, const char *b)
{
    int row[3][64];
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n >= 64 || m >= 64)
        return 64;
    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *args_nearest(const char *typed, const char *const *words, size_t n)
{
    const char *nearest = NULL;
    int least = (int)strlen(typed) < 5 ? 2 : 3;
    for (size_t i = 0; i < n; i++) {
        int d = distance(typed, words[i]);
        if (strlen(typed) > 3 && strncmp(typed, words[i], strlen(typed)) == 0)
            d = 1;
        if (d < least) {
            least = d;
            nearest = words[i];
        }
    }
    return nearest;
}

struct spellings {
    char **words;
    size_t n;
};

static void add_spellings(struct spellings *s, const char *list)
{
    const char *word;
    for (size_t len; list && (word = args_next_word(&list, &len));) {
        s->words = mem_realloc(s->words, (s->n + 1) * sizeof *s->words);
        s->words[s->n] = mem_alloc(len + 1);
        memcpy(s->words[s->n++], word, len);
    }
}

static int unknown(const struct args_table *table, const char *given, size_t len, char *err,
                   size_t errlen)
{
    struct spellings s = {0};
    char *typed = mem_alloc(len + 1);

    memcpy(typed, given, len);
    for (size_t i = 0; i < table->n_options; i++) {
        const struct args_option *o = &table->options[i];
        if (!o->section || (table->where && !(o->where & table->where)))
            continue; /* for tools, or of no use here */
        add_spellings(&s, o->names);
        add_spellings(&s, o->others);
    }
    /* Any two single letters are equally near. */
    const char *nearest = len > 2 && typed[1] == '-'
                              ? args_nearest(typed, (const char *const *)s.words, s.n)
                              : NULL;
    if (nearest)
        say_to(err, errlen, -1, "%s: unknown option; did you mean %s?", typed, nearest);
    else if (table->help)
        say_to(err, errlen, -1, "%s: unknown option (`%s` lists them)", typed, table->help);
    else
        say_to(err, errlen, -1, "%s: unknown option (a prompt like this goes after --)", typed);
    for (size_t i = 0; i < s.n; i++)
        free(s.words[i]);
    free(s.words);
    free(typed);
    return -1;
}

/* Values */

static int set_int(const struct args_option *o, const char *name, const char *value,
                   int64_t *member, char *err, size_t errlen)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    int unit = 1;
    if (o->type == ARGS_TOKENS && end > value && (*end == 'k' || *end == 'K')) {
        unit = 1024;
        end++;
    }
    if (end == value || *end != '\0' || isspace((unsigned char)*value))
        return say_to(err, errlen, -1, "%s: not a whole number (got %s, limit %.0f to %.0f)", name,
                      value, o->min, o->max);
    double amount = (double)n * unit;
    if (errno == ERANGE || amount < o->min || amount > o->max)
        return say_to(err, errlen, -1, "%s: out of range (got %s, limit %.0f to %.0f)", name, value,
                      o->min, o->max);
    *member = n * unit;
    return 0;
}

static int set_zero(const struct args_option *o, const char *name, const char *value, int *member,
                    char *err, size_t errlen)
{
    int64_t n;
    if (set_int(o, name, value, &n, err, errlen) != 0)
        return -1;
    if (n == 0)
        *member = o->set;
    return 0;
}

static int set_real(const struct args_option *o, const char *name, const char *value, void *member,
                    char *err, size_t errlen)
{
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end != '\0' || isspace((unsigned char)*value) || isnan(x))
        return say_to(err, errlen, -1, "%s: not a number (got %s, limit %.10g to %.10g)", name,
                      value, o->min, o->max);
    if (x < o->min || x > o->max)
        return say_to(err, errlen, -1, "%s: out of range (got %s, limit %.10g to %.10g)", name,
                      value, o->min, o->max);
    *(double *)member = x;
    return 0;
}

static int set_day(const char *name, const char *value, void *member, char *err, size_t errlen)
{
    struct tm day = {0};
    const char *end = strptime(value, "%Y-%m-%d", &day);
    struct tm same = day;
    if (strlen(value) != strlen("2024-07-26") || !end || *end || timegm(&same) == -1 ||
        same.tm_mday != day.tm_mday)
        return say_to(err, errlen, -1, "%s: not a day like 2024-07-26 (got %s)", name, value);
    *(int64_t *)member = ((day.tm_year + 1900) * 100 + day.tm_mon + 1) * 100 + day.tm_mday;
    return 0;
}

static int set_choice(const struct args_option *o, const char *name, const char *value,
                      void *member, char *err, size_t errlen)
{
    char lower[32] = "";
    for (size_t i = 0; value[i] && strlen(value) < sizeof lower; i++)
        lower[i] = (char)tolower((unsigned char)value[i]);
    int place = place_in(o->choices, lower, strlen(lower));
    if (place < 0)
        place = place_in(o->same, lower, strlen(lower));
    if (place < 0)
        return say_to(err, errlen, -1, "%s: unknown value (got %s, limit %s)", name, value,
                      o->choices);
    *(int *)member = place;
    return 0;
}

/* A flag may be set to "off", so that a command line can undo what a file says. */
static int set_flag(const char *name, const char *value, bool *member, char *err, size_t errlen)
{
    static const char yes[] = "on yes true", no[] = "off no false";
    bool off = value && place_in(no, value, strlen(value)) >= 0;
    if (value && !off && place_in(yes, value, strlen(value)) < 0)
        return say_to(err, errlen, -1, "%s: neither on nor off (got %s)", name, value);
    *member = !off;
    return 0;
}

static int add_text(const char *name, const char *value, struct args_texts *member, char *err,
                    size_t errlen)
{
    if (member->n == ARGS_TEXTS_MAX)
        return say_to(err, errlen, -1, "%s: given too often (got more, limit %d)", name,
                      ARGS_TEXTS_MAX);
    member->text[member->n++] = value;
    return 0;
}

int args_set(const struct args_option *o, const char *name, const char *value, void *values,
             char *err, size_t errlen)
{
    void *member = (char *)values + o->offset;
    switch (o->type) {
    case ARGS_FLAG: return set_flag(name, value, member, err, errlen);
    case ARGS_SET: *(int *)member = o->set; return 0;
    case ARGS_TEXT: *(const char **)member = value; return 0;
    case ARGS_TEXTS: return add_text(name, value, member, err, errlen);
    case ARGS_CHOICE: return set_choice(o, name, value, member, err, errlen);
    case ARGS_INT:
    case ARGS_TOKENS: return set_int(o, name, value, member, err, errlen);
    case ARGS_ZERO: return set_zero(o, name, value, member, err, errlen);
    case ARGS_REAL: return set_real(o, name, value, member, err, errlen);
    case ARGS_DAY: return set_day(name, value, member, err, errlen);
    case ARGS_REFUSE: return say_to(err, errlen, -1, "%s: %s", name, o->help);
    }
    return -1;
}

/* Command lines */

struct parser {
    const struct args_table *table;
    int argc, at;
    char **argv;
    void *values;
    struct args_rest *rest;
};

/* A value may be nearly any text, but a forgotten one must not swallow the next option. */
static bool looks_like_option(const struct parser *p, const char *arg)
{
    if (args_find(p->table, arg))
        return true;
    return strncmp(arg, "--", 2) == 0 && isalpha((unsigned char)arg[2]) && !strpbrk(arg, " \t\n");
}

/* Whether what follows is the value that this option has in other programs, "-c 4096". */
static bool precedes_size(const struct parser *p, const struct args_option *o, const char *name)
{
    if (!p->values || !o->sized || name[1] == '-' || p->at >= p->argc)
        return false;
    const char *next = p->argv[p->at];
    size_t digits = strspn(next, "0123456789"), end = digits;
    double size = strtod(next, NULL);
    if (digits > 0 && (next[end] == 'k' || next[end] == 'K')) {
        size *= 1024;
        end++;
    }
    return digits > 0 && next[end] == '\0' && size >= o->min;
}

/* Two options of one member that disagree are a contradiction, not a change of mind. */
static int check_contradiction(struct parser *p, const struct args_option *o, const char *name)
{
    if (o->type != ARGS_SET)
        return 0;
    for (size_t i = 0; i < p->table->n_options; i++) {
        const struct args_option *other = &p->table->options[i];
        if (p->rest->used[i] && other->type == ARGS_SET && other->offset == o->offset &&
            other->set != o->set)
            return say_to(p->rest->error, sizeof p->rest->error, -1, "%s: contradicts %s", name,
                          other->names);
    }
    return 0;
}

static int take_option(struct parser *p, const struct args_option *o, const char *name,
                       const char *value)
{
    if (!o->value && value && o->type != ARGS_FLAG && o->type != ARGS_REFUSE)
        return say_to(p->rest->error, sizeof p->rest->error, -1, "%s: takes no value (got %s)",
                      name, value);
    if (!value && precedes_size(p, o, name))
        return say_to(p->rest->error, sizeof p->rest->error, -1, "%s %s: %s", name, p->argv[p->at],
                      o->sized);
    if (!value)
        value = o->implied;
    if (o->value && !value) {
        if (p->at >= p->argc || looks_like_option(p, p->argv[p->at]))
            return say_to(p->rest->error, sizeof p->rest->error, -1, "%s: needs a value, %s", name,
                          o->value);
        value = p->argv[p->at++];
    }
    if (check_contradiction(p, o, name) != 0)
        return -1;
    p->rest->used[o - p->table->options] = true;
    return p->values ? args_set(o, name, value, p->values, p->rest->error, sizeof p->rest->error)
                     : 0;
}

static int refuse_unknown(struct parser *p, const char *arg, size_t len)
{
    return p->values ? unknown(p->table, arg, len, p->rest->error, sizeof p->rest->error) : 0;
}

/* "-qR", "-n5": short options written together. */
static int take_short(struct parser *p, const char *arg)
{
    for (const char *letter = arg + 1; *letter; letter++) {
        char name[3] = {'-', *letter, '\0'};
        const struct args_option *o = args_find(p->table, name);
        if (!o)
            return refuse_unknown(p, arg, strlen(arg));
        if (o->value)
            return take_option(p, o, name, letter[1] ? letter + 1 : NULL);
        if (take_option(p, o, name, NULL) != 0)
            return -1;
    }
    return 0;
}

static int take_argument(struct parser *p, char *arg)
{
    const struct args_option *o = args_find(p->table, arg);
    if (o)
        return take_option(p, o, arg, NULL);
    if (strncmp(arg, "--", 2) != 0)
        return take_short(p, arg);
    size_t len = strcspn(arg, "=");
    o = find(p->table, arg, len);
    if (!o || arg[len] == '\0')
        return refuse_unknown(p, arg, len);
    char *name = mem_alloc(len + 1);
    int status = take_option(p, o, memcpy(name, arg, len), arg + len + 1);
    free(name);
    return status;
}

int args_parse(const struct args_table *table, int argc, char **argv, void *values,
               struct args_rest *rest)
{
    struct parser p = {table, argc, 1, argv, values, rest};
    *rest = (struct args_rest){
        .words = mem_alloc((size_t)(argc + 1) * sizeof *rest->words),
        .used = mem_alloc(table->n_options * sizeof *rest->used),
    };
    while (p.at < argc) {
        char *arg = argv[p.at++];
        if (strcmp(arg, "--") == 0) {
            rest->n_plain = rest->n_words;
            while (p.at < argc)
                rest->words[rest->n_words++] = argv[p.at++];
            return 0;
        }
        if (arg[0] != '-' || arg[1] == '\0')
            rest->words[rest->n_words++] = arg;
        else if (take_argument(&p, arg) != 0)
            return -1;
    }
    rest->n_plain = rest->n_words;
    return 0;
}
