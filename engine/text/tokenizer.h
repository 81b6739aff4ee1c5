/* tokenizer.h - byte-level BPE, text to token ids and back, for both families.
 *
 * Encoding goes in four steps, each of them reversible but the second:
 *     special tokens cut out    only where the caller asks for it
 *     NFC normalisation         where the vocabulary was trained on it (DeepSeek)
 *     pre-tokens                pretok.h
 *     merges                    bpe.h
 * Every byte string can be encoded: bytes that are not UTF-8 become the tokens of single bytes, so
 * decode(encode(x)) == x (after NFC: of the same text composed). Time is O(n log n) for any text;
 * nothing recurses. What comes out of tok_encode without `special` is never a control token.
 *
 * Built from a plain description, so that any file format can fill one in. Immutable once open:
 * any thread may use it. Knows nothing of templates, models or files. */
#ifndef ENGINE_TEXT_TOKENIZER_H
#define ENGINE_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gguf;
struct tokenizer;

/* The numbers are those of GGUF's tokenizer.ggml.token_type. */
enum tok_type {
    TOK_NORMAL = 1,
    TOK_UNKNOWN = 2,
    TOK_CONTROL = 3,      /* a marker of the template; never text */
    TOK_USER_DEFINED = 4, /* a marker that is text too: <think> */
    TOK_UNUSED = 5,       /* an unused row: never matched, never sampled */
    TOK_BYTE = 6,         /* "<0x0A>" */
};

struct tok_string {
    const char *data; /* any bytes, not NUL-terminated */
    size_t len;
};

/* A vocabulary as a file gives it. Nothing is kept: tok_open copies what it needs. */
struct tok_vocab {
    size_t n_tokens;
    const struct tok_string *tokens; /* normal ones in the byte alphabet of GPT-2, others as text */
    const int32_t *types;            /* [n_tokens] of enum tok_type, or NULL: all are normal */
    size_t n_merges;
    const struct tok_string *merges; /* "left right", best first */
    struct tok_string pre; /* the pre-tokenizer: "llama-bpe", "deepseek-r1-qwen", "qwen2" */
    int64_t bos, eos;      /* -1 = none */
    int add_bos;           /* 0, 1; -1 = the file does not say */
};

enum { TOK_MAX_ENDS = 8 };

struct tok_info {
    int n_vocab;
    int32_t bos, eos;                /* -1 = none */
    bool add_bos;                    /* plain text begins with bos; templates print it themselves */
    int32_t think_open, think_close; /* <think>, </think>; -1 = none */
    int n_ends;
    int32_t ends[TOK_MAX_ENDS]; /* any of these ends an answer */
    const bool *banned;         /* [n_vocab]: rows that must never be sampled */
    size_t max_bytes;           /* of the longest token */
    size_t n_duplicates;        /* tokens with an earlier one's text; the earlier one is used */
    size_t n_merges_skipped;    /* merges that name no token */
};

/* 0, or -1 with one line in err that names the field. */
int tok_open(struct tokenizer **out, const struct tok_vocab *v, char *err, size_t errlen);
int tok_open_gguf(struct tokenizer **out, const struct gguf *g, char *err, size_t errlen);
void tok_close(struct tokenizer *t);

const struct tok_info *tok_info(const struct tokenizer *t);

/* Growing list of ids; all zero is an empty one, free(ids) releases it. */
struct tok_ids {
    int32_t *ids;
    size_t n, cap;
};

/* Appends the tokens of a text. With `special`, the texts of control and user-defined tokens become
 * those tokens (the longest where several fit). No BOS is added. 0, or -1: out of memory and *out
 * is as it was. */
int tok_encode(const struct tokenizer *t, const char *text, size_t len, bool special,
               struct tok_ids *out);
int tok_push(struct tok_ids *out, int32_t id);

/* The bytes a token stands for; they may begin or end inside a character. NULL outside the
 * vocabulary. */
const char *tok_bytes(const struct tokenizer *t, int32_t id, size_t *len_out);
enum tok_type tok_type(const struct tokenizer *t, int32_t id); /* TOK_UNUSED outside it */
bool tok_is_end(const struct tokenizer *t, int32_t id);

/* The control or user-defined token with exactly this text, or -1. */
int32_t tok_find(const struct tokenizer *t, const char *text);

/* The first control or user-defined token in text: its id, its place and length; or -1. */
int32_t tok_find_first(const struct tokenizer *t, const char *text, size_t len, size_t *at_out,
                       size_t *len_out);

#endif
