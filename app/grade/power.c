/* power.c - powers, roots and functions of exact values. See exact.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "app/grade/exact.h"
#include "app/grade/sum.h"

enum {
    FACTOR_BITS = 512,    /* of what is factored */
    FACTOR_LIMIT = 65536, /* trial divisors */
    FACTORS = 64,
    ROOT_MAX = 64,
    FACTORIAL_MAX = 1500,
    WHOLE_POWER_MAX = 64, /* of a sum */
};

/* Primes */

struct factor {
    mpz_t prime;
    long times;
};

/* Factors n > 0 into powers of primes. A cofactor without small divisors counts as a prime
 * unless it is a perfect power. Returns how many, at most FACTORS; the caller clears them with
 * mpz_clear. */
static int factor_integer(struct exact *x, const mpz_t n, struct factor *out)
{
    int count = 0;
    mpz_t rest;
    if (mpz_sizeinbase(n, 2) > FACTOR_BITS)
        exact_fail(x, EXACT_TOO_LARGE);
    if (!exact_spend(x, 300))
        return 0;
    mpz_init_set(rest, n);
    for (unsigned long d = 2; d < FACTOR_LIMIT && mpz_cmp_ui(rest, 1) > 0; d += 1 + (d > 2)) {
        if (mpz_cmp_ui(rest, d * d) < 0)
            break; /* it is a prime */
        if (!mpz_divisible_ui_p(rest, d))
            continue;
        mpz_init_set_ui(out[count].prime, d);
        out[count].times = (long)mpz_remove(rest, rest, out[count].prime);
        if (++count == FACTORS - 1)
            break;
    }
    if (mpz_cmp_ui(rest, 1) > 0) {
        long times = 1;
        mpz_t root;
        mpz_init(root);
        for (unsigned long k = 2; k <= 32 && mpz_cmp_ui(rest, 1) > 0; k++)
            while (mpz_root(root, rest, k)) {
                mpz_set(rest, root);
                times *= (long)k;
            }
        mpz_clear(root);
        mpz_init_set(out[count].prime, rest);
        out[count++].times = times;
    }
    mpz_clear(rest);
    return count;
}

static void free_factors(struct factor *factors, int n)
{
    for (int i = 0; i < n; i++)
        mpz_clear(factors[i].prime);
}

/* n^(num/den) for n > 0. */
static const struct sum *integer_power(struct exact *x, const mpz_t n, long num, long den)
{
    struct factor factors[FACTORS];
    const struct sum *product = sum_one(x);
    mpq_t one;
    int count = mpz_cmp_ui(n, 1) == 0 ? 0 : factor_integer(x, n, factors);
    mpq_init(one);
    mpq_set_ui(one, 1, 1);
    for (int i = 0; i < count && exact_state(x) == EXACT_FINE; i++) {
        long times = factors[i].times * num;
        int atom = sum_prime(x, factors[i].prime);
        product = sum_mul(x, product, sum_power(x, one, power_make(x, atom, times, den)));
    }
    mpq_clear(one);
    free_factors(factors, count);
    return product;
}

/* c^(num/den): of negative numbers an odd root is negative, a square root has i. */
static const struct sum *constant_power(struct exact *x, const mpq_t c, long num, long den)
{
    mpq_t size;
    const struct sum *result = sum_one(x);
    mpq_init(size);
    if (den == 1) {
        rational_power(x, size, c, num);
        result = sum_constant(x, size);
    } else if (mpq_sgn(c) == 0) {
        if (num < 0)
            exact_fail(x, EXACT_UNDEFINED);
        result = sum_constant(x, c);
    } else {
        mpq_abs(size, c);
        result = sum_mul(x, integer_power(x, mpq_numref(size), num, den),
                         integer_power(x, mpq_denref(size), -num, den));
        if (mpq_sgn(c) < 0 && den % 2 != 0) {
            mpq_set_si(size, num % 2 ? -1 : 1, 1);
            result = sum_scale(x, result, size);
        } else if (mpq_sgn(c) < 0 && den == 2) {
            mpq_set_si(size, 1, 1);
            result = sum_mul(
                x, result,
                sum_power(x, size, (struct power){sum_intern(x, ATOM_I, "i"), (int)(num % 4), 1}));
        } else if (mpq_sgn(c) < 0) {
            exact_fail(x, EXACT_UNDEFINED);
        }
    }
    mpq_clear(size);
    return result;
}

