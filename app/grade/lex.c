/* lex.c - see lex.h. */
#include "app/grade/lex.h"

#include <ctype.h>
#include <string.h>

enum { TOKENS_MAX = 4000, WORD_LEAST = 4 };

struct lexer {
    struct exact *x;
    const char *at, *end;
    int ways, ambiguous;
    bool currency; /* the dollar sign stands alone, for money */
    bool spaced;
    struct token *tokens;
    size_t n, cap;
    int depth;
};

static bool lex(struct lexer *l);

static bool push(struct lexer *l, int kind, const char *text, size_t len)
{
    if (l->n == l->cap) {
        exact_fail(l->x, EXACT_TOO_LARGE);
        return false;
    }
    l->tokens[l->n++] = (struct token){kind, l->spaced, text, len};
    l->spaced = false;
    return true;
}

static bool is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool follows(const struct lexer *l, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(l->end - l->at) >= n && memcmp(l->at, text, n) == 0;
}

static size_t count_digits(const char *at, const char *end)
{
    size_t n = 0;
    while (at + n < end && isdigit((unsigned char)at[n]))
        n++;
    return n;
}

/* Numbers */

/* The length of a thousands separator here, if exactly three digits follow it: "{,}", ",\!" and
 * "\," always are one, a comma if READ_THOUSANDS is set. */
static size_t separator(struct lexer *l)
{
    static const char *const always[] = {"{,}", ",\\!", "\\,"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof always / sizeof *always && n == 0; i++)
        n = follows(l, always[i]) ? strlen(always[i]) : 0;
    const char *digits = l->at + n;
    while (n > 0 && digits < l->end && *digits == ' ')
        digits++;
    if (n == 0 && l->at < l->end && *l->at == ',')
        digits = l->at + 1;
    if ((n == 0 && digits == l->at) || count_digits(digits, l->end) != 3)
        return 0;
    if (n == 0)
        l->ambiguous |= READ_THOUSANDS;
    return n > 0 || l->ways & READ_THOUSANDS ? (size_t)(digits - l->at) : 0;
}

/* "e3", "E-4": its length. */
static size_t exponent(const struct lexer *l)
{
    const char *at = l->at;
    if (at >= l->end || (*at != 'e' && *at != 'E'))
        return 0;
    bool sign = *at == 'E' && at + 1 < l->end && (at[1] == '+' || at[1] == '-');
    size_t n = count_digits(at + 1 + sign, l->end);
    return n > 0 && n < 6 ? 1 + sign + n : 0;
}

static bool lex_number(struct lexer *l)
{
    char *text = exact_alloc(l->x, (size_t)(l->end - l->at) + 1);
    size_t len = count_digits(l->at, l->end), more;
    memcpy(text, l->at, len);
    l->at += len;
    if (len <= 3 && len > 0)
        for (; (more = separator(l)); l->at += more + 3, len += 3)
            memcpy(text + len, l->at + more, 3);
    if (l->at < l->end && *l->at == '.') {
        more = count_digits(l->at + 1, l->end);
        memcpy(text + len, l->at, more > 0 ? more + 1 : 0);
        len += more > 0 ? more + 1 : 0;
        l->at += more + 1;
    }
    more = exponent(l);
    memcpy(text + len, l->at, more);
    l->at += more;
    return push(l, TOKEN_NUMBER, text, len + more);
}

/* Words */

static bool is_infinity(const char *word, size_t len)
{
    return is(word, len, "infty") || is(word, len, "infinity") || is(word, len, "inf") ||
           is(word, len, "oo");
}

/* Between brackets a U is a union. */
static bool joins_brackets(const struct lexer *l)
{
    const char *at = l->at;
    int last = l->n > 0 ? l->tokens[l->n - 1].kind : TOKEN_END;
    while (at < l->end && (*at == ' ' || *at == '\\'))
        at++;
    return (last == ')' || last == ']') && at < l->end && (*at == '(' || *at == '[' || *at == 'l');
}

/* A few letters after a number and white space, followed by nothing but a power or one more unit,
 * may be a unit or the thing counted: "5 m", "20 m/s", "1 egg". */
static bool may_be_unit(struct lexer *l, const char *word, size_t len)
{
    const char *behind = l->at;
    bool number = l->n > 0 && l->tokens[l->n - 1].kind == TOKEN_NUMBER;
    while (behind < l->end && strchr(" ^{}0123456789", *behind))
        behind++;
    if (behind < l->end && *behind == '/')
        behind++;
    while (behind > l->at && behind[-1] != ' ' && behind < l->end &&
           isalpha((unsigned char)*behind))
        behind++;
    if (!number || !l->spaced || behind != l->end || (len == 1 && !strchr("mgshLl", *word)))
        return false;
    l->ambiguous |= READ_UNITS;
    return l->ways & READ_UNITS;
}

/* "Eve" */
static bool is_name(const char *word, size_t len)
{
    bool small = true;
    for (size_t i = 1; i < len; i++)
        small = small && islower((unsigned char)word[i]);
    return len >= 3 && small && isupper((unsigned char)*word);
}

