/*
 * text.c: decoding, clusters and widths; the one filter between outside text and the screen. Knows
 * Unicode (through utf8proc), nothing of screens or files.
 */
#include "text/text.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

size_t text_decode(const char *s, size_t len, uint32_t *cp_out)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned lead = p[0];
    uint32_t cp, least;
    size_t n;

    *cp_out = TEXT_REPLACEMENT;
    if (lead < 0x80) {
        *cp_out = lead;
        return 1;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        n = 2, cp = lead & 0x1f, least = 0x80;
    } else if (lead >= 0xe0 && lead < 0xf0) {
        n = 3, cp = lead & 0x0f, least = 0x800;
    } else if (lead >= 0xf0 && lead < 0xf5) {
        n = 4, cp = lead & 0x07, least = 0x10000;
    } else {
        return 1;
    }
    for (size_t i = 1; i < n; i++) {
        if (i == len || (p[i] & 0xc0) != 0x80)
            return i;
        cp = cp << 6 | (p[i] & 0x3f);
        /*
         * Overlong, surrogate or out of range: detected at the second byte, so the sequence ends
         * there.
         */
        if (i == 1) {
            uint32_t low = cp << 6 * (n - 2), high = low | ((1u << 6 * (n - 2)) - 1);
            if (high < least || low > 0x10ffff || (low >= 0xd800 && high <= 0xdfff))
                return 1;
        }
    }
    *cp_out = cp;
    return n;
}

size_t text_encode(uint32_t cp, char out[4])
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)cp, (utf8proc_uint8_t *)out);
}

size_t text_whole(const char *s, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)s[len - back];
        if ((c & 0xc0) == 0x80)
            continue;
        size_t need = c < 0xc2 || c > 0xf4 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
        uint32_t cp;
        bool cut = need > back && text_decode(s + len - back, back, &cp) == back;
        return cut ? len - back : len;
    }
    return len;
}

/*
 * utf8proc's widths, corrected to agree with the C library, which curses and most terminals follow:
 * spacing marks take a column, the later letters of a Hangul syllable none.
 */
int text_columns(uint32_t cp)
{
    if (cp < 0x300)
        return 1;
    if ((cp >= 0x1160 && cp <= 0x11ff) || (cp >= 0xd7b0 && cp <= 0xd7ff))
        return 0;
    if ((cp >= 0x3248 && cp <= 0x324f) || (cp >= 0x4dc0 && cp <= 0x4dff))
        return 2;
    if (utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_MC)
        return 1;
    return utf8proc_charwidth((utf8proc_int32_t)cp);
}

static int boundclass(uint32_t cp)
{
    return utf8proc_get_property((utf8proc_int32_t)cp)->boundclass;
}

