/* grammar.c - builds a grammar's expressions and checks what they say; see grammar.h. */
#include "grammar/grammar_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most elements of any one array: more than a sane grammar has, few enough for any machine. */
enum { MAX_ELEMENTS = 1 << 22, MAX_CHECKS = 1 << 26 };

static const char no_memory[] = "out of memory";
static const char too_large[] = "too large";

int32_t garray_add(struct grammar *g, struct garray *a, size_t size, const void *from, size_t n)
{
    if (g->fault)
        return -1;
    if (a->n + n > MAX_ELEMENTS) {
        g->fault = too_large;
        return -1;
    }
    if (a->n + n > a->cap) {
        size_t cap = 2 * (a->n + n) + 16;
        void *grown = realloc(a->data, cap * size);
        if (!grown) {
            g->fault = no_memory;
            return -1;
        }
        a->data = grown;
        a->cap = cap;
    }
    if (n > 0)
        memcpy((char *)a->data + a->n * size, from, n * size);
    a->n += n;
    return (int32_t)(a->n - n);
}

struct grammar *grammar_new(void)
{
    return calloc(1, sizeof(struct grammar));
}

void grammar_free(struct grammar *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->rules.n; i++)
        free(RULE(g, i).name);
    for (size_t i = 0; i < g->sets.n; i++)
        charset_done((struct charset *)g->sets.data + i);
    struct garray *all[] = {&g->gx,    &g->parts, &g->bytes, &g->words,     &g->sets,
                            &g->rules, &g->nodes, &g->loops, &g->byte_sets, &g->entries};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]->data);
    free(g);
}

/* Building */

int grammar_rule(struct grammar *g, const char *name)
{
    struct rule rule = {.body = -1};
    if (name && !g->fault && !(rule.name = strdup(name)))
        g->fault = no_memory;
    int id = garray_add(g, &g->rules, sizeof rule, &rule, 1);
    if (id < 0)
        free(rule.name);
    return id;
}

void grammar_define(struct grammar *g, int rule, int body)
{
    if (!g->fault)
        RULE(g, rule).body = body;
}

static int add(struct grammar *g, struct gx x)
{
    return garray_add(g, &g->gx, sizeof x, &x, 1);
}

int gx_empty(struct grammar *g)
{
    return add(g, (struct gx){.kind = GX_EMPTY});
}

int gx_never(struct grammar *g)
{
    return add(g, (struct gx){.kind = GX_NEVER});
}

int gx_set(struct grammar *g, const struct charset *set)
{
    struct charset copy = {0};
    if (set->n == 0)
        return gx_never(g);
    for (size_t i = 0; i < g->sets.n; i++)
        if (charset_equal((struct charset *)g->sets.data + i, set))
            return add(g, (struct gx){.kind = GX_SET, .a = (int32_t)i});
    charset_add_set(&copy, set);
    if (copy.failed && !g->fault)
        g->fault = no_memory;
    int32_t id = garray_add(g, &g->sets, sizeof copy, &copy, 1);
    if (id < 0)
        charset_done(&copy);
    return add(g, (struct gx){.kind = GX_SET, .a = id});
}

int gx_text(struct grammar *g, const char *s, size_t len)
{
    int32_t at = garray_add(g, &g->bytes, 1, s, len);
    return add(g, (struct gx){.kind = GX_TEXT, .a = at, .n = (int32_t)len});
}

int gx_string(struct grammar *g, const char *s)
{
    return gx_text(g, s, strlen(s));
}

static int by_bytes(const void *a, const void *b)
{
    const struct gx_word *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : x->len < y->len ? -1 : x->len > y->len;
}

int gx_words(struct grammar *g, const struct gx_word *words, size_t n)
{
    struct gx_word *sorted = calloc(n + 1, sizeof *sorted);
    int32_t first = (int32_t)g->words.n, count = 0;
    if (!sorted && !g->fault)
        g->fault = no_memory;
    if (g->fault || n == 0) {
        free(sorted);
        return gx_never(g);
    }
    memcpy(sorted, words, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_bytes);
    for (size_t i = 0; i < n && !g->fault; i++) {
        if (i > 0 && by_bytes(&sorted[i - 1], &sorted[i]) == 0)
            continue;
        struct gtext t = {.len = (int32_t)sorted[i].len};
        t.at = garray_add(g, &g->bytes, 1, sorted[i].text, sorted[i].len);
        garray_add(g, &g->words, sizeof t, &t, 1);
        count++;
    }
    free(sorted);
    return add(g, (struct gx){.kind = GX_WORDS, .a = first, .n = count});
}

