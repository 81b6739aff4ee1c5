/*
 * find.c: finds formulas in plain text. Each kind of opening delimiter scans at most to the
 * next of its own kind, so that any text is read a bounded number of times.
 */
#include "math/math.h"
#include "math/tree.h"
#include "text/ascii.h"

#include <string.h>

enum {
    TICKS_MAX = 8,  /* longer runs of backticks open nothing */
    NESTED_MAX = 8, /* nesting of environments and boxes */
    WORD_MAX = 24,
};

struct scan {
    const char *s;
    size_t len;
};

/* How the scan for a closing delimiter ended. */
enum outcome { CLOSED, OPEN, NONE };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool starts(const struct scan *t, size_t at, const char *with)
{
    size_t n = strlen(with);
    return n <= t->len - at && memcmp(t->s + at, with, n) == 0;
}

/* At the newline before a blank line: formulas end there. */
static bool is_gap(const struct scan *t, size_t at)
{
    if (t->s[at] != '\n')
        return false;
    for (at++; at < t->len && (t->s[at] == ' ' || t->s[at] == '\t' || t->s[at] == '\r');)
        at++;
    return at < t->len && t->s[at] == '\n';
}

/* Length of the run of one character at `at`. */
static size_t run(const struct scan *t, size_t at)
{
    size_t n = 0;
    while (at + n < t->len && t->s[at + n] == t->s[at])
        n++;
    return n;
}

static bool begins_line(const struct scan *t, size_t at)
{
    size_t blanks = 0;
    while (at > 0 && t->s[at - 1] == ' ' && blanks < 4)
        at--, blanks++;
    return blanks < 4 && (at == 0 || t->s[at - 1] == '\n');
}

static size_t line_end(const struct scan *t, size_t at)
{
    const char *end = at < t->len ? memchr(t->s + at, '\n', t->len - at) : NULL;
    return end ? (size_t)(end - t->s) : t->len;
}

/* Skips a fenced code block at `at`; an unclosed one extends to the end. */
static size_t skip_fence(const struct scan *t, size_t at)
{
    char c = t->s[at];
    size_t n = run(t, at);
    for (size_t line = line_end(t, at); line < t->len; line = line_end(t, line)) {
        line++;
        size_t text = line;
        while (text < t->len && text < line + 3 && t->s[text] == ' ')
            text++;
        if (text < t->len && t->s[text] == c && run(t, text) >= n)
            return line_end(t, text);
    }
    return t->len;
}

/* Skips code in backticks, or only the backticks if they are unclosed. */
static size_t skip_code(const struct scan *t, size_t at)
{
    size_t n = run(t, at), i = at + n;
    if (n >= 3 && begins_line(t, at))
        return skip_fence(t, at);
    for (; n <= TICKS_MAX && i < t->len && !is_gap(t, i); i++)
        if (t->s[i] == '`') {
            size_t m = run(t, i);
            if (m == n)
                return i + n;
            i += m - 1;
        }
    return at + n;
}

/* Scans from `at` to the closing delimiter; *end_out is its end. Stops at `opening`. */
static enum outcome find_close(const struct scan *t, size_t at, const char *opening,
                               const char *closing, size_t *end_out)
{
    for (size_t from = at; at < t->len; at++) {
        if (is_gap(t, at) || at - from > MATH_SOURCE_MAX)
            return NONE;
        if (starts(t, at, closing)) {
            *end_out = at;
            return CLOSED;
        }
        if (opening && starts(t, at, opening))
            return NONE;
        if (t->s[at] == '\\' && at + 1 < t->len)
            at++;
    }
    return OPEN;
}

static bool set(const struct scan *t, struct math_span *out, size_t start, size_t delim,
                size_t close, enum outcome outcome)
{
    size_t end = outcome == OPEN ? t->len : close;
    out->start = start;
    out->tex = start + delim;
    out->tex_len = end - out->tex;
    out->end = outcome == OPEN ? end : end + delim;
    out->open = outcome == OPEN;
    return outcome != NONE;
}

