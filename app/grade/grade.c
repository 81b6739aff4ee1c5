/* grade.c - compares values; see grade.h. A text that can be read in several ways is right if one
 * reading is. */
#include "app/grade/grade.h"

#include <ctype.h>
#include <string.h>

#include "app/grade/exact.h"
#include "app/grade/lex.h"
#include "app/grade/read.h"
#include "app/str.h"

static bool same(struct exact *x, const struct value *a, const struct value *b);

/* Lists */

static bool same_in_order(struct exact *x, const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (!same(x, a->items[i], b->items[i]))
            return false;
    return a->n == b->n;
}

/* Whether every item of a is one of b's. */
static bool is_within(struct exact *x, const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < a->n; i++) {
        size_t k = 0;
        while (k < b->n && exact_spend(x, 1) && !same(x, a->items[i], b->items[k]))
            k++;
        if (k == b->n || exact_state(x) != EXACT_FINE)
            return false;
    }
    return true;
}

/* "x < 3 or x > 5" is a union. */
static bool is_of_relations(const struct value *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i]->kind != VALUE_RELATION)
            return false;
    return true;
}

static bool same_list(struct exact *x, const struct value *a, const struct value *b)
{
    bool bare = a->open == LIST_BARE || b->open == LIST_BARE;
    bool a_free = a->open == LIST_BARE || a->open == LIST_SET || a->open == LIST_UNION;
    bool b_free = b->open == LIST_BARE || b->open == LIST_SET || b->open == LIST_UNION;

    if (!bare && (a->open != b->open || a->close != b->close))
        return false;
    if (bare && (a->open == LIST_ROW || b->open == LIST_ROW))
        return false;
    if ((a->open == LIST_UNION) != (b->open == LIST_UNION) &&
        !is_of_relations(a->open == LIST_UNION ? b : a))
        return false;
    if (!a_free || !b_free)
        return same_in_order(x, a, b);
    return is_within(x, a, b) && is_within(x, b, a);
}

/* Numbers */

static struct ratio in_base_unit(struct exact *x, const struct value *v)
{
    struct ratio n = v->number, factor = exact_div(x, exact_integer(x, v->unit.num),
                                                   exact_integer(x, v->unit.den));
    for (int i = 0; i < v->unit.power; i++)
        n = exact_mul(x, n, factor);
    return n;
}

/* A unit that only one of them has is ignored. */
static bool same_number(struct exact *x, const struct value *a, const struct value *b)
{
    if (a->unit.dimension == UNIT_NONE || b->unit.dimension == UNIT_NONE)
        return exact_equal(x, a->number, b->number);
    if (a->unit.dimension != b->unit.dimension || a->unit.power != b->unit.power)
        return false;
    return exact_equal(x, in_base_unit(x, a), in_base_unit(x, b));
}

/* Relations */

static bool is_equation(const struct value *v)
{
    return v->kind == VALUE_RELATION && v->n == 2 && v->signs[0] == '=' &&
           v->items[0]->kind == VALUE_NUMBER && v->items[1]->kind == VALUE_NUMBER && !v->name;
}

/* Left side minus right side of an equation; of "y = 2x" with that name too. */
static bool as_difference(struct exact *x, const struct value *v, struct ratio *out)
{
    bool named = v->kind == VALUE_NUMBER && v->name;
    if (named)
        *out = exact_sub(x, exact_symbol(x, v->name, strlen(v->name)), v->number);
    else if (is_equation(v))
        *out = exact_sub(x, v->items[0]->number, v->items[1]->number);
    return named || is_equation(v);
}

static bool same_equation(struct exact *x, const struct value *a, const struct value *b)
{
    struct ratio p, q;
    int sign;
    if (!as_difference(x, a, &p) || !as_difference(x, b, &q))
        return false;
    const struct ratio zero = exact_integer(x, 0); /* only the numerator counts */
    if (exact_state(x) != EXACT_FINE || exact_equal(x, p, zero) || exact_equal(x, q, zero))
        return false;
    p.den = q.den = exact_integer(x, 1).num;
    return exact_proportional(x, p, q, &sign);
}

static int mirrored(int sign)
{
    switch (sign) {
    case '<': return '>';
    case '>': return '<';
    case TOKEN_AT_MOST: return TOKEN_AT_LEAST;
    case TOKEN_AT_LEAST: return TOKEN_AT_MOST;
    default: return sign;
    }
}

/* Compares the sides in order, or in reverse. */
static bool same_chain(struct exact *x, const struct value *a, const struct value *b, bool mirror)
{
    for (size_t i = 0; i < a->n; i++) {
        size_t k = mirror ? a->n - 1 - i : i;
        if (!same(x, a->items[i], b->items[k]))
            return false;
        if (i + 1 < a->n &&
            a->signs[i] != (mirror ? mirrored(b->signs[a->n - 2 - i]) : b->signs[i]))
            return false;
    }
    return true;
}

