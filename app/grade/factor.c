/* factor.c - reads the factors of a product: numbers, roots, functions, brackets. See reader.h. */
#include <ctype.h>
#include <string.h>

#include "app/grade/reader.h"
#include "app/str.h"

/* Numbers */

static struct ratio decimal(struct reader *r, const char *text, size_t len)
{
    const char *e = memchr(text, 'e', len);
    if (!e)
        e = memchr(text, 'E', len);
    if (!e)
        return exact_decimal(r->x, text, len);
    struct ratio mantissa = exact_decimal(r->x, text, (size_t)(e - text));
    bool negative = e[1] == '-';
    size_t sign = e[1] == '-' || e[1] == '+', digits = len - (size_t)(e - text) - 1 - sign;
    struct ratio power = exact_pow(r->x, exact_integer(r->x, 10),
                                   exact_decimal(r->x, e + 1 + sign, digits));
    return negative ? exact_div(r->x, mantissa, power) : exact_mul(r->x, mantissa, power);
}

/* 0.1 and then \overline{36}: 0.1363636... */
static struct value *read_repeating(struct reader *r, const struct token *t)
{
    struct exact *x = r->x;
    const char *point = memchr(t->text, '.', t->len);
    long after = point ? (long)(t->len - (size_t)(point - t->text)) - 1 : 0;
    r->t++;
    if (!reader_take(r, '{') || r->t->kind != TOKEN_NUMBER)
        return NULL;
    const struct token *digits = r->t++;
    if (!reader_take(r, '}') || memchr(digits->text, '.', digits->len))
        return NULL;
    struct ratio ten = exact_integer(x, 10);
    struct ratio period = exact_pow(x, ten, exact_integer(x, (long)digits->len));
    struct ratio below = exact_mul(x, exact_pow(x, ten, exact_integer(x, after)),
                                   exact_sub(x, period, exact_integer(x, 1)));
    struct ratio part = exact_div(x, exact_decimal(x, digits->text, digits->len), below);
    return reader_number(r, exact_add(x, exact_decimal(x, t->text, t->len), part));
}

/* The number after an underscore, in braces or not. */
static bool read_base(struct reader *r, long *base)
{
    bool braces = reader_take(r, '{');
    if (r->t->kind != TOKEN_NUMBER ||
        !exact_is_integer(exact_decimal(r->x, r->t->text, r->t->len), base))
        return false;
    r->t++;
    return (!braces || reader_take(r, '}')) && *base >= 2 && *base <= 36;
}

/* 1101_2 is a notation, and not the same answer as 13: an unknown of its own makes it different. */
static struct value *read_based(struct reader *r, const struct token *t)
{
    long base;
    char name[32] = "base ";
    r->t++;
    if (!read_base(r, &base))
        return NULL;
    struct ratio n = exact_digits(r->x, t->text, t->len, (int)base);
    if (base == 10)
        return reader_number(r, n);
    name[5] = (char)('0' + base / 10);
    name[6] = (char)('0' + base % 10);
    return reader_number(r, exact_mul(r->x, n, exact_symbol(r->x, name, 7)));
}

bool reader_is_whole(const struct token *t)
{
    return t->kind == TOKEN_NUMBER && strspn(t->text, "0123456789") >= t->len;
}

/* Whether a fraction of two whole numbers follows: \frac{1}{2}, \frac12, or 1/2 after a space. */
static bool is_fraction_part(const struct token *t)
{
    if (reader_is_whole(t) && t->spaced)
        return t[1].kind == '/' && reader_is_whole(&t[2]) && t[3].kind != '^';
    if (t->kind != TOKEN_FRACTION)
        return false;
    if (reader_is_whole(&t[1])) /* \frac12, \frac1{12} */
        return t[1].len > 1 || reader_is_whole(&t[2]) ||
               (t[2].kind == '{' && reader_is_whole(&t[3]));
    return t[1].kind == '{' && reader_is_whole(&t[2]) && t[3].kind == '}' &&
           (reader_is_whole(&t[4]) ||
            (t[4].kind == '{' && reader_is_whole(&t[5]) && t[6].kind == '}'));
}

