/* exact.c - the context, atoms, and sums of terms. See exact.h and sum.h. */
#include "app/grade/exact.h"

#include <stdlib.h>
#include <string.h>

#include "app/grade/sum.h"
#include "app/mem.h"

enum {
    WORK = 60000,
    N_ATOMS = 128,
    N_TERMS = 400,
};

struct block {
    struct block *older;
    max_align_t bytes[];
};

struct exact {
    enum exact_state state;
    size_t work;
    struct atom atoms[N_ATOMS];
    int n_atoms;
    struct sum *sums;
    struct block *blocks;
    const struct sum *zero, *one;
};

/* The context */

struct exact *exact_new(void)
{
    struct exact *x = mem_alloc(sizeof *x);
    x->zero = sum_new(x, 0);
    struct sum *one = sum_new(x, 1);
    mpq_set_ui(one->terms[0].c, 1, 1);
    one->n = 1;
    x->one = one;
    return x;
}

void exact_free(struct exact *x)
{
    if (!x)
        return;
    for (struct sum *s = x->sums, *older; s; s = older) {
        older = s->older;
        for (size_t i = 0; i < s->cap; i++)
            mpq_clear(s->terms[i].c);
        free(s);
    }
    for (struct block *b = x->blocks, *older; b; b = older) {
        older = b->older;
        free(b);
    }
    for (int i = 0; i < x->n_atoms; i++) {
        free(x->atoms[i].key);
        mpz_clear(x->atoms[i].prime);
    }
    free(x);
}

enum exact_state exact_state(const struct exact *x)
{
    return x->state;
}

void exact_fail(struct exact *x, enum exact_state why)
{
    if (x->state == EXACT_FINE)
        x->state = why;
}

void *exact_alloc(struct exact *x, size_t size)
{
    struct block *b = mem_alloc(sizeof *b + size);
    b->older = x->blocks;
    x->blocks = b;
    return b->bytes;
}

bool exact_spend(struct exact *x, size_t amount)
{
    x->work += amount;
    if (x->work > WORK)
        exact_fail(x, EXACT_TOO_LARGE);
    return x->state == EXACT_FINE;
}

/* Atoms */

const struct atom *sum_atom(const struct exact *x, int id)
{
    return &x->atoms[id];
}

int sum_intern(struct exact *x, enum atom_kind kind, const char *key)
{
    for (int i = 0; i < x->n_atoms; i++)
        if (x->atoms[i].kind == kind && strcmp(x->atoms[i].key, key) == 0)
            return i;
    if (x->n_atoms == N_ATOMS) {
        exact_fail(x, EXACT_TOO_LARGE);
        return 0;
    }
    struct atom *a = &x->atoms[x->n_atoms];
    a->kind = kind;
    a->key = mem_strdup(key);
    mpz_init(a->prime);
    return x->n_atoms++;
}

int sum_prime(struct exact *x, const mpz_t prime)
{
    char *key = mpz_get_str(NULL, 62, prime);
    int id = sum_intern(x, ATOM_PRIME, key);
    if (x->atoms[id].kind == ATOM_PRIME)
        mpz_set(x->atoms[id].prime, prime);
    free(key);
    return id;
}

int sum_base(struct exact *x, const struct sum *base)
{
    struct str key = {0};
    sum_add_key(&key, base);
    int id = sum_intern(x, ATOM_BASE, str_get(&key));
    if (x->atoms[id].kind == ATOM_BASE && !x->atoms[id].base)
        x->atoms[id].base = base;
    str_done(&key);
    return id;
}

/* Terms */

struct sum *sum_new(struct exact *x, size_t n)
{
    struct sum *s = mem_alloc(sizeof *s + n * sizeof *s->terms);
    s->cap = n;
    for (size_t i = 0; i < n; i++)
        mpq_init(s->terms[i].c);
    s->older = x->sums;
    x->sums = s;
    return s;
}

static bool check_size(struct exact *x, const mpq_t c)
{
    size_t bits = mpz_sizeinbase(mpq_numref(c), 2) + mpz_sizeinbase(mpq_denref(c), 2);
    if (bits > SUM_BITS)
        exact_fail(x, EXACT_TOO_LARGE);
    return exact_spend(x, 1 + bits / 256);
}

static void set_term(struct term *to, const struct term *from)
{
    mpq_set(to->c, from->c);
    to->n = from->n;
    memcpy(to->powers, from->powers, sizeof to->powers);
}

