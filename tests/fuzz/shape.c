/* shape.c - any schema, grammar or tools, and an answer that goes its own way through the masks.
 *
 * The input is a letter (s, g, t), the text up to a zero byte, and bytes that choose among the
 * tokens allowed. What must hold: an error is one line; every token of a mask is taken, and where
 * the mask lets the answer end it is whole: JSON that can be read, where a schema was given. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/grammar/grammar.h"
#include "engine/grammar/masker.h"
#include "engine/grammar/shape.h"
#include "engine/grammar/trie.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/build_vocab.h"

enum { MAX_TEXT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The n-th allowed token, counted round and round. */
static int32_t choose(const uint32_t *mask, int n_vocab, int n)
{
    int count = 0;
    for (int32_t id = 0; id < n_vocab; id++)
        count += mask[id / 32] >> id % 32 & 1;
    n %= count;
    for (int32_t id = 0; id < n_vocab; id++)
        if (mask[id / 32] >> id % 32 & 1 && n-- == 0)
            return id;
    return -1;
}

static void write_answer(struct masker *k, const struct tokenizer *t, const uint8_t *choices,
                         size_t n, bool json)
{
    uint32_t mask[(BUILD_VOCAB_MAX + 31) / 32];
    char text[MAX_TEXT];
    size_t len = 0, more;
    int32_t state;
    require(masker_join(k, &state) == 0);
    for (size_t i = 0; i < n && masker_fill(k, &state, mask); i++) {
        int32_t id = choose(mask, tok_info(t)->n_vocab, choices[i]);
        if (tok_is_end(t, id)) {
            require(masker_ends(k, &state));
            json_t *value = json ? json_loadb(text, len, JSON_DECODE_ANY, NULL) : NULL;
            require(value || !json);
            json_decref(value);
            break;
        }
        const char *bytes = tok_bytes(t, id, &more);
        require(masker_accept(k, &state, bytes, more));
        if (len + more > sizeof text)
            break;
        memcpy(text + len, bytes, more);
        len += more;
    }
    masker_leave(k, &state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tokenizer *t;
    static struct trie *trie;
    const uint8_t *end = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
    struct engine_request req = {0};
    struct grammar *g;
    char err[256] = "";
    if (!t) {
        t = build_tokenizer("qwen2");
        require(trie_open(&trie, t) == 0);
    }
    if (!end)
        return 0;
    const char *text = (const char *)data + 1;
    *(data[0] == 's' ? &req.schema : data[0] == 'g' ? &req.grammar : &req.tools) = text;
    enum engine_family family = data[0] % 2 ? ENGINE_FAMILY_LLAMA : ENGINE_FAMILY_DEEPSEEK;
    if (shape_grammar(&g, &req, family, err, sizeof err) != 0) {
        require(*err && !strchr(err, '\n') && !strchr(err, '\x1b'));
        return 0;
    }
    struct masker *k;
    require(masker_open(&k, grammar_program(g), t, trie) == 0);
    write_answer(k, t, end + 1, size - (size_t)(end + 1 - data), req.schema != NULL);
    masker_close(k);
    grammar_free(g);
    return 0;
}
