/* reader.h - shared by the two halves of the parser (read.h): read.c reads sums, units, relations
 * and lists, factor.c the factors of a product. */
#ifndef APP_GRADE_READER_H
#define APP_GRADE_READER_H

#include "app/grade/read.h"

enum { ITEMS_MAX = 128 };

struct reader {
    struct exact *x;
    struct token *t; /* the next */
    int depth;
    int sign;
    bool has_sign;
    bool in_call; /* degrees are an angle, not a unit */
};

/* A list of items whose number is not known beforehand. */
struct items {
    struct value *at[ITEMS_MAX];
    size_t n;
};

struct value *reader_value(struct reader *r, enum value_kind kind);
struct value *reader_number(struct reader *r, struct ratio n);
struct value *reader_list(struct reader *r, const struct items *items, int open, int close);
bool reader_add(struct reader *r, struct items *items, struct value *v);
bool reader_is_plain(const struct value *v); /* a number without unit or name; NULL is none */

bool reader_take(struct reader *r, int kind); /* the next token, if it is one of these */
bool reader_is_whole(const struct token *t);  /* digits alone */

/* Enters a nested level and spends a unit of work; false: too deep, or out of budget. */
bool reader_enter(struct reader *r);

/* Each reads what its name says and moves r->t past it; NULL: there is none. */
struct value *reader_factor(struct reader *r);
struct value *reader_product(struct reader *r);
struct value *reader_sum(struct reader *r); /* with the unit behind it */
struct value *reader_list_of(struct reader *r);

struct value *reader_negative(struct reader *r, const struct value *v);
bool reader_take_degree(struct reader *r);

#endif
