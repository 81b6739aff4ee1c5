/* thinking.c - see thinking.h. */
#include "thinking.h"

#include <stdlib.h>
#include <string.h>

bool thinking_close_init(struct thinking_close *c, const struct tokenizer *t)
{
    struct tok_ids line = {0}, gap = {0};
    int32_t tag = tok_info(t)->think_close;
    bool done = tag >= 0 && tok_encode(t, "\n", 1, false, &line) == 0 &&
                tok_encode(t, "\n\n", 2, false, &gap) == 0 &&
                line.n + 1 + gap.n <= sizeof c->ids / sizeof *c->ids;
    c->n = 0;
    for (size_t i = 0; done && i < line.n; i++)
        c->ids[c->n++] = line.ids[i];
    c->n_line = c->n;
    if (done)
        c->ids[c->n++] = tag;
    for (size_t i = 0; done && i < gap.n; i++)
        c->ids[c->n++] = gap.ids[i];
    free(line.ids);
    free(gap.ids);
    return done;
}

int thinking_closing(const struct thinking_close *c, const struct tokenizer *t, int32_t last,
                     const int32_t **ids_out)
{
    size_t len;
    const char *bytes = tok_bytes(t, last, &len);
    int skipped = bytes && len > 0 && bytes[len - 1] == '\n' ? c->n_line : 0;
    *ids_out = c->ids + skipped;
    return c->n - skipped;
}

/* A partial answer */

/* How far the ids so far spell the texts. */
struct place {
    size_t n;        /* of the tokens given */
    size_t spelt[2]; /* bytes of each text, by enum engine_text */
    int n_reasoning;
    enum detok_stage stage;
};

static bool is_of_answer(const struct tokenizer *t, int32_t id)
{
    const struct tok_info *info = tok_info(t);
    enum tok_type type = tok_type(t, id);
    return id == info->think_open || id == info->think_close ||
           (type != TOK_CONTROL && type != TOK_UNUSED && !tok_is_end(t, id));
}

/* Whether the pieces are the next part of the texts. */
static bool spells(const struct engine_partial *b, const struct detok_out *out, struct place *p)
{
    const char *const texts[] = {[ENGINE_REASONING] = b->reasoning, [ENGINE_ANSWER] = b->answer};
    const size_t lens[] = {[ENGINE_REASONING] = b->reasoning_len, [ENGINE_ANSWER] = b->answer_len};
    for (int i = 0; i < out->n; i++) {
        const struct detok_piece *piece = &out->piece[i];
        size_t at = p->spelt[piece->kind];
        if (piece->len > lens[piece->kind] - at ||
            memcmp(texts[piece->kind] + at, piece->text, piece->len) != 0)
            return false;
        p->spelt[piece->kind] += piece->len;
    }
    return true;
}

/* Follows the tokens as far as they spell the texts. True when they spell them to the end, and d
 * is then in the state they leave it in; else *p is the last place where d held nothing back. */
static bool follow(struct detok *d, const struct tokenizer *t, const struct engine_partial *b,
                   struct place *p)
{
    struct place now = *p;
    bool open = b->state == ENGINE_PARTIAL_OPEN;
    for (size_t i = 0; i < b->n_tokens; i++) {
        struct detok_out out;
        if (!is_of_answer(t, b->tokens[i]))
            return false;
        now.n_reasoning += detok_kind(d) == ENGINE_REASONING;
        detok_feed(d, b->tokens[i], &out);
        now.n = i + 1;
        now.stage = detok_stage(d);
        if (!spells(b, &out, &now) || (open && now.stage > DETOK_REASONING) || out.stopped)
            return false;
        if (!detok_holds(d))
            *p = now;
    }
    bool all = now.spelt[ENGINE_REASONING] == b->reasoning_len &&
               now.spelt[ENGINE_ANSWER] == b->answer_len;
    if (b->n_tokens == 0 || !all ||
        (b->state == ENGINE_PARTIAL_CLOSED && now.stage <= DETOK_REASONING))
        return false;
    *p = now;
    return true;
}

static int push_all(struct tok_ids *ids, const int32_t *more, int n)
{
    int rc = 0;
    for (int i = 0; i < n && rc == 0; i++)
        rc = tok_push(ids, more[i]);
    return rc;
}

/* Adds the reasoning that the tokens did not spell, and its end where it has one. */
static int add_reasoning(struct thinking_partial *out, const struct tokenizer *t,
                         const struct thinking_close *close, const struct engine_partial *b,
                         struct place *p)
{
    size_t from = p->spelt[ENGINE_REASONING], before = out->ids.n;
    bool closed = b->state == ENGINE_PARTIAL_CLOSED ||
                  (b->state == ENGINE_PARTIAL_AUTO && b->answer_len > 0);
    const int32_t *ids;
    int rc = 0;

    if (p->stage == DETOK_OPENING && b->reasoning_len == 0 && b->state != ENGINE_PARTIAL_OPEN) {
        p->stage = closed ? DETOK_ANSWER : p->stage; /* answered without a thought */
        return 0;
    }
    if (p->stage == DETOK_OPENING) {
        rc = tok_push(&out->ids, tok_info(t)->think_open) |
             push_all(&out->ids, close->ids, close->n_line);
        p->stage = DETOK_REASONING_START;
        before = out->ids.n;
    }
    if (rc == 0 && b->reasoning_len > from) {
        rc = tok_encode(t, b->reasoning + from, b->reasoning_len - from, false, &out->ids);
        p->stage = DETOK_REASONING;
    }
    if (rc == 0 && closed) {
        int32_t last = out->ids.n > 0 ? out->ids.ids[out->ids.n - 1] : close->ids[0];
        int n = thinking_closing(close, t, last, &ids);
        rc = push_all(&out->ids, ids, n);
        p->stage = DETOK_ANSWER_START;
    }
    p->n_reasoning += (int)(out->ids.n - before);
    return rc;
}

int thinking_begin(struct thinking_partial *out, const struct tokenizer *t,
                   const struct detok_options *opt, const struct thinking_close *close,
                   const struct engine_partial *b)
{
    struct place p = {.stage = opt->thinks ? opt->stage : DETOK_ANSWER};

    *out = (struct thinking_partial){0};
    if (detok_open(&out->detok, t, opt) != 0)
        return -1;
    bool exact = follow(out->detok, t, b, &p);
    if (push_all(&out->ids, b->tokens, (int)p.n) != 0)
        return -1;
    out->n_reasoning = p.n_reasoning;
    if (exact)
        return 0;

    if (p.stage <= DETOK_REASONING && add_reasoning(out, t, close, b, &p) != 0)
        return -1;
    size_t from = p.spelt[ENGINE_ANSWER];
    if (p.stage > DETOK_REASONING && b->answer_len > from) {
        if (tok_encode(t, b->answer + from, b->answer_len - from, false, &out->ids) != 0)
            return -1;
        p.stage = DETOK_ANSWER;
    }
    out->n_reasoning = p.n_reasoning;
    detok_close(out->detok);
    out->detok = NULL;
    const struct detok_options here = {.thinks = opt->thinks, .stage = p.stage, .stop = opt->stop};
    return detok_open(&out->detok, t, &here);
}
