/*
 * font.c: styled variants of a character: bold, blackboard bold, script, Fraktur, raised,
 * lowered.
 */
#include "math/tree.h"

#include <string.h>

struct pair {
    uint32_t from, to;
};

static uint32_t find(const struct pair *pairs, size_t n, uint32_t from)
{
    for (size_t i = 0; i < n; i++)
        if (pairs[i].from == from)
            return pairs[i].to;
    return 0;
}

/* Letters that Unicode encoded before it added whole alphabets. */
static uint32_t older(uint32_t cp, enum math_font font)
{
    static const struct pair doubles[] = {{'C', 0x2102}, {'H', 0x210d}, {'N', 0x2115},
                                          {'P', 0x2119}, {'Q', 0x211a}, {'R', 0x211d},
                                          {'Z', 0x2124}};
    static const struct pair scripts[] = {
        {'B', 0x212c}, {'E', 0x2130}, {'F', 0x2131}, {'H', 0x210b}, {'I', 0x2110}, {'L', 0x2112},
        {'M', 0x2133}, {'R', 0x211b}, {'e', 0x212f}, {'g', 0x210a}, {'o', 0x2134}};
    static const struct pair frakturs[] = {
        {'C', 0x212d}, {'H', 0x210c}, {'I', 0x2111}, {'R', 0x211c}, {'Z', 0x2128}};
    switch (font) {
    case FONT_DOUBLE: return find(doubles, sizeof doubles / sizeof *doubles, cp);
    case FONT_SCRIPT: return find(scripts, sizeof scripts / sizeof *scripts, cp);
    case FONT_FRAKTUR: return find(frakturs, sizeof frakturs / sizeof *frakturs, cp);
    default: return 0;
    }
}

uint32_t math_font(uint32_t cp, enum math_font font)
{
    static const uint32_t upper[] = {0, 0x1d400, 0x1d538, 0x1d49c, 0x1d504};
    static const uint32_t digits[] = {0, 0x1d7ce, 0x1d7d8, 0, 0};
    uint32_t old = older(cp, font);

    if (font == FONT_PLAIN || old)
        return old ? old : cp;
    if (cp >= 'A' && cp <= 'Z')
        return upper[font] + (cp - 'A');
    if (cp >= 'a' && cp <= 'z')
        return upper[font] + 26 + (cp - 'a');
    if (cp >= '0' && cp <= '9' && digits[font])
        return digits[font] + (cp - '0');
    if (font == FONT_BOLD && cp >= 0x391 && cp <= 0x3a9 && cp != 0x3a2)
        return 0x1d6a8 + (cp - 0x391);
    if (font == FONT_BOLD && cp >= 0x3b1 && cp <= 0x3c9)
        return 0x1d6c2 + (cp - 0x3b1);
    return cp;
}

uint32_t math_script_of(uint32_t cp, bool raised)
{
    static const struct pair up[] = {
        {'0', 0x2070},   {'1', 0xb9},      {'2', 0xb2},      {'3', 0xb3},      {'4', 0x2074},
        {'5', 0x2075},   {'6', 0x2076},    {'7', 0x2077},    {'8', 0x2078},    {'9', 0x2079},
        {'+', 0x207a},   {0x2212, 0x207b}, {'=', 0x207c},    {'(', 0x207d},    {')', 0x207e},
        {'a', 0x1d43},   {'b', 0x1d47},    {'c', 0x1d9c},    {'d', 0x1d48},    {'e', 0x1d49},
        {'f', 0x1da0},   {'g', 0x1d4d},    {'h', 0x2b0},     {'i', 0x2071},    {'j', 0x2b2},
        {'k', 0x1d4f},   {'l', 0x2e1},     {'m', 0x1d50},    {'n', 0x207f},    {'o', 0x1d52},
        {'p', 0x1d56},   {'r', 0x2b3},     {'s', 0x2e2},     {'t', 0x1d57},    {'u', 0x1d58},
        {'v', 0x1d5b},   {'w', 0x2b7},     {'x', 0x2e3},     {'y', 0x2b8},     {'z', 0x1dbb},
        {'A', 0x1d2c},   {'B', 0x1d2e},    {'D', 0x1d30},    {'E', 0x1d31},    {'G', 0x1d33},
        {'H', 0x1d34},   {'I', 0x1d35},    {'J', 0x1d36},    {'K', 0x1d37},    {'L', 0x1d38},
        {'M', 0x1d39},   {'N', 0x1d3a},    {'O', 0x1d3c},    {'P', 0x1d3e},    {'R', 0x1d3f},
        {'T', 0x1d40},   {'U', 0x1d41},    {'V', 0x2c7d},    {'W', 0x1d42},    {0x3b2, 0x1d5d},
        {0x3c6, 0x1d60}, {0x3b3, 0x1d5e},  {0x3b4, 0x1d5f},  {0x3b8, 0x1dbf},  {0x3c7, 0x1d61},
        {'*', '*'},      {0x2217, '*'},    {0x2020, 0x2020}, {0x2021, 0x2021}, {0x2218, 0xb0},
        {0xb0, 0xb0},    {0x2032, 0x2032}, {0x2033, 0x2033}, {0x2034, 0x2034}, {0x22a4, 0x1d40},
        {'\'', '\''},
    };
    static const struct pair down[] = {
        {'0', 0x2080},   {'1', 0x2081},    {'2', 0x2082},   {'3', 0x2083},   {'4', 0x2084},
        {'5', 0x2085},   {'6', 0x2086},    {'7', 0x2087},   {'8', 0x2088},   {'9', 0x2089},
        {'+', 0x208a},   {0x2212, 0x208b}, {'=', 0x208c},   {'(', 0x208d},   {')', 0x208e},
        {'a', 0x2090},   {'e', 0x2091},    {'h', 0x2095},   {'i', 0x1d62},   {'j', 0x2c7c},
        {'k', 0x2096},   {'l', 0x2097},    {'m', 0x2098},   {'n', 0x2099},   {'o', 0x2092},
        {'p', 0x209a},   {'r', 0x1d63},    {'s', 0x209b},   {'t', 0x209c},   {'u', 0x1d64},
        {'v', 0x1d65},   {'x', 0x2093},    {0x3b2, 0x1d66}, {0x3b3, 0x1d67}, {0x3c1, 0x1d68},
        {0x3c7, 0x1d6a}, {0x3c6, 0x1d69},
    };
    return raised ? find(up, sizeof up / sizeof *up, cp)
                  : find(down, sizeof down / sizeof *down, cp);
}

const struct math_accent *math_accent(uint32_t mark)
{
    static const struct math_accent accents[] = {
        {0x302, "hat", "hat", "^"},
        {0x304, "bar", "bar", "_"},
        {0x303, "tilde", "tilde", "~"},
        {0x20d7, "vec", "vector", "→"},
        {0x20d6, "lvec", "left vector", "←"},
        {0x20e1, "lrvec", "line", "↔"},
        {0x307, "dot", "dot", "."},
        {0x308, "ddot", "double dot", ".."},
        {0x20db, "dddot", "triple dot", "..."},
        {0x20dc, "ddddot", "quadruple dot", "...."},
        {0x30c, "check", "check", "v"},
        {0x306, "breve", "breve", "u"},
        {0x301, "acute", "acute", "/"},
        {0x300, "grave", "grave", "\\"},
        {0x30a, "ring", "ring", "o"},
    };
    for (size_t i = 0; i < sizeof accents / sizeof *accents; i++)
        if (accents[i].mark == mark)
            return &accents[i];
    return &accents[0];
}
