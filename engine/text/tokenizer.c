/* tokenizer.c - builds a tokenizer from a description of its vocabulary, and encodes with it. */
#include "text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/alphabet.h"
#include "text/bpe.h"
#include "text/marker.h"
#include "text/merges.h"
#include "text/nfc.h"
#include "text/pretok.h"
#include "text/utf8.h"
#include "text/vocab.h"

struct dialect {
    const char *pre;
    int max_digits;
    bool whole_words; /* a pre-token that is a token is that token, whatever the merges say */
    bool nfc;
    bool add_bos; /* where the file does not say */
};

static const struct dialect dialects[] = {
    {"llama-bpe", 3, true, false, true}, {"llama3", 3, true, false, true},
    {"llama-v3", 3, true, false, true},  {"deepseek-r1-qwen", 1, false, true, false},
    {"qwen2", 1, false, true, false},
};

struct tokenizer {
    const struct dialect *dialect;
    struct vocab vocab;
    struct bpe bpe;
    struct markers markers;
    unsigned char *type; /* [n_vocab] of enum tok_type */
    bool *banned;        /* [n_vocab] */
    struct tok_info info;
};

enum {
    MAX_TOKENS = 1 << 22,
    MAX_MERGES = 1 << 22,
    MAX_TOKEN_BYTES = MERGES_MAX_BYTES,
};

static int fail(char *err, size_t errlen, const char *line)
{
    snprintf(err, errlen, "%s", line);
    return -1;
}

static int out_of_memory(char *err, size_t errlen)
{
    return fail(err, errlen, "tokens: out of memory");
}

/* Checks what the sizes of all tables follow from; *n_bytes_out = all tokens' texts together. */
static int check_sizes(const struct tok_vocab *v, size_t *n_bytes_out, char *err, size_t errlen)
{
    if (v->n_tokens == 0)
        return fail(err, errlen, "tokens: the vocabulary is empty");
    if (v->n_tokens > MAX_TOKENS) {
        snprintf(err, errlen, "tokens: too many (got %zu, limit %d)", v->n_tokens, MAX_TOKENS);
        return -1;
    }
    if (v->n_merges > MAX_MERGES) {
        snprintf(err, errlen, "merges: too many (got %zu, limit %d)", v->n_merges, MAX_MERGES);
        return -1;
    }
    *n_bytes_out = 0;
    for (size_t i = 0; i < v->n_tokens; i++) {
        if (v->tokens[i].len > MAX_TOKEN_BYTES) {
            snprintf(err, errlen, "tokens: token %zu is too long (got %zu bytes, limit %d)", i,
                     v->tokens[i].len, MAX_TOKEN_BYTES);
            return -1;
        }
        *n_bytes_out += v->tokens[i].len;
    }
    if (*n_bytes_out > UINT32_MAX)
        return fail(err, errlen, "tokens: more than 4 GiB of text");
    return 0;
}

static int choose_dialect(struct tokenizer *t, struct tok_string pre, char *err, size_t errlen)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        const char *name = dialects[i].pre;
        if (pre.len == strlen(name) && memcmp(pre.data, name, pre.len) == 0) {
            t->dialect = &dialects[i];
            return 0;
        }
    }
    char shown[80];
    snprintf(err, errlen,
             "pre: not supported (got \"%s\", known: llama-bpe, deepseek-r1-qwen, qwen2)",
             utf8_escape(shown, sizeof shown, pre.data, pre.len));
    return -1;
}

/* Writes what the token's text stands for to out, which has room for s.len bytes. */
static size_t token_bytes(struct tok_string s, enum tok_type type, char *out)
{
    ptrdiff_t n = type == TOK_NORMAL ? alphabet_decode(s.data, s.len, out) : -1;
    int byte = type == TOK_BYTE ? alphabet_hex_byte(s.data, s.len) : -1;
    if (n >= 0)
        return (size_t)n;
    if (byte >= 0) {
        out[0] = (char)byte;
        return 1;
    }
    if (s.len > 0)
        memcpy(out, s.data, s.len);
    return s.len;
}