static int add_parts(struct grammar *g, enum gx_kind kind, const int *parts, size_t n)
{
    int32_t at = garray_add(g, &g->parts, sizeof *parts, parts, n);
    return add(g, (struct gx){.kind = (uint8_t)kind, .a = at, .n = (int32_t)n});
}

int gx_seq(struct grammar *g, const int *parts, size_t n)
{
    return n == 1 ? parts[0] : n == 0 ? gx_empty(g) : add_parts(g, GX_SEQ, parts, n);
}

int gx_alt(struct grammar *g, const int *parts, size_t n)
{
    return n == 1 ? parts[0] : n == 0 ? gx_never(g) : add_parts(g, GX_ALT, parts, n);
}

int gx_two(struct grammar *g, int first, int second)
{
    return gx_seq(g, (const int[]){first, second}, 2);
}

int gx_or(struct grammar *g, int a, int b)
{
    return gx_alt(g, (const int[]){a, b}, 2);
}

int gx_repeat(struct grammar *g, int part, int32_t min, int32_t max)
{
    if (min == 1 && max == 1)
        return part;
    return add(g, (struct gx){.kind = GX_REPEAT, .a = part, .min = min, .max = max});
}

int gx_maybe(struct grammar *g, int part)
{
    return gx_repeat(g, part, 0, 1);
}

int gx_call(struct grammar *g, int rule)
{
    return add(g, (struct gx){.kind = GX_CALL, .a = rule});
}

/* Checking */

bool gx_is_nullable(const struct grammar *g, int id)
{
    const struct gx *x = &GX(g, id);
    switch ((enum gx_kind)x->kind) {
    case GX_EMPTY: return true;
    case GX_NEVER:
    case GX_SET: return false;
    case GX_TEXT: return x->n == 0;
    case GX_WORDS: return WORD(g, x->a).len == 0;
    case GX_CALL: return RULE(g, x->a).nullable;
    case GX_REPEAT: return x->min == 0 || gx_is_nullable(g, x->a);
    case GX_SEQ:
        for (int i = 0; i < x->n; i++)
            if (!gx_is_nullable(g, PART(g, x->a + i)))
                return false;
        return true;
    case GX_ALT:
        for (int i = 0; i < x->n; i++)
            if (gx_is_nullable(g, PART(g, x->a + i)))
                return true;
        return false;
    }
    return false;
}

bool gx_ends(const struct grammar *g, int id)
{
    const struct gx *x = &GX(g, id);
    switch ((enum gx_kind)x->kind) {
    case GX_NEVER: return false;
    case GX_EMPTY:
    case GX_SET:
    case GX_TEXT:
    case GX_WORDS: return true;
    case GX_CALL: return RULE(g, x->a).ends;
    case GX_REPEAT: return x->min == 0 || gx_ends(g, x->a);
    case GX_SEQ:
        for (int i = 0; i < x->n; i++)
            if (!gx_ends(g, PART(g, x->a + i)))
                return false;
        return true;
    case GX_ALT:
        for (int i = 0; i < x->n; i++)
            if (gx_ends(g, PART(g, x->a + i)))
                return true;
        return false;
    }
    return false;
}

/* Calls visit(ud, rule) for each rule called in an expression; with `first`, only for those that
 * may be called before a byte is read. False once a visit said so. */
static bool each_call(struct grammar *g, int id, bool first, bool (*visit)(void *ud, int rule),
                      void *ud)
{
    const struct gx *x = &GX(g, id);
    if (x->kind == GX_CALL)
        return visit(ud, x->a);
    if (x->kind == GX_REPEAT)
        return each_call(g, x->a, first, visit, ud);
    if (x->kind != GX_SEQ && x->kind != GX_ALT)
        return true;
    for (int i = 0; i < x->n; i++) {
        int part = PART(g, x->a + i);
        if (!each_call(g, part, first, visit, ud))
            return false;
        if (first && x->kind == GX_SEQ && !gx_is_nullable(g, part))
            break;
    }
    return true;
}

/* A walk over rules with a list instead of recursion: grammars may nest as deep as they like. */
struct walk {
    struct grammar *g;
    int32_t *list;
    int n;
};

static bool reach(void *ud, int rule)
{
    struct walk *w = ud;
    if (!RULE(w->g, rule).reached) {
        RULE(w->g, rule).reached = true;
        w->list[w->n++] = rule;
    }
    return true;
}

