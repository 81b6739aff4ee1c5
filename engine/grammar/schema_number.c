/* schema_number.c - numbers of a schema, digit by digit.
 *
 * A number is counted in units of its last possible digit, so that bounds are whole numbers. For
 * each length of the integer part the digits are generated from the left: while they equal those
 * of a bound, the next digit is bounded too; after the first that differs, all are free. With
 * multipleOf, the remainder so far is tracked too.
 *
 * At most 15 digits: different ones are then different as doubles too, so that an exclusive
 * bound stays exclusive. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"
#include "grammar/jsontext.h"
#include "grammar/schema_form.h"

enum {
    DIGITS = 15,      /* of a number, if its bounds ask for no more */
    MOST_DIGITS = 19, /* of an int64_t */
    USUAL_DIGITS = 9, /* before the point, where no bound says anything */
    MAX_STEP = 1000,  /* multipleOf, in units */
};

struct decimal {
    bool negative;
    uint64_t digits;
    int exponent;
};

struct range {
    int64_t low, high;
    bool has_low, has_high;
    int fraction; /* digits behind the point */
    int64_t step;
};

static uint64_t power(int n)
{
    uint64_t p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

static int count_digits(uint64_t n)
{
    int digits = 1;
    while (n >= 10) {
        n /= 10;
        digits++;
    }
    return digits;
}

/* Bounds */

/* The shortest decimal that is this number. */
static struct decimal read_decimal(const json_t *number)
{
    struct decimal d = {0};
    char *text = jsontext_dump(number);
    bool point = false;
    for (const char *c = text ? text : "0"; *c; c++) {
        if (*c == '-')
            d.negative = true;
        if (*c == '.')
            point = true;
        if (*c == 'e' || *c == 'E') {
            d.exponent += (int)strtol(c + 1, NULL, 10);
            break;
        }
        if (*c >= '0' && *c <= '9') {
            d.digits = 10 * d.digits + (uint64_t)(*c - '0');
            d.exponent -= point;
        }
    }
    free(text);
    while (d.digits > 0 && d.digits % 10 == 0 && d.exponent < 0) {
        d.digits /= 10;
        d.exponent++;
    }
    return d;
}

/* In units of 10^-fraction, rounded up or down; *exact: it was not. Too large is the largest. */
static int64_t scale(struct decimal d, int fraction, bool up, bool *exact)
{
    uint64_t n = d.digits;
    bool rest = false;
    int shift = d.exponent + fraction;
    for (; shift > 0 && n > 0; shift--)
        n = n > INT64_MAX / 10 ? INT64_MAX : 10 * n;
    for (; shift < 0 && n > 0; shift++) {
        rest = rest || n % 10 != 0;
        n /= 10;
    }
    n = n > INT64_MAX - 1 ? INT64_MAX - 1 : n;
    *exact = !rest;
    if (rest && up != d.negative)
        n++;
    return d.negative ? -(int64_t)n : (int64_t)n;
}

/* Takes one keyword into the range. */
static int read_bound(struct schema *s, const json_t *schema, const char *keyword, struct range *r)
{
    const json_t *value = json_object_get(schema, keyword);
    bool low = strstr(keyword, "inimum") != NULL, exclusive = keyword[0] == 'e', exact;
    if (!value)
        return 0;
    if (!json_is_number(value))
        return schema_refuse(s, keyword, "must be a number");
    int64_t n = scale(read_decimal(value), r->fraction, low, &exact);
    if (exclusive && exact)
        n += low ? 1 : -1;
    if (low && (!r->has_low || n > r->low))
        r->low = n;
    if (!low && (!r->has_high || n < r->high))
        r->high = n;
    *(low ? &r->has_low : &r->has_high) = true;
    return 0;
}

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int read_step(struct schema *s, const json_t *schema, bool integer, struct range *r)
{
    const json_t *value = json_object_get(schema, "multipleOf");
    r->step = 1;
    if (!value)
        return 0;
    if (!json_is_number(value) || !(json_number_value(value) > 0))
        return schema_refuse(s, "multipleOf", "must be a number above 0");
    struct decimal d = read_decimal(value);
    int places = d.exponent < 0 ? -d.exponent : 0;
    if (places > 9 || d.exponent > 17 ||
        d.digits > INT64_MAX / power(d.exponent > 0 ? d.exponent : 0))
        return schema_refuse(s, "multipleOf", "too large or too fine");
    r->step = (int64_t)(d.digits * power(d.exponent > 0 ? d.exponent : 0));
    r->fraction = integer ? 0 : places;
    if (integer)
        r->step /= gcd(r->step, (int64_t)power(places));
    return 0;
}

/* Digits before the point of a bound that is there. */
static int bound_digits(const json_t *schema, const char *keyword)
{
    const json_t *value = json_object_get(schema, keyword);
    bool exact;
    if (!json_is_number(value))
        return 1;
    int64_t n = scale(read_decimal(value), 0, false, &exact);
    return count_digits((uint64_t)(n < 0 ? -(n + 1) : n));
}

static const char *const bounds[] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};

