/* str.c - see str.h. The definition of a maximal bad part is Unicode's, chapter 3.9. */
#include "app/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "app/mem.h"

static void reserve(struct str *t, size_t more)
{
    if (more >= SIZE_MAX / 2 - t->len)
        mem_fail();
    size_t need = t->len + more + 1;
    if (need <= t->cap)
        return;
    t->cap = need > 2 * t->cap ? need : 2 * t->cap;
    t->data = mem_realloc(t->data, t->cap);
}

void str_add(struct str *t, const char *bytes, size_t len)
{
    reserve(t, len);
    if (len > 0)
        memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = '\0';
}

void str_adds(struct str *t, const char *string)
{
    str_add(t, string, strlen(string));
}

void str_addv(struct str *t, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len > 0) {
        reserve(t, (size_t)len);
        vsnprintf(t->data + t->len, (size_t)len + 1, format, again);
        t->len += (size_t)len;
    }
    va_end(again);
}

void str_addf(struct str *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_addv(t, format, args);
    va_end(args);
}

void str_clear(struct str *t)
{
    t->len = 0;
    if (t->data)
        t->data[0] = '\0';
}

void str_done(struct str *t)
{
    free(t->data);
    *t = (struct str){0};
}

const char *str_get(const struct str *t)
{
    return t->data ? t->data : "";
}

/* For a lead byte: the length of the character, and the range of its second byte. */
static int lead_length(unsigned char lead, unsigned char *low, unsigned char *high)
{
    *low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

size_t str_next(const char *s, size_t len, int32_t *code)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char low, high;
    int need = lead_length(p[0], &low, &high);

    *code = -1;
    if (need == 0)
        return 1;
    int32_t c = need == 1 ? p[0] : p[0] & (0xff >> (need + 1));
    for (int i = 1; i < need; i++) {
        if ((size_t)i >= len || p[i] < low || p[i] > high)
            return (size_t)i;
        c = c << 6 | (p[i] & 0x3f);
        low = 0x80;
        high = 0xbf;
    }
    *code = c;
    return (size_t)need;
}

size_t str_add_valid(struct str *t, const char *bytes, size_t len)
{
    size_t bad = 0;
    for (size_t i = 0, n; i < len; i += n) {
        size_t start = i;
        int32_t code = 0;
        for (n = 0; i < len; i += n) {
            n = str_next(bytes + i, len - i, &code);
            if (code < 0)
                break;
        }
        str_add(t, bytes + start, i - start);
        if (i >= len)
            break;
        str_adds(t, "\xef\xbf\xbd");
        bad++;
    }
    return bad;
}

static bool obeyed(int32_t c, bool lines)
{
    if (c == '\n' || c == '\t')
        return !lines;
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x200b || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

void str_add_visible(struct str *t, const char *bytes, size_t len, bool lines)
{
    for (size_t i = 0, n; i < len; i += n) {
        int32_t code;
        n = str_next(bytes + i, len - i, &code);
        if (lines && code == '\r' && i + 1 < len && bytes[i + 1] == '\n')
            continue;
        if (code >= 0 && !obeyed(code, lines)) {
            str_add(t, bytes + i, n);
            continue;
        }
        for (size_t k = 0; k < n; k++)
            str_addf(t, "\\x%02x", (unsigned char)bytes[i + k]);
    }
}

int str_columns(const char *text)
{
    struct str visible = {0};
    int32_t code;
    int columns = 0;
    str_add_visible(&visible, text, strlen(text), false);
    for (size_t i = 0; i < visible.len; columns += utf8proc_charwidth(code))
        i += str_next(visible.data + i, visible.len - i, &code);
    str_done(&visible);
    return columns;
}

void str_add_padded(struct str *t, const char *text, int columns)
{
    str_add_visible(t, text, strlen(text), false);
    for (int missing = columns - str_columns(text); missing > 0; missing--)
        str_adds(t, " ");
}

size_t str_cut(const char *s, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)s[max] & 0xc0) == 0x80)
        max--;
    return max;
}

const char *str_trim(const char *s, size_t *len)
{
    static const char white[] = " \t\r\n\v\f";
    size_t n = *len;
    while (n > 0 && memchr(white, s[n - 1], sizeof white - 1))
        n--;
    size_t i = 0;
    while (i < n && memchr(white, s[i], sizeof white - 1))
        i++;
    *len = n - i;
    return s + i;
}
