/* regex.c - a recursive-descent parser that keeps count of lengths; see regex.h. */
#include "grammar/regex.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"
#include "grammar/jsontext.h"
#include "text/utf8.h"

enum { MAX_DEPTH = 100, MAX_TIMES = 100000 };

/* A part of the expression: `unit`, at least min times and at most max. */
struct part {
    int unit;
    int64_t least, most; /* characters of a unit; GX_FOREVER: any number */
    int32_t min, max;
};

struct parts {
    struct part *list;
    size_t n, cap;
};

struct regex {
    struct grammar *g;
    const char *text, *at;
    struct regex_length length;
    int depth;
    bool failed;
    char *err;
    size_t errlen;
};

static int refuse(struct regex *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct regex *p, const char *format, ...)
{
    va_list args;
    if (p->failed)
        return -1;
    p->failed = true;
    va_start(args, format);
    vsnprintf(p->err, p->errlen, format, args);
    va_end(args);
    return -1;
}

static int64_t times(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return 0;
    return a >= GX_FOREVER || b >= GX_FOREVER || a > GX_FOREVER / b ? GX_FOREVER : a * b;
}

static int64_t plus(int64_t a, int64_t b)
{
    return a + b < GX_FOREVER ? a + b : GX_FOREVER;
}

static void push(struct regex *p, struct parts *l, struct part part)
{
    if (l->n == l->cap) {
        size_t cap = 2 * l->cap + 8;
        struct part *grown = realloc(l->list, cap * sizeof *grown);
        if (!grown) {
            refuse(p, "out of memory");
            return;
        }
        l->list = grown;
        l->cap = cap;
    }
    l->list[l->n++] = part;
}

/* Characters */

static int32_t read_hex(struct regex *p, int digits)
{
    int32_t c = 0;
    for (int i = 0; i < digits; i++, p->at++) {
        int v = utf8_hex_digit(*p->at);
        if (v < 0)
            return refuse(p, "an escape needs %d hexadecimal digits", digits);
        c = c * 16 + v;
    }
    return c;
}

static int32_t read_code(struct regex *p)
{
    int32_t c = 0;
    if (*p->at != '{') {
        c = read_hex(p, 4);
        if (c >= 0xD800 && c <= 0xDBFF && p->at[0] == '\\' && p->at[1] == 'u') {
            p->at += 2;
            int32_t low = read_hex(p, 4);
            c = low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00)
                                               : -1;
        }
    } else {
        p->at++;
        while (*p->at && *p->at != '}' && c <= CHARSET_LAST && !p->failed)
            c = c * 16 + read_hex(p, 1);
        p->at += *p->at == '}';
    }
    if (!p->failed && (c < 0 || c > CHARSET_LAST || (c >= 0xD800 && c <= 0xDFFF)))
        return refuse(p, "\\u: no such character");
    return c;
}

/* \d \w \s; opposites within ASCII, where all dialects agree. */
static bool add_named(struct charset *out, char kind)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    static const char digit[] = "0123456789", space[] = " \t\n\v\f\r";
    const char *chars = strchr("dD", kind)   ? digit
                        : strchr("wW", kind) ? word
                        : strchr("sS", kind) ? space
                                             : NULL;
    bool opposite = kind < 'a';
    if (!chars)
        return false;
    for (int32_t c = 1; c < 0x80; c++)
        if ((strchr(chars, c) != NULL) != opposite && (c < 0x1C || c > 0x1F))
            charset_add(out, c, c);
    return true;
}

/* Behind a backslash: adds a named class and returns -1, or returns a character. */
static int32_t read_escape(struct regex *p, struct charset *named)
{
    static const char from[] = "nrtfv0", to[] = "\n\r\t\f\v";
    char kind = *p->at;
    if (!kind)
        return refuse(p, "a \\ at the end");
    p->at++;
    const char *known = strchr(from, kind);
    if (add_named(named, kind))
        return -1;
    if (kind == 'x')
        return read_hex(p, 2);
    if (kind == 'u')
        return read_code(p);
    if (kind == 'c' || kind == 'k' || kind == 'p' || kind == 'P' || kind == 'b' || kind == 'B' ||
        (kind >= '1' && kind <= '9'))
        return refuse(p, "\\%c: not supported", kind);
    if (known)
        return to[known - from];
    if ((kind >= 'a' && kind <= 'z') || (kind >= 'A' && kind <= 'Z') || (kind & 0x80))
        return refuse(p, "\\%c: no such escape", kind & 0x80 ? '?' : kind);
    return kind;
}

static int32_t read_plain(struct regex *p)
{
    size_t len, left = strlen(p->at);
    int32_t c = utf8_decode(p->at, left < 4 ? left : 4, &len);
    if (c < 0)
        return refuse(p, "not UTF-8");
    p->at += len;
    return c;
}

