/* read.h - an answer as a value: a number, words, or several of these in some order. */
#ifndef APP_GRADE_READ_H
#define APP_GRADE_READ_H

#include "app/grade/exact.h"
#include "app/grade/lex.h"
#include "app/grade/unit.h"

enum value_kind {
    VALUE_NUMBER,
    VALUE_WORDS,    /* text, in small letters without spaces */
    VALUE_LIST,     /* items between the signs `open` and `close` */
    VALUE_RELATION, /* sides with signs between them */
};

enum { LIST_BARE = ',', LIST_SET = '{', LIST_UNION = 'U', LIST_ROW = '&', LIST_MATRIX = 'M' };

struct value {
    enum value_kind kind;
    const char *name; /* of "x = 5" the x; NULL: none */
    struct ratio number;
    struct unit unit;
    const char *text;
    int open, close; /* '(' ')' '[' ']', or for both one of the above */
    struct value **items;
    size_t n;
    int *signs; /* n - 1 of them: '=', '<', '>', TOKEN_AT_MOST ... */
};

/* Reads the tokens to a value. A \pm is read as this sign, 1 or -1; *has_sign tells whether there
 * was one. NULL: the tokens make no sense, or exact_state() says why. */
const struct value *grade_read(struct exact *x, struct tokens *tokens, int sign, bool *has_sign);

#endif
