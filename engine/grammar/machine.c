/* machine.c - states of a grammar's automaton; see machine.h. */
#include "grammar/machine.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 1024,      /* of the stack */
    MAX_PLACES = 1024,     /* of one state */
    MAX_CLOSURE = 1 << 15, /* places looked at for one step */
    FULL_PLACES = 1 << 20,
    FULL_SETS = 1 << 16,
    BOTTOM = 0,   /* set: return from here ends the text */
    ENDED = -1,   /* node of that place */
    UNKNOWN = -2, /* step */
};

/* A place in the program: what comes next is `node`. In a set of returns, what is returned to. */
struct place {
    int32_t node, count, parent; /* parent: set of returns; of ENDED -1 */
};

struct set {
    uint32_t first, n;
    int32_t depth;
    int32_t steps; /* row of steps, or -1 */
};

struct machine {
    const struct gprogram *p;
    struct place *places;
    size_t n_places, cap_places;
    struct set *sets;
    size_t n_sets, cap_sets;
    int32_t *slot; /* open addressing over sets */
    size_t mask;
    int32_t *steps; /* [rows, n_classes] */
    size_t n_rows, cap_rows;
    uint64_t n_flushed;
    bool failed;

    /* A closure in the making. */
    struct place *list;   /* looked at so far */
    struct place *out;    /* [MAX_PLACES] those of them that the new state consists of */
    int32_t *seen;        /* open addressing over list */
    uint32_t *seen_round; /* the slot is of this round, or empty */
    uint32_t round;
    int n_list, n_out;
};

enum { SEEN = 2 * MAX_CLOSURE };

static bool grow(struct machine *m, void **data, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    size_t more = 2 * need + 64;
    void *grown = realloc(*data, more * size);
    if (!grown) {
        m->failed = true;
        return false;
    }
    *data = grown;
    *cap = more;
    return true;
}

static uint32_t mix(uint32_t h, uint32_t v)
{
    h = (h ^ v) * 0x9E3779B1u;
    return h ^ h >> 15;
}

static uint32_t hash(const struct place *p, size_t n)
{
    uint32_t h = (uint32_t)n;
    for (size_t i = 0; i < n; i++)
        h = mix(mix(mix(h, (uint32_t)p[i].node), (uint32_t)p[i].count), (uint32_t)p[i].parent);
    return h;
}

/* Sets */

static void rehash(struct machine *m, size_t n_slots)
{
    int32_t *slot = malloc(n_slots * sizeof *slot);
    if (!slot) {
        m->failed = true;
        return;
    }
    memset(slot, 0xFF, n_slots * sizeof *slot);
    for (size_t i = 0; i < m->n_sets; i++) {
        size_t at = hash(m->places + m->sets[i].first, m->sets[i].n) & (n_slots - 1);
        while (slot[at] >= 0)
            at = (at + 1) & (n_slots - 1);
        slot[at] = (int32_t)i;
    }
    free(m->slot);
    m->slot = slot;
    m->mask = n_slots - 1;
}

static int32_t depth_of(const struct machine *m, const struct place *p, size_t n)
{
    int32_t depth = 0;
    for (size_t i = 0; i < n; i++)
        if (p[i].parent >= 0 && m->sets[p[i].parent].depth >= depth)
            depth = m->sets[p[i].parent].depth + 1;
    return depth;
}

/* The number of the set of these places, which are in order and not part of m->places. */
static int32_t intern(struct machine *m, const struct place *p, size_t n)
{
    if (n == 0 || m->failed)
        return MACHINE_DEAD;
    size_t at = hash(p, n) & m->mask;
    for (; m->slot[at] >= 0; at = (at + 1) & m->mask) {
        const struct set *s = &m->sets[m->slot[at]];
        if (s->n == n && memcmp(m->places + s->first, p, n * sizeof *p) == 0)
            return m->slot[at];
    }
    if (!grow(m, (void **)&m->places, &m->cap_places, m->n_places + n, sizeof *p) ||
        !grow(m, (void **)&m->sets, &m->cap_sets, m->n_sets + 1, sizeof *m->sets))
        return MACHINE_DEAD;
    memcpy(m->places + m->n_places, p, n * sizeof *p);
    m->sets[m->n_sets] = (struct set){(uint32_t)m->n_places, (uint32_t)n, depth_of(m, p, n),
                                      UNKNOWN};
    m->n_places += n;
    int32_t id = (int32_t)m->n_sets++;
    m->slot[at] = id;
    if (2 * m->n_sets > m->mask)
        rehash(m, 2 * (m->mask + 1));
    return id;
}