/* "2x > 6" and "x > 3": left minus right, compared up to a positive factor. */
static bool same_inequality(struct exact *x, const struct value *a, const struct value *b)
{
    struct ratio d[2];
    int signs[2], factor;
    const struct value *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        const struct value *v = both[i];
        if (v->n != 2 || v->items[0]->kind != VALUE_NUMBER || v->items[1]->kind != VALUE_NUMBER)
            return false;
        d[i] = exact_sub(x, v->items[0]->number, v->items[1]->number);
        signs[i] = v->signs[0];
    }
    if (!exact_proportional(x, d[0], d[1], &factor))
        return false;
    return signs[0] == (factor > 0 ? signs[1] : mirrored(signs[1]));
}

static bool same_relation(struct exact *x, const struct value *a, const struct value *b)
{
    if (same_equation(x, a, b))
        return true;
    if (a->kind != VALUE_RELATION || b->kind != VALUE_RELATION)
        return false;
    return (a->n == b->n && (same_chain(x, a, b, false) || same_chain(x, a, b, true))) ||
           same_inequality(x, a, b);
}

/* One end of an interval that a relation gives. */
static void set_end(struct value *interval, int sign, struct value *end)
{
    bool upper = sign == '<' || sign == TOKEN_AT_MOST;
    bool closed = sign == TOKEN_AT_MOST || sign == TOKEN_AT_LEAST;
    interval->items[upper] = end;
    if (upper)
        interval->close = closed ? ']' : ')';
    else
        interval->open = closed ? '[' : '(';
}

static struct value *infinity(struct exact *x, int sign)
{
    struct value *v = exact_alloc(x, sizeof *v);
    v->number = exact_mul(x, exact_integer(x, sign), exact_symbol(x, "infty", 5));
    return v;
}

/* A letter between or beside numbers is a range of them: 0 < x <= 3 is (0, 3].
 * NULL: no such thing. */
static const struct value *as_interval(struct exact *x, const struct value *v)
{
    size_t letter = v->n == 2 && v->items[0]->kind == VALUE_NUMBER &&
                            exact_is_letter(x, v->items[0]->number)
                        ? 0
                        : 1;
    if (v->n > 3 || v->items[letter]->kind != VALUE_NUMBER ||
        !exact_is_letter(x, v->items[letter]->number))
        return NULL;
    struct value *out = exact_alloc(x, sizeof *out);
    *out = (struct value){.kind = VALUE_LIST, .open = '(', .close = ')', .n = 2};
    out->items = exact_alloc(x, 2 * sizeof *out->items);
    for (size_t i = 0; i + 1 < v->n; i++) {
        int sign = i < letter ? mirrored(v->signs[i]) : v->signs[i];
        if (mirrored(sign) == sign)
            return NULL;
        set_end(out, sign, v->items[i < letter ? i : i + 1]);
    }
    if (v->n == 3 && (!out->items[0] || !out->items[1]))
        return NULL;
    for (int i = 0; i < 2; i++)
        if (!out->items[i])
            out->items[i] = infinity(x, i ? 1 : -1);
    return out;
}

/* Values */

static bool same(struct exact *x, const struct value *a, const struct value *b)
{
    if (!exact_spend(x, 1))
        return false;
    if (a->kind == VALUE_RELATION && b->kind == VALUE_LIST)
        a = as_interval(x, a);
    else if (b->kind == VALUE_RELATION && a->kind == VALUE_LIST)
        b = as_interval(x, b);
    if (!a || !b)
        return false;
    if (a->kind == VALUE_RELATION || b->kind == VALUE_RELATION)
        return same_relation(x, a, b);
    if (a->name && b->name && strcmp(a->name, b->name) != 0)
        return same_equation(x, a, b);
    if (a->kind != b->kind)
        return false;
    if (a->kind == VALUE_WORDS)
        return strcmp(a->text, b->text) == 0;
    return a->kind == VALUE_LIST ? same_list(x, a, b) : same_number(x, a, b);
}

/* Readings of a text */

enum { READINGS = 2 * READ_WAYS };

struct readings {
    const struct value *at[READINGS];
    int n;
};

/* "1 \pm 2" is two numbers, in any order. */
static const struct value *both_signs(struct exact *x, const struct value *plus,
                                      const struct value *minus)
{
    struct value *pair = exact_alloc(x, sizeof *pair);
    if (!plus || !minus)
        return NULL;
    *pair = (struct value){.kind = VALUE_LIST, .open = LIST_BARE, .close = LIST_BARE, .n = 2};
    pair->items = exact_alloc(x, 2 * sizeof *pair->items);
    memcpy(pair->items, (const struct value *[]){plus, minus}, 2 * sizeof *pair->items);
    pair->name = plus->name;
    return pair;
}

