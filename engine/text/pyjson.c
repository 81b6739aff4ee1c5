/* pyjson.c - json.dumps and str of Python, for values that jansson has read. */
#include "text/pyjson.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/prompt.h"

static void put(struct prompt *p, const char *s)
{
    prompt_text(p, s, strlen(s));
}

static void put_zeros(struct prompt *p, int n)
{
    while (n-- > 0)
        put(p, "0");
}

/* repr(float): the fewest digits that read back as the same number; an exponent below 1e-4 and from
 * 1e16 on, else a point and at least one digit behind it. Only digits are taken from printf, since
 * its point is the locale's. */
static void put_real(struct prompt *p, double value)
{
    char text[40], digits[24], exponent_text[8];
    int precision = 0, n = 0;
    do
        snprintf(text, sizeof text, "%.*e", precision, value);
    while (strtod(text, NULL) != value && ++precision < 17);
    const char *e = strchr(text, 'e');
    for (const char *s = text; s < e; s++)
        if (*s >= '0' && *s <= '9')
            digits[n++] = *s;
    int exponent = atoi(e + 1);
    bool scientific = exponent < -4 || exponent >= 16;
    int whole = scientific ? 1 : exponent + 1; /* digits before the point */
    int before = whole < 0 ? 0 : whole < n ? whole : n;

    put(p, signbit(value) ? "-" : "");
    prompt_text(p, digits, (size_t)before);
    put_zeros(p, whole > 0 ? whole - n : 1);
    if (before < n || !scientific)
        put(p, ".");
    put_zeros(p, -whole);
    prompt_text(p, digits + before, (size_t)(n - before));
    if (before == n && !scientific)
        put(p, "0");
    snprintf(exponent_text, sizeof exponent_text, "e%+03d", exponent);
    put(p, scientific ? exponent_text : "");
}

static void put_string(struct prompt *p, const char *s, size_t n)
{
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    put(p, "\"");
    size_t plain = 0; /* s[plain..i) needs no escape */
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        prompt_text(p, s + plain, i - plain);
        plain = i + 1;
        char escape[8];
        const char *found = c ? strchr(named, c) : NULL;
        if (found)
            snprintf(escape, sizeof escape, "\\%c", names[found - named]);
        else
            snprintf(escape, sizeof escape, "\\u%04x", c);
        put(p, escape);
    }
    prompt_text(p, s + plain, n - plain);
    put(p, "\"");
}

static void put_break(struct prompt *p, int indent, int depth)
{
    if (indent == 0)
        return;
    put(p, "\n");
    for (int i = 0; i < indent * depth; i++)
        put(p, " ");
}

static void dump(struct prompt *p, const json_t *value, int indent, int depth);

static void dump_array(struct prompt *p, const json_t *array, int indent, int depth)
{
    size_t n = json_array_size(array);
    put(p, "[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            put(p, indent ? "," : ", ");
        put_break(p, indent, depth + 1);
        dump(p, json_array_get(array, i), indent, depth + 1);
    }
    if (n > 0)
        put_break(p, indent, depth);
    put(p, "]");
}

static void dump_object(struct prompt *p, json_t *object, int indent, int depth)
{
    const char *between = "";
    put(p, "{");
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        put(p, between);
        between = indent ? "," : ", ";
        put_break(p, indent, depth + 1);
        const char *key = json_object_iter_key(at);
        put_string(p, key, strlen(key));
        put(p, ": ");
        dump(p, json_object_iter_value(at), indent, depth + 1);
    }
    if (json_object_size(object) > 0)
        put_break(p, indent, depth);
    put(p, "}");
}

static void dump(struct prompt *p, const json_t *value, int indent, int depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: dump_object(p, (json_t *)value, indent, depth); break;
    case JSON_ARRAY: dump_array(p, value, indent, depth); break;
    case JSON_STRING: put_string(p, json_string_value(value), json_string_length(value)); break;
    case JSON_TRUE: put(p, "true"); break;
    case JSON_FALSE: put(p, "false"); break;
    case JSON_NULL: put(p, "null"); break;
    case JSON_INTEGER:
    case JSON_REAL: pyjson_str(p, value); break;
    }
}

void pyjson_dump(struct prompt *p, const json_t *value, int indent)
{
    dump(p, value, indent, 0);
}

void pyjson_str(struct prompt *p, const json_t *value)
{
    char digits[32];
    switch (json_typeof(value)) {
    case JSON_TRUE: put(p, "True"); break;
    case JSON_FALSE: put(p, "False"); break;
    case JSON_NULL: put(p, "None"); break;
    case JSON_REAL: put_real(p, json_real_value(value)); break;
    case JSON_INTEGER:
        snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        put(p, digits);
        break;
    default: break;
    }
}