/* Words that occur in formulas only inside \text{}. */
static bool is_prose_word(const char *s, size_t len)
{
    static const char words[] =
        " and or to for the of is in at per from with but was were are than "
        "that on my you we he she it they this paid costs cost each a by ";
    char key[WORD_MAX + 3] = " ";
    if (len > WORD_MAX)
        return true;
    for (size_t i = 0; i < len; i++)
        key[i + 1] = (char)(s[i] | 0x20);
    key[len + 1] = ' ';
    key[len + 2] = '\0';
    return len > 1 && strstr(words, key);
}

static size_t word_length(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && ascii_is_letter(s[n]))
        n++;
    return n;
}

/*
 * Whether text between two dollars reads as a sentence: it has such words, or two words in a row.
 */
static bool is_prose(const char *s, size_t len)
{
    size_t depth = 0, after_word = 0;
    for (size_t i = 0; i < len; i++) {
        depth += s[i] == '{';
        depth -= s[i] == '}' && depth > 0;
        if (s[i] == '\\') {
            i += word_length(s + i + 1, len - i - 1);
            continue;
        }
        if (!ascii_is_letter(s[i]) || depth > 0)
            continue;
        size_t n = word_length(s + i, len - i);
        bool apart = (i == 0 || is_space(s[i - 1])) &&
                     (i + n == len || is_space(s[i + n]) || strchr(",.;:!?", s[i + n]));
        if (apart && (is_prose_word(s + i, n) || (n > 3 && after_word == i && i > 0)))
            return true;
        i += n - 1;
        after_word = apart && n > 3 ? i + 2 : 0;
    }
    return false;
}

static bool has_any(const char *s, size_t len, const char *of)
{
    for (size_t i = 0; i < len; i++)
        if (s[i] && strchr(of, s[i]))
            return true;
    return false;
}

/*
 * $..$: no digit behind it; no blank within, or blanks at both ends of what is plainly a formula.
 * So $5 and $10 are no formula.
 */
static bool dollars_hold_math(const struct scan *t, size_t at, size_t close)
{
    const char *s = t->s + at;
    size_t len = close - at;
    if (len == 0 || is_prose(s, len) || memchr(s, '`', len))
        return false;
    if (close + 1 < t->len && is_digit(t->s[close + 1]))
        return false;
    if (!is_space(s[0]) && !is_space(s[len - 1]))
        return true;
    return is_space(s[0]) && is_space(s[len - 1]) && has_any(s, len, "\\^_=+<>{");
}

/* Whether an unclosed $.. is more likely a formula than a price. */
static bool may_become_math(const char *s, size_t len)
{
    if (len == 0 || is_space(s[0]) || is_prose(s, len))
        return false;
    if (is_digit(s[0]) || word_length(s, len) > 1)
        return has_any(s, len, "\\^_={");
    return len < 400;
}

static bool find_dollar(const struct scan *t, size_t at, struct math_span *out)
{
    size_t close = 0;
    if (at > 0 && (ascii_is_letter(t->s[at - 1]) || is_digit(t->s[at - 1])))
        return false;
    if (run(t, at) > 1) {
        out->style = MATH_DISPLAY;
        enum outcome outcome = find_close(t, at + 2, NULL, "$$", &close);
        bool empty = outcome == CLOSED && close == at + 2;
        if (outcome == OPEN && t->len > at + 2 && t->s[t->len - 1] == '$') {
            set(t, out, at, 2, close, outcome);
            out->tex_len--; /* half of the closing one */
            return true;
        }
        return !empty && set(t, out, at, 2, close, outcome);
    }
    out->style = MATH_INLINE;
    switch (find_close(t, at + 1, NULL, "$", &close)) {
    case CLOSED: return dollars_hold_math(t, at + 1, close) && set(t, out, at, 1, close, CLOSED);
    case OPEN:
        return may_become_math(t->s + at + 1, t->len - at - 1) && set(t, out, at, 1, close, OPEN);
    default: return false;
    }
}

/* Whether a span has its lines to itself. */
static bool stands_alone(const struct scan *t, const struct math_span *span)
{
    size_t from = span->start, to = span->end;
    while (from > 0 && (t->s[from - 1] == ' ' || t->s[from - 1] == '\t'))
        from--;
    while (to < t->len && (t->s[to] == ' ' || t->s[to] == '\t' || t->s[to] == '.'))
        to++;
    return (from == 0 || t->s[from - 1] == '\n') && (to == t->len || t->s[to] == '\n');
}

