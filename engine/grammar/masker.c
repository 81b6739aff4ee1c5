/* masker.c - see masker.h. */
#include "grammar/masker.h"

#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"
#include "grammar/machine.h"
#include "grammar/trie.h"
#include "text/tokenizer.h"

enum { KEPT = 64 }; /* masks */

struct kept {
    int32_t state;
    uint64_t used; /* when last; 0: never */
    uint32_t *mask;
};

struct masker {
    const struct gprogram *program;
    const struct tokenizer *tokens;
    struct trie *trie;
    struct machine *machine;
    size_t n_words;
    int32_t **state; /* registered */
    size_t n_states, cap;
    int32_t *walk; /* [depth + 1] states on the way to a node */
    struct kept kept[KEPT];
    uint64_t clock, n_flushed;
};

void masker_close(struct masker *k)
{
    if (!k)
        return;
    machine_free(k->machine);
    for (int i = 0; i < KEPT; i++)
        free(k->kept[i].mask);
    free(k->state);
    free(k->walk);
    free(k);
}

int masker_open(struct masker **out, const struct gprogram *program, const struct tokenizer *tokens,
                struct trie *trie)
{
    struct masker *k = calloc(1, sizeof *k);
    if (!k)
        return -1;
    k->program = program;
    k->tokens = tokens;
    k->trie = trie;
    k->n_words = trie_mask_words(tok_info(tokens)->n_vocab);
    k->machine = machine_new(program);
    k->walk = malloc((trie_all(trie)->depth + 1) * sizeof *k->walk);
    if (!k->machine || !k->walk) {
        masker_close(k);
        return -1;
    }
    *out = k;
    return 0;
}

int masker_join(struct masker *k, int32_t *state)
{
    if (k->n_states == k->cap) {
        size_t cap = 2 * k->cap + 8;
        int32_t **grown = realloc(k->state, cap * sizeof(int32_t *));
        if (!grown)
            return -1;
        k->state = grown;
        k->cap = cap;
    }
    k->state[k->n_states++] = state;
    *state = machine_start(k->machine);
    return machine_has_failed(k->machine) ? -1 : 0;
}

void masker_leave(struct masker *k, const int32_t *state)
{
    for (size_t i = 0; i < k->n_states; i++)
        if (k->state[i] == state) {
            k->state[i] = k->state[--k->n_states];
            return;
        }
}

/* Reclaims memory when the automaton has grown too large; the first n_walk states of
 * the walk are kept. */
static void make_room(struct masker *k, size_t n_walk)
{
    if (!machine_is_full(k->machine))
        return;
    int32_t **all = malloc((k->n_states + n_walk) * sizeof *all);
    if (!all)
        return;
    for (size_t i = 0; i < k->n_states; i++)
        all[i] = k->state[i];
    for (size_t i = 0; i < n_walk; i++)
        all[k->n_states + i] = &k->walk[i];
    machine_flush(k->machine, all, k->n_states + n_walk);
    free(all);
}

bool masker_accept(struct masker *k, int32_t *state, const char *text, size_t len)
{
    for (size_t i = 0; i < len && *state >= 0; i++) {
        make_room(k, 0);
        *state = machine_step(k->machine, *state, (uint8_t)text[i]);
    }
    return *state >= 0;
}

bool masker_ends(const struct masker *k, const int32_t *state)
{
    return machine_ends(k->machine, *state);
}

bool masker_is_over(const struct masker *k, const int32_t *state)
{
    return machine_is_over(k->machine, *state);
}

size_t masker_forced(struct masker *k, int32_t state, char *out, size_t cap, bool *over_out)
{
    size_t len = 0;
    for (int byte; state >= 0 && len < cap; len++) {
        if ((byte = machine_only_byte(k->machine, state)) < 0)
            break;
        out[len] = (char)byte;
        state = machine_step(k->machine, state, (uint8_t)byte);
    }
    *over_out = machine_is_over(k->machine, state);
    return len;
}

static void set_bit(uint32_t *mask, int32_t id)
{
    mask[id / 32] |= (uint32_t)1 << id % 32;
}

/* Allows the tokens of a tree that the automaton can read from walk[0] on. */
static void walk_tree(struct masker *k, const struct trie_tree *tree, uint32_t *mask)
{
    for (size_t i = 0; i < tree->n;) {
        const struct trie_node *node = &tree->node[i];
        int32_t next = machine_step(k->machine, k->walk[node->depth - 1], node->byte);
        if (next == MACHINE_DEAD) {
            i = node->end;
            continue;
        }
        k->walk[node->depth] = next;
        for (uint32_t t = node->token; t < node[1].token; t++)
            set_bit(mask, tree->token[t]);
        make_room(k, node->depth + 1u);
        i++;
    }
}

/* In a loop over characters of a set: its tokens, as long as they may be. */
static void allow_class(const struct trie_class *c, int32_t left, size_t n_words, int n_vocab,
                        uint32_t *mask)
{
    if (left >= c->most_chars) {
        memcpy(mask, c->all, n_words * sizeof *mask);
        return;
    }
    for (int32_t id = 0; id < n_vocab; id++) {
        uint32_t fits = c->n_chars[id] > 0 && c->n_chars[id] <= left;
        mask[id / 32] |= fits << id % 32;
    }
}

static bool is_empty(const uint32_t *mask, size_t n)
{
    uint32_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= mask[i];
    return any == 0;
}

static void work_out(struct masker *k, int32_t state, uint32_t *mask)
{
    const struct tok_info *info = tok_info(k->tokens);
    const struct trie_class *class = NULL;
    struct machine_loop loop;
    memset(mask, 0, k->n_words * sizeof *mask);
    k->walk[0] = state;
    if (machine_in_loop(k->machine, state, &loop))
        class = trie_class(k->trie, &k->program->set[loop.set]);
    if (class && class->most_chars == 255 && loop.left < GX_FOREVER)
        class = NULL; /* lengths are not known exactly */
    if (class)
        allow_class(class, loop.left, k->n_words, info->n_vocab, mask);
    walk_tree(k, class ? &class->other : trie_all(k->trie), mask);
    for (int i = 0; i < info->n_ends && machine_ends(k->machine, k->walk[0]); i++)
        set_bit(mask, info->ends[i]);
}

/* The slot for the state's mask; *known: it is filled. */
static struct kept *find_kept(struct masker *k, int32_t state, bool *known)
{
    struct kept *oldest = &k->kept[0];
    if (k->n_flushed != machine_n_flushed(k->machine))
        for (int i = 0; i < KEPT; i++)
            k->kept[i].used = 0;
    k->n_flushed = machine_n_flushed(k->machine);
    *known = true;
    for (int i = 0; i < KEPT; i++) {
        if (k->kept[i].used > 0 && k->kept[i].state == state)
            return &k->kept[i];
        if (k->kept[i].used < oldest->used)
            oldest = &k->kept[i];
    }
    *known = false;
    return oldest;
}

bool masker_fill(struct masker *k, int32_t *state, uint32_t *mask)
{
    bool known;
    if (*state < 0)
        return false;
    make_room(k, 0);
    struct kept *kept = find_kept(k, *state, &known);
    if (!kept->mask && !(kept->mask = malloc(k->n_words * sizeof *mask)))
        return false;
    if (!known) {
        kept->used = 0;
        work_out(k, *state, kept->mask);
        find_kept(k, *state, &known); /* the walk may have flushed what was known */
        kept->state = *state;
    }
    kept->used = ++k->clock;
    memcpy(mask, kept->mask, k->n_words * sizeof *mask);
    return !machine_has_failed(k->machine) && !is_empty(mask, k->n_words);
}
