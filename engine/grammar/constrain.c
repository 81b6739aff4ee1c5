/* constrain.c - see constrain.h. */
#include "grammar/constrain.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"
#include "grammar/masker.h"
#include "grammar/shape.h"
#include "grammar/trie.h"
#include "text/calls.h"
#include "text/pattern.h"
#include "text/tokenizer.h"

enum { KEPT = 4, MAX_BLANKS = 3, BLANK_TOKENS = 4 };

/* A grammar in use, or used lately. */
struct shape {
    char *key; /* what it was made of */
    int users;
    uint64_t last;
    struct grammar *grammar;
    struct masker *masker;
};

struct shapes {
    const struct tokenizer *tokens;
    enum engine_family family;
    size_t n_words;
    pthread_mutex_t lock; /* of what follows */
    struct trie *trie;    /* made when it is needed first */
    struct shape *kept[KEPT];
    uint64_t clock;
};

struct constraint {
    struct shapes *all;
    struct shape *shape;
    bool joined; /* the masker knows of the state */
    int32_t state;
    char *partial; /* the answer to be continued, until it has been followed; or NULL */
    size_t partial_len;
    bool started;           /* some token of the answer was followed */
    int blanks;             /* tokens of white space that may still stand before the answer */
    struct pattern closing; /* </think>, where it is spelt out */
    uint32_t *mask;
};

static const char think_close[] = "</think>";

int shapes_open(struct shapes **out, const struct tokenizer *t, enum engine_family family)
{
    struct shapes *all = calloc(1, sizeof *all);
    if (!all)
        return -1;
    all->tokens = t;
    all->family = family;
    all->n_words = trie_mask_words(tok_info(t)->n_vocab);
    pthread_mutex_init(&all->lock, NULL);
    *out = all;
    return 0;
}

static void free_shape(struct shape *u)
{
    if (!u)
        return;
    masker_close(u->masker);
    grammar_free(u->grammar);
    free(u->key);
    free(u);
}

