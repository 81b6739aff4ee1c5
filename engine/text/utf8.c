/* utf8.c - decoding by the table of well-formed byte sequences (Unicode 3.9, table 3-7): the first
 * byte gives the length and the range of the second, all others are 80..BF. */
#include "text/utf8.h"

#include <stdio.h>
#include <string.h>

int32_t utf8_decode(const char *s, size_t n, size_t *len_out)
{
    const unsigned char *u = (const unsigned char *)s;
    unsigned char lead = u[0];
    *len_out = 1;
    if (lead < 0x80)
        return lead;
    if (lead < 0xC2 || lead > 0xF4)
        return UTF8_BAD;

    size_t need = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    int32_t c = lead & (0x7F >> need);
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < need; i++) {
        *len_out = i;
        if (i == n)
            return UTF8_SHORT;
        if (u[i] < low || u[i] > high)
            return UTF8_BAD;
        c = c << 6 | (u[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *len_out = need;
    return c;
}

size_t utf8_encode(int32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)((0xF00 >> n & 0xF0) | c);
    return n;
}

bool utf8_is_space(int32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

int utf8_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *utf8_escape(char *out, size_t outlen, const char *s, size_t n)
{
    size_t used = 0;
    for (size_t at = 0, len; at < n; at += len) {
        int32_t c = utf8_decode(s + at, n - at, &len);
        bool shown = c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0);
        size_t need = shown ? len : 4 * len;
        if (used + need >= outlen)
            break;
        if (shown)
            memcpy(out + used, s + at, len);
        for (size_t i = 0; !shown && i < len; i++)
            snprintf(out + used + 4 * i, 5, "\\x%02X", (unsigned char)s[at + i]);
        used += need;
    }
    if (outlen > 0)
        out[used] = '\0';
    return out;
}
