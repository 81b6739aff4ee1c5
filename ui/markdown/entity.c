/*
 * entity.c: the character references that models use; others are shown as written.
 */
#include "markdown/entity.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t cp;
} entities[] = {
    {"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},     {"apos", '\''},
    {"nbsp", 0xa0},    {"times", 0xd7},   {"divide", 0xf7},  {"plusmn", 0xb1},  {"minus", 0x2212},
    {"deg", 0xb0},     {"pi", 0x3c0},     {"copy", 0xa9},    {"euro", 0x20ac},  {"hellip", 0x2026},
    {"mdash", 0x2014}, {"ndash", 0x2013}, {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201c},
    {"rdquo", 0x201d}, {"rarr", 0x2192},  {"larr", 0x2190},  {"le", 0x2264},    {"ge", 0x2265},
    {"ne", 0x2260},    {"bull", 0x2022},  {"middot", 0xb7},  {"sup2", 0xb2},    {"radic", 0x221a},
};

static uint32_t number(const char *s, size_t len)
{
    int base = len > 0 && (*s == 'x' || *s == 'X') ? 16 : 10;
    char digits[12] = "";
    size_t skip = base == 16;

    if (len - skip >= sizeof digits)
        return 0;
    memcpy(digits, s + skip, len - skip);
    unsigned long cp = strtoul(digits, NULL, base);
    return cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff) ? 0 : (uint32_t)cp;
}

size_t entity_decode(const char *s, size_t len, char out[ENTITY_MAX])
{
    uint32_t cp = 0;

    if (len < 3 || s[0] != '&' || s[len - 1] != ';')
        return 0;
    s++;
    len -= 2;
    if (*s == '#')
        cp = number(s + 1, len - 1);
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (strlen(entities[i].name) == len && memcmp(entities[i].name, s, len) == 0)
            cp = entities[i].cp;
    return cp ? text_encode(cp, out) : 0;
}
