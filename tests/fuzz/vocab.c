/* vocab.c - hostile vocabularies: each line of the input is a token or a merge, and damage to
 * the small vocabulary. What must hold: it is refused with one line, or it encodes any text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/text/tokenizer.h"
#include "tests/engine/build_vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* One line: 't' and a type's digit: a token; 'm': a merge; 'p': the way to split; 'b', 'e': ids. */
static void apply(struct build_vocab *b, const char *line, size_t n)
{
    size_t i = b->vocab.n_tokens;
    const struct tok_string rest = {line + 1, n - 1};
    if (line[0] == 't' && n > 1 && i < BUILD_VOCAB_MAX) {
        b->types[i] = line[1] - '0';
        b->tokens[i] = (struct tok_string){line + 2, n - 2};
        b->vocab.n_tokens++;
    } else if (line[0] == 'm' && b->vocab.n_merges < sizeof b->merges / sizeof *b->merges) {
        b->merges[b->vocab.n_merges++] = rest;
    } else if (line[0] == 'p') {
        b->vocab.pre = rest;
    } else if (line[0] == 'b') {
        b->vocab.bos = n > 1 ? line[1] * 8 : -1;
    } else if (line[0] == 'e') {
        b->vocab.eos = n > 1 ? line[1] * 8 : -1;
    }
}

static void check_encoding(const struct tokenizer *t, const char *text, size_t n, bool special)
{
    struct tok_ids ids = {0};
    size_t at = 0, len;
    require(tok_encode(t, text, n, special, &ids) == 0);
    for (size_t i = 0; i < ids.n; i++, at += len) {
        const char *bytes = tok_bytes(t, ids.ids[i], &len);
        require(bytes && at + len <= n && memcmp(bytes, text + at, len) == 0);
    }
    require(at == n);
    free(ids.ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct build_vocab b;
    build_vocab(&b, "llama-bpe");
    const char *text = (const char *)data;
    for (size_t at = 0, len; at < size; at += len + 1) {
        const char *stop = memchr(text + at, '\n', size - at);
        len = stop ? (size_t)(stop - text) - at : size - at;
        if (len > 0)
            apply(&b, text + at, len);
    }
    struct tokenizer *t;
    char err[256] = "";
    if (tok_open(&t, &b.vocab, err, sizeof err) != 0) {
        require(*err && !strchr(err, '\n'));
        return 0;
    }
    if (memcmp(b.vocab.pre.data, "llama", 5) == 0) { /* the others compose */
        check_encoding(t, text, size, false);
        check_encoding(t, text, size, true);
    }
    tok_close(t);
    return 0;
}