static int read_tokens(struct tokenizer *t, const struct tok_vocab *v, char *err, size_t errlen)
{
    size_t n = v->n_tokens, n_bytes;
    if (check_sizes(v, &n_bytes, err, errlen) != 0)
        return -1;
    t->type = malloc(n);
    t->banned = malloc(n * sizeof *t->banned);
    if (!t->type || !t->banned || vocab_init(&t->vocab, n, n_bytes) != 0)
        return out_of_memory(err, errlen);
    for (size_t i = 0; i < n; i++) {
        int32_t type = v->types ? v->types[i] : TOK_NORMAL;
        if (type < TOK_NORMAL || type > TOK_BYTE) {
            snprintf(err, errlen, "token_type: no such type (got %d for token %zu, limit %d)",
                     (int)type, i, TOK_BYTE);
            return -1;
        }
        size_t len = token_bytes(v->tokens[i], (enum tok_type)type, vocab_end(&t->vocab));
        vocab_push(&t->vocab, len);
        t->type[i] = (unsigned char)type;
        t->banned[i] = type == TOK_UNUSED;
        if (len > t->info.max_bytes)
            t->info.max_bytes = len;
    }
    t->info.n_vocab = (int)n;
    t->info.banned = t->banned;
    return 0;
}

static bool is_marker(const struct tokenizer *t, int32_t id)
{
    return t->type[id] == TOK_CONTROL || t->type[id] == TOK_USER_DEFINED;
}

static bool is_text(const struct tokenizer *t, int32_t id)
{
    size_t len;
    vocab_bytes(&t->vocab, id, &len);
    return len > 0 && (t->type[id] == TOK_NORMAL || t->type[id] == TOK_BYTE);
}

/* Makes the normal tokens findable by their bytes, for merges and whole words. */
static int index_text(struct tokenizer *t, char *err, size_t errlen)
{
    enum { AHEAD = 16 };
    for (int32_t id = 0; id < t->info.n_vocab; id++) {
        size_t len;
        if (id + AHEAD < t->info.n_vocab) {
            const char *bytes = vocab_bytes(&t->vocab, id + AHEAD, &len);
            vocab_expect(&t->vocab, bytes, len);
        }
        int added = is_text(t, id) ? vocab_index(&t->vocab, id) : 1;
        if (added < 0)
            return fail(err, errlen, "tokens: made to collide");
        t->info.n_duplicates += added == 0;
    }
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        t->bpe.byte[byte] = vocab_find(&t->vocab, &c, 1);
        if (t->bpe.byte[byte] < 0) {
            snprintf(err, errlen, "tokens: no token for byte \\x%02X", (unsigned)byte);
            return -1;
        }
    }
    return 0;
}

static int index_markers(struct tokenizer *t, char *err, size_t errlen)
{
    size_t n = 0;
    for (int32_t id = 0; id < t->info.n_vocab; id++)
        n += is_marker(t, id);
    struct marker *list = malloc((n + 1) * sizeof *list);
    if (!list)
        return out_of_memory(err, errlen);
    n = 0;
    for (int32_t id = 0; id < t->info.n_vocab; id++)
        if (is_marker(t, id)) {
            list[n].id = id;
            list[n].text = vocab_bytes(&t->vocab, id, &list[n].len);
            n++;
        }
    markers_init(&t->markers, list, n);
    t->info.n_duplicates += n - t->markers.n;
    return 0;
}

static int read_merges(struct tokenizer *t, const struct tok_vocab *v, char *err, size_t errlen)
{
    int status = merges_read(&t->bpe, &t->vocab, v->merges, v->n_merges, &t->info.n_merges_skipped);
    return status == 0                ? 0
           : status == MERGES_COLLIDE ? fail(err, errlen, "merges: made to collide")
                                      : out_of_memory(err, errlen);
}

static int check_id(const struct tokenizer *t, const char *field, int64_t id, char *err,
                    size_t errlen)
{
    if (id >= -1 && id < t->info.n_vocab)
        return 0;
    snprintf(err, errlen, "%s: outside the vocabulary (got %lld, limit %d)", field, (long long)id,
             t->info.n_vocab - 1);
    return -1;
}

static void add_end(struct tokenizer *t, int32_t id)
{
    if (id >= 0 && !tok_is_end(t, id) && t->info.n_ends < TOK_MAX_ENDS)
        t->info.ends[t->info.n_ends++] = id;
}

/* The file names one end; the families have more. */
static int set_specials(struct tokenizer *t, const struct tok_vocab *v, char *err, size_t errlen)
{
    static const char *const ends[] = {
        "<|end_of_text|>",
        "<|eom_id|>",
        "<|eot_id|>",
        "<｜end▁of▁sentence｜>",
    };
    if (check_id(t, "bos_token_id", v->bos, err, errlen) != 0 ||
        check_id(t, "eos_token_id", v->eos, err, errlen) != 0)
        return -1;
    t->info.bos = (int32_t)v->bos;
    t->info.eos = (int32_t)v->eos;
    t->info.add_bos = v->bos >= 0 && (v->add_bos < 0 ? t->dialect->add_bos : v->add_bos > 0);
    t->info.think_open = tok_find(t, "<think>");
    t->info.think_close = tok_find(t, "</think>");
    add_end(t, t->info.eos);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int32_t id = tok_find(t, ends[i]);
        add_end(t, tok_type(t, id) == TOK_CONTROL ? id : -1);
    }
    return 0;
}

