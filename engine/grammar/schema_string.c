/* schema_string.c - strings of a schema: lengths, patterns, formats. A format is a pattern of ours
 * that is stricter than the standard it is named after, never laxer. */
#include <stdio.h>
#include <string.h>

#include "grammar/grammar.h"
#include "grammar/jsontext.h"
#include "grammar/regex.h"
#include "grammar/schema_form.h"
#include "text/utf8.h"

#define MONTHS_DAYS                                                                                \
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|"          \
    "02-(?:0[1-9]|1\\d|2[0-8]))"
#define LEAP_YEAR "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
#define YEAR      "(?:[1-9]\\d{3}|0[1-9]\\d\\d|00[1-9]\\d|000[1-9])"
#define DATE      "(?:" YEAR "-" MONTHS_DAYS "|" LEAP_YEAR "-02-29)"
#define CLOCK     "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?"
#define ZONE      "(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
#define BYTE      "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define LABEL     "[A-Za-z0-9]{1,24}(?:-[A-Za-z0-9]{1,12}){0,2}"
#define NAME      LABEL "(?:\\." LABEL "){0,3}"
#define PATH      "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"

static const struct {
    const char *name, *pattern;
} formats[] = {
    {"date", "^" DATE "$"},
    {"time", "^" CLOCK ZONE "$"},
    {"date-time", "^" DATE "T" CLOCK ZONE "$"},
    {"email",
     "^[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,15}){0,2}@" LABEL "(?:\\." LABEL "){1,3}$"},
    {"hostname", "^" NAME "$"},
    {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
    {"ipv4", "^" BYTE "\\." BYTE "\\." BYTE "\\." BYTE "$"},
    {"uri", "^[A-Za-z][A-Za-z0-9+-]{1,15}://" NAME "(?::[1-9]\\d{0,3})?(?:/" PATH
            "*)*(?:\\?(?:" PATH "|[/?])*)?(?:#(?:" PATH "|[/?])*)?$"},
};

static const char *find_format(struct schema *s, const json_t *format)
{
    const char *name = json_string_value(format);
    char shown[64];
    for (size_t i = 0; name && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].pattern;
    if (name)
        schema_refuse(s, "format", "%s: not supported",
                      utf8_escape(shown, sizeof shown, name, strlen(name)));
    else
        schema_refuse(s, "format", "must be a string");
    return NULL;
}

int schema_string(struct schema *s, const json_t *schema)
{
    const json_t *pattern = json_object_get(schema, "pattern");
    const json_t *format = json_object_get(schema, "format");
    struct regex_length length = {0, GX_FOREVER};
    struct grammar *g = s->g;
    char reason[160];
    int text;

    if (schema_count(s, schema, "minLength", &length.min) != 0 ||
        schema_count(s, schema, "maxLength", &length.max) != 0)
        return REFUSED;
    if (length.max < length.min)
        return schema_refuse(s, "maxLength", "less than minLength");
    if (pattern && format)
        return schema_refuse(s, "format", "not together with pattern");
    if (pattern && !json_is_string(pattern))
        return schema_refuse(s, "pattern", "must be a string");
    const char *regex = format ? find_format(s, format) : json_string_value(pattern);
    if (s->failed)
        return REFUSED;
    if (!regex && length.min == 0 && length.max == GX_FOREVER)
        return schema_any_string(s);
    if (!regex)
        text = gx_repeat(g, jsontext_any_char(g), length.min, length.max);
    else if (regex_read(g, regex, length, &text, reason, sizeof reason) != 0)
        return schema_refuse(s, format ? "format" : "pattern", "%s", reason);
    const int parts[] = {gx_string(g, "\""), text, gx_string(g, "\"")};
    return gx_seq(g, parts, 3);
}
