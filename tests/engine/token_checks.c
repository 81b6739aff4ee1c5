/* token_checks.c - encoding there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/text/nfc.h"
#include "engine/text/utf8.h"
#include "tests/engine/token_checks.h"

char *replace_bad_parts(const char *s, size_t n, size_t *len_out)
{
    static const char replacement[] = "\uFFFD";
    char *out = malloc(3 * n + 1); /* each bad byte may become three */
    assert_non_null(out);
    size_t used = 0;
    for (size_t at = 0, len; at < n; at += len) {
        bool good = utf8_decode(s + at, n - at, &len) >= 0;
        size_t add = good ? len : strlen(replacement);
        memcpy(out + used, good ? s + at : replacement, add);
        used += add;
    }
    out[used] = '\0';
    *len_out = used;
    return out;
}

struct tok_ids encode(const struct tokenizer *t, const char *s, size_t n, bool special)
{
    struct tok_ids ids = {0};
    assert_int_equal(tok_encode(t, s, n, special, &ids), 0);
    return ids;
}

char *decode(const struct tokenizer *t, struct tok_ids ids, size_t *len_out)
{
    size_t used = 0, len;
    char *out = malloc(ids.n * tok_info(t)->max_bytes + 1);
    assert_non_null(out);
    for (size_t i = 0; i < ids.n; i++, used += len) {
        const char *bytes = tok_bytes(t, ids.ids[i], &len);
        assert_non_null(bytes);
        memcpy(out + used, bytes, len);
    }
    *len_out = used;
    return out;
}

void assert_lossless(const struct tokenizer *t, const char *s, size_t n, bool composes)
{
    char *composed = NULL;
    size_t len = n, back;
    if (composes)
        assert_int_equal(nfc_compose(s, n, &composed, &len), 0);
    struct tok_ids ids = encode(t, s, n, false);
    char *text = decode(t, ids, &back);
    assert_int_equal(back, composed ? len : n);
    assert_memory_equal(text, composed ? composed : s, back);
    free(text);
    free(ids.ids);
    free(composed);
}

static bool is_marker(const struct tokenizer *t, int32_t id)
{
    enum tok_type type = tok_type(t, id);
    return type != TOK_NORMAL && type != TOK_BYTE;
}

static void assert_no_markers(const struct tokenizer *t, const char *s, size_t n)
{
    struct tok_ids ids = encode(t, s, n, false);
    for (size_t i = 0; i < ids.n; i++)
        assert_false(is_marker(t, ids.ids[i]));
    free(ids.ids);
}

void assert_markers_stay_text(const struct tokenizer *t)
{
    size_t n_markers = 0;
    for (int32_t id = 0; id < tok_info(t)->n_vocab; id++) {
        if (!is_marker(t, id))
            continue;
        size_t len;
        const char *text = tok_bytes(t, id, &len);
        char *typed = malloc(2 * len + 2);
        assert_non_null(typed);
        int n = sprintf(typed, " %.*s%.*s", (int)len, text, (int)len, text);
        for (int from = 0; from < 3; from++)
            for (int cut = 0; cut < 3 && from + cut < n; cut++)
                assert_no_markers(t, typed + from, (size_t)(n - from - cut));
        free(typed);
        n_markers++;
    }
    assert_true(n_markers > 0);
}

uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}
