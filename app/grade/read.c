/* read.c - a recursive descent through the tokens that computes as it goes. Every function
 * returns NULL where the tokens make no sense; see read.h. */
#include "app/grade/read.h"

#include <string.h>

#include "app/grade/reader.h"
#include "app/str.h"

enum { DEPTH_MAX = 60 };

/* Values */

struct value *reader_value(struct reader *r, enum value_kind kind)
{
    struct value *v = exact_alloc(r->x, sizeof *v);
    v->kind = kind;
    return v;
}

struct value *reader_number(struct reader *r, struct ratio n)
{
    if (exact_state(r->x) != EXACT_FINE)
        return NULL;
    struct value *v = reader_value(r, VALUE_NUMBER);
    v->number = n;
    v->unit.power = 1;
    return v;
}

bool reader_is_plain(const struct value *v)
{
    return v && v->kind == VALUE_NUMBER && v->unit.dimension == UNIT_NONE && !v->name;
}

bool reader_take(struct reader *r, int kind)
{
    if (r->t->kind != kind)
        return false;
    r->t++;
    return true;
}

bool reader_add(struct reader *r, struct items *items, struct value *v)
{
    if (v && items->n == ITEMS_MAX)
        exact_fail(r->x, EXACT_TOO_LARGE);
    if (!v || items->n == ITEMS_MAX)
        return false;
    items->at[items->n++] = v;
    return true;
}

struct value *reader_list(struct reader *r, const struct items *items, int open, int close)
{
    struct value *v = reader_value(r, VALUE_LIST);
    v->open = open;
    v->close = close;
    v->n = items->n;
    v->items = exact_alloc(r->x, (items->n + 1) * sizeof *v->items);
    memcpy(v->items, items->at, items->n * sizeof *v->items);
    return v;
}

bool reader_enter(struct reader *r)
{
    if (++r->depth > DEPTH_MAX)
        exact_fail(r->x, EXACT_TOO_LARGE);
    return exact_spend(r->x, 1);
}

/* The factor that a sign between two terms gives the second, 1 or -1; 0: not such a sign. */
static int take_sign(struct reader *r)
{
    if (reader_take(r, '+'))
        return 1;
    if (reader_take(r, '-'))
        return -1;
    if (r->t->kind != TOKEN_PLUS_MINUS && r->t->kind != TOKEN_MINUS_PLUS)
        return 0;
    r->has_sign = true;
    return r->t++->kind == TOKEN_PLUS_MINUS ? r->sign : -r->sign;
}

/* The units after a number, if any. Names that are not in the table say what is counted, and are
 * ignored. */
static void read_unit(struct reader *r, struct value *v)
{
    int power = 1;
    bool known = false, other = false;
    for (;;) {
        struct unit unit = {UNIT_NONE, 1, 1, 1};
        if (reader_take_degree(r)) {
            unit.dimension = UNIT_ANGLE;
        } else if (reader_take(r, TOKEN_PERCENT)) {
            unit.dimension = UNIT_PERCENT;
        } else if (known && r->t->kind == '/' &&
                   (r->t[1].kind == TOKEN_WORD || r->t[1].kind == TOKEN_SYMBOL)) {
            r->t += 2; /* a speed, a price */
        } else if (r->t->kind != TOKEN_WORD) {
            break;
        } else {
            const struct token *t = r->t++;
            bool square = t->len == 6 && memcmp(t->text, "square", 6) == 0;
            bool cubic = t->len == 5 && memcmp(t->text, "cubic", 5) == 0;
            if (square || cubic) {
                power = square ? 2 : 3;
                continue;
            }
            if (!unit_find(t->text, t->len, &unit))
                unit.dimension = UNIT_NONE;
        }
        if (r->t->kind == '^' && reader_is_whole(&r->t[1]) && r->t[1].len == 1) {
            power = r->t[1].text[0] - '0';
            r->t += 2;
        } else if (r->t->kind == '^' && r->t[1].kind == '{' && reader_is_whole(&r->t[2]) &&
                   r->t[3].kind == '}') {
            power = r->t[2].text[0] - '0';
            r->t += 4;
        }
        if (unit.dimension == UNIT_COUNT) {
            v->number = exact_mul(r->x, v->number, exact_integer(r->x, unit.num));
        } else {
            other = other || known || unit.dimension == UNIT_NONE;
            known = true;
            v->unit = unit;
        }
    }
    v->unit.power = power;
    if (other)
        v->unit = (struct unit){UNIT_NONE, 1, 1, 1};
}

static struct value *read_terms(struct reader *r)
{
    int sign = r->t->kind == '-' || r->t->kind == '+' ? 0 : take_sign(r);
    struct value *v = reader_product(r);
    if (sign < 0)
        v = reader_negative(r, v);
    while (v && (sign = take_sign(r))) {
        struct value *w = reader_product(r);
        if (!reader_is_plain(v) || !reader_is_plain(w))
            return NULL;
        v = reader_number(r, sign > 0 ? exact_add(r->x, v->number, w->number)
                                      : exact_sub(r->x, v->number, w->number));
    }
    return v;
}