static const struct value *read_one_way(struct exact *x, const char *text, size_t len, int ways,
                                        int *ambiguous)
{
    struct tokens tokens;
    bool has_sign = false;
    if (!grade_lex(x, text, len, ways, &tokens))
        return NULL;
    *ambiguous = tokens.ambiguous;
    const struct value *v = grade_read(x, &tokens, 1, &has_sign);
    if (!has_sign || !grade_lex(x, text, len, ways, &tokens))
        return v;
    return both_signs(x, v, grade_read(x, &tokens, -1, &has_sign));
}

static void read_all_ways(struct exact *x, const char *text, size_t len, struct readings *out)
{
    int ambiguous = READ_WAYS - 1;
    out->n = 0;
    for (int ways = 0; ways < READ_WAYS; ways++) {
        int found = 0;
        if (ways & ~ambiguous)
            continue;
        const struct value *v = read_one_way(x, text, len, ways, &found);
        if (ways == 0)
            ambiguous = found;
        if (v)
            out->at[out->n++] = v;
    }
}

/* The text as lower-case words, without typesetting commands; false: it holds more than words. */
static bool plain_words(const char *text, size_t len, struct str *out)
{
    size_t letters = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\\') { /* a command is taken to set type: \text, \mathrm, \ */
            size_t n = 1;
            while (i + n < len && isalpha((unsigned char)text[i + n]))
                n++;
            bool sets_type = n == 1 || memmem(text + i, n, "text", 4) ||
                             memmem(text + i, n, "math", 4) || memmem(text + i, n, "box", 3);
            if (!sets_type)
                return false;
            i += n == 1 ? 1 : n - 1;
        } else if (isalpha(c) || c >= 0x80) {
            str_add(out, &(char){(char)tolower(c)}, 1);
            letters++;
        } else if (!isspace(c) && !strchr("{}$.,'-\"!?", c)) {
            return false;
        }
    }
    return letters >= 2;
}

static bool same_words(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct str p = {0}, q = {0};
    bool equal = plain_words(a, a_len, &p) && plain_words(b, b_len, &q) && p.len == q.len &&
                 memcmp(p.data, q.data, p.len) == 0;
    str_done(&p);
    str_done(&q);
    return equal;
}

/* For texts that cannot be read: whether the characters are the same, apart from typesetting. */
static bool same_tokens(struct exact *x, const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct tokens p, q;
    if (!grade_lex(x, a, a_len, 0, &p) || !grade_lex(x, b, b_len, 0, &q) || p.n != q.n || p.n == 0)
        return false;
    for (size_t i = 0; i < p.n; i++)
        if (p.at[i].kind != q.at[i].kind || p.at[i].len != q.at[i].len ||
            memcmp(p.at[i].text, q.at[i].text, p.at[i].len) != 0)
            return false;
    return true;
}

static enum grade compare_values(struct exact *x, const char *a, size_t a_len, const char *b,
                                 size_t b_len)
{
    struct readings p, q;
    read_all_ways(x, a, a_len, &p);
    read_all_ways(x, b, b_len, &q);
    for (int i = 0; i < p.n; i++)
        for (int k = 0; k < q.n; k++)
            if (same(x, p.at[i], q.at[k]) && exact_state(x) == EXACT_FINE)
                return GRADE_EQUAL;
    bool understood = p.n > 0 && q.n > 0 && exact_state(x) == EXACT_FINE;
    return understood ? GRADE_DIFFERENT : GRADE_UNDECIDED;
}

enum grade grade_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    a = str_trim(a, &a_len);
    b = str_trim(b, &b_len);
    if (a_len == b_len && memcmp(a, b, a_len) == 0)
        return GRADE_EQUAL;
    if (a_len == 0 || b_len == 0)
        return GRADE_DIFFERENT;
    if (a_len > GRADE_LONGEST || b_len > GRADE_LONGEST)
        return GRADE_UNDECIDED;
    if (same_words(a, a_len, b, b_len))
        return GRADE_EQUAL;
    struct exact *x = exact_new();
    bool equal = same_tokens(x, a, a_len, b, b_len);
    exact_free(x);
    if (equal)
        return GRADE_EQUAL;
    x = exact_new();
    enum grade grade = compare_values(x, a, a_len, b, b_len);
    exact_free(x);
    return grade;
}

const char *grade_name(enum grade grade)
{
    static const char *const names[] = {"different", "equal", "undecided"};
    return names[grade];
}
