/*
 * keyname.c: names of keys. Does not know what keys do.
 */
#include "keys/keyname.h"
#include "text/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    uint32_t code;
} named[] = {
    {"Enter", KEY_ENTER},    {"Tab", KEY_TAB},
    {"Esc", KEY_ESC},        {"Space", ' '},
    {"Insert", KEY_INSERT},  {"Backspace", KEY_BACKSPACE},
    {"Up", KEY_UP},          {"Delete", KEY_DELETE},
    {"Down", KEY_DOWN},      {"Left", KEY_LEFT},
    {"Right", KEY_RIGHT},    {"Home", KEY_HOME},
    {"End", KEY_END},        {"PgUp", KEY_PAGE_UP},
    {"PgDn", KEY_PAGE_DOWN}, /* read-only from here on */
    {"Return", KEY_ENTER},   {"Escape", KEY_ESC},
    {"PageUp", KEY_PAGE_UP}, {"PageDown", KEY_PAGE_DOWN},
    {"Del", KEY_DELETE},
};
enum { N_NAMED = sizeof named / sizeof *named };

static const struct {
    const char *name, *word;
    unsigned mod;
} modifiers[] = {
    {"C-", "Ctrl-", KEY_CTRL},
    {"M-", "Alt-", KEY_ALT},
    {"S-", "Shift-", KEY_SHIFT},
};
enum { N_MODIFIERS = sizeof modifiers / sizeof *modifiers };

/* Length of the modifier at the front of s; 0: none. */
static size_t take_modifier(const char *s, unsigned *mods)
{
    for (size_t i = 0; i < N_MODIFIERS; i++) {
        const char *forms[] = {modifiers[i].name, modifiers[i].word};
        for (int k = 0; k < 2; k++) {
            size_t n = strlen(forms[k]);
            if (strncmp(s, forms[k], n) == 0 && s[n]) {
                *mods |= modifiers[i].mod;
                return n;
            }
        }
    }
    return 0;
}

/* The number in "F12"; 0: not a function key. */
static unsigned function_number(const char *s, size_t len)
{
    unsigned number = 0;
    if (len < 2 || len > 3 || s[0] != 'F' || s[1] == '0')
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return 0;
        number = number * 10 + (unsigned)(s[i] - '0');
    }
    return number <= 12 ? number : 0;
}

static uint32_t code_of(const char *s, size_t len)
{
    unsigned number = function_number(s, len);
    uint32_t cp;

    if (number > 0)
        return KEY_F1 + number - 1;
    for (size_t i = 0; i < N_NAMED; i++)
        if (strlen(named[i].name) == len && strncasecmp(s, named[i].name, len) == 0)
            return named[i].code;
    bool one = len > 0 && text_decode(s, len, &cp) == len && cp != TEXT_REPLACEMENT;
    return one && cp >= ' ' && cp != 0x7f ? cp : 0;
}

/* As terminals send it: Control drops letter case and turns some letters into other keys. */
static struct key as_sent(uint32_t code, unsigned mods)
{
    bool letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');

    if ((mods & KEY_CTRL) && letter) {
        code |= 0x20;
        if (strchr("him", (int)code))
            return key_of_character(code & 0x1f, mods & ~(unsigned)KEY_CTRL);
    }
    if ((mods & KEY_CTRL) && code == '[')
        return (struct key){KEY_ESC, (uint8_t)(mods & ~(unsigned)KEY_CTRL)};
    if ((mods & KEY_SHIFT) && !(mods & KEY_CTRL) && letter)
        return (struct key){code & ~0x20u, (uint8_t)(mods & ~(unsigned)KEY_SHIFT)};
    return (struct key){code, (uint8_t)mods};
}

bool keyname_parse(const char **s, struct key *out)
{
    const char *p = *s;
    unsigned mods = 0;

    for (size_t n; (n = take_modifier(p, &mods)) > 0;)
        p += n;
    size_t len = strcspn(p, ", ");
    if (len == 0)
        len = *p == ','; /* the comma itself */
    uint32_t code = code_of(p, len);
    *out = as_sent(code, mods);
    *s = p + len;
    return code != 0;
}

void keyname_print(struct key key, bool words, char out[KEYNAME_MAX])
{
    char character[5] = "";
    const char *name = NULL;
    int n = 0;

    for (size_t i = 0; i < N_MODIFIERS; i++)
        if (key.mods & modifiers[i].mod)
            n += snprintf(out + n, KEYNAME_MAX - (size_t)n, "%s",
                          words ? modifiers[i].word : modifiers[i].name);
    for (size_t i = 0; !name && i < N_NAMED; i++)
        if (named[i].code == key.code)
            name = named[i].name;
    if (key.code >= KEY_F1 && key.code <= KEY_F12) {
        snprintf(out + n, KEYNAME_MAX - (size_t)n, "F%u", key.code - KEY_F1 + 1);
        return;
    }
    bool upper = words && (key.mods & KEY_CTRL) && key.code >= 'a' && key.code <= 'z';
    if (!name) {
        text_encode(upper ? key.code - 0x20 : key.code, character);
        name = character;
    }
    snprintf(out + n, KEYNAME_MAX - (size_t)n, "%s", name);
}