/* The root of the square of a letter is its absolute value: it may be negative. */
static bool is_size(const struct exact *x, const struct power *p, long num, long den)
{
    const struct atom *a = sum_atom(x, p->atom);
    bool positive = strcmp(a->key, "pi") == 0 || strcmp(a->key, "e") == 0 ||
                    strcmp(a->key, "infty") == 0;
    return a->kind == ATOM_SYMBOL && !positive && den % 2 == 0 && p->den == 1 && p->num % 2 == 0 &&
           p->num * num % den == 0 && p->num * num / den % 2 != 0;
}

const struct sum *term_power(struct exact *x, const struct term *t, long num, long den)
{
    mpq_t one;
    const struct sum *product = constant_power(x, t->c, num, den);
    mpq_init(one);
    mpq_set_ui(one, 1, 1);
    for (int i = 0; i < t->n && exact_state(x) == EXACT_FINE; i++) {
        const struct power *p = &t->powers[i];
        struct power raised = power_make(x, p->atom, p->num * num, p->den * den);
        const struct sum *factor = sum_power(x, one, raised);
        if (is_size(x, p, num, den)) {
            struct ratio letter = ratio_of(x, sum_power(x, one, (struct power){p->atom, 1, 1}));
            struct ratio size = exact_call(x, "abs", letter);
            factor = exact_pow(x, size, exact_integer(x, p->num * num / den)).num;
        }
        product = sum_mul(x, product, factor);
    }
    mpq_clear(one);
    return product;
}

/* Roots */

/* The square root of the rational in *c, if that is one. */
static bool square_root(mpq_t c)
{
    if (mpq_sgn(c) < 0 || !mpz_perfect_square_p(mpq_numref(c)) ||
        !mpz_perfect_square_p(mpq_denref(c)))
        return false;
    mpz_sqrt(mpq_numref(c), mpq_numref(c));
    mpz_sqrt(mpq_denref(c), mpq_denref(c));
    return true;
}

/* The root of a + b as roots of rationals, where b is a root itself: sqrt(5 + 2 sqrt 6) is
 * sqrt 2 + sqrt 3. With d^2 = a^2 - b^2 it is sqrt((a+d)/2) + sqrt((a-d)/2), minus where b < 0. */
static const struct sum *denest(struct exact *x, const struct sum *s)
{
    const struct sum *result = NULL;
    if (s->n != 2 || s->terms[0].n != 0 || mpq_sgn(s->terms[0].c) < 0)
        return NULL;
    const struct term *b = &s->terms[1];
    for (int i = 0; i < b->n; i++)
        if (sum_atom(x, b->powers[i].atom)->kind != ATOM_PRIME || b->powers[i].den != 2)
            return NULL;
    const struct sum *square = term_power(x, b, 2, 1);
    if (exact_state(x) != EXACT_FINE || !sum_is_constant(square))
        return NULL;
    mpq_t d, half;
    mpq_inits(d, half, NULL);
    mpq_mul(d, s->terms[0].c, s->terms[0].c);
    mpq_sub(d, d, square->terms[0].c);
    if (square_root(d)) {
        mpq_add(half, s->terms[0].c, d);
        mpq_div_2exp(half, half, 1);
        struct ratio first = ratio_of(x, constant_power(x, half, 1, 2));
        mpq_sub(half, s->terms[0].c, d);
        mpq_div_2exp(half, half, 1);
        struct ratio second = ratio_of(x, constant_power(x, half, 1, 2));
        result = mpq_sgn(b->c) < 0 ? exact_sub(x, first, second).num
                                   : exact_add(x, first, second).num;
    }
    mpq_clears(d, half, NULL);
    return result;
}

/* The rational content: dividing by it leaves whole coefficients without a common divisor. */
static void content(const struct sum *s, mpq_t out)
{
    mpz_set(mpq_numref(out), mpq_numref(s->terms[0].c));
    mpz_set(mpq_denref(out), mpq_denref(s->terms[0].c));
    mpz_abs(mpq_numref(out), mpq_numref(out));
    for (size_t i = 1; i < s->n; i++) {
        mpz_gcd(mpq_numref(out), mpq_numref(out), mpq_numref(s->terms[i].c));
        mpz_lcm(mpq_denref(out), mpq_denref(out), mpq_denref(s->terms[i].c));
    }
    mpq_canonicalize(out);
}

