/* grammar_emit.c - compiles expressions: each is emitted backwards, knowing the node that comes
 * after it; see grammar.h. */
#include "grammar/grammar_form.h"

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

enum {
    COPIED = 4,         /* a repetition up to this is copies, not a loop with a counter */
    COPIED_EMPTY = 256, /* likewise, of what may be empty: a loop could turn without reading */
    MAX_SETS = 8192,    /* different sets of bytes */
    NONE = -1,
};

#define NODE(g, i) (((struct gnode *)(g)->nodes.data)[i])
#define LOOP(g, i) (((struct gloop *)(g)->loops.data)[i])
#define SETS(g)    ((struct charset *)(g)->sets.data)

struct emit {
    struct grammar *g;
    int rule;      /* the one being emitted */
    int32_t end;   /* its return */
    int32_t marks; /* the loop whose own set comes next, or NONE */
};

static int32_t emit(struct emit *e, int id, int32_t next);

static int32_t put(struct grammar *g, enum gop op, int32_t a, int32_t b)
{
    const struct gnode node = {(uint8_t)op, a, b, NONE};
    return garray_add(g, &g->nodes, sizeof node, &node, 1);
}

static int32_t split(struct grammar *g, int32_t a, int32_t b)
{
    return a == NONE ? b : b == NONE ? a : put(g, G_SPLIT, a, b);
}

/* Bytes */

static int32_t byte_set(struct grammar *g, const struct gbytes *set)
{
    const struct gbytes *all = g->byte_sets.data;
    for (size_t i = g->byte_sets.n; i-- > 256;)
        if (memcmp(&all[i], set, sizeof *set) == 0)
            return (int32_t)i;
    if (g->byte_sets.n >= MAX_SETS && !g->fault)
        g->fault = "too many different sets of characters";
    return garray_add(g, &g->byte_sets, sizeof *set, set, 1);
}

/* The first 256 sets are the single bytes. */
static void put_single_bytes(struct grammar *g)
{
    for (int i = 0; i < 256; i++) {
        struct gbytes one = {{0}};
        one.bit[i / 64] = (uint64_t)1 << i % 64;
        garray_add(g, &g->byte_sets, sizeof one, &one, 1);
    }
}

static int32_t put_range(struct grammar *g, uint8_t first, uint8_t last, int32_t next)
{
    struct gbytes set = {{0}};
    for (int i = first; i <= last; i++)
        set.bit[i / 64] |= (uint64_t)1 << i % 64;
    return put(g, G_BYTES, first == last ? first : byte_set(g, &set), next);
}

/* Characters: a set becomes ASCII, all in one node, and for the rest byte sequences of ranges. */
struct chars {
    struct emit *e;
    int32_t next, start; /* start: all sequences so far */
    int32_t first_node;  /* nodes from here on are this set's, and may be shared */
};

/* A node equal to one that the set has already, or a new one. */
static int32_t share_range(struct chars *c, uint8_t first, uint8_t last, int32_t next)
{
    struct grammar *g = c->e->g;
    int32_t made = put_range(g, first, last, next);
    if (made == NONE)
        return NONE;
    for (int32_t i = made - 1; i >= c->first_node && i >= made - 64; i--)
        if (NODE(g, i).op == G_BYTES && NODE(g, i).a == NODE(g, made).a && NODE(g, i).b == next &&
            NODE(g, i).loop == NONE) {
            g->nodes.n--;
            return i;
        }
    return made;
}

/* One sequence of byte ranges; its first node may mark a loop and so is never shared. */
static void put_sequence(struct chars *c, const uint8_t *first, const uint8_t *last, size_t n)
{
    struct grammar *g = c->e->g;
    int32_t at = c->next;
    for (size_t i = n; i-- > 1;)
        at = share_range(c, first[i], last[i], at);
    at = put_range(g, first[0], last[0], at);
    if (at == NONE)
        return;
    NODE(g, at).loop = c->e->marks;
    c->start = split(g, at, c->start);
}

/* Characters of one length in bytes, first to last: cut where the trailing bytes are not all of
 * theirs. */
static void put_chars(struct chars *c, int32_t first, int32_t last)
{
    char lo[4], hi[4];
    size_t n = utf8_encode(first, lo);
    for (size_t i = 1; i < n; i++) {
        int32_t rest = ((int32_t)1 << 6 * i) - 1; /* of the last i bytes */
        if ((first & ~rest) == (last & ~rest))
            continue;
        if (first & rest) {
            put_chars(c, first, first | rest);
            put_chars(c, (first | rest) + 1, last);
            return;
        }
        if ((last & rest) != rest) {
            put_chars(c, first, (last & ~rest) - 1);
            put_chars(c, last & ~rest, last);
            return;
        }
    }
    utf8_encode(last, hi);
    put_sequence(c, (const uint8_t *)lo, (const uint8_t *)hi, n);
}

