/*
 * ascii.c: a table of look-alikes, and letters without their accents.
 */
#include "text/ascii.h"

#include <stddef.h>

#include <utf8proc.h>

/* Of an accented letter the letter; of others 0. A struck-out sign would lose its meaning. */
static char base_letter(uint32_t cp)
{
    utf8proc_int32_t parts[4];
    int last = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, 4,
                                                 UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, &last);
    return n > 1 && n <= 4 && parts[0] < 0x80 && ascii_is_letter((char)parts[0]) ? (char)parts[0]
                                                                                 : '\0';
}

char ascii_form(uint32_t cp)
{
    static const struct {
        uint32_t cp;
        char form;
    } forms[] = {
        {0xa0, ' '},   {0xb7, '.'},   {0xd7, 'x'},   {0xf7, '/'},    {0x2010, '-'},  {0x2011, '-'},
        {0x2012, '-'}, {0x2013, '-'}, {0x2014, '-'}, {0x2018, '\''}, {0x2019, '\''}, {0x201c, '"'},
        {0x201d, '"'}, {0x2022, '*'}, {0x2026, '~'}, {0x203a, '>'},  {0x2191, '^'},  {0x2193, 'v'},
        {0x2212, '-'}, {0x2248, '='}, {0x2264, '<'}, {0x2265, '>'},  {0x2500, '-'},  {0x2502, '|'},
        {0x250c, '+'}, {0x2510, '+'}, {0x2514, '+'}, {0x2518, '+'},  {0x2588, '#'},  {0x2591, '.'},
        {0x25a0, '#'}, {0x25b8, '>'}, {0x25be, 'v'}, {0x25cf, '*'},  {0x256d, '+'},  {0x256e, '+'},
        {0x256f, '+'}, {0x2570, '+'}, {0x258c, '|'}, {0x2501, '='},  {0x253c, '+'},  {0x25e6, 'o'},
        {0x25aa, '-'}, {0x25c2, '<'}, {0x2610, '_'}, {0x2611, 'x'},  {0x21aa, '>'},  {0x2192, '>'},
        {0x21a9, '<'}, {0xdf, 's'},   {0xd8, 'O'},   {0xf8, 'o'},    {0x141, 'L'},   {0x142, 'l'},
        {0x131, 'i'},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].cp == cp)
            return forms[i].form;
    if (cp >= 0x2800 && cp <= 0x28ff)
        return "|/-\\"[cp % 4]; /* keeps spinners animated */
    char letter = base_letter(cp);
    return letter ? letter : '?';
}