static const struct sum *sum_root(struct exact *x, const struct sum *s, long n)
{
    if (!exact_spend(x, 1))
        return s;
    if (s->n <= 1 && sum_has(x, s, ATOM_I)) {
        exact_fail(x, EXACT_UNDEFINED);
        return s;
    }
    if (s->n <= 1)
        return s->n == 0 ? s : term_power(x, &s->terms[0], 1, n);
    const struct sum *plain = n == 2 ? denest(x, s) : NULL;
    if (plain || exact_state(x) != EXACT_FINE)
        return plain ? plain : s;
    mpq_t c, one;
    mpq_inits(c, one, NULL);
    mpq_set_ui(one, 1, 1);
    content(s, c);
    const struct sum *outside = constant_power(x, c, 1, n);
    mpq_inv(c, c);
    int atom = sum_base(x, sum_scale(x, s, c));
    const struct sum *root = sum_power(x, one, (struct power){atom, 1, (int)n});
    mpq_clears(c, one, NULL);
    return sum_mul(x, outside, root);
}

static struct ratio ratio_root(struct exact *x, struct ratio a, long n)
{
    if (n == 1)
        return a;
    if (n < 1 || n > ROOT_MAX) {
        exact_fail(x, n < 1 ? EXACT_UNDEFINED : EXACT_TOO_LARGE);
        return a;
    }
    return ratio_make(x, sum_root(x, a.num, n), sum_root(x, a.den, n));
}

/* Powers */

static const struct sum *whole_power(struct exact *x, const struct sum *s, long n)
{
    if (s->n == 1 && !sum_has(x, s, ATOM_BASE))
        return term_power(x, &s->terms[0], n, 1);
    if (n > WHOLE_POWER_MAX)
        exact_fail(x, EXACT_TOO_LARGE);
    const struct sum *product = sum_one(x);
    for (; n > 0 && exact_state(x) == EXACT_FINE; n /= 2, s = n > 0 ? sum_mul(x, s, s) : s)
        if (n % 2)
            product = sum_mul(x, product, s);
    return product;
}

static struct ratio ratio_power(struct exact *x, struct ratio a, long n)
{
    if (n < 0)
        a = ratio_make(x, a.den, a.num);
    if (exact_state(x) != EXACT_FINE || n == 0)
        return ratio_of(x, sum_one(x));
    if (sum_is_zero(a.num))
        return a;
    n = labs(n);
    return ratio_make(x, whole_power(x, a.num, n), whole_power(x, a.den, n));
}

/* The atom for a function known only by name and argument, to a rational power. */
static struct ratio call_power(struct exact *x, const char *name, struct ratio argument,
                               const mpq_t exponent)
{
    struct str key = {0};
    mpq_t one;
    if (!mpz_fits_sint_p(mpq_numref(exponent)) || !mpz_fits_sint_p(mpq_denref(exponent)))
        exact_fail(x, EXACT_TOO_LARGE);
    if (!exact_spend(x, 1))
        return argument;
    str_addf(&key, "%s(", name);
    ratio_add_key(x, &key, argument);
    int atom = sum_intern(x, ATOM_CALL, str_get(&key));
    str_done(&key);
    mpq_init(one);
    mpq_set_ui(one, 1, 1);
    struct ratio r = ratio_of(x, sum_power(x, one,
                                           power_make(x, atom, mpz_get_si(mpq_numref(exponent)),
                                                      mpz_get_si(mpq_denref(exponent)))));
    mpq_clear(one);
    return r;
}

/* base^(lead * rest), where the text names the base. */
static struct ratio named_power(struct exact *x, const char *base, struct ratio rest,
                                const mpq_t lead)
{
    struct str name = {0};
    str_addf(&name, "power:%s", base);
    struct ratio r = call_power(x, str_get(&name), rest, lead);
    str_done(&name);
    return r;
}

/* n^(lead * rest) by its primes, so that 4^k is 2^(2k). */
static struct ratio prime_powers(struct exact *x, const mpz_t n, struct ratio rest,
                                 const mpq_t lead, int sign)
{
    struct factor factors[FACTORS];
    struct ratio product = exact_integer(x, 1);
    int count = factor_integer(x, n, factors);
    mpq_t exponent;
    mpq_init(exponent);
    for (int i = 0; i < count; i++) {
        char *base = mpz_get_str(NULL, 62, factors[i].prime);
        mpq_set_si(exponent, sign * factors[i].times, 1);
        mpq_mul(exponent, exponent, lead);
        product = exact_mul(x, product, named_power(x, base, rest, exponent));
        free(base);
    }
    mpq_clear(exponent);
    free_factors(factors, count);
    return product;
}

/* a to a power that is not rational, with the constant part split off, so that 2^(n+1) is 2 *
 * 2^n. */