/* A sum with the unit after it. */
struct value *reader_sum(struct reader *r)
{
    bool minus = r->t->kind == '-' && r->t[1].kind == TOKEN_DOLLAR;
    r->t += minus;
    bool money = reader_take(r, TOKEN_DOLLAR);
    struct value *v = reader_enter(r) ? read_terms(r) : NULL;
    r->depth--;
    if (!v || v->kind != VALUE_NUMBER)
        return v;
    if (minus)
        v->number = exact_mul(r->x, v->number, exact_integer(r->x, -1));
    read_unit(r, v);
    if (money && v->unit.dimension == UNIT_NONE)
        v->unit = (struct unit){UNIT_MONEY, 1, 1, 1};
    reader_take(r, TOKEN_DOLLAR); /* "12$" */
    return exact_state(r->x) == EXACT_FINE ? v : NULL;
}

static struct value *read_union(struct reader *r)
{
    struct items items = {.n = 0};
    do
        if (!reader_add(r, &items, reader_sum(r)))
            return NULL;
    while (reader_take(r, TOKEN_UNION));
    return items.n == 1 ? items.at[0] : reader_list(r, &items, LIST_UNION, LIST_UNION);
}

/* Relations and lists */

/* After a letter: its subscript, and the argument of a function. */
static struct token *skip_decoration(struct token *at)
{
    if (at->kind == '_' && at[1].kind != TOKEN_END) {
        bool braces = at[1].kind == '{';
        at += 2;
        while (braces && at->kind != TOKEN_END && at++->kind != '}')
            ;
    }
    if (at->kind == '(' && at[1].kind == TOKEN_SYMBOL)
        while (at->kind != TOKEN_END && at->kind != '=' && at++->kind != ')')
            ;
    return at;
}

/* "x =", "f(x) =", "x \\in", "area =": the name in front, which is skipped; NULL: none. */
static const char *read_name(struct reader *r)
{
    struct token *end = r->t;
    if (end->kind == TOKEN_SYMBOL)
        end = skip_decoration(end + 1);
    else
        while (end->kind == TOKEN_WORD)
            end++;
    if (end == r->t || (end->kind != '=' && end->kind != TOKEN_IN))
        return NULL;
    struct str name = {0};
    for (; r->t < end; r->t++)
        str_add(&name, r->t->text, r->t->len);
    char *kept = exact_alloc(r->x, name.len + 1);
    memcpy(kept, str_get(&name), name.len);
    str_done(&name);
    r->t++;
    return kept;
}

static bool is_relation(int kind)
{
    return kind == '=' || kind == '<' || kind == '>' || kind == TOKEN_AT_MOST ||
           kind == TOKEN_AT_LEAST || kind == TOKEN_NOT_EQUAL;
}

/* "3 + 4 = 7" says 7. */
static bool all_equal(struct reader *r, const struct items *sides, const int *signs)
{
    for (size_t i = 0; i < sides->n; i++)
        if (!reader_is_plain(sides->at[i]) || (i > 0 && signs[i - 1] != '=') ||
            (i > 0 && !exact_equal(r->x, sides->at[0]->number, sides->at[i]->number)))
            return false;
    return true;
}

static struct value *read_relation(struct reader *r)
{
    struct items sides = {.n = 0};
    int signs[ITEMS_MAX];
    const char *name = read_name(r);
    for (;;) {
        if (!reader_add(r, &sides, read_union(r)))
            return NULL;
        if (!is_relation(r->t->kind))
            break;
        signs[sides.n - 1] = r->t++->kind;
    }
    struct value *last = sides.at[sides.n - 1];
    if (sides.n > 1 && !all_equal(r, &sides, signs)) {
        struct value *v = reader_list(r, &sides, 0, 0);
        v->kind = VALUE_RELATION;
        v->signs = exact_alloc(r->x, sizeof signs);
        memcpy(v->signs, signs, (sides.n - 1) * sizeof *signs);
        last = v;
    }
    last->name = name;
    return last;
}

struct value *reader_list_of(struct reader *r)
{
    struct items items = {.n = 0};
    if (!reader_enter(r))
        return NULL;
    do
        if (!reader_add(r, &items, read_relation(r)))
            return NULL;
    while (reader_take(r, ',') && (reader_take(r, ',') || true)); /* "3, 4, and 5" */
    r->depth--;
    return items.n == 1 ? items.at[0] : reader_list(r, &items, LIST_BARE, LIST_BARE);
}

const struct value *grade_read(struct exact *x, struct tokens *tokens, int sign, bool *has_sign)
{
    struct reader r = {.x = x, .t = tokens->at, .sign = sign};
    struct value *v = reader_list_of(&r);
    *has_sign = r.has_sign;
    return v && r.t->kind == TOKEN_END && exact_state(x) == EXACT_FINE ? v : NULL;
}
