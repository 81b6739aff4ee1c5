/* lex.h - an answer as tokens: LaTeX, plain mathematics, and words, in any mixture. What only
 * sets type (\left, \displaystyle, thin spaces, dollar signs in pairs) is left out. */
#ifndef APP_GRADE_LEX_H
#define APP_GRADE_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "app/grade/exact.h"

/* A sign that is one character is its own kind: + - * / ^ _ ( ) [ ] { } , = < > ! | & */
enum {
    TOKEN_END = 0,
    TOKEN_NUMBER = 256, /* text: digits, perhaps a point, perhaps e and an exponent */
    TOKEN_SYMBOL,       /* text: a letter, or the name of one */
    TOKEN_WORD,
    TOKEN_CALL, /* of the function text */
    TOKEN_FRACTION,
    TOKEN_ROOT,
    TOKEN_BINOMIAL,
    TOKEN_OVERLINE,
    TOKEN_MATRIX, /* its beginning, TOKEN_ROW between rows, */
    TOKEN_ROW,
    TOKEN_MATRIX_END,
    TOKEN_OPEN_SET,
    TOKEN_CLOSE_SET,
    TOKEN_FLOOR,
    TOKEN_FLOOR_END,
    TOKEN_CEIL,
    TOKEN_CEIL_END,
    TOKEN_PLUS_MINUS,
    TOKEN_MINUS_PLUS,
    TOKEN_UNION,
    TOKEN_IN,
    TOKEN_AT_MOST,
    TOKEN_AT_LEAST,
    TOKEN_NOT_EQUAL,
    TOKEN_DEGREE,
    TOKEN_PERCENT,
    TOKEN_DOLLAR,
};

struct token {
    int kind;
    bool spaced; /* white space stands before it */
    const char *text;
    size_t len;
};

/* Ambiguities: what is read if the bit is set. */
enum {
    READ_THOUSANDS = 1, /* 1,234 is one number */
    READ_UNITS = 2,     /* the m of "5 m" is a metre; without the bit above, 1,234 is two numbers */
    READ_WAYS = 4,
};

struct tokens {
    struct token *at; /* TOKEN_END is the last */
    size_t n;         /* without that */
    int ambiguous;    /* bits that would make a difference */
};

/* The tokens and their texts live as long as x. False: something in it cannot be read. */
bool grade_lex(struct exact *x, const char *text, size_t len, int ways, struct tokens *out);

/* Whether letters are a unit or a number word, not a product: "cm", "million". */
bool grade_is_unit(const char *word, size_t len);

/* The kind of token of a name: of a command, or (plain) of a word without a backslash. TOKEN_END:
 * unknown. */
int grade_kind_of_name(const char *word, size_t len, bool plain);

/* Whether a command only sets type, or sets the words behind it. */
bool grade_sets_type(const char *command, size_t len);
bool grade_sets_words(const char *command, size_t len);

#endif