static bool is_emoji(uint32_t cp)
{
    return boundclass(cp) == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

static bool is_skin_tone(uint32_t cp)
{
    return cp >= 0x1f3fb && cp <= 0x1f3ff;
}

static bool is_variation_selector(uint32_t cp)
{
    return cp >= 0xfe00 && cp <= 0xfe0f;
}

/* Invisible format characters and unassigned ones. */
static bool is_hidden(uint32_t cp)
{
    if (cp == 0x115f || cp == 0x1160 || cp == 0x3164 || cp == 0xffa0)
        return true; /* Hangul fillers: blank letters */
    if (is_variation_selector(cp) || (cp >= 0xe0100 && cp <= 0xe01ef))
        return true;
    switch (utf8proc_category((utf8proc_int32_t)cp)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return true;
    default: return false;
    }
}

/* The visible replacement of a hidden character. */
static void spell(uint32_t cp, struct text_cluster *out)
{
    char mark[TEXT_CLUSTER_MAX];
    if (cp < 0x20 || cp == 0x7f)
        snprintf(mark, sizeof mark, "^%c", (int)(cp ^ 0x40));
    else
        snprintf(mark, sizeof mark, "<U+%04X>", (unsigned)cp);
    out->n = out->width = (int)strlen(mark);
    for (int i = 0; i < out->n; i++)
        out->cp[i] = (unsigned char)mark[i];
}

static void add(struct text_cluster *out, uint32_t cp)
{
    out->cp[out->n++] = cp;
    out->width += text_columns(cp);
}

/* Whether this character always begins a cluster. */
static bool begins_cluster(uint32_t cp)
{
    int class = boundclass(cp);
    return class == UTF8PROC_BOUNDCLASS_OTHER || class == UTF8PROC_BOUNDCLASS_CONTROL ||
           class == UTF8PROC_BOUNDCLASS_CR || class == UTF8PROC_BOUNDCLASS_LF;
}

/* Extends the cluster with what follows its first character, prev. */
static void extend(const char *s, size_t len, uint32_t prev, struct text_cluster *out)
{
    bool emoji = is_emoji(prev), selected = false;
    utf8proc_int32_t state = 0;
    int marks = out->n - 1;

    while (out->len < len) {
        uint32_t cp, joined;
        size_t n = text_decode(s + out->len, len - out->len, &cp);
        if (begins_cluster(cp) ||
            utf8proc_grapheme_break_stateful((utf8proc_int32_t)prev, (utf8proc_int32_t)cp, &state))
            return;
        if (is_variation_selector(cp) && !selected) {
            selected = true;
        } else if (cp == 0x200d && emoji && out->len + n < len) {
            size_t m = text_decode(s + out->len + n, len - out->len - n, &joined);
            if (!is_emoji(joined))
                return;
            utf8proc_grapheme_break_stateful(0x200d, (utf8proc_int32_t)joined, &state);
            n += m;
            cp = joined;
            selected = false;
        } else if (is_hidden(cp)) {
            return;
        } else if (emoji && is_skin_tone(cp)) {
            /* Consumed, not drawn. */
        } else if (text_columns(cp) == 0) {
            if (marks++ < TEXT_MARKS && out->n < TEXT_CLUSTER_MAX)
                add(out, cp);
        } else {
            if (out->n >= TEXT_CLUSTER_MAX - TEXT_MARKS)
                return;
            add(out, cp);
            marks = 0;
        }
        out->len += n;
        prev = cp;
    }
}

void text_next(const char *s, size_t len, struct text_cluster *out)
{
    unsigned char c = (unsigned char)s[0];
    bool alone = len == 1 || (unsigned char)s[1] < 0x80;
    uint32_t cp;

    out->n = 0;
    out->width = 0;
    if (((c >= 0x20 && c < 0x7f) || c == '\t') && alone) { /* most text */
        out->len = 1;
        out->n = out->width = 1;
        out->cp[0] = c;
        return;
    }
    out->len = text_decode(s, len, &cp);
    if (cp == '\t') {
        add(out, cp);
        return;
    }
    if (is_hidden(cp)) {
        spell(cp, out);
        return;
    }
    if (text_columns(cp) == 0)
        add(out, 0x25cc); /* a mark without a base is put on a dotted circle */
    add(out, cp);
    extend(s, len, cp, out);
}

/* The start of the code point, or of the invalid bytes, before pos. */
static size_t char_before(const char *s, size_t pos)
{
    uint32_t cp;
    for (size_t back = 1; back <= 4 && back <= pos; back++)
        if (((unsigned char)s[pos - back] & 0xc0) != 0x80)
            return text_decode(s + pos - back, back, &cp) == back ? pos - back : pos - 1;
    return pos - 1;
}

size_t text_prev(const char *s, size_t pos)
{
    size_t start = pos;
    uint32_t cp;

    do {
        start = char_before(s, start);
        text_decode(s + start, pos - start, &cp);
    } while (start > 0 && !begins_cluster(cp));
    for (;;) {
        struct text_cluster cluster;
        text_next(s + start, pos - start, &cluster);
        if (start + cluster.len >= pos)
            return start;
        start += cluster.len;
    }
}

int text_width(const char *s, size_t len)
{
    struct text_cluster c;
    int width = 0;
    for (size_t i = 0; i < len; i += c.len) {
        text_next(s + i, len - i, &c);
        width += c.width;
    }
    return width;
}

size_t text_fit(const char *s, size_t len, int width, int *used_out)
{
    struct text_cluster c;
    size_t i = 0;
    int used = 0;
    while (i < len) {
        text_next(s + i, len - i, &c);
        if (used + c.width > width)
            break;
        used += c.width;
        i += c.len;
    }
    if (used_out)
        *used_out = used;
    return i;
}

/* Punctuation that may not begin a line in Chinese and Japanese. */
static bool is_closing(uint32_t cp)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF ||
           category == UTF8PROC_CATEGORY_PO;
}

bool text_is_space(const struct text_cluster *c)
{
    return c->n == 1 && (c->cp[0] == ' ' || c->cp[0] == '\t');
}

bool text_breaks_before(const struct text_cluster *prev, const struct text_cluster *next)
{
    if (text_is_space(next) || text_is_space(prev))
        return !text_is_space(next);
    bool wide = text_columns(prev->cp[0]) == 2 || text_columns(next->cp[0]) == 2;
    return wide && !is_closing(next->cp[0]);
}

size_t text_wrap(const char *s, size_t len, int width)
{
    struct text_cluster c, prev = {.cp = {0}};
    size_t best = 0;
    int used = 0;

    for (size_t i = 0; i < len; i += c.len) {
        text_next(s + i, len - i, &c);
        if (i > 0 && text_breaks_before(&prev, &c))
            best = i;
        if (!text_is_space(&c) && i > 0 && used + c.width > width)
            return best ? best : i;
        used += c.width;
        prev = c;
    }
    return len;
}

uint32_t text_lower(uint32_t cp)
{
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
}

static uint32_t folded(const char *s, size_t *n_out)
{
    uint32_t cp;
    *n_out = text_decode(s, strnlen(s, 4), &cp);
    return text_lower(cp);
}

static bool begins_with(const char *s, const char *part)
{
    while (*part) {
        size_t n, m;
        if (!*s || folded(s, &n) != folded(part, &m))
            return false;
        s += n;
        part += m;
    }
    return true;
}

bool text_contains(const char *s, const char *part)
{
    do {
        if (begins_with(s, part))
            return true;
    } while (*s && *++s);
    return false;
}