static int compare_powers(const struct term *a, const struct term *b)
{
    for (int i = 0; i < a->n && i < b->n; i++) {
        const struct power *p = &a->powers[i], *q = &b->powers[i];
        if (p->atom != q->atom)
            return p->atom < q->atom ? -1 : 1;
        long long left = (long long)p->num * q->den, right = (long long)q->num * p->den;
        if (left != right)
            return left < right ? -1 : 1;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static int by_powers(const void *a, const void *b)
{
    return compare_powers(a, b);
}

/* Sorts the terms and adds up those with the same powers; afterwards none is 0. */
static void tidy(struct exact *x, struct sum *s)
{
    size_t n = 0;
    qsort(s->terms, s->n, sizeof *s->terms, by_powers);
    for (size_t i = 0; i < s->n && x->state == EXACT_FINE; i++) {
        if (n > 0 && compare_powers(&s->terms[n - 1], &s->terms[i]) == 0) {
            mpq_add(s->terms[n - 1].c, s->terms[n - 1].c, s->terms[i].c);
            check_size(x, s->terms[n - 1].c);
        } else {
            n -= n > 0 && mpq_sgn(s->terms[n - 1].c) == 0;
            if (n != i)
                set_term(&s->terms[n], &s->terms[i]);
            n++;
        }
    }
    n -= n > 0 && mpq_sgn(s->terms[n - 1].c) == 0;
    s->n = x->state == EXACT_FINE ? n : 0;
}

static int greatest_divisor(long a, long b)
{
    while (b) {
        long rest = a % b;
        a = b;
        b = rest;
    }
    return (int)labs(a);
}

struct power power_make(struct exact *x, int atom, long num, long den)
{
    if (den == 0 || labs(num) > SUM_EXPONENT || labs(den) > SUM_EXPONENT) {
        exact_fail(x, EXACT_TOO_LARGE);
        return (struct power){atom, 0, 1};
    }
    int by = greatest_divisor(num, den);
    by = den < 0 ? -by : by;
    return (struct power){atom, (int)(num / by), (int)(den / by)};
}

void rational_power(struct exact *x, mpq_t out, const mpq_t c, long n)
{
    mpz_t num, den;
    size_t bits = mpz_sizeinbase(mpq_numref(c), 2) + mpz_sizeinbase(mpq_denref(c), 2);
    unsigned long times = (unsigned long)labs(n);
    bool unit = mpz_cmpabs_ui(mpq_numref(c), 1) == 0 && mpz_cmp_ui(mpq_denref(c), 1) == 0;

    if ((n < 0 && mpq_sgn(c) == 0) || (!unit && mpq_sgn(c) != 0 && bits * times > SUM_BITS)) {
        exact_fail(x, mpq_sgn(c) == 0 ? EXACT_UNDEFINED : EXACT_TOO_LARGE);
        return;
    }
    mpz_inits(num, den, NULL);
    mpz_pow_ui(num, mpq_numref(c), unit ? times % 2 : times);
    mpz_pow_ui(den, mpq_denref(c), unit ? 1 : times);
    mpz_set(mpq_numref(out), n < 0 ? den : num);
    mpz_set(mpq_denref(out), n < 0 ? num : den);
    mpq_canonicalize(out);
    mpz_clears(num, den, NULL);
    check_size(x, out);
}

static void multiply_by_prime(struct exact *x, mpq_t c, const mpz_t prime, long times)
{
    mpq_t factor;
    mpq_init(factor);
    mpq_set_z(factor, prime);
    rational_power(x, factor, factor, times);
    mpq_mul(c, c, factor);
    mpq_clear(factor);
    check_size(x, c);
}

/* Multiplies the term by a power of an atom that it does not have yet. If that is a base with an
 * exponent of 1 or more, the whole part is left to the caller: returns the base to multiply by;
 * else NULL. */
static const struct sum *add_power(struct exact *x, struct term *t, struct power p)
{
    const struct atom *a = &x->atoms[p.atom];
    const struct sum *left = NULL;
    int whole = p.num >= 0 ? p.num / p.den : -((-p.num + p.den - 1) / p.den);

    if (a->kind == ATOM_PRIME && whole != 0) {
        multiply_by_prime(x, t->c, a->prime, whole);
        p.num -= whole * p.den;
    } else if (a->kind == ATOM_I) {
        int quarter = (p.num % 4 + 4) % 4;
        if (p.den != 1)
            exact_fail(x, EXACT_UNDEFINED);
        if (quarter >= 2)
            mpq_neg(t->c, t->c);
        p.num = quarter % 2;
    } else if (a->kind == ATOM_BASE && whole == 1) {
        left = a->base;
        p.num -= p.den;
    }
    if (p.num == 0)
        return left;
    if (t->n == SUM_POWERS) {
        exact_fail(x, EXACT_TOO_LARGE);
        return NULL;
    }
    t->powers[t->n++] = p;
    return left;
}

/* out = a * b, except for the bases in *left (n, at most SUM_POWERS), which the caller multiplies
 * by. */
static int multiply_terms(struct exact *x, struct term *out, const struct term *a,
                          const struct term *b, const struct sum **left)
{
    int i = 0, k = 0, n = 0;
    out->n = 0;
    mpq_mul(out->c, a->c, b->c);
    check_size(x, out->c);
    while ((i < a->n || k < b->n) && x->state == EXACT_FINE) {
        const struct power *p = &a->powers[i], *q = &b->powers[k];
        struct power product;
        if (k == b->n || (i < a->n && p->atom < q->atom)) {
            product = a->powers[i++];
        } else if (i == a->n || q->atom < p->atom) {
            product = b->powers[k++];
        } else {
            long den = (long)p->den * q->den;
            product = power_make(x, p->atom, (long)p->num * q->den + (long)q->num * p->den, den);
            i++;
            k++;
        }
        const struct sum *base = product.num != 0 ? add_power(x, out, product) : NULL;
        if (base)
            left[n++] = base;
    }
    return n;
}

/* Sums */

const struct sum *sum_one(const struct exact *x)
{
    return x->one;
}

const struct sum *sum_zero(const struct exact *x)
{
    return x->zero;
}

bool sum_is_zero(const struct sum *a)
{
    return a->n == 0;
}

bool sum_is_constant(const struct sum *a)
{
    return a->n == 0 || (a->n == 1 && a->terms[0].n == 0);
}

bool sum_has(const struct exact *x, const struct sum *a, enum atom_kind kind)
{
    for (size_t i = 0; i < a->n; i++)
        for (int k = 0; k < a->terms[i].n; k++)
            if (x->atoms[a->terms[i].powers[k].atom].kind == kind)
                return true;
    return false;
}

const struct sum *sum_constant(struct exact *x, const mpq_t c)
{
    struct sum *s = sum_new(x, 1);
    mpq_set(s->terms[0].c, c);
    s->n = mpq_sgn(c) != 0;
    check_size(x, c);
    return s;
}

const struct sum *sum_power(struct exact *x, const mpq_t c, struct power p)
{
    struct sum *s = sum_new(x, 1);
    mpq_set(s->terms[0].c, c);
    s->n = 1;
    if (p.num != 0)
        add_power(x, &s->terms[0], p);
    tidy(x, s);
    return s;
}

const struct sum *sum_scale(struct exact *x, const struct sum *a, const mpq_t by)
{
    return sum_mul(x, a, sum_constant(x, by));
}

const struct sum *sum_add(struct exact *x, const struct sum *a, const struct sum *b)
{
    if (a->n + b->n > N_TERMS)
        exact_fail(x, EXACT_TOO_LARGE);
    if (!exact_spend(x, a->n + b->n))
        return x->zero;
    struct sum *s = sum_new(x, a->n + b->n);
    for (size_t i = 0; i < a->n; i++)
        set_term(&s->terms[s->n++], &a->terms[i]);
    for (size_t i = 0; i < b->n; i++)
        set_term(&s->terms[s->n++], &b->terms[i]);
    tidy(x, s);
    return s;
}

const struct sum *sum_mul(struct exact *x, const struct sum *a, const struct sum *b)
{
    const struct sum *left[SUM_POWERS], *rest = x->zero;
    if (a->n * b->n > N_TERMS)
        exact_fail(x, EXACT_TOO_LARGE);
    if (!exact_spend(x, 1 + a->n * b->n))
        return x->zero;
    struct sum *s = sum_new(x, a->n * b->n);
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n && x->state == EXACT_FINE; k++) {
            int n = multiply_terms(x, &s->terms[s->n], &a->terms[i], &b->terms[k], left);
            if (n == 0) {
                s->n++;
                continue;
            }
            struct sum *product = sum_new(x, 1);
            set_term(&product->terms[product->n++], &s->terms[s->n]);
            const struct sum *whole = product;
            for (int j = 0; j < n; j++)
                whole = sum_mul(x, whole, left[j]);
            rest = sum_add(x, rest, whole);
        }
    tidy(x, s);
    return sum_is_zero(rest) ? s : sum_add(x, s, rest);
}

void sum_add_key(struct str *out, const struct sum *a)
{
    for (size_t i = 0; i < a->n; i++) {
        char *c = mpq_get_str(NULL, 62, a->terms[i].c);
        str_addf(out, "+%s", c);
        free(c);
        for (int k = 0; k < a->terms[i].n; k++) {
            struct power p = a->terms[i].powers[k];
            str_addf(out, "*%d^%d/%d", p.atom, p.num, p.den);
        }
    }
}

bool sum_same(const struct sum *a, const struct sum *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (compare_powers(&a->terms[i], &b->terms[i]) != 0 ||
            !mpq_equal(a->terms[i].c, b->terms[i].c))
            return false;
    return true;
}