int tok_open(struct tokenizer **out, const struct tok_vocab *v, char *err, size_t errlen)
{
    struct tokenizer *t = calloc(1, sizeof *t);
    if (!t)
        return out_of_memory(err, errlen);
    if (choose_dialect(t, v->pre, err, errlen) != 0 || read_tokens(t, v, err, errlen) != 0 ||
        index_text(t, err, errlen) != 0 || index_markers(t, err, errlen) != 0 ||
        read_merges(t, v, err, errlen) != 0 || set_specials(t, v, err, errlen) != 0) {
        tok_close(t);
        return -1;
    }
    *out = t;
    return 0;
}

void tok_close(struct tokenizer *t)
{
    if (!t)
        return;
    markers_done(&t->markers);
    bpe_done(&t->bpe);
    vocab_done(&t->vocab);
    free(t->type);
    free(t->banned);
    free(t);
}

const struct tok_info *tok_info(const struct tokenizer *t)
{
    return &t->info;
}

int tok_push(struct tok_ids *out, int32_t id)
{
    if (out->n == out->cap) {
        size_t cap = 2 * out->cap + 64;
        int32_t *grown = realloc(out->ids, cap * sizeof *grown);
        if (!grown)
            return -1;
        out->ids = grown;
        out->cap = cap;
    }
    out->ids[out->n++] = id;
    return 0;
}

/* Composed text to tokens. */
static int encode_composed(const struct tokenizer *t, struct bpe_scratch *w, const char *s,
                           size_t n, struct tok_ids *out)
{
    for (size_t at = 0, len; at < n; at += len) {
        len = pretok_next(s + at, n - at, t->dialect->max_digits);
        int32_t whole = t->dialect->whole_words ? vocab_find(&t->vocab, s + at, len) : -1;
        int failed = whole >= 0 ? tok_push(out, whole) : bpe_encode(&t->bpe, w, s + at, len, out);
        if (failed)
            return -1;
    }
    return 0;
}

/* Text without markers to tokens. */
static int encode_plain(const struct tokenizer *t, struct bpe_scratch *w, const char *s, size_t n,
                        struct tok_ids *out)
{
    char *composed = NULL;
    size_t len;
    if (t->dialect->nfc && nfc_compose(s, n, &composed, &len) != 0)
        return -1;
    int status = composed ? encode_composed(t, w, composed, len, out)
                          : encode_composed(t, w, s, n, out);
    free(composed);
    return status;
}

int tok_encode(const struct tokenizer *t, const char *text, size_t len, bool special,
               struct tok_ids *out)
{
    struct bpe_scratch scratch = {0};
    size_t before = out->n, at = 0;
    bool failed = len > INT32_MAX;
    while (at < len && !failed) {
        size_t plain = len - at, marker = 0;
        int32_t id = special ? tok_find_first(t, text + at, len - at, &plain, &marker) : -1;
        failed = encode_plain(t, &scratch, text + at, plain, out) != 0 ||
                 (id >= 0 && tok_push(out, id) != 0);
        at += plain + marker;
    }
    bpe_scratch_done(&scratch);
    if (failed)
        out->n = before;
    return failed ? -1 : 0;
}

const char *tok_bytes(const struct tokenizer *t, int32_t id, size_t *len_out)
{
    return id < 0 || id >= t->info.n_vocab ? NULL : vocab_bytes(&t->vocab, id, len_out);
}

enum tok_type tok_type(const struct tokenizer *t, int32_t id)
{
    return id < 0 || id >= t->info.n_vocab ? TOK_UNUSED : (enum tok_type)t->type[id];
}

bool tok_is_end(const struct tokenizer *t, int32_t id)
{
    for (int i = 0; i < t->info.n_ends; i++)
        if (t->info.ends[i] == id)
            return true;
    return false;
}

int32_t tok_find(const struct tokenizer *t, const char *text)
{
    size_t len = strlen(text);
    const struct marker *m = markers_match(&t->markers, text, len);
    return m && m->len == len ? m->id : -1;
}

int32_t tok_find_first(const struct tokenizer *t, const char *text, size_t len, size_t *at_out,
                       size_t *len_out)
{
    for (size_t at = 0; at < len; at++) {
        const struct marker *m = markers_match(&t->markers, text + at, len - at);
        if (m) {
            *at_out = at;
            *len_out = m->len;
            return m->id;
        }
    }
    return -1;
}
