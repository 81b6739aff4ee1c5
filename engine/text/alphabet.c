/* alphabet.c - the byte alphabet, computed rather than tabled. */
#include "text/alphabet.h"

#include <stdbool.h>
#include <string.h>

#include "text/utf8.h"

/* -1: the character stands for no byte. */
static int byte_of(int32_t c)
{
    if ((c >= '!' && c <= '~') || (c >= 0xA1 && c <= 0xFF && c != 0xAD))
        return c;
    if (c < 0x100 || c > 0x143)
        return -1;
    int nth = c - 0x100; /* of the bytes 00-20, 7F-A0 and AD */
    if (nth <= 0x20)
        return nth;
    return nth < 0x43 ? 0x7F + nth - 0x21 : 0xAD;
}

ptrdiff_t alphabet_decode(const char *s, size_t n, char *out)
{
    ptrdiff_t used = 0;
    for (size_t at = 0, len; at < n; at += len) {
        len = 1;
        bool as_itself = s[at] >= '!' && s[at] <= '~'; /* nearly always */
        int byte = as_itself ? s[at] : byte_of(utf8_decode(s + at, n - at, &len));
        if (byte < 0)
            return -1;
        out[used++] = (char)byte;
    }
    return used;
}

/* Of an upper-case digit; -1: none. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int alphabet_hex_byte(const char *s, size_t n)
{
    if (n != 6 || memcmp(s, "<0x", 3) != 0 || s[5] != '>')
        return -1;
    int high = hex_digit(s[3]), low = hex_digit(s[4]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}