/* Marks what root reaches, in w->list in the order it is met. */
static void reach_all(struct walk *w, int root)
{
    reach(w, root);
    for (int i = 0; i < w->n && !w->g->fault; i++) {
        if (RULE(w->g, w->list[i]).body < 0)
            w->g->fault = "a rule without a body";
        else
            each_call(w->g, RULE(w->g, w->list[i]).body, false, reach, w);
    }
}

/* The least fixed point of nullable and ends: from the last rule met to the first,
 * until nothing changes. */
static void solve(struct walk *w)
{
    long checks = 0;
    for (bool changed = true; changed && !w->g->fault;) {
        changed = false;
        for (int i = w->n - 1; i >= 0; i--) {
            struct rule *r = &RULE(w->g, w->list[i]);
            bool nullable = r->nullable || gx_is_nullable(w->g, r->body);
            bool ends = r->ends || gx_ends(w->g, r->body);
            changed = changed || nullable != r->nullable || ends != r->ends;
            r->nullable = nullable;
            r->ends = ends;
        }
        checks += w->n;
        if (checks > MAX_CHECKS)
            w->g->fault = too_large;
    }
}

struct counts {
    int32_t *callers; /* rules that may begin with this one and are not yet taken away */
    struct walk *w;
    int step;
};

static bool count_first(void *ud, int rule)
{
    struct counts *c = ud;
    c->callers[rule] += c->step;
    if (c->step < 0 && c->callers[rule] == 0)
        c->w->list[c->w->n++] = rule;
    return true;
}

static bool is_taken(void *ud, int rule)
{
    const struct counts *c = ud;
    return c->callers[rule] == 0;
}

/* Among the rules left over, one that leads to itself and is not merely reached from such a one. */
static int name_recursive(struct grammar *g, struct counts *c)
{
    int found = -1;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < g->rules.n; i++) {
            if (!RULE(g, i).reached || c->callers[i] == 0)
                continue;
            found = (int)i;
            if (each_call(g, RULE(g, i).body, true, is_taken, c)) {
                c->callers[i] = 0;
                changed = true;
            }
        }
    }
    for (size_t i = g->rules.n; i-- > 0;)
        if (RULE(g, i).reached && c->callers[i] > 0)
            found = (int)i;
    return found;
}

/* Removes rules that no rule begins with, again and again; what is left is involved in left
 * recursion. A left-recursive rule, or -1. */
static int find_left_recursion(struct walk *w)
{
    struct grammar *g = w->g;
    int n = w->n, found = -1;
    bool left = false;
    struct counts c = {calloc(g->rules.n, sizeof *c.callers), w, 1};
    if (!c.callers) {
        g->fault = no_memory;
        return -1;
    }
    for (int i = 0; i < n; i++)
        each_call(g, RULE(g, w->list[i]).body, true, count_first, &c);
    w->n = 0;
    for (size_t i = 0; i < g->rules.n; i++)
        if (RULE(g, i).reached && c.callers[i] == 0)
            w->list[w->n++] = (int32_t)i;
    c.step = -1;
    for (int i = 0; i < w->n; i++)
        each_call(g, RULE(g, w->list[i]).body, true, count_first, &c);
    for (size_t i = 0; i < g->rules.n; i++)
        left = left || (RULE(g, i).reached && c.callers[i] > 0);
    if (left)
        found = name_recursive(g, &c);
    free(c.callers);
    return found;
}

static int refuse(char *err, size_t errlen, const char *reason)
{
    snprintf(err, errlen, "%s", reason);
    return -1;
}

int grammar_finish(struct grammar *g, int root, char *err, size_t errlen)
{
    int recursive = -1;
    struct walk w = {g, calloc(g->rules.n + 1, sizeof *w.list), 0};
    if (!w.list && !g->fault)
        g->fault = no_memory;
    if (!g->fault)
        reach_all(&w, root);
    if (!g->fault)
        solve(&w);
    bool ends = !g->fault && RULE(g, root).ends;
    if (ends)
        recursive = find_left_recursion(&w);
    free(w.list);
    if (g->fault)
        return refuse(err, errlen, g->fault);
    if (!ends)
        return refuse(err, errlen, "nothing that it allows can ever end");
    if (recursive >= 0) {
        const char *name = RULE(g, recursive).name;
        snprintf(err, errlen, "%s: refers to itself before anything is read (left recursion)",
                 name ? name : "a rule");
        return -1;
    }
    grammar_emit(g, root);
    return g->fault ? refuse(err, errlen, g->fault) : 0;
}

const struct gprogram *grammar_program(const struct grammar *g)
{
    return &g->program;
}
