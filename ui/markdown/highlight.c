/*
 * highlight.c: language tables, and the lexer driven by them.
 */
#include "markdown/highlight.h"
#include "terminal/theme.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { PAIRS_MAX = 6 };

/* Delimiters; the first match wins, so longer ones come first. */
struct pair {
    const char *open, *close; /* close NULL: ends with the line */
    uint8_t style;
    unsigned flags;
};

enum pair_flag {
    ESCAPES = 1,     /* a backslash escapes the next character */
    MULTILINE = 2,   /* may span lines */
    STARTS_WORD = 4, /* opens only at the start of a word: '#' in a shell */
};

struct language {
    const char *names; /* separated by spaces */
    struct pair pairs[PAIRS_MAX];
    const char *keywords; /* separated by spaces */
    const char *sigils;   /* prefixes that make a name a keyword: "$" in a shell */
    bool keys;            /* a string before ':' is a key */
};

static const struct language languages[] = {
    {
        .names = " c h cpp c++ cc cxx hpp cuda objc ",
        .pairs = {{"/*", "*/", STYLE_COMMENT, MULTILINE},
                  {"//", NULL, STYLE_COMMENT, 0},
                  {"\"", "\"", STYLE_STRING, ESCAPES},
                  {"'", "'", STYLE_STRING, ESCAPES}},
        .keywords =
            " auto break case char const continue default do double else enum extern float for "
            "goto if inline int long register restrict return short signed sizeof static struct "
            "switch typedef union unsigned void volatile while bool true false NULL nullptr "
            "size_t ssize_t uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t "
            "class public private protected "
            "namespace template typename using new delete this virtual override try catch throw ",
        .sigils = "#",
    },
    {
        .names = " python py python3 py3 pycon ",
        .pairs = {{"\"\"\"", "\"\"\"", STYLE_STRING, ESCAPES | MULTILINE},
                  {"'''", "'''", STYLE_STRING, ESCAPES | MULTILINE},
                  {"\"", "\"", STYLE_STRING, ESCAPES},
                  {"'", "'", STYLE_STRING, ESCAPES},
                  {"#", NULL, STYLE_COMMENT, 0}},
        .keywords =
            " and as assert async await break class continue def del elif else except finally "
            "for from global if import in is lambda nonlocal not or pass raise return try while "
            "with yield match case None True False self print range len int float str list dict "
            "set tuple bool ",
        .sigils = "@",
    },
    {
        .names = " sh bash shell zsh ksh console shell-session terminal ",
        .pairs = {{"#", NULL, STYLE_COMMENT, STARTS_WORD},
                  {"\"", "\"", STYLE_STRING, ESCAPES | MULTILINE},
                  {"'", "'", STYLE_STRING, MULTILINE}},
        .keywords =
            " if then else elif fi case esac for while until do done in function select time "
            "return exit break continue local export readonly declare unset shift set trap eval "
            "exec source alias cd echo printf read test true false sudo ",
        .sigils = "$",
    },
    {
        .names = " json jsonc json5 jsonl ",
        .pairs = {{"\"", "\"", STYLE_STRING, ESCAPES},
                  {"//", NULL, STYLE_COMMENT, 0},
                  {"/*", "*/", STYLE_COMMENT, MULTILINE}},
        .keywords = " true false null ",
        .keys = true,
    },
    {
        .names = " javascript js jsx mjs node typescript ts tsx ",
        .pairs = {{"/*", "*/", STYLE_COMMENT, MULTILINE},
                  {"//", NULL, STYLE_COMMENT, 0},
                  {"\"", "\"", STYLE_STRING, ESCAPES},
                  {"'", "'", STYLE_STRING, ESCAPES},
                  {"`", "`", STYLE_STRING, ESCAPES | MULTILINE}},
        .keywords =
            " async await break case catch class const continue debugger default delete do else "
            "export extends finally for from function get if import in instanceof let new of "
            "return set static super switch this throw try typeof var void while with yield "
            "true false null undefined NaN Infinity interface type enum implements private "
            "public readonly as any number string boolean never unknown ",
    },
};

const struct language *highlight_language(const char *name, size_t len)
{
    size_t n = 0;
    while (n < len && name[n] != ' ' && name[n] != ',' && name[n] != '{')
        n++;
    for (size_t i = 0; n > 0 && i < sizeof languages / sizeof *languages; i++)
        for (const char *at = languages[i].names + 1; *at; at = strchr(at, ' ') + 1)
            if (strncasecmp(at, name, n) == 0 && at[n] == ' ')
                return &languages[i];
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool begins(const char *line, size_t len, size_t pos, const char *s)
{
    size_t n = strlen(s);
    return len - pos >= n && memcmp(line + pos, s, n) == 0;
}

/*
 * Continues inside pair `which` from pos; *state stays set if it is still open at the end of the
 * line.
 */
static size_t read_pair(const struct language *language, int which, uint8_t *state,
                        const char *line, size_t len, size_t pos)
{
    const struct pair *pair = &language->pairs[which];

    *state = 0;
    while (pair->close && pos < len) {
        if (begins(line, len, pos, pair->close))
            return pos + strlen(pair->close);
        pos += (pair->flags & ESCAPES) && line[pos] == '\\' && pos + 1 < len ? 2 : 1;
    }
    if (pair->flags & MULTILINE)
        *state = (uint8_t)(1 + which);
    return len;
}

static bool is_keyword(const struct language *language, const char *word, size_t n)
{
    for (const char *at = language->keywords + 1; *at; at = strchr(at, ' ') + 1)
        if (strncmp(at, word, n) == 0 && at[n] == ' ')
            return true;
    return false;
}

/* A name before a colon: an object's key. */
static bool is_key(const char *line, size_t len, size_t pos)
{
    while (pos < len && (line[pos] == ' ' || line[pos] == '\t'))
        pos++;
    return pos < len && line[pos] == ':';
}

static size_t read_word(const struct language *language, const char *line, size_t len, size_t pos,
                        uint8_t *style_out)
{
    size_t end = pos;
    bool number = is_digit(line[pos]);

    while (end < len && (is_word(line[end]) || (number && line[end] == '.')))
        end++;
    if (number)
        *style_out = STYLE_NUMBER;
    else if (is_keyword(language, line + pos, end - pos))
        *style_out = STYLE_KEYWORD;
    return end;
}

size_t highlight_next(const struct language *language, uint8_t *state, const char *line, size_t len,
                      size_t pos, uint8_t *style_out)
{
    *style_out = STYLE_TEXT;
    if (*state > 0) {
        int which = *state - 1;
        *style_out = language->pairs[which].style;
        return read_pair(language, which, state, line, len, pos);
    }
    for (int i = 0; i < PAIRS_MAX && language->pairs[i].open; i++) {
        const struct pair *pair = &language->pairs[i];
        bool in_word = pos > 0 && line[pos - 1] != ' ' && line[pos - 1] != '\t';
        if (!begins(line, len, pos, pair->open) || ((pair->flags & STARTS_WORD) && in_word))
            continue;
        size_t end = read_pair(language, i, state, line, len, pos + strlen(pair->open));
        bool key = language->keys && pair->style == STYLE_STRING && is_key(line, len, end);
        *style_out = key ? STYLE_KEYWORD : pair->style;
        return end;
    }
    if (is_word(line[pos]))
        return read_word(language, line, len, pos, style_out);
    if (language->sigils && strchr(language->sigils, line[pos]) && line[pos]) {
        size_t end = pos + 1;
        while (end < len && is_word(line[end]))
            end++;
        if (end > pos + 1)
            *style_out = STYLE_KEYWORD;
        return end;
    }
    return pos + 1;
}