static int compare(const struct place *a, const struct place *b)
{
    return a->node != b->node     ? (a->node < b->node ? -1 : 1)
           : a->count != b->count ? (a->count < b->count ? -1 : 1)
                                  : (a->parent > b->parent) - (a->parent < b->parent);
}

static bool same_place(const struct place *a, const struct place *b)
{
    return a->node == b->node && a->count == b->count;
}

/* The set of both sets' places. Goes as deep as the stack is. */
static int32_t join(struct machine *m, int32_t a, int32_t b)
{
    if (a == b || b < 0)
        return a;
    size_t na = m->sets[a].n, nb = m->sets[b].n, n = 0;
    struct place *both = malloc((na + nb) * sizeof *both);
    if (!both) {
        m->failed = true;
        return a;
    }
    for (size_t i = 0, j = 0; i < na || j < nb;) {
        struct place p = i < na ? m->places[m->sets[a].first + i] : (struct place){0, 0, 0};
        struct place q = j < nb ? m->places[m->sets[b].first + j] : (struct place){0, 0, 0};
        if (i < na && j < nb && same_place(&p, &q)) {
            p.parent = p.parent < 0 ? p.parent : join(m, p.parent, q.parent);
            both[n++] = p;
            i++;
            j++;
        } else if (j == nb || (i < na && compare(&p, &q) < 0)) {
            both[n++] = p;
            i++;
        } else {
            both[n++] = q;
            j++;
        }
    }
    int32_t id = intern(m, both, n < MAX_PLACES ? n : MAX_PLACES);
    free(both);
    return id;
}

/* Steps */

static void add(struct machine *m, struct place p)
{
    if (p.node == UNKNOWN || m->n_list == MAX_CLOSURE)
        return;
    uint32_t at = hash(&p, 1) & (SEEN - 1);
    for (; m->seen_round[at] == m->round; at = (at + 1) & (SEEN - 1))
        if (compare(&m->list[m->seen[at]], &p) == 0)
            return;
    m->seen_round[at] = m->round;
    m->seen[at] = m->n_list;
    m->list[m->n_list++] = p;
}

static void add_call(struct machine *m, struct place p, const struct gnode *node)
{
    int32_t entry = m->p->entry[node->a];
    if (node->op == G_TAIL) {
        add(m, (struct place){entry, 0, p.parent});
        return;
    }
    if (m->sets[p.parent].depth + 1 >= MAX_DEPTH)
        return;
    const struct place back = {node->b, p.count, p.parent};
    int32_t parent = intern(m, &back, 1);
    if (parent >= 0)
        add(m, (struct place){entry, 0, parent});
}

static void add_loop(struct machine *m, struct place p, const struct gloop *loop)
{
    if (loop->min == 0 && loop->max == GX_FOREVER) {
        add(m, (struct place){loop->body, p.count, p.parent});
        add(m, (struct place){loop->exit, p.count, p.parent});
        return;
    }
    int32_t next = p.count + 1;
    if (loop->max == GX_FOREVER && next > loop->min)
        next = loop->min;
    if (p.count < loop->max)
        add(m, (struct place){loop->body, next, p.parent});
    if (p.count >= loop->min)
        add(m, (struct place){loop->exit, 0, p.parent});
}

static void add_returns(struct machine *m, int32_t parent)
{
    for (uint32_t i = 0; i < m->sets[parent].n; i++)
        add(m, m->places[m->sets[parent].first + i]);
}

/* Follows everything on the list that reads no byte. */
static void close_list(struct machine *m)
{
    for (int i = 0; i < m->n_list; i++) {
        const struct place p = m->list[i];
        const struct gnode *node = p.node >= 0 ? &m->p->node[p.node] : NULL;
        if (!node || node->op == G_BYTES) {
            if (m->n_out < MAX_PLACES)
                m->out[m->n_out++] = p;
            continue;
        }
        switch ((enum gop)node->op) {
        case G_BYTES: break;
        case G_SPLIT:
            add(m, (struct place){node->a, p.count, p.parent});
            add(m, (struct place){node->b, p.count, p.parent});
            break;
        case G_CALL:
        case G_TAIL: add_call(m, p, node); break;
        case G_LOOP: add_loop(m, p, &m->p->loop[node->a]); break;
        case G_RETURN: add_returns(m, p.parent); break;
        }
    }
}