static struct ratio symbolic_power(struct exact *x, struct ratio a, struct ratio b)
{
    struct ratio constant = exact_integer(x, 0), product;
    mpq_t lead;
    mpq_init(lead);
    mpq_set_ui(lead, 1, 1);
    if (b.den == sum_one(x)) {
        if (b.num->terms[0].n == 0) { /* it has no powers, so it is the first */
            constant = ratio_of(x, sum_constant(x, b.num->terms[0].c));
            b = exact_sub(x, b, constant);
        }
        if (exact_state(x) == EXACT_FINE && !sum_is_zero(b.num)) {
            mpq_inv(lead, b.num->terms[0].c);
            b.num = sum_scale(x, b.num, lead);
            mpq_inv(lead, lead);
        }
    }
    if (!exact_spend(x, 1)) {
        product = a;
    } else if (ratio_is_constant(a) && !sum_is_zero(a.num) && mpq_sgn(a.num->terms[0].c) > 0) {
        const mpq_t *c = &a.num->terms[0].c;
        product = exact_mul(x, prime_powers(x, mpq_numref(*c), b, lead, 1),
                            prime_powers(x, mpq_denref(*c), b, lead, -1));
    } else {
        struct str base = {0};
        str_adds(&base, "of ");
        ratio_add_key(x, &base, a);
        product = named_power(x, str_get(&base), b, lead);
        str_done(&base);
    }
    mpq_clear(lead);
    return exact_mul(x, product, exact_pow(x, a, constant));
}

/* Whether the angle is k/12 pi, k from -23 to 23. */
static bool twelfths_of_pi(struct exact *x, struct ratio angle, long *k)
{
    struct ratio twelfths = exact_mul(x, angle, exact_integer(x, 12));
    twelfths = exact_div(x, twelfths, exact_symbol(x, "pi", 2));
    if (exact_state(x) != EXACT_FINE || !exact_is_integer(twelfths, k))
        return false;
    *k %= 24;
    return true;
}

/* Sine of k/12 pi. */
static struct ratio sine(struct exact *x, long k)
{
    static const struct {
        int first, second; /* (sqrt first + sqrt second) / 4 */
    } values[] = {{0, 0}, {6, -2}, {4, 0}, {8, 0}, {12, 0}, {6, 2}, {16, 0}};
    k = (k % 24 + 24) % 24;
    bool negative = k > 12;
    k = k > 12 ? k - 12 : k;
    k = k > 6 ? 12 - k : k;
    struct ratio half = exact_div(x, exact_integer(x, 1), exact_integer(x, 2));
    struct ratio second = exact_pow(x, exact_integer(x, labs((long)values[k].second)), half);
    if (values[k].second < 0)
        second = exact_mul(x, second, exact_integer(x, -1));
    struct ratio sum = exact_add(x, exact_pow(x, exact_integer(x, values[k].first), half), second);
    return exact_div(x, sum, exact_integer(x, negative ? -4 : 4));
}

/* e^(i angle) for the angles whose sine is known. */
static bool on_circle(struct exact *x, struct ratio a, struct ratio b, struct ratio *out)
{
    struct ratio e = exact_symbol(x, "e", 1), angle = exact_div(x, b, exact_i(x));
    long k;
    if (!exact_equal(x, a, e) || !twelfths_of_pi(x, angle, &k))
        return false;
    *out = exact_add(x, sine(x, k + 6), exact_mul(x, exact_i(x), sine(x, k)));
    return true;
}

struct ratio exact_pow(struct exact *x, struct ratio a, struct ratio b)
{
    struct ratio known;
    if (!exact_spend(x, 1))
        return a;
    if (!ratio_is_constant(b))
        return on_circle(x, a, b, &known) ? known : symbolic_power(x, a, b);
    if (sum_is_zero(b.num))
        return exact_integer(x, 1);
    const mpq_t *c = &b.num->terms[0].c;
    if (!mpz_fits_sint_p(mpq_numref(*c)) || !mpz_fits_sint_p(mpq_denref(*c))) {
        exact_fail(x, EXACT_TOO_LARGE);
        return a;
    }
    struct ratio root = ratio_root(x, a, mpz_get_si(mpq_denref(*c)));
    return exact_state(x) == EXACT_FINE ? ratio_power(x, root, mpz_get_si(mpq_numref(*c))) : a;
}

struct ratio exact_root(struct exact *x, struct ratio a, struct ratio n)
{
    return exact_pow(x, a, exact_div(x, exact_integer(x, 1), n));
}

/* Functions */

