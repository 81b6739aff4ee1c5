/* pretok.c - the split, one function per alternative. Unicode categories come from utf8proc. */
#include "text/pretok.h"

#include <string.h>

#include <utf8proc.h>

#include "text/utf8.h"

enum kind { LETTER, NUMBER, NEWLINE, SPACE, SYMBOL };

struct glyph {
    enum kind kind;
    size_t len;
};

static enum kind classify(int32_t c)
{
    if (c == '\r' || c == '\n')
        return NEWLINE;
    if (utf8_is_space(c))
        return SPACE;
    if (c < 0x80) {
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            return LETTER;
        return c >= '0' && c <= '9' ? NUMBER : SYMBOL;
    }
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return NUMBER;
    default: return SYMBOL;
    }
}

static struct glyph glyph_at(const char *s, size_t n)
{
    struct glyph g;
    int32_t c = utf8_decode(s, n, &g.len);
    g.kind = c < 0 ? SYMBOL : classify(c);
    return g;
}

/* Bytes from `at` on that belong to glyphs of one class, at most `max` of them. */
static size_t run(const char *s, size_t n, size_t at, enum kind kind, size_t max)
{
    size_t start = at;
    while (at < n && max-- > 0) {
        struct glyph g = glyph_at(s + at, n - at);
        if (g.kind != kind)
            break;
        at += g.len;
    }
    return at - start;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d); s begins with the apostrophe. 0 = no match. */
static size_t contraction(const char *s, size_t n)
{
    static const char *const ends[] = {"s", "t", "re", "ve", "m", "ll", "d"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t len = strlen(ends[i]);
        size_t same = 0;
        while (same < len && same + 1 < n && (s[same + 1] | 0x20) == ends[i][same])
            same++;
        if (same == len)
            return 1 + len;
    }
    return 0;
}

/* \s*[\r\n]+ | \s+(?!\S) | \s+ : up to the last newline of the run; else all of it but the last
 * glyph, which is left to the word behind; else that one glyph. */
static size_t white_space(const char *s, size_t n)
{
    size_t at = 0, last = 0, newlines = 0;
    while (at < n) {
        struct glyph g = glyph_at(s + at, n - at);
        if (g.kind != SPACE && g.kind != NEWLINE)
            break;
        last = at;
        at += g.len;
        if (g.kind == NEWLINE)
            newlines = at;
    }
    if (newlines > 0)
        return newlines;
    return at == n || last == 0 ? at : last;
}

size_t pretok_next(const char *s, size_t n, int max_digits)
{
    size_t len;
    if (s[0] == '\'' && (len = contraction(s, n)) > 0)
        return len;

    struct glyph first = glyph_at(s, n);
    if (first.kind == LETTER)
        return run(s, n, 0, LETTER, n);
    if (first.kind == NUMBER)
        return run(s, n, 0, NUMBER, (size_t)max_digits);
    if (first.kind != NEWLINE && (len = run(s, n, first.len, LETTER, n)) > 0)
        return first.len + len;

    size_t blank = s[0] == ' ' ? 1 : 0;
    size_t symbols = run(s, n, blank, SYMBOL, n);
    if (symbols > 0)
        return blank + symbols + run(s, n, blank + symbols, NEWLINE, n);
    return white_space(s, n);
}
