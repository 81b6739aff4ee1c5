/* exact.h - exact arithmetic for answers: rationals, roots, pi, e, i, letters, and functions of
 * these that are kept symbolic.
 *
 * A value is a quotient of two sums; a term of a sum is a rational times powers of atoms. Atoms
 * are primes (with exponents between 0 and 1: such powers are linearly independent over the
 * rationals, so equal numbers have equal sums), letters, i, and what is known only by name:
 * sin(x), the root of a sum. So values that compare equal are equal; values that compare
 * different are different unless atoms of the last kind are related.
 *
 * All values live in one context and are freed with it. Its work and memory are bounded: what
 * would exceed them fails, as 1/0 does. The first failure stays, and results after it mean
 * nothing. */
#ifndef APP_GRADE_EXACT_H
#define APP_GRADE_EXACT_H

#include <stdbool.h>
#include <stddef.h>

enum exact_state { EXACT_FINE, EXACT_UNDEFINED, EXACT_TOO_LARGE };

struct exact;
struct sum;

struct ratio {
    const struct sum *num, *den;
};

struct exact *exact_new(void);
void exact_free(struct exact *x);
enum exact_state exact_state(const struct exact *x);
void exact_fail(struct exact *x, enum exact_state why); /* the first failure stays */
void *exact_alloc(struct exact *x, size_t size);        /* zeroed; until exact_free */

/* Spends `amount` units of work of about a microsecond; false: the budget is used up, or something
 * has failed. */
bool exact_spend(struct exact *x, size_t amount);

struct ratio exact_integer(struct exact *x, long n);
/* "12", "1.50", ".5": digits with at most one point among them. */
struct ratio exact_decimal(struct exact *x, const char *digits, size_t len);
/* Digits and letters in that base, 2 to 36. */
struct ratio exact_digits(struct exact *x, const char *digits, size_t len, int base);
struct ratio exact_symbol(struct exact *x, const char *name, size_t len); /* "pi", "e", "x_1" */
struct ratio exact_i(struct exact *x);

struct ratio exact_add(struct exact *x, struct ratio a, struct ratio b);
struct ratio exact_sub(struct exact *x, struct ratio a, struct ratio b);
struct ratio exact_mul(struct exact *x, struct ratio a, struct ratio b);
struct ratio exact_div(struct exact *x, struct ratio a, struct ratio b);
struct ratio exact_pow(struct exact *x, struct ratio a, struct ratio b);
struct ratio exact_root(struct exact *x, struct ratio a, struct ratio n); /* the n-th */
struct ratio exact_factorial(struct exact *x, struct ratio a);
struct ratio exact_binomial(struct exact *x, struct ratio n, struct ratio k);
/* "sin", "ln", "abs", "floor" ...: the exact value if it is known, else the call as an atom. */
struct ratio exact_call(struct exact *x, const char *name, struct ratio a);

bool exact_equal(struct exact *x, struct ratio a, struct ratio b);
bool exact_is_integer(struct ratio a, long *out);            /* a small one */
bool exact_is_letter(const struct exact *x, struct ratio a); /* a variable: not pi, e or infinity */

/* Whether a = c * b for a rational c other than 0; its sign in *sign. */
bool exact_proportional(struct exact *x, struct ratio a, struct ratio b, int *sign);

#endif