struct ratio exact_factorial(struct exact *x, struct ratio a)
{
    long n;
    mpq_t c;
    if (exact_is_integer(a, &n) && n < 0)
        exact_fail(x, EXACT_UNDEFINED);
    if (!exact_is_integer(a, &n))
        return exact_call(x, "factorial", a);
    if (n > FACTORIAL_MAX)
        exact_fail(x, EXACT_TOO_LARGE);
    if (!exact_spend(x, 20))
        return a;
    mpq_init(c);
    mpz_fac_ui(mpq_numref(c), (unsigned long)n);
    struct ratio r = ratio_of(x, sum_constant(x, c));
    mpq_clear(c);
    return r;
}

struct ratio exact_binomial(struct exact *x, struct ratio n, struct ratio k)
{
    long above, below;
    mpq_t c;
    if (!exact_is_integer(n, &above) || !exact_is_integer(k, &below) || above < 0 || below < 0)
        exact_fail(x, EXACT_UNDEFINED);
    else if (above > FACTORIAL_MAX)
        exact_fail(x, EXACT_TOO_LARGE);
    if (!exact_spend(x, 20))
        return n;
    mpq_init(c);
    mpz_bin_uiui(mpq_numref(c), (unsigned long)above, (unsigned long)below);
    struct ratio r = ratio_of(x, sum_constant(x, c));
    mpq_clear(c);
    return r;
}

static struct ratio opaque(struct exact *x, const char *name, struct ratio a)
{
    mpq_t one;
    mpq_init(one);
    mpq_set_ui(one, 1, 1);
    struct ratio r = call_power(x, name, a, one);
    mpq_clear(one);
    return r;
}

/* The logarithm of a positive rational as the sum of the logarithms of its primes. */
static struct ratio logarithm(struct exact *x, struct ratio a)
{
    if (!ratio_is_constant(a) || sum_is_zero(a.num) || mpq_sgn(a.num->terms[0].c) < 0)
        return opaque(x, "ln", a);
    struct ratio sum = exact_integer(x, 0);
    const mpq_t *c = &a.num->terms[0].c;
    for (int side = 0; side < 2; side++) {
        struct factor factors[FACTORS];
        int count = factor_integer(x, side ? mpq_denref(*c) : mpq_numref(*c), factors);
        for (int i = 0; i < count; i++) {
            struct ratio times = exact_integer(x, side ? -factors[i].times : factors[i].times);
            mpq_t prime;
            mpq_init(prime);
            mpq_set_z(prime, factors[i].prime);
            struct ratio ln = opaque(x, "ln", ratio_of(x, sum_constant(x, prime)));
            sum = exact_add(x, sum, exact_mul(x, times, ln));
            mpq_clear(prime);
        }
        free_factors(factors, count);
    }
    return sum;
}

static struct ratio trigonometric(struct exact *x, const char *name, struct ratio a)
{
    long k;
    if (!twelfths_of_pi(x, a, &k))
        return opaque(x, name, a);
    if (strcmp(name, "sin") == 0)
        return sine(x, k);
    if (strcmp(name, "cos") == 0)
        return sine(x, k + 6);
    return exact_div(x, sine(x, k), sine(x, k + 6));
}

struct ratio exact_call(struct exact *x, const char *name, struct ratio a)
{
    if (!exact_spend(x, 1))
        return a;
    if (strcmp(name, "ln") == 0)
        return logarithm(x, a);
    if (strcmp(name, "sin") == 0 || strcmp(name, "cos") == 0 || strcmp(name, "tan") == 0)
        return trigonometric(x, name, a);
    if (!ratio_is_constant(a) || sum_is_zero(a.num))
        return strcmp(name, "abs") == 0 && sum_is_zero(a.num) ? a : opaque(x, name, a);
    const mpq_t *c = &a.num->terms[0].c;
    if (strcmp(name, "abs") == 0)
        return mpq_sgn(*c) < 0 ? exact_mul(x, a, exact_integer(x, -1)) : a;
    bool down = strcmp(name, "floor") == 0;
    if (!down && strcmp(name, "ceil") != 0)
        return opaque(x, name, a);
    mpq_t whole;
    mpq_init(whole);
    if (down)
        mpz_fdiv_q(mpq_numref(whole), mpq_numref(*c), mpq_denref(*c));
    else
        mpz_cdiv_q(mpq_numref(whole), mpq_numref(*c), mpq_denref(*c));
    struct ratio r = ratio_of(x, sum_constant(x, whole));
    mpq_clear(whole);
    return r;
}