static struct value *read_number(struct reader *r)
{
    struct exact *x = r->x;
    const struct token *t = r->t++;
    if (r->t->kind == TOKEN_OVERLINE)
        return read_repeating(r, t);
    if (r->t->kind == '_')
        return read_based(r, t);
    struct value *v = reader_number(r, decimal(r, t->text, t->len));
    if (!v || !reader_is_whole(t) || !is_fraction_part(r->t))
        return v;
    struct value *above = reader_factor(r); /* a mixed number */
    if (reader_is_plain(above) && reader_take(r, '/')) {
        struct value *below = reader_factor(r);
        above = reader_is_plain(below)
                    ? reader_number(r, exact_div(x, above->number, below->number))
                    : NULL;
    }
    return reader_is_plain(above) ? reader_number(r, exact_add(x, v->number, above->number)) : NULL;
}

/* Commands */

/* What a command applies to: a group, or one digit, letter or command. */
static struct value *read_argument(struct reader *r)
{
    if (r->t->kind == TOKEN_NUMBER && r->t->len > 1 && reader_is_whole(r->t)) {
        struct ratio digit = exact_decimal(r->x, r->t->text, 1);
        r->t->text++;
        r->t->len--;
        r->t->spaced = false;
        return reader_number(r, digit);
    }
    if (!reader_take(r, '{'))
        return reader_factor(r);
    struct value *v = reader_sum(r);
    return reader_take(r, '}') ? v : NULL;
}

static struct value *read_fraction(struct reader *r, bool binomial)
{
    struct value *above = read_argument(r), *below = above ? read_argument(r) : NULL;
    if (!reader_is_plain(above) || !reader_is_plain(below))
        return NULL;
    return reader_number(r, binomial ? exact_binomial(r->x, above->number, below->number)
                                     : exact_div(r->x, above->number, below->number));
}

static struct value *read_root(struct reader *r)
{
    struct value *degree = NULL, *of;
    if (reader_take(r, '[')) {
        degree = reader_sum(r);
        if (!reader_is_plain(degree) || !reader_take(r, ']'))
            return NULL;
    }
    of = read_argument(r);
    if (!reader_is_plain(of))
        return NULL;
    return reader_number(
        r, exact_root(r->x, of->number, degree ? degree->number : exact_integer(r->x, 2)));
}

/* The name of a letter with its subscript: x_1, a_{n+1}. */
static struct value *read_symbol(struct reader *r)
{
    const struct token *t = r->t++;
    struct str name = {0};
    if (t->len == 1 && *t->text == 'i' && r->t->kind != '_')
        return reader_number(r, exact_i(r->x));
    str_add(&name, t->text, t->len);
    if (reader_take(r, '_')) {
        bool braces = reader_take(r, '{');
        str_adds(&name, "_");
        do {
            str_add(&name, r->t->text, r->t->len);
            r->t += r->t->kind != TOKEN_END;
        } while (braces && r->t->kind != '}' && r->t->kind != TOKEN_END);
        if (braces && !reader_take(r, '}')) {
            str_done(&name);
            return NULL;
        }
    }
    struct value *v = reader_number(r, exact_symbol(r->x, name.data, name.len));
    str_done(&name);
    return v;
}

/* sin^2 x, log_2 8, ln(x), sin 2x: an argument without brackets reaches to the next sign. */
static struct value *read_call_argument(struct reader *r)
{
    if (r->t->kind == '(' || r->t->kind == '{' || r->t->kind == '|')
        return reader_factor(r);
    struct value *v = reader_factor(r);
    while (reader_is_plain(v) && (r->t->kind == TOKEN_SYMBOL || r->t->kind == TOKEN_ROOT)) {
        struct value *more = reader_factor(r);
        v = reader_is_plain(more) ? reader_number(r, exact_mul(r->x, v->number, more->number))
                                  : NULL;
    }
    return v;
}

static struct value *read_call(struct reader *r)
{
    struct exact *x = r->x;
    const struct token *t = r->t++;
    struct value *power = NULL, *base = NULL;
    bool outer = r->in_call;
    char name[16] = "";

