/* names.c - what the names of LaTeX and of plain mathematics stand for: lex.h. */
#include <string.h>

#include "app/grade/lex.h"

static bool is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool is_call(const char *word, size_t len)
{
    static const char *const calls[] = {"sin",    "cos",    "tan",    "cot",  "sec",  "csc",
                                        "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
                                        "log",    "ln",     "exp",    "abs",  "lg"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (is(word, len, calls[i]))
            return true;
    return false;
}

/* The kinds of names, with LaTeX's backslash, or without where that is common. */
static const struct {
    const char *name;
    int kind;
    bool plain;
} names[] = {
    {"frac", TOKEN_FRACTION, false},
    {"dfrac", TOKEN_FRACTION, false},
    {"tfrac", TOKEN_FRACTION, false},
    {"cfrac", TOKEN_FRACTION, false},
    {"sqrt", TOKEN_ROOT, true},
    {"binom", TOKEN_BINOMIAL, false},
    {"dbinom", TOKEN_BINOMIAL, false},
    {"tbinom", TOKEN_BINOMIAL, false},
    {"overline", TOKEN_OVERLINE, false},
    {"times", '*', false},
    {"cdot", '*', false},
    {"ast", '*', false},
    {"div", '/', false},
    {"pm", TOKEN_PLUS_MINUS, false},
    {"mp", TOKEN_MINUS_PLUS, false},
    {"le", TOKEN_AT_MOST, false},
    {"leq", TOKEN_AT_MOST, false},
    {"leqslant", TOKEN_AT_MOST, false},
    {"ge", TOKEN_AT_LEAST, false},
    {"geq", TOKEN_AT_LEAST, false},
    {"geqslant", TOKEN_AT_LEAST, false},
    {"lt", '<', false},
    {"gt", '>', false},
    {"ne", TOKEN_NOT_EQUAL, false},
    {"neq", TOKEN_NOT_EQUAL, false},
    {"approx", '=', false},
    {"cup", TOKEN_UNION, true},
    {"in", TOKEN_IN, false},
    {"circ", TOKEN_DEGREE, false},
    {"degree", TOKEN_DEGREE, false},
    {"lbrace", TOKEN_OPEN_SET, false},
    {"rbrace", TOKEN_CLOSE_SET, false},
    {"langle", '(', false},
    {"rangle", ')', false},
    {"lbrack", '[', false},
    {"rbrack", ']', false},
    {"lfloor", TOKEN_FLOOR, false},
    {"rfloor", TOKEN_FLOOR_END, false},
    {"lceil", TOKEN_CEIL, false},
    {"rceil", TOKEN_CEIL_END, false},
    {"vert", '|', false},
    {"lvert", '|', false},
    {"rvert", '|', false},
    {"mid", '|', false},
    {"and", ',', true},
    {"or", ',', true},
    {"percent", TOKEN_PERCENT, true},
};

/* Commands that are skipped; a group after them is read as usual. */
static const char *const typesetting[] = {
    "left",   "right",  "big",    "Big",          "bigl",       "bigr",
    "Bigl",   "Bigr",   "bigg",   "Bigg",         "biggl",      "biggr",
    "Biggl",  "Biggr",  "middle", "space",        "quad",       "qquad",
    "limits", "boxed",  "fbox",   "displaystyle", "textstyle",  "mathbf",
    "mathbb", "mathit", "mathsf", "mathcal",      "boldsymbol", "vec",
    "hat",    "bar",    "mathop", "ensuremath",   "phantom",    "hspace",
};

static const char *const text_commands[] = {"text",   "textbf",    "textit", "textrm",
                                            "textsf", "mbox",      "mathrm", "operatorname",
                                            "hbox",   "textnormal"};

static bool is_one_of(const char *word, size_t len, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is(word, len, words[i]))
            return true;
    return false;
}

int grade_kind_of_name(const char *word, size_t len, bool plain)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(word, len, names[i].name) && (!plain || names[i].plain))
            return names[i].kind;
    return is_call(word, len) ? TOKEN_CALL : TOKEN_END;
}

bool grade_sets_type(const char *command, size_t len)
{
    return is_one_of(command, len, typesetting, sizeof typesetting / sizeof *typesetting);
}

bool grade_sets_words(const char *command, size_t len)
{
    return is_one_of(command, len, text_commands, sizeof text_commands / sizeof *text_commands);
}
