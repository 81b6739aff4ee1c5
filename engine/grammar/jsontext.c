/* jsontext.c - see jsontext.h. */
#include "grammar/jsontext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"

enum { MAX_INDENT = 24, MAX_DEPTH = 100 };

/* What stands in a string as it is. */
static bool is_plain(int32_t c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void add_plain(struct charset *out, const struct charset *set)
{
    for (size_t i = 0; i < set->n; i++) {
        int32_t c = set->range[i].first;
        for (; c <= set->range[i].last && c < 0x80; c++)
            if (is_plain(c))
                charset_add(out, c, c);
        charset_add(out, c, set->range[i].last);
    }
    charset_finish(out);
}

int jsontext_char(struct grammar *g, const struct charset *set)
{
    struct charset plain = {0};
    int parts[0x22 + 1];
    size_t n = 0;
    add_plain(&plain, set);
    if (plain.n > 0)
        parts[n++] = gx_set(g, &plain);
    charset_done(&plain);
    for (int32_t c = 0; c < 0x80; c++) {
        static const char letters[] = "btn fr"; /* of 8 to 13; 11 has none */
        char text[8];
        if (is_plain(c) || !charset_has(set, c))
            continue;
        if (c >= 0x20)
            snprintf(text, sizeof text, "\\%c", c);
        else if (c >= 8 && c <= 13 && c != 11)
            snprintf(text, sizeof text, "\\%c", letters[c - 8]);
        else
            snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
        parts[n++] = gx_string(g, text);
    }
    return gx_alt(g, parts, n);
}

static int ascii_set(struct grammar *g, const char *chars)
{
    struct charset set = {0};
    for (; *chars; chars++)
        charset_add(&set, *chars, *chars);
    charset_finish(&set);
    int id = gx_set(g, &set);
    charset_done(&set);
    return id;
}

static int hex(struct grammar *g, int32_t n)
{
    return gx_repeat(g, ascii_set(g, "0123456789abcdefABCDEF"), n, n);
}

int jsontext_any_char(struct grammar *g)
{
    struct charset set = {0};
    charset_add(&set, 0x20, 0x21);
    charset_add(&set, 0x23, 0x5B);
    charset_add(&set, 0x5D, CHARSET_LAST);
    charset_finish(&set);
    int plain = gx_set(g, &set);
    charset_done(&set);

    /* \uD800 to \uDFFF only in pairs */
    int d = ascii_set(g, "dD");
    const int other[] = {gx_string(g, "u"), ascii_set(g, "0123456789abcefABCEF"), hex(g, 3)};
    const int low_d[] = {gx_string(g, "u"), d, ascii_set(g, "01234567"), hex(g, 2)};
    const int pair[] = {gx_string(g, "u"),   d, ascii_set(g, "89abAB"),   hex(g, 2),
                        gx_string(g, "\\u"), d, ascii_set(g, "cdefCDEF"), hex(g, 2)};
    const int escapes[] = {ascii_set(g, "\"\\/bfnrt"), gx_seq(g, other, 3), gx_seq(g, low_d, 4),
                           gx_seq(g, pair, 8)};
    return gx_or(g, plain, gx_two(g, gx_string(g, "\\"), gx_alt(g, escapes, 4)));
}

int jsontext_space(struct grammar *g)
{
    int blank = gx_string(g, " ");
    int line = gx_two(g, gx_string(g, "\n"), gx_repeat(g, blank, 0, MAX_INDENT));
    return gx_maybe(g, gx_or(g, blank, line));
}

int jsontext_blank(struct grammar *g)
{
    return gx_maybe(g, gx_string(g, " "));
}

char *jsontext_dump(const json_t *value)
{
    for (size_t digits = 15;; digits++) {
        char *text = json_dumps(value,
                                JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
        if (!text || digits == 17 || !json_is_real(value) ||
            strtod(text, NULL) == json_real_value(value))
            return text;
        free(text);
    }
}

static int value_at(struct grammar *g, const json_t *value, int depth);

static int container(struct grammar *g, const json_t *value, int depth)
{
    bool object = json_is_object(value);
    int space = jsontext_space(g), blank = jsontext_blank(g), n = 0;
    int id = gx_string(g, object ? "{" : "[");
    const char *key;
    json_t *item;
    for (size_t i = 0; i < json_array_size(value); i++) {
        int more = value_at(g, json_array_get(value, i), depth + 1);
        const int parts[] = {id, gx_string(g, n++ > 0 ? "," : ""), space, more};
        id = more < 0 ? -1 : gx_seq(g, parts, 4);
        if (id < 0)
            return -1;
    }
    json_object_foreach((json_t *)value, key, item)
    {
        json_t *name = json_string(key);
        int more = value_at(g, item, depth + 1);
        int text = name ? value_at(g, name, depth + 1) : -1;
        json_decref(name);
        const int parts[] = {
            id, gx_string(g, n++ > 0 ? "," : ""), space, text, gx_string(g, ":"), blank, more};
        id = more < 0 || text < 0 ? -1 : gx_seq(g, parts, 7);
        if (id < 0)
            return -1;
    }
    const int end[] = {id, n > 0 ? space : gx_empty(g), gx_string(g, object ? "}" : "]")};
    return gx_seq(g, end, 3);
}

static int value_at(struct grammar *g, const json_t *value, int depth)
{
    if (depth > MAX_DEPTH)
        return -1;
    if (json_is_object(value) || json_is_array(value))
        return container(g, value, depth);
    char *text = jsontext_dump(value);
    int id = text ? gx_string(g, text) : -1;
    free(text);
    return id;
}

int jsontext_value(struct grammar *g, const json_t *value)
{
    return value_at(g, value, 0);
}
