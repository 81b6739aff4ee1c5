/* title.c - see title.h. */
#include "app/chat/title.h"

#include <stdbool.h>
#include <string.h>

#include "app/mem.h"
#include "app/str.h"

enum { SHORT_SENTENCE = 16 }; /* bytes: "Hello!" alone says too little, the next is added */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_control(int32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* The text on one line: runs of white space become one space; control characters and white space
 * at the edges are dropped. */
static void add_line(struct str *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        int32_t code;
        size_t n = str_next(s + i, len - i, &code);
        bool space = n == 1 && is_space(s[i]);
        if (space && out->len > 0 && out->data[out->len - 1] != ' ')
            str_adds(out, " ");
        else if (!space && code >= 0 && !is_control(code))
            str_add(out, s + i, n);
        else if (!space && code < 0)
            str_adds(out, "\xef\xbf\xbd");
        i += n;
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
}

/* Length of leading markup: "# ", "> ", "- ", "```python". */
static size_t marks(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && strchr("#>*-` \t", s[n]))
        n++;
    if (n >= 3 && memchr(s, '`', n)) /* the language of a fence */
        while (n < len && s[n] != '\n')
            n++;
    else if (n > 0 && n < len && !strchr("#>*-`", s[0]))
        return 0;
    else if (n > 0 && n < len && s[n - 1] != ' ' && s[0] != '*' && s[0] != '`')
        return 0; /* "-5 + 3" and "#include" are text */
    return n;
}

/* The first line with words in it. */
static const char *first_line(const char *s, size_t *len)
{
    const char *end = s + *len, *all = s;
    while (s < end) {
        size_t line = 0, skipped;
        while (s + line < end && s[line] != '\n' && s[line] != '\r')
            line++;
        skipped = marks(s, line);
        const char *said = s + skipped;
        size_t rest = line - skipped;
        said = str_trim(said, &rest);
        if (rest > 0) {
            *len = rest;
            return said;
        }
        s += line + (s + line < end);
    }
    return all;
}

/* Where the sentence that begins at `from` ends: after its mark, followed by a space or the end, or
 * after a Chinese or Japanese mark. */
static size_t sentence_end(const char *s, size_t len, size_t from)
{
    static const char *const wide[] = {"\u3002", "\uff1f", "\uff01"};
    for (size_t i = from; i < len; i++) {
        if (strchr(".?!", s[i]) && (i + 1 == len || is_space(s[i + 1])))
            return i + 1;
        for (size_t k = 0; k < sizeof wide / sizeof *wide; k++)
            if (len - i >= 3 && memcmp(s + i, wide[k], 3) == 0)
                return i + 3;
    }
    return len;
}

/* Truncates it to the limit, between words if possible, with an ellipsis. */
static void shorten(struct str *title)
{
    size_t cut = str_cut(title->data, title->len, TITLE_BYTES);
    if (title->len <= TITLE_BYTES)
        return;
    for (size_t i = cut; i > TITLE_BYTES / 2; i--)
        if (title->data[i] == ' ') {
            cut = i;
            break;
        }
    while (cut > 0 && strchr(" ,;:-", title->data[cut - 1]))
        cut--;
    title->len = cut;
    title->data[cut] = '\0';
    str_adds(title, "\u2026");
}

char *title_make(const char *question, size_t len)
{
    struct str line = {0}, title = {0};
    const char *s = first_line(question, &len);

    add_line(&line, s, len);
    size_t end = sentence_end(str_get(&line), line.len, 0);
    if (end < SHORT_SENTENCE && end < line.len)
        end = sentence_end(line.data, line.len, end);
    /* Titles do not end in a full stop; they may end in a question mark. */
    if (end > 1 && line.data[end - 1] == '.' && line.data[end - 2] != '.')
        end--;
    str_add(&title, str_get(&line), end);
    shorten(&title);
    str_done(&line);
    return title.data ? title.data : mem_strdup("");
}

char *title_clean(const char *title, size_t len)
{
    struct str line = {0};
    add_line(&line, title, len);
    size_t cut = str_cut(str_get(&line), line.len, TITLE_MAX);
    if (cut < line.len)
        line.data[line.len = cut] = '\0';
    return line.data ? line.data : mem_strdup("");
}