static void put_range_of_chars(struct chars *c, struct charset_range r)
{
    static const int32_t ends[] = {0x7F, 0x7FF, 0xFFFF, CHARSET_LAST};
    for (size_t i = 1; i < 4; i++) {
        int32_t first = r.first > ends[i - 1] ? r.first : ends[i - 1] + 1;
        int32_t last = r.last < ends[i] ? r.last : ends[i];
        if (first <= last)
            put_chars(c, first, last);
    }
}

static int32_t emit_set(struct emit *e, const struct charset *set, int32_t next)
{
    struct grammar *g = e->g;
    struct chars c = {e, next, NONE, (int32_t)g->nodes.n};
    struct gbytes ascii = {{0}};
    bool any = false;
    for (size_t i = 0; i < set->n; i++) {
        for (int32_t b = set->range[i].first; b <= set->range[i].last && b < 0x80; b++) {
            ascii.bit[b / 64] |= (uint64_t)1 << b % 64;
            any = true;
        }
        put_range_of_chars(&c, set->range[i]);
    }
    if (any) {
        int32_t at = put(g, G_BYTES, byte_set(g, &ascii), next);
        if (at != NONE)
            NODE(g, at).loop = e->marks;
        c.start = split(g, at, c.start);
    }
    return c.start;
}

/* Texts */

static int32_t emit_text(struct grammar *g, struct gtext t, int32_t from, int32_t next)
{
    for (int32_t i = t.len; i-- > from && !g->fault;)
        next = put(g, G_BYTES, (uint8_t)BYTE_AT(g, t.at + i), next);
    return next;
}

/* Words first to last share their first `at` bytes. Goes as deep as there are words that begin
 * others, which is less than the square root of all their bytes. */
static int32_t emit_words(struct grammar *g, int32_t first, int32_t last, int32_t at, int32_t next)
{
    int32_t start = NONE;
    if (first == last)
        return emit_text(g, WORD(g, first), at, next);
    if (WORD(g, first).len == at) {
        start = next;
        first++;
    }
    while (first <= last && !g->fault) {
        const struct gtext w = WORD(g, first);
        int32_t end = first, same = at;
        while (end < last && BYTE_AT(g, WORD(g, end + 1).at + at) == BYTE_AT(g, w.at + at))
            end++;
        const struct gtext z = WORD(g, end);
        while (same < w.len && same < z.len && BYTE_AT(g, w.at + same) == BYTE_AT(g, z.at + same))
            same++;
        int32_t branch = emit_words(g, first, end, end > first ? same : at, next);
        if (end > first)
            branch = emit_text(g, (struct gtext){w.at, same}, at, branch);
        start = split(g, branch, start);
        first = end + 1;
    }
    return start;
}

/* Repetitions */

/* The set that is the part, or is one of its alternatives; or NONE. Of several the first. */
static int own_set(const struct grammar *g, int part)
{
    const struct gx *x = &GX(g, part);
    if (x->kind == GX_SET)
        return part;
    for (int i = 0; x->kind == GX_ALT && i < x->n; i++)
        if (GX(g, PART(g, x->a + i)).kind == GX_SET)
            return PART(g, x->a + i);
    return NONE;
}

static int32_t emit_body(struct emit *e, int part, int32_t loop, int32_t next)
{
    struct grammar *g = e->g;
    int set = own_set(g, part);
    if (set == NONE)
        return emit(e, part, next);
    LOOP(g, loop).set = GX(g, set).a;
    e->marks = loop;
    int32_t start = emit_set(e, &SETS(g)[GX(g, set).a], next);
    e->marks = NONE;
    const struct gx x = GX(g, part);
    for (int i = 0; x.kind == GX_ALT && i < x.n; i++)
        if (PART(g, x.a + i) != set && gx_ends(g, PART(g, x.a + i)))
            start = split(g, emit(e, PART(g, x.a + i), next), start);
    return start;
}

static int32_t emit_loop(struct emit *e, struct gx x, int32_t next)
{
    struct grammar *g = e->g;
    const struct gloop loop = {x.min, x.max, NONE, next, NONE};
    int32_t id = garray_add(g, &g->loops, sizeof loop, &loop, 1);
    int32_t node = put(g, G_LOOP, id, 0);
    if (g->fault)
        return NONE;
    int32_t body = emit_body(e, x.a, id, node);
    if (!g->fault)
        LOOP(g, id).body = body;
    return node;
}

/* A loop with a counter is a rule of its own, since a rule that runs has one counter. */
static int32_t emit_counted(struct emit *e, struct gx x, int32_t next)
{
    struct grammar *g = e->g;
    int rule = grammar_rule(g, NULL);
    if (g->fault)
        return NONE;
    RULE(g, rule).ends = true;
    int body = gx_repeat(g, x.a, x.min, x.max);
    grammar_define(g, rule, body);
    return put(g, next == e->end ? G_TAIL : G_CALL, rule, next);
}

static int32_t emit_copies(struct emit *e, struct gx x, int32_t next)
{
    struct grammar *g = e->g;
    int32_t end = next, more = x.max == GX_FOREVER ? 0 : x.max - x.min;
    if (x.max == GX_FOREVER)
        next = emit_loop(e, (struct gx){.a = x.a, .max = GX_FOREVER}, next);
    for (int32_t i = 0; i < more && !g->fault; i++)
        next = split(g, emit(e, x.a, next), end);
    for (int32_t i = 0; i < x.min && !g->fault; i++)
        next = emit(e, x.a, next);
    return next;
}