/* How many digits go before and behind the point. */
static int whole_digits(const json_t *schema, bool integer)
{
    int whole = integer ? DIGITS : USUAL_DIGITS;
    int most = 1, n_low = 0, n_high = 0;
    for (int i = 0; i < 4; i++) {
        int digits = bound_digits(schema, bounds[i]);
        most = digits > most ? digits : most;
        bool is_there = json_object_get(schema, bounds[i]) != NULL;
        n_low += is_there && i % 2 == 0;
        n_high += is_there && i % 2 == 1;
    }
    if (n_low > 0 && n_high > 0)
        return most;
    return most < whole ? whole : most + 1;
}

static int read_range(struct schema *s, const json_t *schema, bool integer, struct range *r)
{
    *r = (struct range){0};
    if (read_step(s, schema, integer, r) != 0)
        return REFUSED;
    int whole = whole_digits(schema, integer);
    int limit = integer ? MOST_DIGITS : DIGITS - r->fraction;
    whole = whole > limit ? limit : whole;
    if (!integer && !json_object_get(schema, "multipleOf"))
        r->fraction = DIGITS - whole < USUAL_DIGITS ? DIGITS - whole : USUAL_DIGITS;
    for (int i = 0; i < 4; i++)
        if (read_bound(s, schema, bounds[i], r) != 0)
            return REFUSED;
    int64_t most = INT64_MAX - 1;
    if (whole + r->fraction < MOST_DIGITS)
        most = (int64_t)power(whole + r->fraction) - 1;
    r->high = r->has_high && r->high < most ? r->high : most;
    r->low = r->has_low && r->low > -most ? r->low : -most;
    if (r->low > r->high)
        return schema_refuse(s, "minimum", "no number lies between the bounds");
    return 0;
}

/* Digits */

struct digits {
    struct grammar *g;
    char low[MOST_DIGITS + 2], high[MOST_DIGITS + 2]; /* of the length at hand */
    int n, fraction; /* digits in all, and of these behind the point */
    int64_t step;
    int *free_rule; /* [MOST_DIGITS + 1][step] or -1 */
};

struct at {
    int pos;
    bool low, high; /* all digits so far are the bound's */
    int64_t rest;   /* of what they make, by step */
};

static int rest_of_digits(struct digits *d, struct at at);

/* No more digits: those left out are zeros. */
static bool may_stop(const struct digits *d, struct at at)
{
    int64_t rest = at.rest;
    if (d->n - at.pos > d->fraction)
        return false;
    for (int i = at.pos; i < d->n; i++) {
        if (at.low && d->low[i] != '0')
            return false;
        rest = rest * 10 % d->step;
    }
    return rest == 0;
}

static int digit_range(struct grammar *g, int first, int last)
{
    struct charset set = {0};
    charset_add(&set, '0' + first, '0' + last);
    int id = gx_set(g, &set);
    charset_done(&set);
    return id;
}

/* One more digit, and what may follow it. */
static int next_digit(struct digits *d, struct at at)
{
    int low = at.low ? d->low[at.pos] - '0' : 0, high = at.high ? d->high[at.pos] - '0' : 9;
    int parts[10];
    size_t n = 0;
    for (int i = low, last; i <= high; i = last + 1) {
        struct at next = {at.pos + 1, at.low && i == low, at.high && i == high,
                          (at.rest * 10 + i) % d->step};
        last = i;
        while (d->step == 1 && !next.low && !next.high && last < high - (at.high ? 1 : 0))
            last++;
        parts[n++] = gx_two(d->g, digit_range(d->g, i, last), rest_of_digits(d, next));
    }
    return gx_alt(d->g, parts, n);
}

static int go_on(struct digits *d, struct at at)
{
    bool stop = may_stop(d, at);
    if (at.pos == d->n)
        return stop ? gx_empty(d->g) : gx_never(d->g);
    int more = next_digit(d, at);
    if (d->n - at.pos == d->fraction)
        more = gx_two(d->g, gx_string(d->g, "."), more);
    return stop ? gx_maybe(d->g, more) : more;
}

/* Free digits are rules, since they are the same after every beginning. */
static int rest_of_digits(struct digits *d, struct at at)
{
    if (at.low || at.high)
        return go_on(d, at);
    int *rule = &d->free_rule[(int64_t)(d->n - at.pos) * d->step + at.rest];
    if (*rule < 0) {
        *rule = grammar_rule(d->g, NULL);
        grammar_define(d->g, *rule, go_on(d, at));
    }
    return gx_call(d->g, *rule);
}

/* The n last digits of a number, with zeros before them. */
static void put_digits(char *out, int n, uint64_t value)
{
    out[n] = '\0';
    for (; n > 0; value /= 10)
        out[--n] = (char)('0' + value % 10);
}

