/* tokenizer.c - any bytes to tokens, back, and through the detokenizer.
 *
 * The first byte chooses the dialect and whether markers count. What must hold: the
 * tokens spell the text (composed, where the dialect composes), and what a reader is
 * shown is whole characters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/text/detok.h"
#include "engine/text/nfc.h"
#include "engine/text/tokenizer.h"
#include "engine/text/utf8.h"
#include "tests/engine/build_vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_spelling(const struct tokenizer *t, const struct tok_ids *ids, const char *text,
                           size_t n)
{
    size_t at = 0, len;
    for (size_t i = 0; i < ids->n; i++, at += len) {
        const char *bytes = tok_bytes(t, ids->ids[i], &len);
        require(bytes && at + len <= n && memcmp(bytes, text + at, len) == 0);
    }
    require(at == n);
}

static void check_pieces(const struct detok_out *out)
{
    for (int i = 0; i < out->n; i++) {
        const struct detok_piece *p = &out->piece[i];
        require(p->len > 0);
        for (size_t at = 0, len; at < p->len; at += len)
            require(utf8_decode(p->text + at, p->len - at, &len) >= 0);
    }
}

static void check_stream(const struct tokenizer *t, const struct tok_ids *ids, unsigned flags)
{
    static const char *const stop[] = {"ab", "\n\n", "hello", "\xA9", NULL};
    const struct detok_options opt = {.thinks = flags & 1,
                                      .stage = flags & 2 ? DETOK_REASONING_START : DETOK_OPENING,
                                      .stop = flags & 4 ? stop : NULL};
    struct detok *d;
    struct detok_out out;
    require(detok_open(&d, t, &opt) == 0);
    for (size_t i = 0; i < ids->n; i++) {
        detok_feed(d, ids->ids[i], &out);
        check_pieces(&out);
    }
    detok_end(d, &out);
    check_pieces(&out);
    detok_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tokenizer *dialects[2];
    if (!dialects[0]) {
        dialects[0] = build_tokenizer("llama-bpe");
        dialects[1] = build_tokenizer("deepseek-r1-qwen");
    }
    if (size == 0)
        return 0;
    unsigned flags = data[0];
    const char *text = (const char *)data + 1;
    size_t n = size - 1, len;
    bool composes = flags & 8, special = flags & 16;
    const struct tokenizer *t = dialects[composes];

    char *composed = NULL;
    if (composes && !special)
        require(nfc_compose(text, n, &composed, &len) == 0);
    struct tok_ids ids = {0};
    require(tok_encode(t, text, n, special, &ids) == 0);
    if (!composes || !special)
        check_spelling(t, &ids, composed ? composed : text, composed ? len : n);
    check_stream(t, &ids, flags);
    free(composed);
    free(ids.ids);
    return 0;
}