void shapes_close(struct shapes *all)
{
    if (!all)
        return;
    for (int i = 0; i < KEPT; i++)
        free_shape(all->kept[i]);
    trie_close(all->trie);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* Grammars */

static char *key_of(const struct engine_request *req)
{
    bool calls = calls_wanted(req);
    const char *parts[] = {req->schema, req->grammar, calls ? req->tools : NULL,
                           calls ? req->tool_choice : NULL};
    size_t len = 1, at = 0;
    for (size_t i = 0; i < 4; i++)
        len += 2 + (parts[i] ? strlen(parts[i]) : 0);
    char *key = malloc(len);
    for (size_t i = 0; key && i < 4; i++)
        at += (size_t)snprintf(key + at, len - at, "%c%s\x1e", parts[i] ? '+' : '-',
                               parts[i] ? parts[i] : "");
    return key;
}

static int fail(char *err, size_t errlen)
{
    snprintf(err, errlen, "request: out of memory");
    return ENGINE_EMEMORY;
}

static int make_shape(struct shapes *all, const struct engine_request *req, struct shape **out,
                      char *err, size_t errlen)
{
    struct shape *u = calloc(1, sizeof *u);
    if (!u)
        return fail(err, errlen);
    int rc = shape_grammar(&u->grammar, req, all->family, err, errlen);
    if (rc == 0 &&
        masker_open(&u->masker, grammar_program(u->grammar), all->tokens, all->trie) != 0)
        rc = fail(err, errlen);
    if (rc != 0)
        free_shape(u);
    else
        *out = u;
    return rc;
}

/* Evicts the grammar that was unused for longest; none while all are in use. */
static void keep_shape(struct shapes *all, struct shape *u)
{
    int oldest = -1;
    for (int i = 0; i < KEPT; i++) {
        struct shape *there = all->kept[i];
        if (there && there->users > 0)
            continue;
        if (oldest < 0 || !there || (all->kept[oldest] && there->last < all->kept[oldest]->last))
            oldest = i;
    }
    if (oldest < 0)
        return;
    free_shape(all->kept[oldest]);
    all->kept[oldest] = u;
}

/* The grammar made from the same source, with one more user; or NULL. */
static struct shape *find_shape(struct shapes *all, const char *key, bool *has_trie)
{
    struct shape *found = NULL;
    pthread_mutex_lock(&all->lock);
    for (int i = 0; i < KEPT; i++)
        if (all->kept[i] && strcmp(all->kept[i]->key, key) == 0)
            found = all->kept[i];
    if (found) {
        found->users++;
        found->last = ++all->clock;
    }
    *has_trie = all->trie || trie_open(&all->trie, all->tokens) == 0;
    pthread_mutex_unlock(&all->lock);
    return found;
}

/* The grammar is made without the lock: the engine's thread does not wait for it. */
static int use_shape(struct shapes *all, const struct engine_request *req, struct shape **out,
                     char *err, size_t errlen)
{
    char *key = key_of(req);
    bool has_trie = false;
    struct shape *u = key ? find_shape(all, key, &has_trie) : NULL;
    int rc = key && has_trie ? 0 : fail(err, errlen);
    if (rc == 0 && !u && (rc = make_shape(all, req, &u, err, errlen)) == 0) {
        u->key = key;
        key = NULL;
        u->users = 1;
        pthread_mutex_lock(&all->lock);
        u->last = ++all->clock;
        keep_shape(all, u);
        pthread_mutex_unlock(&all->lock);
    }
    free(key);
    *out = u;
    return rc;
}

static void leave_shape(struct shapes *all, struct shape *u)
{
    bool kept = false;
    pthread_mutex_lock(&all->lock);
    u->users--;
    for (int i = 0; i < KEPT; i++)
        kept = kept || all->kept[i] == u;
    if (!kept && u->users == 0)
        free_shape(u);
    pthread_mutex_unlock(&all->lock);
}

/* One request's */

int constraint_open(struct constraint **out, struct shapes *all, const struct engine_request *req,
                    char *err, size_t errlen)
{
    *out = NULL;
    if (!req->schema && !req->grammar && !calls_wanted(req))
        return 0;
    struct constraint *c = calloc(1, sizeof *c);
    if (!c)
        return fail(err, errlen);
    c->all = all;
    c->blanks = MAX_BLANKS;
    c->mask = malloc(all->n_words * sizeof *c->mask);
    int rc = c->mask && pattern_init(&c->closing, think_close) == 0
                 ? use_shape(all, req, &c->shape, err, errlen)
                 : fail(err, errlen);
    if (rc == 0 && req->partial && req->partial->answer_len > 0) {
        c->partial_len = req->partial->answer_len;
        c->partial = malloc(c->partial_len);
        if (c->partial)
            memcpy(c->partial, req->partial->answer, c->partial_len);
        else
            rc = fail(err, errlen);
    }
    if (rc != 0)
        constraint_close(c);
    else
        *out = c;
    return rc;
}

void constraint_close(struct constraint *c)
{
    if (!c)
        return;
    if (c->joined)
        masker_leave(c->shape->masker, &c->state);
    if (c->shape)
        leave_shape(c->all, c->shape);
    pattern_done(&c->closing);
    free(c->partial);
    free(c->mask);
    free(c);
}

static void set_bit(uint32_t *mask, int32_t id, bool value)
{
    uint32_t bit = (uint32_t)1 << id % 32;
    if (id >= 0)
        mask[id / 32] = value ? mask[id / 32] | bit : mask[id / 32] & ~bit;
}

/* The node of a beginning, or NULL. */
static const struct trie_node *find_node(const struct trie_tree *tree, const char *text, size_t len)
{
    const struct trie_node *found = NULL;
    size_t i = 0, end = tree->n;
    for (size_t depth = 0; depth < len; depth++) {
        while (i < end && tree->node[i].byte != (uint8_t)text[depth])
            i = tree->node[i].end;
        if (i >= end)
            return NULL;
        found = &tree->node[i];
        end = found->end;
        i++;
    }
    return found;
}

/* Sets the bits of the tokens with this text or, with `longer`, of those that go on behind it. */
static void set_tokens(struct constraint *c, const char *text, bool longer, bool value)
{
    const struct trie_tree *tree = trie_all(c->all->trie);
    const struct trie_node *node = find_node(tree, text, strlen(text));
    if (!node)
        return;
    uint32_t first = longer ? node[1].token : node->token;
    uint32_t last = longer ? tree->node[node->end].token : node[1].token;
    for (uint32_t i = first; i < last; i++)
        set_bit(c->mask, tree->token[i], value);
}

static bool is_reasoning(enum detok_stage stage)
{
    return stage == DETOK_REASONING_START || stage == DETOK_REASONING;
}

/* In the reasoning any token may come, except one that ends the answer, or one that ends a
 * spelt-out </think> and begins the answer at once. */
static const uint32_t *reasoning_mask(struct constraint *c)
{
    const struct tok_info *info = tok_info(c->all->tokens);
    memset(c->mask, 0xFF, c->all->n_words * sizeof *c->mask);
    for (int i = 0; i < info->n_ends; i++)
        set_bit(c->mask, info->ends[i], false);
    if (c->closing.state > 0)
        set_tokens(c, think_close + c->closing.state, true, false);
    return c->mask;
}

static const char *const blanks[BLANK_TOKENS] = {" ", "\n", "\n\n", " \n"};

/* Enters the grammar, in the engine's thread, and follows the partial answer. */
static bool join(struct constraint *c)
{
    if (c->joined)
        return true;
    if (masker_join(c->shape->masker, &c->state) != 0)
        return false;
    c->joined = true;
    c->started = c->partial != NULL;
    return !c->partial || masker_accept(c->shape->masker, &c->state, c->partial, c->partial_len);
}

const uint32_t *constraint_mask(struct constraint *c, enum detok_stage stage)
{
    if (!join(c))
        return NULL;
    if (is_reasoning(stage))
        return reasoning_mask(c);
    if (!masker_fill(c->shape->masker, &c->state, c->mask))
        return NULL;
    if (stage == DETOK_OPENING && !c->started)
        set_bit(c->mask, tok_info(c->all->tokens)->think_open, true);
    for (int i = 0; i < BLANK_TOKENS && stage == DETOK_ANSWER_START && c->blanks > 0; i++)
        set_tokens(c, blanks[i], false, true);
    return c->mask;
}

/* Text of the reasoning. What stands behind a </think> in the same token begins the answer. */
static bool take_reasoning(struct constraint *c, int32_t token, enum detok_stage after)
{
    size_t len, at = 0;
    const char *text = tok_bytes(c->all->tokens, token, &len);
    if (token == tok_info(c->all->tokens)->think_close)
        return true;
    while (at < len && !pattern_step(&c->closing, text[at++]))
        ;
    if (is_reasoning(after))
        return true;
    while (at < len && (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r')))
        at++;
    return masker_accept(c->shape->masker, &c->state, text + at, len - at);
}

static bool is_blank(const char *text, size_t len)
{
    for (int i = 0; i < BLANK_TOKENS; i++)
        if (len == strlen(blanks[i]) && memcmp(text, blanks[i], len) == 0)
            return true;
    return false;
}

bool constraint_take(struct constraint *c, int32_t token, enum detok_stage before,
                     enum detok_stage after)
{
    size_t len;
    const char *text = tok_bytes(c->all->tokens, token, &len);
    if (is_reasoning(before))
        return take_reasoning(c, token, after);
    if (is_reasoning(after)) /* it opens the reasoning itself */
        return before == DETOK_OPENING;
    if (before == DETOK_ANSWER_START && c->blanks > 0 && is_blank(text, len)) {
        c->blanks--;
        return true;
    }
    c->started = true;
    return masker_accept(c->shape->masker, &c->state, text, len);
}

/* How many bytes at the end are an incomplete character. */
static size_t incomplete_tail(const char *text, size_t len)
{
    for (size_t n = 1; n <= 3 && n <= len; n++) {
        uint8_t byte = (uint8_t)text[len - n];
        if (byte >= 0xC0)
            return n < (byte >= 0xF0 ? 4u : byte >= 0xE0 ? 3u : 2u) ? n : 0;
    }
    return 0;
}

int constraint_forced(struct constraint *c, enum detok_stage stage, int32_t out[CONSTRAINT_FORCED])
{
    char text[CONSTRAINT_FORCED];
    struct tok_ids ids = {0};
    size_t len = 0, at = 0, n = 0;
    bool over = false;
    if (c->started && stage == DETOK_ANSWER && c->state >= 0)
        len = masker_forced(c->shape->masker, c->state, text, sizeof text, &over);
    len -= incomplete_tail(text, len);
    if (len > 1 && tok_encode(c->all->tokens, text, len, false, &ids) == 0) {
        size_t last = over ? ids.n : ids.n - 1, more;
        for (; n < last; n++, at += more) { /* normalising may have changed what it spells */
            const char *bytes = tok_bytes(c->all->tokens, ids.ids[n], &more);
            if (more > len - at || memcmp(bytes, text + at, more) != 0)
                break;
            out[n] = ids.ids[n];
        }
    }
    free(ids.ids);
    return (int)n;
}

bool constraint_is_over(const struct constraint *c)
{
    return c->joined && masker_is_over(c->shape->masker, &c->state);
}

bool constraint_is_whole(const struct constraint *c)
{
    return c->joined && masker_ends(c->shape->masker, &c->state);
}