static bool lex_letters(struct lexer *l)
{
    const char *word = l->at;
    while (l->at < l->end && isalpha((unsigned char)*l->at))
        l->at++;
    size_t len = (size_t)(l->at - word);
    int kind = grade_kind_of_name(word, len, true);
    if (kind != TOKEN_END)
        return push(l, kind, word, len);
    if (is_infinity(word, len))
        return push(l, TOKEN_SYMBOL, "infty", 5);
    if (is(word, len, "pi"))
        return push(l, TOKEN_SYMBOL, word, len);
    if (len == 1 && (*word == 'U' || *word == 'u') && joins_brackets(l))
        return push(l, TOKEN_UNION, word, len);
    bool number = l->n > 0 && l->tokens[l->n - 1].kind == TOKEN_NUMBER;
    if (len >= WORD_LEAST || is_name(word, len) ||
        (len > 1 && number && grade_is_unit(word, len)) || may_be_unit(l, word, len))
        return push(l, TOKEN_WORD, word, len);
    for (size_t i = 0; i < len; i++)
        if (!push(l, TOKEN_SYMBOL, word + i, 1))
            return false;
    return true;
}

/* Commands */

/* The end of the group whose opening brace was just read; NULL: it is not closed. */
static const char *group_end(const struct lexer *l)
{
    int depth = 1;
    for (const char *at = l->at; at < l->end; at++) {
        if (*at == '\\' && at + 1 < l->end)
            at++;
        else
            depth += (*at == '{') - (*at == '}');
        if (depth == 0)
            return at;
    }
    return NULL;
}

/* A \text of words becomes one token for each; if it holds digits or brackets it is read as
 * mathematics. */
static bool lex_text(struct lexer *l)
{
    while (l->at < l->end && *l->at == ' ')
        l->at++;
    if (l->at == l->end || *l->at != '{')
        return true;
    l->at++;
    const char *end = group_end(l), *start = l->at;
    if (!end)
        return false;
    size_t letters = 0;
    bool plain = true;
    for (const char *at = start; at < end; at++) {
        letters += isalpha((unsigned char)*at) != 0;
        plain = plain && !isdigit((unsigned char)*at) && !strchr("()[]{}\\=+", *at);
    }
    struct lexer inner = *l;
    inner.end = end;
    if (!plain || letters == 1) {
        if (++inner.depth > 20 || !lex(&inner))
            return false;
    } else {
        inner.spaced = true;
        for (const char *at = start; at < end;) {
            const char *word = at;
            while (at < end && !isspace((unsigned char)*at) && *at != ',')
                at++;
            size_t len = (size_t)(at - word);
            bool joins = is(word, len, "and") || is(word, len, "or") || (len == 0 && *at == ',');
            if ((len > 0 || joins) && !push(&inner, joins ? ',' : TOKEN_WORD, word, len))
                return false;
            at += at < end && (len == 0 || *at != ',');
        }
    }
    l->n = inner.n;
    l->ambiguous |= inner.ambiguous;
    l->spaced = false;
    l->at = end + 1;
    return true;
}

static bool lex_environment(struct lexer *l, bool begins)
{
    while (l->at < l->end && *l->at != '}')
        l->at++;
    if (l->at == l->end)
        return false;
    l->at++;
    if (begins && l->at < l->end && *l->at == '{') /* an array's columns */
        while (l->at < l->end && *l->at++ != '}')
            ;
    return push(l, begins ? TOKEN_MATRIX : TOKEN_MATRIX_END, "", 0);
}

static bool lex_sign_command(struct lexer *l)
{
    char sign = *l->at++;
    switch (sign) {
    case '\\': return push(l, TOKEN_ROW, "", 0);
    case '{': return push(l, TOKEN_OPEN_SET, "", 0);
    case '}': return push(l, TOKEN_CLOSE_SET, "", 0);
    case '%': return push(l, TOKEN_PERCENT, "", 0);
    case '$': return push(l, TOKEN_DOLLAR, "", 0);
    case '|': return push(l, '|', "", 0);
    case '(':
    case ')':
    case '[':
    case ']': return true; /* around a formula */
    default: l->spaced = true; return true;
    }
}

static bool lex_command(struct lexer *l)
{
    const char *word = ++l->at;
    if (l->at == l->end)
        return true;
    if (!isalpha((unsigned char)*word))
        return lex_sign_command(l);
    while (l->at < l->end && isalpha((unsigned char)*l->at))
        l->at++;
    size_t len = (size_t)(l->at - word);
    int kind = grade_kind_of_name(word, len, false);
    if (kind != TOKEN_END)
        return push(l, kind, word, len);
    if (is_infinity(word, len))
        return push(l, TOKEN_SYMBOL, "infty", 5);
    if (is(word, len, "emptyset") || is(word, len, "varnothing"))
        return push(l, TOKEN_OPEN_SET, "", 0) && push(l, TOKEN_CLOSE_SET, "", 0);
    if (is(word, len, "begin") || is(word, len, "end"))
        return lex_environment(l, *word == 'b');
    if (grade_sets_words(word, len))
        return lex_text(l);
    if (grade_sets_type(word, len)) {
        bool delimiter = *word == 'l' || *word == 'r';
        l->at += delimiter && l->at < l->end && *l->at == '.'; /* \left. is none */
        return true;
    }
    return push(l, TOKEN_SYMBOL, word, len);
}

