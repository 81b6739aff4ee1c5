/* find.c - finds the final answer in a text: grade_find() of grade.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "app/grade/boxed.h"
#include "app/grade/grade.h"
#include "app/str.h"

enum { LINE_LONGEST = 60 }; /* a longer last line is a sentence, not an answer */

struct span {
    const char *at;
    size_t len;
};

static struct span trimmed(const char *at, const char *end)
{
    size_t len = (size_t)(end - at);
    at = str_trim(at, &len);
    return (struct span){at, len};
}

/* The rest of the line after the last ####. */
static bool find_mark(const char *text, size_t len, struct span *out)
{
    for (size_t at = len; at-- > 0;) {
        if (at + 4 > len || memcmp(text + at, "####", 4) != 0)
            continue;
        const char *start = text + at + 4, *end = memchr(start, '\n', len - at - 4);
        *out = trimmed(start, end ? end : text + len);
        return out->len > 0;
    }
    return false;
}

/* Asterisks of emphasis and a final full stop are not part of the answer. */
static struct span strip(struct span s)
{
    while (s.len > 0 && (strchr("*:", *s.at) || isspace((unsigned char)*s.at))) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && (strchr("*.", s.at[s.len - 1]) || isspace((unsigned char)s.at[s.len - 1])))
        s.len--;
    return s;
}

/* The text after the last of the phrases, up to the end of the sentence. */
static bool find_told(const char *text, size_t len, struct span *out)
{
    static const char *const phrases[] = {"answer is", "answer:", "answer ="};
    const char *last = NULL;
    for (size_t at = 0; at < len; at++)
        for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
            size_t n = strlen(phrases[i]);
            if (len - at > n && strncasecmp(text + at, phrases[i], n) == 0)
                last = text + at + n;
        }
    if (!last)
        return false;
    const char *end = last, *stop = text + len;
    while (end < stop && *end != '\n' &&
           !(*end == '.' && (end + 1 == stop || isspace((unsigned char)end[1]))))
        end++;
    *out = strip(trimmed(last, end));
    return out->len > 0;
}

/* The inside of the last formula between dollar signs or \( \), \[ \]. */
static bool find_formula(const char *text, size_t len, struct span *out)
{
    size_t end = len;
    while (end > 0 && (isspace((unsigned char)text[end - 1]) || strchr(".*", text[end - 1])))
        end--;
    if (end >= 2 && text[end - 1] == '$') {
        size_t close = end - 1;
        while (close > 0 && text[close - 1] == '$')
            close--;
        for (size_t at = close; at-- > 0;)
            if (text[at] == '$') {
                *out = trimmed(text + at + 1, text + close);
                return out->len > 0;
            }
        return false;
    }
    if (end < 4 || text[end - 2] != '\\' || (text[end - 1] != ')' && text[end - 1] != ']'))
        return false;
    char open = text[end - 1] == ')' ? '(' : '[';
    for (size_t at = end - 3; at-- > 0;)
        if (text[at] == '\\' && text[at + 1] == open) {
            *out = trimmed(text + at + 2, text + end - 2);
            return out->len > 0;
        }
    return false;
}

static bool find_number(const char *text, size_t len, struct span *out)
{
    size_t end = len;
    while (end > 0 && !isdigit((unsigned char)text[end - 1]))
        end--;
    size_t at = end;
    while (at > 0 && (isdigit((unsigned char)text[at - 1]) ||
                      (strchr(".,/", text[at - 1]) && at > 1 && text[at - 1] &&
                       isdigit((unsigned char)text[at - 2]))))
        at--;
    if (at == end)
        return false;
    bool sign = at > 0 && text[at - 1] == '-' && (at == 1 || !isalnum((unsigned char)text[at - 2]));
    at -= sign;
    *out = (struct span){text + at, end - at};
    return true;
}

static bool find_last_line(const char *text, size_t len, struct span *out)
{
    text = str_trim(text, &len);
    size_t at = len;
    while (at > 0 && text[at - 1] != '\n')
        at--;
    *out = strip(trimmed(text + at, text + len));
    return out->len > 0 && out->len <= LINE_LONGEST;
}

enum grade_place grade_find(const char *text, size_t len, const char **out, size_t *out_len)
{
    struct span s = {text, 0};
    enum grade_place place = GRADE_LAST;

    *out = text;
    *out_len = 0;
    if (boxed_find(text, len, out, out_len)) {
        *out = str_trim(*out, out_len);
        return GRADE_BOXED;
    }
    if (find_mark(text, len, &s))
        place = GRADE_MARKED;
    else if (find_told(text, len, &s))
        place = GRADE_TOLD;
    else if (!find_formula(text, len, &s) && !find_number(text, len, &s) &&
             !find_last_line(text, len, &s))
        return GRADE_NOWHERE;
    *out = s.at;
    *out_len = s.len;
    return place;
}