/* One member of a class: a character, or -1 where a named class was added. */
static int32_t read_member(struct regex *p, struct charset *set)
{
    if (*p->at != '\\')
        return read_plain(p);
    p->at++;
    if (*p->at == 'b') {
        p->at++;
        return '\b';
    }
    return read_escape(p, set);
}

static void read_class(struct regex *p, struct charset *set)
{
    p->at++;
    bool invert = *p->at == '^';
    p->at += invert;
    while (*p->at != ']' && !p->failed) {
        if (!*p->at) {
            refuse(p, "a [ without its ]");
            return;
        }
        int32_t first = read_member(p, set), last = first;
        if (p->at[0] == '-' && p->at[1] && p->at[1] != ']' && first >= 0) {
            p->at++;
            last = read_member(p, set);
            if (!p->failed && last < first)
                refuse(p, "a range that ends before it begins");
        }
        if (first >= 0 && !p->failed)
            charset_add(set, first, last);
    }
    p->at += !p->failed;
    charset_finish(set);
    if (invert)
        charset_invert(set);
}

/* Expressions */

static struct part read_alternatives(struct regex *p);

static struct part one_char(struct regex *p, struct charset *set)
{
    charset_finish(set);
    struct part part = {jsontext_char(p->g, set), 1, 1, 1, 1};
    charset_done(set);
    return part;
}

static struct part read_group(struct regex *p)
{
    struct part none = {0};
    p->at++;
    if (*p->at == '?') {
        if (p->at[1] == ':') {
            p->at += 2;
        } else if (p->at[1] == '<' && p->at[2] != '=' && p->at[2] != '!') {
            p->at += strcspn(p->at, ">");
            p->at += *p->at == '>';
        } else {
            refuse(p, "(?%c: not supported", p->at[1] ? p->at[1] : ')');
            return none;
        }
    }
    if (p->depth == MAX_DEPTH) {
        refuse(p, "nested too deep (limit %d)", MAX_DEPTH);
        return none;
    }
    p->depth++;
    struct part part = read_alternatives(p);
    p->depth--;
    if (*p->at != ')')
        refuse(p, "a ( without its )");
    p->at += !p->failed;
    return part;
}

static struct part read_atom(struct regex *p)
{
    struct charset set = {0};
    int32_t c;
    switch (*p->at) {
    case '(': return read_group(p);
    case '[': read_class(p, &set); return one_char(p, &set);
    case '.':
        p->at++;
        charset_add(&set, '\n', '\n');
        charset_add(&set, '\r', '\r');
        charset_add(&set, 0x2028, 0x2029);
        charset_finish(&set);
        charset_invert(&set);
        return one_char(p, &set);
    case '^':
    case '$': refuse(p, "%c: only at the ends", *p->at); return (struct part){0};
    case '*':
    case '+':
    case '?': refuse(p, "%c: nothing to repeat", *p->at); return (struct part){0};
    case '\\':
        p->at++;
        c = read_escape(p, &set);
        break;
    default: c = read_plain(p); break;
    }
    if (c >= 0)
        charset_add(&set, c, c);
    return one_char(p, &set);
}

static bool read_number(struct regex *p, int32_t *out)
{
    const char *start = p->at;
    int64_t n = 0;
    for (; *p->at >= '0' && *p->at <= '9'; p->at++)
        n = n <= MAX_TIMES ? 10 * n + (*p->at - '0') : n;
    *out = (int32_t)(n <= MAX_TIMES ? n : MAX_TIMES + 1);
    return p->at > start;
}

/* {m} {m,} {m,n}; false where it is none of these and so a plain "{". */
static bool read_times(struct regex *p, int32_t *min, int32_t *max)
{
    const char *start = p->at++;
    if (read_number(p, min)) {
        *max = *min;
        if (*p->at == ',') {
            p->at++;
            if (!read_number(p, max))
                *max = GX_FOREVER;
        }
        if (*p->at == '}') {
            p->at++;
            if (*max < *min)
                refuse(p, "{%d,%d}: a maximum below the minimum", *min, *max);
            if (*min > MAX_TIMES || (*max > MAX_TIMES && *max != GX_FOREVER))
                refuse(p, "{}: too many times (limit %d)", MAX_TIMES);
            return true;
        }
    }
    p->at = start;
    return false;
}

static int repeated(struct regex *p, struct part part)
{
    return gx_repeat(p->g, part.unit, part.min, part.max);
}

/* A part that was repeated becomes the unit of another repetition. */
static struct part as_unit(struct regex *p, struct part part)
{
    if (part.min == 1 && part.max == 1)
        return part;
    return (struct part){repeated(p, part), times(part.least, part.min), times(part.most, part.max),
                         1, 1};
}