/* Signs beyond ASCII, and what they are read as. */
static const struct {
    const char *bytes;
    int kind;
    const char *text;
} signs[] = {
    {"×", '*', ""},
    {"·", '*', ""},
    {"⋅", '*', ""},
    {"∙", '*', ""},
    {"÷", '/', ""},
    {"−", '-', ""},
    {"–", '-', ""},
    {"±", TOKEN_PLUS_MINUS, ""},
    {"√", TOKEN_ROOT, ""},
    {"π", TOKEN_SYMBOL, "pi"},
    {"θ", TOKEN_SYMBOL, "theta"},
    {"∞", TOKEN_SYMBOL, "infty"},
    {"°", TOKEN_DEGREE, ""},
    {"≤", TOKEN_AT_MOST, ""},
    {"≥", TOKEN_AT_LEAST, ""},
    {"≠", TOKEN_NOT_EQUAL, ""},
    {"≈", '=', ""},
    {"∪", TOKEN_UNION, ""},
    {"∈", TOKEN_IN, ""},
    {"€", TOKEN_WORD, "euros"},
    {"£", TOKEN_WORD, "pounds"},
};

static const struct {
    const char *bytes, *digit;
} raised[] = {{"²", "2"}, {"³", "3"}, {"⁴", "4"}, {"⁵", "5"}};

static bool lex_beyond_ascii(struct lexer *l)
{
    static const char *const spaces[] = {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (follows(l, spaces[i])) {
            l->at += strlen(spaces[i]);
            l->spaced = true;
            return true;
        }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (follows(l, signs[i].bytes)) {
            l->at += strlen(signs[i].bytes);
            return push(l, signs[i].kind, signs[i].text, strlen(signs[i].text));
        }
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++)
        if (follows(l, raised[i].bytes)) {
            l->at += strlen(raised[i].bytes);
            return push(l, '^', "", 0) && push(l, TOKEN_NUMBER, raised[i].digit, 1);
        }
    const char *word = l->at; /* a word in some script */
    while (l->at < l->end && (*l->at & 0x80 || isalpha((unsigned char)*l->at)))
        l->at++;
    return push(l, TOKEN_WORD, word, (size_t)(l->at - word));
}

static bool lex_sign(struct lexer *l)
{
    const char *at = l->at++;
    int kind = *at;
    switch (kind) {
    case '$': return !l->currency || push(l, TOKEN_DOLLAR, "", 0);
    case '%': return push(l, TOKEN_PERCENT, "", 0);
    case ';': return push(l, ',', "", 0);
    case ':': return push(l, '/', "", 0);
    case '.':
    case '?':
    case '`':
    case '\'':
    case '"': return true; /* the end of a sentence, quotes */
    case '<':
    case '>':
    case '!':
        if (l->at < l->end && *l->at == '=') {
            l->at++;
            kind = kind == '<' ? TOKEN_AT_MOST : kind == '>' ? TOKEN_AT_LEAST : TOKEN_NOT_EQUAL;
        }
        break;
    case '*':
        if (l->at < l->end && *l->at == '*') {
            l->at++;
            kind = '^';
        }
        break;
    default: break;
    }
    return kind && strchr("+-*/^_()[]{},=<>!|&", *at) && push(l, kind, at, 1);
}

static bool lex_one(struct lexer *l)
{
    unsigned char c = (unsigned char)*l->at;
    bool fraction = c == '.' && l->at + 1 < l->end && isdigit((unsigned char)l->at[1]);
    if (isspace(c) || c == '~') {
        l->at++;
        l->spaced = true;
        return true;
    }
    if (isdigit(c) || fraction)
        return lex_number(l);
    if (isalpha(c))
        return lex_letters(l);
    if (c == '\\')
        return lex_command(l);
    return c & 0x80 ? lex_beyond_ascii(l) : lex_sign(l);
}

static bool lex(struct lexer *l)
{
    while (l->at < l->end)
        if (!lex_one(l))
            return false;
    return true;
}

bool grade_lex(struct exact *x, const char *text, size_t len, int ways, struct tokens *out)
{
    size_t cap = len < TOKENS_MAX ? len + 8 : TOKENS_MAX, dollars = 0;
    for (size_t i = 0; i < len; i++)
        dollars += text[i] == '$' && (i == 0 || text[i - 1] != '\\');
    struct lexer l = {
        .x = x, .at = text, .end = text + len, .ways = ways, .currency = dollars == 1, .cap = cap};
    l.tokens = exact_alloc(x, (cap + 1) * sizeof *l.tokens);
    bool fine = lex(&l);
    *out = (struct tokens){l.tokens, l.n, l.ambiguous};
    return fine;
}
