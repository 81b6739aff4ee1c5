/* sum.h - the sums that exact values (exact.h) are made of; for exact.c,
 * ratio.c and power.c alone. */
#ifndef APP_GRADE_SUM_H
#define APP_GRADE_SUM_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "app/grade/exact.h"
#include "app/str.h"

enum {
    SUM_POWERS = 10,  /* atoms of a term */
    SUM_BITS = 16384, /* of a numerator or denominator */
    SUM_EXPONENT = 1 << 20,
};

/* atom^(num/den), den > 0, in lowest terms; num is not 0. */
struct power {
    int atom, num, den;
};

struct term {
    mpq_t c;
    int n;
    struct power powers[SUM_POWERS]; /* by atom */
};

struct sum {
    struct sum *older; /* all of a context */
    size_t n, cap;     /* terms that are used, that are initialised */
    struct term terms[];
};

enum atom_kind {
    ATOM_SYMBOL,
    ATOM_PRIME, /* its exponent is between 0 and 1; a composite one beyond what is factored */
    ATOM_I,     /* its exponent is 1 */
    ATOM_BASE,  /* a sum: its exponent is between 0 and 1 */
    ATOM_CALL,
};

struct atom {
    enum atom_kind kind;
    char *key;
    mpz_t prime;
    const struct sum *base;
};

const struct atom *sum_atom(const struct exact *x, int id);
int sum_intern(struct exact *x, enum atom_kind kind, const char *key); /* 0 after a failure */
int sum_prime(struct exact *x, const mpz_t prime);
int sum_base(struct exact *x, const struct sum *base);

/* A sum with room for n terms, all of them 0 and not used yet. */
struct sum *sum_new(struct exact *x, size_t n);
/* The constant c; and c times one power, made regular. */
const struct sum *sum_constant(struct exact *x, const mpq_t c);
const struct sum *sum_power(struct exact *x, const mpq_t c, struct power p);
const struct sum *sum_add(struct exact *x, const struct sum *a, const struct sum *b);
const struct sum *sum_mul(struct exact *x, const struct sum *a, const struct sum *b);
const struct sum *sum_scale(struct exact *x, const struct sum *a, const mpq_t by);

bool sum_is_zero(const struct sum *a);
bool sum_is_constant(const struct sum *a); /* a rational */
bool sum_has(const struct exact *x, const struct sum *a, enum atom_kind kind);
bool ratio_is_constant(struct ratio a);
const struct sum *sum_zero(const struct exact *x);
const struct sum *sum_one(const struct exact *x);
bool sum_same(const struct sum *a, const struct sum *b);
struct ratio ratio_of(struct exact *x, const struct sum *num);
/* a / b; a divisor of a single term is multiplied in. */
struct ratio ratio_make(struct exact *x, const struct sum *num, const struct sum *den);

/* Adds a key: in one context, values with the same key are equal; equal sums have the same key, and
 * equal quotients nearly always do. */
void sum_add_key(struct str *out, const struct sum *a);
void ratio_add_key(struct exact *x, struct str *out, struct ratio a);

/* c to the power of n, |n| small. Fails where that is too large. */
void rational_power(struct exact *x, mpq_t out, const mpq_t c, long n);
/* In lowest terms; fails where it is out of bounds. */
struct power power_make(struct exact *x, int atom, long num, long den);

/* Raises a term without bases to num/den. In power.c. */
const struct sum *term_power(struct exact *x, const struct term *t, long num, long den);

#endif
