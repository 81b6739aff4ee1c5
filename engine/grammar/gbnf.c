/* gbnf.c - a recursive-descent parser, one function for each level; see gbnf.h. */
#include "grammar/gbnf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"
#include "text/utf8.h"

enum { MAX_DEPTH = 200, MAX_RULES = 20000, MAX_TIMES = 1000000000 };

struct name {
    const char *at; /* where it was met first */
    size_t len;
    int rule;
    bool defined;
};

struct list {
    int *id;
    size_t n, cap;
};

struct gbnf {
    struct grammar *g;
    const char *text, *at;
    struct name *names;
    size_t n_names, cap_names;
    int depth;
    bool failed; /* err is written */
    char *err;
    size_t errlen;
};

static int refuse_at(struct gbnf *p, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse_at(struct gbnf *p, const char *at, const char *format, ...)
{
    int line = 1, column = 1, used;
    va_list args;
    if (p->failed)
        return -1;
    for (const char *s = p->text; s < at; s++) {
        column = *s == '\n' ? 1 : column + ((*s & 0xC0) != 0x80);
        line += *s == '\n';
    }
    p->failed = true;
    used = snprintf(p->err, p->errlen, "line %d, column %d: ", line, column);
    va_start(args, format);
    if (used > 0 && (size_t)used < p->errlen)
        vsnprintf(p->err + used, p->errlen - (size_t)used, format, args);
    va_end(args);
    return -1;
}

static int push(struct gbnf *p, struct list *l, int id)
{
    if (l->n == l->cap) {
        size_t cap = 2 * l->cap + 8;
        int *grown = realloc(l->id, cap * sizeof *grown);
        if (!grown)
            return refuse_at(p, p->at, "out of memory");
        l->id = grown;
        l->cap = cap;
    }
    l->id[l->n++] = id;
    return 0;
}

/* Blanks and comments; with `lines`, ends of lines too. */
static void skip(struct gbnf *p, bool lines)
{
    for (;; p->at++) {
        if (*p->at == '#')
            p->at += strcspn(p->at, "\r\n");
        bool blank = *p->at == ' ' || *p->at == '\t';
        bool line = *p->at == '\r' || *p->at == '\n';
        if (!blank && !(lines && line))
            return;
    }
}

/* A rule goes on where its next line begins with "|". */
static void skip_in_rule(struct gbnf *p)
{
    skip(p, p->depth > 0);
    const char *here = p->at;
    skip(p, true);
    if (*p->at != '|')
        p->at = here;
}

/* Names */

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static struct name *find_name(struct gbnf *p, const char *at, size_t len)
{
    for (size_t i = 0; i < p->n_names; i++)
        if (p->names[i].len == len && memcmp(p->names[i].at, at, len) == 0)
            return &p->names[i];
    if (p->n_names == MAX_RULES) {
        refuse_at(p, at, "too many rules (limit %d)", MAX_RULES);
        return NULL;
    }
    if (p->n_names == p->cap_names) {
        size_t cap = 2 * p->cap_names + 16;
        struct name *grown = realloc(p->names, cap * sizeof *grown);
        if (!grown) {
            refuse_at(p, at, "out of memory");
            return NULL;
        }
        p->names = grown;
        p->cap_names = cap;
    }
    char *copy = strndup(at, len);
    p->names[p->n_names] = (struct name){at, len, copy ? grammar_rule(p->g, copy) : -1, false};
    free(copy);
    return &p->names[p->n_names++];
}

static struct name *read_name(struct gbnf *p)
{
    const char *start = p->at;
    while (is_name(*p->at))
        p->at++;
    if (p->at == start) {
        refuse_at(p, start, "a rule's name is missing");
        return NULL;
    }
    if (p->at - start > 128) {
        refuse_at(p, start, "a name of over 128 letters");
        return NULL;
    }
    return find_name(p, start, (size_t)(p->at - start));
}

/* Characters */

static int32_t read_hex(struct gbnf *p, int digits)
{
    const char *start = p->at - 2;
    int32_t c = 0;
    for (int i = 0; i < digits; i++, p->at++) {
        int v = utf8_hex_digit(*p->at);
        if (v < 0)
            return refuse_at(p, start, "%d hexadecimal digits are needed", digits);
        c = c > CHARSET_LAST ? c : c * 16 + v;
    }
    if (c > CHARSET_LAST || (c >= 0xD800 && c <= 0xDFFF))
        return refuse_at(p, start, "no such character");
    return c;
}

/* One character of a text or a class, or -1. */
static int32_t read_char(struct gbnf *p)
{
    static const char from[] = "nrt\\\"'[]-^/", to[] = "\n\r\t\\\"'[]-^/";
    size_t len;
    if (*p->at != '\\') {
        int32_t c = utf8_decode(p->at, strlen(p->at) < 4 ? strlen(p->at) : 4, &len);
        if (c < 0)
            return refuse_at(p, p->at, "not UTF-8");
        p->at += len;
        return c;
    }
    char kind = p->at[1];
    const char *known = kind ? strchr(from, kind) : NULL;
    p->at += kind ? 2 : 1;
    if (known)
        return to[known - from];
    switch (kind) {
    case 'x': return read_hex(p, 2);
    case 'u': return read_hex(p, 4);
    case 'U': return read_hex(p, 8);
    default: return refuse_at(p, p->at - (kind ? 2 : 1), "no such escape");
    }
}

static int read_text(struct gbnf *p)
{
    const char *start = p->at++;
    char *text = malloc(4 * strlen(start) + 1);
    size_t len = 0;
    if (!text)
        return refuse_at(p, start, "out of memory");
    while (*p->at != '"' && !p->failed) {
        if (!*p->at || *p->at == '\n') {
            refuse_at(p, start, "the text has no end");
            break;
        }
        int32_t c = read_char(p);
        if (c >= 0)
            len += utf8_encode(c, text + len);
    }
    int id = p->failed ? -1 : gx_text(p->g, text, len);
    free(text);
    p->at += !p->failed;
    return id;
}

static int read_class(struct gbnf *p)
{
    const char *start = p->at++;
    struct charset set = {0};
    bool invert = *p->at == '^';
    p->at += invert;
    while (*p->at != ']' && !p->failed) {
        if (!*p->at || *p->at == '\n') {
            refuse_at(p, start, "the class has no end");
            break;
        }
        const char *here = p->at;
        int32_t first = read_char(p), last = first;
        if (!p->failed && *p->at == '-' && p->at[1] != ']') {
            p->at++;
            last = *p->at && *p->at != '\n' ? read_char(p)
                                            : refuse_at(p, start, "the class has no end");
        }
        if (!p->failed && last < first)
            refuse_at(p, here, "a range that ends before it begins");
        charset_add(&set, first, last);
    }
    charset_finish(&set);
    if (invert)
        charset_invert(&set);
    if (!p->failed && set.n == 0)
        refuse_at(p, start, "a class without characters");
    int id = p->failed ? -1 : gx_set(p->g, &set);
    charset_done(&set);
    p->at += !p->failed;
    return id;
}

static int any_char(struct gbnf *p)
{
    struct charset all = {0};
    charset_add(&all, 0, CHARSET_LAST);
    int id = gx_set(p->g, &all);
    charset_done(&all);
    return id;
}

/* Expressions */

static int read_alternatives(struct gbnf *p);

static int read_group(struct gbnf *p)
{
    const char *start = p->at++;
    if (p->depth == MAX_DEPTH)
        return refuse_at(p, start, "nested too deep (limit %d)", MAX_DEPTH);
    p->depth++;
    int id = read_alternatives(p);
    p->depth--;
    if (!p->failed && *p->at != ')')
        return refuse_at(p, *p->at ? p->at : start, "the group has no \")\"");
    p->at += !p->failed;
    return id;
}

/* Whether the name here is that of the next rule. */
static bool begins_rule(const char *s)
{
    while (is_name(*s))
        s++;
    s += strspn(s, " \t");
    return strncmp(s, "::=", 3) == 0;
}

static int read_part(struct gbnf *p)
{
    switch (*p->at) {
    case '"': return read_text(p);
    case '[': return read_class(p);
    case '(': return read_group(p);
    case '.': p->at++; return any_char(p);
    default: break;
    }
    struct name *name = read_name(p);
    return name ? gx_call(p->g, name->rule) : -1;
}

static int32_t read_number(struct gbnf *p)
{
    const char *start = p->at;
    int64_t n = 0;
    for (; *p->at >= '0' && *p->at <= '9'; p->at++)
        n = n < MAX_TIMES ? 10 * n + (*p->at - '0') : n;
    if (p->at == start)
        return refuse_at(p, start, "a number is missing");
    if (n > MAX_TIMES)
        return refuse_at(p, start, "too many times (limit %d)", MAX_TIMES);
    return (int32_t)n;
}

static int read_times(struct gbnf *p, int part)
{
    const char *start = p->at++;
    skip(p, false);
    int32_t min = *p->at == ',' ? 0 : read_number(p), max = min;
    skip(p, false);
    if (!p->failed && *p->at == ',') {
        p->at++;
        skip(p, false);
        max = *p->at == '}' ? GX_FOREVER : read_number(p);
        skip(p, false);
    }
    if (!p->failed && *p->at != '}')
        return refuse_at(p, p->at, "a \"}\" is missing");
    if (!p->failed && max < min)
        return refuse_at(p, start, "a maximum below the minimum");
    p->at += !p->failed;
    return p->failed ? -1 : gx_repeat(p->g, part, min, max);
}

static int read_repeated(struct gbnf *p)
{
    int id = read_part(p);
    while (!p->failed) {
        const char *here = p->at;
        skip(p, false);
        switch (*p->at) {
        case '*': p->at++, id = gx_repeat(p->g, id, 0, GX_FOREVER); break;
        case '+': p->at++, id = gx_repeat(p->g, id, 1, GX_FOREVER); break;
        case '?': p->at++, id = gx_maybe(p->g, id); break;
        case '{': id = read_times(p, id); break;
        default: p->at = here; return id;
        }
    }
    return -1;
}

static bool ends_sequence(const struct gbnf *p)
{
    char c = *p->at;
    return !c || c == '|' || c == ')' || c == '\n' || c == '\r' ||
           (is_name(c) && begins_rule(p->at));
}

static int read_sequence(struct gbnf *p)
{
    struct list parts = {0};
    int id = -1;
    for (skip_in_rule(p); !p->failed && !ends_sequence(p); skip_in_rule(p)) {
        int part = read_repeated(p);
        if (!p->failed)
            push(p, &parts, part);
    }
    if (!p->failed)
        id = gx_seq(p->g, parts.id, parts.n);
    free(parts.id);
    return id;
}

static int read_alternatives(struct gbnf *p)
{
    struct list parts = {0};
    int id = -1;
    push(p, &parts, read_sequence(p));
    while (!p->failed && *p->at == '|') {
        p->at++;
        skip(p, true);
        push(p, &parts, read_sequence(p));
    }
    if (!p->failed)
        id = gx_alt(p->g, parts.id, parts.n);
    free(parts.id);
    return id;
}

static void read_rule(struct gbnf *p)
{
    const char *start = p->at;
    struct name *name = read_name(p);
    if (!name)
        return;
    if (name->defined) {
        refuse_at(p, start, "%.*s: defined twice", (int)name->len, name->at);
        return;
    }
    name->defined = true;
    int rule = name->rule; /* the list of names may move */
    skip(p, false);
    if (strncmp(p->at, "::=", 3) != 0) {
        refuse_at(p, p->at, "\"::=\" is missing");
        return;
    }
    p->at += 3;
    skip(p, true);
    int body = read_alternatives(p);
    if (!p->failed && *p->at == ')')
        refuse_at(p, p->at, "a \")\" without its \"(\"");
    if (!p->failed)
        grammar_define(p->g, rule, body);
}

int gbnf_read(struct grammar *g, const char *text, int *root_out, char *err, size_t errlen)
{
    struct gbnf p = {.g = g, .text = text, .at = text, .err = err, .errlen = errlen};
    *root_out = -1;
    for (skip(&p, true); *p.at && !p.failed; skip(&p, true))
        read_rule(&p);
    for (size_t i = 0; i < p.n_names && !p.failed; i++) {
        const struct name *n = &p.names[i];
        if (!n->defined)
            refuse_at(&p, n->at, "%.*s: no such rule", (int)n->len, n->at);
        else if (n->len == 4 && memcmp(n->at, "root", 4) == 0)
            *root_out = n->rule;
    }
    if (!p.failed && *root_out < 0)
        refuse_at(&p, p.at, "root: no such rule");
    free(p.names);
    return p.failed ? -1 : 0;
}