/* Numbers from low to high, neither below 0. */
static int magnitudes(struct digits *d, uint64_t low, uint64_t high)
{
    int parts[MOST_DIGITS + 1];
    size_t n = 0;
    for (int whole = 1; whole + d->fraction <= MOST_DIGITS; whole++) {
        d->n = whole + d->fraction;
        uint64_t first = whole == 1 ? 0 : power(d->n - 1), last = power(d->n) - 1;
        first = first > low ? first : low;
        last = last < high ? last : high;
        if (first > last)
            continue;
        put_digits(d->low, d->n, first);
        put_digits(d->high, d->n, last);
        parts[n++] = go_on(d, (struct at){0, true, true, 0});
    }
    return gx_alt(d->g, parts, n);
}

static int bounded(struct schema *s, const struct range *r)
{
    struct digits d = {.g = s->g, .fraction = r->fraction, .step = r->step};
    size_t n = (size_t)(MOST_DIGITS + 1) * (size_t)r->step;
    int parts[2];
    size_t n_parts = 0;
    if (r->step > MAX_STEP)
        return schema_refuse(s, "multipleOf", "too large for so many numbers (limit %d)", MAX_STEP);
    d.free_rule = malloc(n * sizeof *d.free_rule);
    if (!d.free_rule)
        return schema_refuse(s, "multipleOf", "out of memory");
    memset(d.free_rule, 0xFF, n * sizeof *d.free_rule);
    if (r->high >= 0)
        parts[n_parts++] = magnitudes(&d, r->low > 0 ? (uint64_t)r->low : 0, (uint64_t)r->high);
    if (r->low < 0)
        parts[n_parts++] = gx_two(
            s->g, gx_string(s->g, "-"),
            magnitudes(&d, r->high < 0 ? (uint64_t)-r->high : 1, (uint64_t)-r->low));
    free(d.free_rule);
    return gx_alt(s->g, parts, n_parts);
}

/* Few numbers, one by one. */
static int listed(struct schema *s, const struct range *r, int64_t first, int64_t n)
{
    char(*text)[32] = malloc((size_t)n * sizeof *text);
    struct gx_word *words = malloc((size_t)n * sizeof *words);
    int id = REFUSED;
    for (int64_t i = 0; text && words && i < n; i++) {
        int64_t value = first + i * r->step;
        uint64_t size = (uint64_t)(value < 0 ? -value : value), unit = power(r->fraction);
        int at = snprintf(text[i], sizeof *text, "%s%llu", value < 0 ? "-" : "",
                          (unsigned long long)(size / unit));
        if (size % unit > 0) {
            text[i][at] = '.';
            put_digits(text[i] + at + 1, r->fraction, size % unit);
        }
        words[i] = (struct gx_word){text[i], strlen(text[i])};
    }
    if (text && words)
        id = gx_words(s->g, words, (size_t)n);
    else
        schema_refuse(s, "multipleOf", "out of memory");
    free(text);
    free(words);
    return id;
}

static int any_number(struct grammar *g, bool integer)
{
    int digit = digit_range(g, 0, 9), zero = gx_string(g, "0"), minus = gx_string(g, "-");
    int whole = gx_two(g, digit_range(g, 1, 9), gx_repeat(g, digit, 0, DIGITS - 1));
    if (integer)
        return gx_or(g, zero, gx_two(g, gx_maybe(g, minus), whole));
    int fraction = gx_two(g, gx_string(g, "."), gx_repeat(g, digit, 1, DIGITS));
    const int exponent[] = {gx_or(g, gx_string(g, "e"), gx_string(g, "E")),
                            gx_maybe(g, gx_or(g, gx_string(g, "+"), minus)),
                            gx_repeat(g, digit, 1, 2)};
    const int parts[] = {gx_maybe(g, minus), gx_or(g, zero, whole), gx_maybe(g, fraction),
                         gx_maybe(g, gx_seq(g, exponent, 3))};
    return gx_seq(g, parts, 4);
}

int schema_number(struct schema *s, const json_t *schema, bool integer)
{
    static const int64_t few = 1000;
    struct range r;
    bool plain = !json_object_get(schema, "multipleOf");
    for (int i = 0; i < 4; i++)
        plain = plain && !json_object_get(schema, bounds[i]);
    if (plain)
        return any_number(s->g, integer);
    if (read_range(s, schema, integer, &r) != 0)
        return REFUSED;
    int64_t rest = r.low % r.step;
    bool none = rest > 0 && r.step - rest > r.high - r.low;
    int64_t first = none || rest == 0 ? r.low : rest > 0 ? r.low + (r.step - rest) : r.low - rest;
    if (none || first > r.high)
        return schema_refuse(s, "multipleOf", "no number lies within the bounds");
    if (r.step > 1 && (uint64_t)r.high - (uint64_t)first < (uint64_t)few * (uint64_t)r.step)
        return listed(s, &r, first,
                      (int64_t)(((uint64_t)r.high - (uint64_t)first) / (uint64_t)r.step) + 1);
    return bounded(s, &r);
}
