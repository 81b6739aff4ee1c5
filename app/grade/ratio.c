/* ratio.c - quotients of sums: numbers, the four operations, comparing. See exact.h. */
#include <stdlib.h>
#include <string.h>

#include "app/grade/exact.h"
#include "app/grade/sum.h"

/* Quotients */

struct ratio ratio_of(struct exact *x, const struct sum *num)
{
    return (struct ratio){num, sum_one(x)};
}

bool ratio_is_constant(struct ratio a)
{
    return sum_is_constant(a.num) && a.den->n == 1 && a.den->terms[0].n == 0;
}

struct ratio ratio_make(struct exact *x, const struct sum *num, const struct sum *den)
{
    if (exact_state(x) == EXACT_FINE && sum_is_zero(den))
        exact_fail(x, EXACT_UNDEFINED);
    if (exact_state(x) != EXACT_FINE)
        return ratio_of(x, sum_zero(x));
    if (den->n == 1 && !sum_has(x, den, ATOM_BASE))
        return ratio_of(x, sum_mul(x, num, term_power(x, &den->terms[0], -1, 1)));
    return (struct ratio){num, den};
}

void ratio_add_key(struct exact *x, struct str *out, struct ratio a)
{
    if (a.den != sum_one(x) && !sum_is_zero(a.den)) {
        mpq_t by;
        mpq_init(by);
        mpq_inv(by, a.den->terms[0].c);
        a = (struct ratio){sum_scale(x, a.num, by), sum_scale(x, a.den, by)};
        mpq_clear(by);
    }
    sum_add_key(out, a.num);
    if (a.den != sum_one(x)) {
        str_adds(out, "/");
        sum_add_key(out, a.den);
    }
}

struct ratio exact_integer(struct exact *x, long n)
{
    mpq_t c;
    mpq_init(c);
    mpq_set_si(c, n, 1);
    struct ratio r = ratio_of(x, sum_constant(x, c));
    mpq_clear(c);
    return r;
}

struct ratio exact_digits(struct exact *x, const char *digits, size_t len, int base)
{
    mpq_t c;
    char *text = exact_alloc(x, len + 1);
    memcpy(text, digits, len);
    if (len > SUM_BITS / 4)
        exact_fail(x, EXACT_TOO_LARGE);
    mpq_init(c);
    if (exact_state(x) == EXACT_FINE && mpz_set_str(mpq_numref(c), text, base) != 0)
        exact_fail(x, EXACT_UNDEFINED);
    struct ratio r = ratio_of(x, exact_state(x) == EXACT_FINE ? sum_constant(x, c) : sum_zero(x));
    mpq_clear(c);
    return r;
}

struct ratio exact_decimal(struct exact *x, const char *digits, size_t len)
{
    const char *point = memchr(digits, '.', len);
    if (!point)
        return exact_digits(x, digits, len, 10);
    size_t before = (size_t)(point - digits), after = len - before - 1;
    char *all = exact_alloc(x, len + 1);
    all[0] = '0';
    memcpy(all + 1, digits, before);
    memcpy(all + 1 + before, point + 1, after);
    struct ratio whole = exact_digits(x, all, len, 10);
    struct ratio ten = exact_integer(x, 10);
    return exact_div(x, whole, exact_pow(x, ten, exact_integer(x, (long)after)));
}

struct ratio exact_symbol(struct exact *x, const char *name, size_t len)
{
    char *key = exact_alloc(x, len + 1);
    memcpy(key, name, len);
    int atom = sum_intern(x, ATOM_SYMBOL, key);
    return ratio_of(x, sum_power(x, sum_one(x)->terms[0].c, (struct power){atom, 1, 1}));
}

struct ratio exact_i(struct exact *x)
{
    int atom = sum_intern(x, ATOM_I, "i");
    return ratio_of(x, sum_power(x, sum_one(x)->terms[0].c, (struct power){atom, 1, 1}));
}

struct ratio exact_add(struct exact *x, struct ratio a, struct ratio b)
{
    if (sum_same(a.den, b.den))
        return ratio_make(x, sum_add(x, a.num, b.num), a.den);
    const struct sum *left = sum_mul(x, a.num, b.den), *right = sum_mul(x, b.num, a.den);
    return ratio_make(x, sum_add(x, left, right), sum_mul(x, a.den, b.den));
}

struct ratio exact_sub(struct exact *x, struct ratio a, struct ratio b)
{
    return exact_add(x, a, exact_mul(x, exact_integer(x, -1), b));
}

struct ratio exact_mul(struct exact *x, struct ratio a, struct ratio b)
{
    return ratio_make(x, sum_mul(x, a.num, b.num), sum_mul(x, a.den, b.den));
}

struct ratio exact_div(struct exact *x, struct ratio a, struct ratio b)
{
    return ratio_make(x, sum_mul(x, a.num, b.den), sum_mul(x, a.den, b.num));
}

/* Comparing */

bool exact_equal(struct exact *x, struct ratio a, struct ratio b)
{
    struct ratio d = exact_sub(x, a, b);
    return exact_state(x) == EXACT_FINE && sum_is_zero(d.num);
}

bool exact_is_integer(struct ratio a, long *out)
{
    if (!ratio_is_constant(a))
        return false;
    *out = 0;
    if (sum_is_zero(a.num))
        return true;
    const mpq_t *c = &a.num->terms[0].c;
    if (mpz_cmp_ui(mpq_denref(*c), 1) != 0 || !mpz_fits_slong_p(mpq_numref(*c)))
        return false;
    *out = mpz_get_si(mpq_numref(*c));
    return true;
}

bool exact_is_letter(const struct exact *x, struct ratio a)
{
    const struct term *t = a.num->n == 1 ? &a.num->terms[0] : NULL;
    if (!t || a.den != sum_one(x) || t->n != 1 || t->powers[0].num != 1 || t->powers[0].den != 1 ||
        mpq_cmp_ui(t->c, 1, 1) != 0)
        return false;
    const struct atom *atom = sum_atom(x, t->powers[0].atom);
    return atom->kind == ATOM_SYMBOL && strcmp(atom->key, "pi") != 0 &&
           strcmp(atom->key, "e") != 0 && strcmp(atom->key, "infty") != 0;
}

bool exact_proportional(struct exact *x, struct ratio a, struct ratio b, int *sign)
{
    const struct sum *p = a.num, *q = b.num;
    *sign = 1;
    if (exact_state(x) != EXACT_FINE || p->n != q->n || !sum_same(a.den, b.den))
        return false;
    if (p->n == 0)
        return true;
    mpq_t by;
    mpq_init(by);
    mpq_div(by, p->terms[0].c, q->terms[0].c);
    *sign = mpq_sgn(by);
    bool same = sum_same(p, sum_scale(x, q, by));
    mpq_clear(by);
    return same && exact_state(x) == EXACT_FINE;
}