    memcpy(name, t->text, t->len < sizeof name ? t->len : sizeof name - 1);
    if (reader_take(r, '_') && !reader_is_plain(base = read_argument(r)))
        return NULL;
    if (reader_take(r, '^') && !reader_is_plain(power = read_argument(r)))
        return NULL;
    r->in_call = true;
    struct value *of = read_call_argument(r);
    r->in_call = outer;
    if (!reader_is_plain(of))
        return NULL;
    struct ratio v;
    if (strcmp(name, "exp") == 0) {
        v = exact_pow(x, exact_symbol(x, "e", 1), of->number);
    } else if (strcmp(name, "log") == 0 || strcmp(name, "lg") == 0) {
        struct ratio of_base = exact_call(x, "ln", base ? base->number : exact_integer(x, 10));
        v = exact_div(x, exact_call(x, "ln", of->number), of_base);
    } else {
        v = exact_call(x, name, of->number);
    }
    return reader_number(r, power ? exact_pow(x, v, power->number) : v);
}

static struct value *read_enclosed(struct reader *r, int close, const char *name)
{
    r->t++;
    struct value *v = reader_sum(r);
    return reader_is_plain(v) && reader_take(r, close)
               ? reader_number(r, exact_call(r->x, name, v->number))
               : NULL;
}

/* Lists in brackets */

static struct value *read_matrix(struct reader *r)
{
    struct items rows = {.n = 0};
    r->t++;
    for (;;) {
        struct items row = {.n = 0};
        do
            if (!reader_add(r, &row, reader_sum(r)))
                return NULL;
        while (reader_take(r, '&'));
        if (!reader_add(r, &rows, reader_list(r, &row, LIST_ROW, LIST_ROW)))
            return NULL;
        bool more = reader_take(r, TOKEN_ROW);
        if (reader_take(r, TOKEN_MATRIX_END))
            return reader_list(r, &rows, LIST_MATRIX, LIST_MATRIX);
        if (!more)
            return NULL;
    }
}

/* The contents of brackets: a number alone is itself, several things are a tuple or an interval. */
static struct value *read_brackets(struct reader *r)
{
    int open = r->t++->kind;
    struct value *v = reader_list_of(r);
    if (!v || (r->t->kind != ')' && r->t->kind != ']'))
        return NULL;
    int close = r->t++->kind;
    if (v->kind != VALUE_LIST || v->open != LIST_BARE)
        return v;
    v->open = open;
    v->close = close;
    return v;
}

static struct value *read_set(struct reader *r)
{
    struct items none = {.n = 0};
    r->t++;
    if (reader_take(r, TOKEN_CLOSE_SET))
        return reader_list(r, &none, LIST_SET, LIST_SET);
    struct value *v = reader_list_of(r);
    if (!v || !reader_take(r, TOKEN_CLOSE_SET))
        return NULL;
    if (v->kind != VALUE_LIST || v->open != LIST_BARE) {
        none.at[none.n++] = v;
        return reader_list(r, &none, LIST_SET, LIST_SET);
    }
    v->open = v->close = LIST_SET;
    return v;
}

static struct value *read_words(struct reader *r)
{
    struct str text = {0};
    for (; r->t->kind == TOKEN_WORD; r->t++)
        for (size_t i = 0; i < r->t->len; i++)
            if (isalpha((unsigned char)r->t->text[i]) || r->t->text[i] & 0x80)
                str_add(&text, &(char){(char)tolower((unsigned char)r->t->text[i])}, 1);
    struct value *v = reader_value(r, VALUE_WORDS);
    char *kept = exact_alloc(r->x, text.len + 1);
    memcpy(kept, str_get(&text), text.len);
    v->text = kept;
    str_done(&text);
    return v;
}

/* Products and sums */