static int32_t emit_repeat(struct emit *e, int id, int32_t next)
{
    struct grammar *g = e->g;
    struct gx x = GX(g, id);
    if (x.max == 0 || !gx_ends(g, x.a))
        return next;
    bool nullable = gx_is_nullable(g, x.a);
    if (nullable) /* a turn that reads nothing need not be taken */
        x.min = 0;
    if (nullable && x.max > COPIED_EMPTY && x.max != GX_FOREVER) {
        g->fault = "a repetition, so many times, of what may be empty";
        return NONE;
    }
    if (nullable || (x.max == GX_FOREVER ? x.min <= COPIED : x.max <= COPIED))
        return emit_copies(e, x, next);
    if (RULE(g, e->rule).body == id)
        return emit_loop(e, x, next);
    return emit_counted(e, x, next);
}

static int32_t emit_alt(struct emit *e, struct gx x, int32_t next)
{
    int32_t start = NONE;
    for (int i = x.n; i-- > 0 && !e->g->fault;) {
        int part = PART(e->g, x.a + i);
        if (gx_ends(e->g, part))
            start = split(e->g, emit(e, part, next), start);
    }
    return start;
}

/* An expression that can end, before the node next. Goes as deep as expressions are nested. */
static int32_t emit(struct emit *e, int id, int32_t next)
{
    struct grammar *g = e->g;
    if (g->fault)
        return NONE;
    const struct gx x = GX(g, id);
    switch ((enum gx_kind)x.kind) {
    case GX_NEVER: return NONE;
    case GX_EMPTY: return next;
    case GX_SET: return emit_set(e, &SETS(g)[x.a], next);
    case GX_TEXT: return emit_text(g, (struct gtext){x.a, x.n}, 0, next);
    case GX_WORDS: return emit_words(g, x.a, x.a + x.n - 1, 0, next);
    case GX_CALL: return put(g, next == e->end ? G_TAIL : G_CALL, x.a, next);
    case GX_REPEAT: return emit_repeat(e, id, next);
    case GX_ALT: return emit_alt(e, x, next);
    case GX_SEQ:
        for (int i = x.n; i-- > 0;)
            next = emit(e, PART(g, x.a + i), next);
        return next;
    }
    return NONE;
}

static void emit_rule(struct grammar *g, int rule)
{
    struct emit e = {g, rule, put(g, G_RETURN, 0, 0), NONE};
    int32_t entry = NONE;
    if (RULE(g, rule).ends && !g->fault)
        entry = emit(&e, RULE(g, rule).body, e.end);
    if (!g->fault)
        ((int32_t *)g->entries.data)[rule] = entry;
}

/* Bytes that no set tells apart. */
static void find_classes(const struct grammar *g, struct gprogram *p)
{
    const struct gbytes *sets = g->byte_sets.data;
    bool *used = calloc(g->byte_sets.n, sizeof *used);
    int n = 1;
    memset(p->class_of, 0, sizeof p->class_of);
    for (int32_t i = 0; used && i < p->n_nodes; i++)
        if (p->node[i].op == G_BYTES)
            used[p->node[i].a] = true;
    for (size_t i = 0; i < g->byte_sets.n && n < 256; i++) {
        int16_t split_off[256];
        if (used && !used[i])
            continue;
        memset(split_off, -1, sizeof split_off);
        bool outside[256] = {false};
        for (int b = 0; b < 256; b++)
            if (!gbytes_has(&sets[i], (uint8_t)b))
                outside[p->class_of[b]] = true;
        for (int b = 0; b < 256; b++) {
            int class = p->class_of[b];
            if (!gbytes_has(&sets[i], (uint8_t)b) || !outside[class])
                continue;
            if (split_off[class] < 0)
                split_off[class] = (int16_t)n++;
            p->class_of[b] = (uint8_t)split_off[class];
        }
    }
    p->n_classes = n;
    for (int b = 256; b-- > 0;)
        p->byte_of[p->class_of[b]] = (uint8_t)b;
    free(used);
}

void grammar_emit(struct grammar *g, int root)
{
    put_single_bytes(g);
    for (size_t rule = 0; rule < g->rules.n && !g->fault; rule++) { /* counted loops add rules */
        const int32_t none = NONE;
        while (g->entries.n < g->rules.n && !g->fault)
            garray_add(g, &g->entries, sizeof none, &none, 1);
        emit_rule(g, (int)rule);
    }
    if (g->fault)
        return;
    g->program = (struct gprogram){
        .node = g->nodes.data,
        .loop = g->loops.data,
        .bytes = g->byte_sets.data,
        .set = g->sets.data,
        .entry = g->entries.data,
        .n_nodes = (int32_t)g->nodes.n,
        .root = root,
    };
    find_classes(g, &g->program);
}
