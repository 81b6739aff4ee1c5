/*
 * utf8.c - decoding as in table 3-7 of the Unicode standard, "Well-Formed UTF-8 Byte Sequences".
 */
#include "utf8.h"

#include <wctype.h>

/* The first byte decides the length and the range of the second; the rest are 80..BF. */
static size_t sequence(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    if (first >= 0xf0 && first <= 0xf4)
        return 4;
    return 0;
}

uint32_t utf8_next(const char *text, size_t len, size_t *pos)
{
    const unsigned char *p = (const unsigned char *)text + *pos;
    unsigned char low, high;
    size_t n = sequence(*p, &low, &high);
    if (n == 1)
        return text[(*pos)++] & 0x7f;
    if (n == 0 || n > len - *pos || p[1] < low || p[1] > high)
        goto invalid;
    uint32_t c = *p & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            goto invalid;
        c = c << 6 | (p[i] & 0x3f);
    }
    *pos += n;
    return c;

invalid:
    ++*pos;
    return UTF8_INVALID;
}

bool utf8_valid(const char *text, size_t len)
{
    for (size_t pos = 0; pos < len;)
        if (utf8_next(text, len, &pos) == UTF8_INVALID)
            return false;
    return true;
}

size_t utf8_length(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t pos = 0; pos < len; n++)
        utf8_next(text, len, &pos);
    return n;
}

static uint32_t folded_wide(const char *text, size_t len, size_t *pos)
{
    uint32_t c = utf8_next(text, len, pos);
    /* By way of upper case, as letters with two lower forms (Greek sigma) have one of those. */
    return c == UTF8_INVALID ? c : (uint32_t)towlower(towupper((wint_t)c));
}

/* Most of what is searched is ASCII: that much is inline. */
static inline uint32_t folded(const char *text, size_t len, size_t *pos)
{
    unsigned char first = (unsigned char)text[*pos];
    if (first >= 0x80)
        return folded_wide(text, len, pos);
    ++*pos;
    return first >= 'A' && first <= 'Z' ? first + 32u : first;
}

static size_t encode(uint32_t c, char *out)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
    return n;
}

size_t utf8_fold(const char *text, size_t len, char *out)
{
    size_t n = 0;
    for (size_t pos = 0; pos < len;)
        n += encode(folded(text, len, &pos), out + n);
    return n;
}

/* Where `word` ends when it stands at text[at], 0 when it does not. */
static size_t match_end(const char *text, size_t len, size_t at, const char *word, size_t word_len)
{
    for (size_t pos = 0; pos < word_len;) {
        if (at >= len || folded(text, len, &at) != folded(word, word_len, &pos))
            return 0;
    }
    return at;
}

bool utf8_find(const char *text, size_t len, const char *word, size_t word_len, size_t *at_out,
               size_t *len_out)
{
    size_t first_end = 0;
    uint32_t first = word_len ? folded(word, word_len, &first_end) : 0;
    for (size_t at = 0, next = 0; at < len && word_len; at = next) {
        if (folded(text, len, &next) != first)
            continue;
        size_t end = match_end(text, len, at, word, word_len);
        if (end) {
            *at_out = at;
            *len_out = end - at;
            return true;
        }
    }
    return false;
}