static struct value *read_primary(struct reader *r)
{
    switch (r->t->kind) {
    case TOKEN_NUMBER: return read_number(r);
    case TOKEN_SYMBOL: return read_symbol(r);
    case TOKEN_CALL: return read_call(r);
    case TOKEN_FRACTION: r->t++; return read_fraction(r, false);
    case TOKEN_BINOMIAL: r->t++; return read_fraction(r, true);
    case TOKEN_ROOT: r->t++; return read_root(r);
    case TOKEN_OVERLINE: r->t++; return read_argument(r);
    case TOKEN_MATRIX: return read_matrix(r);
    case TOKEN_FLOOR: return read_enclosed(r, TOKEN_FLOOR_END, "floor");
    case TOKEN_CEIL: return read_enclosed(r, TOKEN_CEIL_END, "ceil");
    case '|': return read_enclosed(r, '|', "abs");
    case '(':
    case '[': return read_brackets(r);
    case TOKEN_OPEN_SET: return read_set(r);
    case TOKEN_WORD: return read_words(r);
    case '{': {
        r->t++;
        struct value *v = reader_list_of(r);
        return reader_take(r, '}') ? v : NULL;
    }
    default: return NULL;
    }
}

struct value *reader_negative(struct reader *r, const struct value *v)
{
    return reader_is_plain(v)
               ? reader_number(r, exact_mul(r->x, exact_integer(r->x, -1), v->number))
               : NULL;
}

static struct value *read_exponent(struct reader *r)
{
    if (reader_take(r, '-'))
        return reader_negative(r, read_exponent(r));
    if (!reader_take(r, '{'))
        return reader_factor(r);
    struct value *v = reader_sum(r);
    return reader_take(r, '}') ? v : NULL;
}

/* ^\circ, ^{\circ} and ° are degrees, of an angle where a function takes them. */
bool reader_take_degree(struct reader *r)
{
    struct token *at = r->t;
    bool raised = reader_take(r, '^'), braces = raised && reader_take(r, '{');
    if (reader_take(r, TOKEN_DEGREE) && (!braces || reader_take(r, '}')))
        return true;
    r->t = at;
    return false;
}

struct value *reader_factor(struct reader *r)
{
    struct value *v = reader_enter(r) ? read_primary(r) : NULL;
    while (v && (r->t->kind == '^' || r->t->kind == '!' || r->t->kind == TOKEN_DEGREE)) {
        struct token *at = r->t;
        if (reader_take_degree(r)) {
            if (!r->in_call) { /* a unit, for read_item */
                r->t = at;
                break;
            }
            struct ratio turn = exact_div(r->x, exact_symbol(r->x, "pi", 2),
                                          exact_integer(r->x, 180));
            v = reader_is_plain(v) ? reader_number(r, exact_mul(r->x, v->number, turn)) : NULL;
        } else if (reader_take(r, '!')) {
            v = reader_is_plain(v) ? reader_number(r, exact_factorial(r->x, v->number)) : NULL;
        } else {
            r->t++;
            struct value *power = read_exponent(r);
            v = reader_is_plain(v) && reader_is_plain(power)
                    ? reader_number(r, exact_pow(r->x, v->number, power->number))
                    : NULL;
        }
    }
    r->depth--;
    return v;
}

static bool begins_factor(const struct token *t)
{
    switch (t->kind) {
    case TOKEN_NUMBER:
    case TOKEN_SYMBOL:
    case TOKEN_CALL:
    case TOKEN_FRACTION:
    case TOKEN_BINOMIAL:
    case TOKEN_ROOT:
    case TOKEN_FLOOR:
    case TOKEN_CEIL:
    case '(':
    case '{': return true;
    default: return false;
    }
}

struct value *reader_product(struct reader *r)
{
    bool opposite = false;
    for (; r->t->kind == '-' || r->t->kind == '+'; r->t++)
        opposite ^= r->t->kind == '-';
    struct value *v = reader_factor(r);
    if (opposite)
        v = reader_negative(r, v);
    while (v) {
        bool below = reader_take(r, '/');
        if (!below && !reader_take(r, '*') && !(begins_factor(r->t) && v->kind == VALUE_NUMBER))
            return v;
        bool minus = reader_take(r, '-');
        struct value *w = reader_factor(r);
        if (!reader_is_plain(v) || !reader_is_plain(w))
            return NULL;
        struct ratio n = minus ? exact_mul(r->x, exact_integer(r->x, -1), w->number) : w->number;
        v = reader_number(r, below ? exact_div(r->x, v->number, n) : exact_mul(r->x, v->number, n));
    }
    return v;
}