static int by_place(const void *a, const void *b)
{
    return compare(a, b);
}

static void begin(struct machine *m)
{
    if (++m->round == 0) {
        memset(m->seen_round, 0, SEEN * sizeof *m->seen_round);
        m->round = 1;
    }
    m->n_list = m->n_out = 0;
}

/* The state that the list leads to. */
static int32_t finish(struct machine *m)
{
    int n = 0;
    close_list(m);
    qsort(m->out, (size_t)m->n_out, sizeof *m->out, by_place);
    for (int i = 0; i < m->n_out; i++) {
        if (n > 0 && same_place(&m->out[n - 1], &m->out[i])) {
            if (m->out[i].parent >= 0)
                m->out[n - 1].parent = join(m, m->out[n - 1].parent, m->out[i].parent);
        } else {
            m->out[n++] = m->out[i];
        }
    }
    return intern(m, m->out, (size_t)n);
}

int32_t machine_start(struct machine *m)
{
    begin(m);
    add(m, (struct place){m->p->entry[m->p->root], 0, BOTTOM});
    return finish(m);
}

static int32_t make_step(struct machine *m, int32_t state, uint8_t byte)
{
    begin(m);
    for (uint32_t i = 0; i < m->sets[state].n; i++) {
        const struct place p = m->places[m->sets[state].first + i];
        if (p.node < 0 || !gbytes_has(&m->p->bytes[m->p->node[p.node].a], byte))
            continue;
        add(m, (struct place){m->p->node[p.node].b, p.count, p.parent});
    }
    return m->n_list == 0 ? MACHINE_DEAD : finish(m);
}

int32_t machine_step(struct machine *m, int32_t state, uint8_t byte)
{
    size_t width = (size_t)m->p->n_classes;
    if (state < 0)
        return MACHINE_DEAD;
    if (m->sets[state].steps < 0) {
        if (!grow(m, (void **)&m->steps, &m->cap_rows, m->n_rows + 1, width * sizeof *m->steps))
            return MACHINE_DEAD;
        m->sets[state].steps = (int32_t)m->n_rows++;
        for (size_t i = 0; i < width; i++)
            m->steps[(size_t)m->sets[state].steps * width + i] = UNKNOWN;
    }
    size_t at = (size_t)m->sets[state].steps * width + m->p->class_of[byte];
    if (m->steps[at] == UNKNOWN) {
        int32_t next = make_step(m, state, byte);
        m->steps[at] = next;
    }
    return m->steps[at];
}

bool machine_ends(const struct machine *m, int32_t state)
{
    return state >= 0 && m->places[m->sets[state].first].node == ENDED;
}

bool machine_is_over(const struct machine *m, int32_t state)
{
    return machine_ends(m, state) && m->sets[state].n == 1;
}

static void unite(struct gbytes *all, const struct gbytes *more)
{
    for (int k = 0; k < 4; k++)
        all->bit[k] |= more->bit[k];
}

static bool overlap(const struct gbytes *a, const struct gbytes *b)
{
    uint64_t both = 0;
    for (int k = 0; k < 4; k++)
        both |= a->bit[k] & b->bit[k];
    return both != 0;
}

int machine_only_byte(const struct machine *m, int32_t state)
{
    struct gbytes all = {{0}};
    int n = 0, byte = -1;
    for (uint32_t i = 0; i < m->sets[state].n; i++) {
        int32_t node = m->places[m->sets[state].first + i].node;
        if (node < 0)
            return -1;
        unite(&all, &m->p->bytes[m->p->node[node].a]);
    }
    for (int k = 0; k < 4; k++) {
        n += __builtin_popcountll(all.bit[k]);
        if (all.bit[k])
            byte = 64 * k + __builtin_ctzll(all.bit[k]);
    }
    return n == 1 ? byte : -1;
}

/* Bytes that may come right behind a loop that was left at a place of this kind. */
static struct gbytes bytes_behind(struct machine *m, const struct gloop *loop, int32_t parent)
{
    struct gbytes all = {{0}};
    begin(m);
    add(m, (struct place){loop->exit, 0, parent});
    close_list(m);
    for (int i = 0; i < m->n_out; i++)
        if (m->out[i].node >= 0)
            unite(&all, &m->p->bytes[m->p->node[m->out[i].node].a]);
    return all;
}

