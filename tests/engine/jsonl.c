/* jsonl.c - reading rows; lines end in \n only, strings may hold any other line separator raw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/file/gguf.h"
#include "engine/file/hf.h"
#include "tests/engine/jsonl.h"
#include "tests/engine/tests.h"

size_t jsonl_each(const char *name, void (*row)(const json_t *row, void *ud), void *ud)
{
    size_t len, n = 0;
    char *bytes = fixture_read(name, &len), *end = bytes + len;
    for (char *line = bytes, *next; line < end; line = next) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        next = stop ? stop + 1 : end;
        json_error_t error;
        json_t *object = json_loadb(line, (size_t)(next - line), JSON_ALLOW_NUL, &error);
        if (!object)
            fail_msg("%s, row %zu: %s", name, n, error.text);
        row(object, ud);
        json_decref(object);
        n++;
    }
    free(bytes);
    return n;
}

char *jsonl_hex(const json_t *hex, size_t *len_out)
{
    size_t len = json_string_length(hex) / 2;
    char *bytes = malloc(len + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        assert_int_equal(sscanf(json_string_value(hex) + 2 * i, "%2x", &byte), 1);
        bytes[i] = (char)byte;
    }
    *len_out = len;
    return bytes;
}

bool jsonl_same_ids(const json_t *array, const int32_t *ids, size_t n)
{
    bool same = json_array_size(array) == n;
    for (size_t i = 0; same && i < n; i++)
        same = json_integer_value(json_array_get(array, i)) == ids[i];
    return same;
}

struct tokenizer *jsonl_tokenizer(const char *model)
{
    bool llama = strcmp(model, "llama") == 0;
    return jsonl_open_tokenizer(llama ? "vocab/llama-3.2-1b-instruct.vocab.gguf"
                                      : "vocab/deepseek-r1-distill-qwen-1.5b.vocab.gguf");
}

struct tokenizer *jsonl_open_tokenizer(const char *fixture)
{
    char path[1024], err[256];
    struct gguf *g;
    struct tokenizer *t;
    fixture_path(fixture, path, sizeof path);
    if ((hf_is_folder(path) ? hf_open(&g, path, true, err, sizeof err)
                            : gguf_open(&g, path, err, sizeof err)) != 0 ||
        tok_open_gguf(&t, g, err, sizeof err) != 0)
        fail_msg("%s", err);
    gguf_close(g);
    return t;
}