static struct part read_repeated(struct regex *p)
{
    struct part part = read_atom(p);
    if (p->failed)
        return part;
    int32_t min = 1, max = 1;
    bool repeats = true;
    switch (*p->at) {
    case '*': p->at++, min = 0, max = GX_FOREVER; break;
    case '+': p->at++, max = GX_FOREVER; break;
    case '?': p->at++, min = 0; break;
    case '{': repeats = read_times(p, &min, &max); break;
    default: repeats = false; break;
    }
    if (repeats) {
        part = as_unit(p, part);
        part.min = min;
        part.max = max;
        p->at += *p->at == '?';
        if (*p->at == '*' || *p->at == '+' || *p->at == '?')
            refuse(p, "%c: nothing to repeat", *p->at);
    }
    return part;
}

static struct part any_text(struct regex *p)
{
    struct charset all = {0};
    charset_add(&all, 0, CHARSET_LAST);
    struct part part = one_char(p, &all);
    part.min = 0;
    part.max = GX_FOREVER;
    return part;
}

/* Where just one part's length varies, its count is what keeps the whole within bounds. */
static void bound_length(struct regex *p, struct parts *l)
{
    const struct regex_length want = p->length;
    struct part *free_part = NULL;
    int64_t least = 0, most = 0;
    int n_free = 0;
    for (size_t i = 0; i < l->n; i++) {
        struct part *q = &l->list[i];
        least = plus(least, times(q->least, q->min));
        most = plus(most, times(q->most, q->max));
        if (times(q->least, q->min) != times(q->most, q->max)) {
            free_part = q;
            n_free++;
        }
    }
    if (least >= want.min && most <= want.max)
        return;
    if (n_free != 1 || free_part->least != free_part->most) {
        refuse(p,
               "not together with minLength or maxLength, unless one part only varies in length");
        return;
    }
    int64_t unit = free_part->least, fixed = least - unit * free_part->min;
    int64_t min = (want.min - fixed + unit - 1) / unit;
    int64_t max = want.max == GX_FOREVER ? GX_FOREVER : (want.max - fixed) / unit;
    if (min > free_part->min)
        free_part->min = (int32_t)min;
    if (max < free_part->max)
        free_part->max = (int32_t)max;
    if (want.max < fixed || free_part->max < free_part->min)
        refuse(p, "contradicts minLength or maxLength");
}

static int join(struct regex *p, const struct parts *l,
                int (*how)(struct grammar *g, const int *parts, size_t n))
{
    int *ids = malloc((l->n + 1) * sizeof *ids);
    if (!ids)
        return refuse(p, "out of memory");
    for (size_t i = 0; i < l->n; i++)
        ids[i] = repeated(p, l->list[i]);
    int id = how(p->g, ids, l->n);
    free(ids);
    return id;
}

/* One alternative; at the top level, with what may stand before and after it. */
static struct part read_sequence(struct regex *p)
{
    struct parts l = {0};
    struct part all = {.min = 1, .max = 1};
    bool top = p->depth == 0, closed = false;
    if (top && *p->at == '^')
        p->at++;
    else if (top)
        push(p, &l, any_text(p));
    while (*p->at && *p->at != '|' && *p->at != ')' && !p->failed) {
        if (top && *p->at == '$' && (!p->at[1] || p->at[1] == '|')) {
            p->at++;
            closed = true;
            break;
        }
        push(p, &l, read_repeated(p));
    }
    if (top && !closed && !p->failed)
        push(p, &l, any_text(p));
    if (top && !p->failed)
        bound_length(p, &l);
    for (size_t i = 0; i < l.n; i++) {
        all.least = plus(all.least, times(l.list[i].least, l.list[i].min));
        all.most = plus(all.most, times(l.list[i].most, l.list[i].max));
    }
    if (!p->failed && l.n == 1 && !top)
        all = l.list[0];
    else if (!p->failed)
        all.unit = join(p, &l, gx_seq);
    free(l.list);
    return all;
}

static struct part read_alternatives(struct regex *p)
{
    struct parts l = {0};
    struct part all = read_sequence(p);
    if (p->failed || *p->at != '|')
        return all;
    all = as_unit(p, all);
    push(p, &l, all);
    while (!p->failed && *p->at == '|') {
        p->at++;
        struct part more = as_unit(p, read_sequence(p));
        push(p, &l, more);
        all.least = more.least < all.least ? more.least : all.least;
        all.most = more.most > all.most ? more.most : all.most;
    }
    if (!p->failed)
        all.unit = join(p, &l, gx_alt);
    free(l.list);
    return all;
}

int regex_read(struct grammar *g, const char *pattern, struct regex_length length, int *id_out,
               char *err, size_t errlen)
{
    struct regex p = {
        .g = g, .text = pattern, .at = pattern, .length = length, .err = err, .errlen = errlen};
    struct part all = read_alternatives(&p);
    if (!p.failed && *p.at == ')')
        refuse(&p, "a ) without its (");
    if (!p.failed)
        *id_out = repeated(&p, all);
    return p.failed ? -1 : 0;
}