bool machine_in_loop(struct machine *m, int32_t state, struct machine_loop *out)
{
    struct place in = {.node = -1};
    struct gbytes own = {{0}}, other = {{0}};
    for (uint32_t i = 0; i < m->sets[state].n; i++) {
        const struct place p = m->places[m->sets[state].first + i];
        if (p.node < 0)
            continue;
        const struct gnode *node = &m->p->node[p.node];
        if (in.node < 0 && node->loop >= 0)
            in = (struct place){node->loop, p.count, p.parent};
        bool mine = node->loop >= 0 && node->loop == in.node && p.count == in.count;
        unite(mine ? &own : &other, &m->p->bytes[node->a]);
    }
    if (in.node < 0 || overlap(&own, &other))
        return false;
    const struct gloop *loop = &m->p->loop[in.node];
    *out = (struct machine_loop){loop->set, GX_FOREVER};
    if (loop->max == GX_FOREVER)
        return true;
    const struct gbytes behind = bytes_behind(m, loop, in.parent);
    out->left = loop->max - in.count + 1;
    return !overlap(&own, &behind);
}

/* Memory */

bool machine_is_full(const struct machine *m)
{
    return m->n_places > FULL_PLACES || m->n_sets > FULL_SETS || m->failed;
}

bool machine_has_failed(const struct machine *m)
{
    return m->failed;
}

uint64_t machine_n_flushed(const struct machine *m)
{
    return m->n_flushed;
}

/* Marks what the sets with a mark need; parents have lower numbers than their children. */
static void mark_parents(const struct machine *m, int32_t *to)
{
    for (size_t i = m->n_sets; i-- > 0;)
        for (uint32_t k = 0; to[i] >= 0 && k < m->sets[i].n; k++) {
            int32_t parent = m->places[m->sets[i].first + k].parent;
            if (parent >= 0)
                to[parent] = 0;
        }
}

/* Moves marked sets down, in order; the places keep theirs, so that they can be moved in place. */
static void move_down(struct machine *m, int32_t *to)
{
    size_t n_sets = 0, n_places = 0;
    for (size_t i = 0; i < m->n_sets; i++) {
        if (to[i] < 0)
            continue;
        struct set s = m->sets[i];
        for (uint32_t k = 0; k < s.n; k++) {
            struct place p = m->places[s.first + k];
            p.parent = p.parent < 0 ? p.parent : to[p.parent];
            m->places[n_places + k] = p;
        }
        s.first = (uint32_t)n_places;
        s.steps = UNKNOWN;
        n_places += s.n;
        to[i] = (int32_t)n_sets;
        m->sets[n_sets++] = s;
    }
    m->n_sets = n_sets;
    m->n_places = n_places;
    m->n_rows = 0;
}

void machine_flush(struct machine *m, int32_t *const *states, size_t n)
{
    int32_t *to = malloc(m->n_sets * sizeof *to);
    m->n_flushed++;
    if (!to) {
        m->failed = true;
        return;
    }
    memset(to, 0xFF, m->n_sets * sizeof *to);
    to[BOTTOM] = 0;
    for (size_t i = 0; i < n; i++)
        if (*states[i] >= 0)
            to[*states[i]] = 0;
    mark_parents(m, to);
    move_down(m, to);
    for (size_t i = 0; i < n; i++)
        if (*states[i] >= 0)
            *states[i] = to[*states[i]];
    free(to);
    rehash(m, m->mask + 1);
}

struct machine *machine_new(const struct gprogram *p)
{
    const struct place bottom = {ENDED, 0, -1};
    struct machine *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->p = p;
    m->list = malloc(MAX_CLOSURE * sizeof *m->list);
    m->out = malloc(MAX_PLACES * sizeof *m->out);
    m->seen = malloc(SEEN * sizeof *m->seen);
    m->seen_round = calloc(SEEN, sizeof *m->seen_round);
    rehash(m, 1024);
    if (!m->list || !m->out || !m->seen || !m->seen_round || m->failed ||
        intern(m, &bottom, 1) != BOTTOM) {
        machine_free(m);
        return NULL;
    }
    return m;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    free(m->places);
    free(m->sets);
    free(m->slot);
    free(m->steps);
    free(m->list);
    free(m->out);
    free(m->seen);
    free(m->seen_round);
    free(m);
}
