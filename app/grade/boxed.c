/* boxed.c - see boxed.h. */
#include "app/grade/boxed.h"

#include <string.h>

bool boxed_find(const char *text, size_t len, const char **out, size_t *out_len)
{
    static const char opening[] = "\\boxed{";
    const size_t n = sizeof opening - 1;

    for (size_t at = len < n ? 0 : len - n + 1; at-- > 0;) {
        size_t begin = at + n, end = begin;
        int depth = 1;
        if (memcmp(text + at, opening, n) != 0)
            continue;
        for (; end < len; end++) {
            if (text[end] == '\\' && end + 1 < len)
                end++; /* \{ is not a brace */
            else
                depth += (text[end] == '{') - (text[end] == '}');
            if (depth == 0)
                break;
        }
        if (depth != 0) {
            len = at; /* an earlier box must end before this one, which has no end */
            continue;
        }
        *out = text + begin;
        *out_len = end - begin;
        return true;
    }
    return false;
}