/* A bare formula is its own source. */
static bool set_bare(const struct scan *t, struct math_span *out, size_t start, size_t end,
                     enum outcome outcome)
{
    set(t, out, start, 0, end, outcome);
    return outcome != NONE;
}

static bool find_boxed(const struct scan *t, size_t at, struct math_span *out)
{
    size_t depth = 0, boxes = 0, i = at;
    enum outcome outcome = OPEN;
    for (; i < t->len; i++) {
        if (is_gap(t, i) || i - at > MATH_SOURCE_MAX ||
            (boxes += starts(t, i, "\\boxed{")) > NESTED_MAX)
            return false;
        if (t->s[i] == '\\' && i + 1 < t->len)
            i++;
        else if (t->s[i] == '{')
            depth++;
        else if (t->s[i] == '}' && --depth == 0) {
            outcome = CLOSED;
            break;
        }
    }
    set_bare(t, out, at, i + 1, outcome);
    out->style = stands_alone(t, out) ? MATH_DISPLAY : MATH_INLINE;
    return true;
}

/* Environments that need no delimiters. */
static bool is_bare_environment(const char *name, size_t len)
{
    static const char *const names[] = {
        "align",   "align*",  "alignat",  "alignat*",    "aligned",   "array",     "bmatrix",
        "Bmatrix", "cases",   "dcases",   "eqnarray",    "eqnarray*", "equation",  "equation*",
        "gather",  "gather*", "gathered", "matrix",      "multline",  "multline*", "pmatrix",
        "split",   "vmatrix", "Vmatrix",  "displaymath", "math",      "flalign",   "flalign*",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return true;
    return false;
}

static bool find_environment(const struct scan *t, size_t at, struct math_span *out)
{
    char opening[WORD_MAX + 16] = "\\begin{", closing[WORD_MAX + 16] = "\\end{";
    size_t name = at + 7, n = 0, depth = 0;
    while (name + n < t->len && n < WORD_MAX &&
           (ascii_is_letter(t->s[name + n]) || t->s[name + n] == '*'))
        n++;
    if (name + n >= t->len || t->s[name + n] != '}' || !is_bare_environment(t->s + name, n))
        return false;
    strncat(opening, t->s + name, n + 1);
    strncat(closing, t->s + name, n + 1);
    out->style = MATH_DISPLAY;
    for (size_t i = at; i < t->len; i++) {
        if (is_gap(t, i) || i - at > MATH_SOURCE_MAX)
            return false;
        if (t->s[i] != '\\')
            continue;
        if (starts(t, i, opening) && ++depth > NESTED_MAX)
            return false;
        if (starts(t, i, closing) && --depth == 0)
            return set_bare(t, out, at, i + strlen(closing), CLOSED);
        i++;
    }
    return set_bare(t, out, at, 0, OPEN);
}

static bool find_command(const struct scan *t, size_t at, struct math_span *out)
{
    size_t close = 0;
    bool round = starts(t, at, "\\(");
    if (round || starts(t, at, "\\[")) {
        const char *opening = round ? "\\(" : "\\[", *closing = round ? "\\)" : "\\]";
        enum outcome outcome = find_close(t, at + 2, opening, closing, &close);
        out->style = round ? MATH_INLINE : MATH_DISPLAY;
        if (!set(t, out, at, 2, close, outcome))
            return false;
        if (out->open && out->tex_len > 0 && t->s[t->len - 1] == '\\')
            out->tex_len--; /* half of the closing one */
        return true;
    }
    if (starts(t, at, "\\boxed{"))
        return find_boxed(t, at, out);
    return starts(t, at, "\\begin{") && find_environment(t, at, out);
}

bool math_find(const char *text, size_t len, size_t from, struct math_span *out)
{
    const struct scan t = {text, len};
    size_t at = from;

    while (at < len) {
        char c = text[at];
        if (c == '`')
            at = skip_code(&t, at);
        else if (c == '~' && run(&t, at) >= 3 && begins_line(&t, at))
            at = skip_fence(&t, at);
        else if (c == '$' && find_dollar(&t, at, out))
            return true;
        else if (c == '$')
            at += run(&t, at);
        else if (c == '\\' && find_command(&t, at, out))
            return true;
        else
            at += c == '\\' && at + 1 < len && text[at + 1] != '\n' ? 2 : 1;
    }
    return false;
}
