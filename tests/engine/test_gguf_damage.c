/* test_gguf_damage.c - every way known to break a loader of GGUF files.
 *
 * Most are rows of a table: a file that loads, one change, and what the refusal must say. Each is a
 * test with the row's name. Then cuts at every byte, files of other kinds, and random damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/file/describe.h"
#include "engine/file/gguf.h"
#include "engine/model.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/tests.h"

/* One line that fits a terminal, whatever the file holds. */
static void assert_tidy(const char *err)
{
    assert_true(*err != '\0');
    assert_true(strlen(err) <= 240);
    for (const char *p = err; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
}

/* Damage: one field of a file that loads */

struct damage {
    const char *name;
    const char *field;
    uint64_t value;
    const char *says; /* part of the message */
};

static const struct damage damages[] = {
    {"magic of another format", "magic", 0x46554758, "this is not a GGUF model (got XGUF"},
    {"version 0", "version", 0, "version: not supported (got 0"},
    {"version 1", "version", 1, "version: not supported (got 1"},
    {"version of the future", "version", 4, "version: not supported (got 4, limit 2 to 3)"},
    {"byte-swapped file", "version", 0x03000000, "version: big-endian"},

    {"n_tensors 2^64-1 (CVE-2024-21836)", "n_tensors", UINT64_MAX, "n_tensors: too many"},
    {"n_tensors x entry wraps", "n_tensors", UINT64_MAX / 33 + 2, "n_tensors: too many"},
    {"n_tensors over the limit", "n_tensors", 65537, "n_tensors: too many"},
    {"n_tensors one more than there are", "n_tensors", 25, "tensor 24: name:"},
    {"n_keys 2^64-1 (CVE-2024-23605)", "n_keys", UINT64_MAX, "n_keys: too many"},
    {"n_keys over the limit", "n_keys", 1000000, "n_keys: too many"},
    {"n_keys one more than there are", "n_keys", 21, "tensor 0: name: too long"},
    {"n_keys one fewer than there are", "n_keys", 19, "x.numbers: n_dims: out of range"},

    {"key name of 2^64-1 bytes (CVE-2024-23496)", "general.name:name_len", UINT64_MAX,
     "key 1: name: too long (got 18446744073709551615 bytes, limit 65535)"},
    {"key name with the high bit (CVE-2025-66960)", "general.name:name_len", UINT64_C(1) << 63,
     "key 1: name: too long"},
    {"key name past the end", "general.name:name_len", 60000, "key 1: name: truncated at byte"},
    {"empty key (ggml 64b07822)", "general.name:name_len", 0, "key 1: name: empty"},
    {"key type 13", "general.name:type", 13, "general.name: type: unknown (got 13, limit 12)"},
    {"key type 2^32-1", "general.name:type", UINT32_MAX, "general.name: type: unknown"},
    {"bool of 2", "x.bool:value", 2, "x.bool: not a bool (got 2"},

    {"string of 2^64-1 bytes", "general.name:len", UINT64_MAX, "general.name: too long"},
    {"string over the limit", "general.name:len", (16 << 20) + 1, "general.name: too long"},
    {"string past the end", "general.name:len", 16 << 20, "general.name: truncated at byte"},

    {"array of arrays (GGUF-PY-F001)", "x.numbers:element_type", GGUF_ARRAY,
     "x.numbers: array of arrays"},
    {"array of type 13", "x.numbers:element_type", 13,
     "x.numbers: unknown type of elements (got 13"},
    {"array of 2^64-1 (CVE-2024-39720)", "x.numbers:count", UINT64_MAX,
     "x.numbers: too many elements"},
    {"array count x size wraps (CVE-2024-21825)", "x.numbers:count", (UINT64_C(1) << 61) + 1,
     "x.numbers: too many elements"},
    {"array over the limit (CVE-2025-0315)", "x.numbers:count", (64 << 20) + 1,
     "x.numbers: too many elements"},
    {"array past the end", "x.numbers:count", 64 << 20, "x.numbers: truncated at byte"},
    {"array of strings past the end", "tokenizer.ggml.tokens:count", 64 << 20,
     "tokenizer.ggml.tokens: t"},
    {"token of 2^64-1 bytes", "tokenizer.ggml.tokens:data", UINT64_MAX,
     "tokenizer.ggml.tokens: too long"},
    {"token of 2^31 bytes (CVE-2025-49847)", "tokenizer.ggml.tokens:data", UINT64_C(1) << 31,
     "tokenizer.ggml.tokens: too long"},
    {"token past the end", "tokenizer.ggml.tokens:data", 1 << 20,
     "tokenizer.ggml.tokens: truncated at byte"},

    {"alignment 0 (CVE-2025-0317)", "general.alignment:value", 0,
     "general.alignment: not a power of two in range (got 0, limit 8 to 65536)"},
    {"alignment 12", "general.alignment:value", 12, "general.alignment: not a power of two"},
    {"alignment 4", "general.alignment:value", 4, "general.alignment: not a power of two"},
    {"alignment 2^17", "general.alignment:value", 1 << 17, "general.alignment: not a power of two"},
    {"alignment 2^31", "general.alignment:value", UINT32_C(1) << 31,
     "general.alignment: not a power of two"},
    {"alignment is not that of the offsets", "general.alignment:value", 4096,
     "offset: not aligned"},

    {"tensor name of 2^64-1 bytes", "blk.0.attn_q.weight:name_len", UINT64_MAX, "name: too long"},
    {"empty tensor name", "blk.0.attn_q.weight:name_len", 0, "name: empty"},

    {"n_dims 0", "blk.0.attn_q.weight:n_dims", 0,
     "blk.0.attn_q.weight: n_dims: out of range (got 0, limit 1 to 4)"},
    {"n_dims 5 (CVE-2024-21802)", "blk.0.attn_q.weight:n_dims", 5, "n_dims: out of range (got 5"},
    {"n_dims 9 (gguf-tools#25)", "blk.0.attn_q.weight:n_dims", 9, "n_dims: out of range"},
    {"n_dims 2^32-1", "blk.0.attn_q.weight:n_dims", UINT32_MAX, "n_dims: out of range"},
    {"row of 0 (GHSA-3p75-pq92-q28f)", "blk.0.attn_q.weight:dim0", 0,
     "blk.0.attn_q.weight: dim 0: out of range (got 0"},
    {"column of 0", "blk.0.attn_q.weight:dim1", 0, "dim 1: out of range (got 0"},
    {"row of INT64_MAX (llama.cpp#27203)", "blk.0.attn_q.weight:dim0", INT64_MAX,
     "dim 0: out of range"},
    {"column of -1", "blk.0.attn_q.weight:dim1", UINT64_MAX, "dim 1: out of range"},
    {"row over the limit", "blk.0.attn_q.weight:dim0", (UINT64_C(1) << 40) + 1,
     "dim 0: out of range"},
    {"exabyte tensor", "x.four:dim0", UINT64_C(1) << 40, "x.four: data: truncated at byte"},

    {"tensor type that was removed (#8816)", "blk.0.attn_q.weight:tensor_type", 4,
     "blk.0.attn_q.weight: type Q4_2 is not supported"},
    {"tensor type Q2_K", "blk.0.attn_q.weight:tensor_type", 10,
     "blk.0.attn_q.weight: type Q2_K is not supported (supported: F32 F16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 "
     "Q4_K Q5_K Q6_K BF16)"},
    {"tensor type I8", "blk.0.attn_q.weight:tensor_type", 24, "type I8 is not supported"},
    {"tensor type 255", "blk.0.attn_q.weight:tensor_type", 255, "unknown type (got 255"},
    {"tensor type 2^32-1", "blk.0.attn_q.weight:tensor_type", UINT32_MAX, "unknown type"},
    {"row is half a block of 32", "x.q8:dim0", 16,
     "x.q8: row is not in blocks of Q8_0 (got 16, limit multiples of 32)"},
    {"row is half a block of 256", "x.q4k:dim0", 128, "x.q4k: row is not in blocks of Q4_K"},

    {"offset of 1", "blk.0.attn_q.weight:offset", 1,
     "blk.0.attn_q.weight: offset: not aligned (got 1, limit multiples of 32)"},
    {"tensors overlap", "blk.0.attn_q.weight:offset", 0,
     "blk.0.attn_q.weight: offset: not where the tensor before ends (got 0"},
    {"hole between tensors", "blk.0.attn_q.weight:offset", 1 << 20, "offset: not where"},
    {"offset past the end (CVE-2026-7482)", "blk.0.attn_q.weight:offset", UINT64_MAX - 31,
     "offset: not where"},
};
enum { N_DAMAGES = sizeof damages / sizeof damages[0] };

static void add_tensor(struct build *b, const char *name, enum quant_type type, int n_dims,
                       int64_t d0, int64_t d1)
{
    build_tensor(b, name, type, n_dims, (const int64_t[]){d0, d1, 1, 1});
}

/* The small model with some entries more, so that there is something of every kind. */
static void build_sample(struct build *b)
{
    static const uint64_t numbers[4] = {1, 2, 3, 4};

    build_init(b);
    build_model_keys(b, "llama");
    build_scalar(b, "x.bool", GGUF_BOOL, (union gguf_value){.u = 1});
    build_array(b, "x.numbers", GGUF_U64, numbers, 4);
    build_model_tensors(b, "llama");
    add_tensor(b, "x.q8", QUANT_Q8_0, 1, 32, 1);
    add_tensor(b, "x.q4k", QUANT_Q4_K, 1, 256, 1);
    add_tensor(b, "x.four", QUANT_F32, 4, 8, 1);
    build_finish(b);
}

/* Parses a block of exactly the file's size, so that a sanitizer sees a read past it. */
static void assert_refused(const struct build *b, const char *says)
{
    struct gguf *g;
    char err[256] = "";
    unsigned char *exact = malloc(b->size);

    memcpy(exact, b->bytes, b->size);
    assert_int_equal(gguf_parse(&g, exact, b->size, err, sizeof err), -1);
    assert_null(g);
    assert_tidy(err);
    if (!strstr(err, says))
        fail_msg("said \"%s\", not \"%s\"", err, says);
    free(exact);
}

static void refuses_damage(void **state)
{
    const struct damage *d = *state;
    struct build b;

    build_sample(&b);
    gguf_close(build_parse(&b));
    build_set(&b, d->field, d->value);
    assert_refused(&b, d->says);
    build_done(&b);
}

/* Damage: files made wrong */

static void make_duplicate_key(struct build *b)
{
    build_u32(b, "general.name", 1);
    build_u32(b, "general.size", 1);
    build_string(b, "general.name", "x");
}

static void make_key_with_nul(struct build *b)
{
    build_u32(b, "a.b", 1);
    b->bytes[build_field(b, "a.b:name_len")->offset + 8 + 1] = '\0';
}

static void make_key_with_controls(struct build *b)
{
    build_u32(b, "a\x1b[2Jb\nc\xff", 1);
    build_set(b, "a\x1b[2Jb\nc\xff:type", 77);
}

static void make_long_key(struct build *b)
{
    char key[65536 + 1];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    build_u32(b, key, 1);
}

static void make_text_alignment(struct build *b)
{
    build_string(b, "general.alignment", "32");
}

static void make_u64_alignment(struct build *b)
{
    build_scalar(b, "general.alignment", GGUF_U64, (union gguf_value){.u = 32});
}

static void make_duplicate_tensor(struct build *b)
{
    add_tensor(b, "same", QUANT_F32, 1, 8, 1);
    add_tensor(b, "other", QUANT_F32, 1, 8, 1);
    add_tensor(b, "same", QUANT_F32, 1, 16, 1);
}

static void make_tensor_with_nul(struct build *b)
{
    add_tensor(b, "a.b", QUANT_F32, 1, 8, 1);
    b->bytes[build_field(b, "a.b:name_len")->offset + 8 + 1] = '\0';
}

static void make_long_tensor(struct build *b)
{
    add_tensor(b, "a.tensor.name.of.sixty.four.bytes.is.one.more.than.there.may.be.", QUANT_F32, 1,
               8, 1);
}

/* 2^66 bytes; wrapped, nothing at all. */
static void make_wrapping_dims(struct build *b)
{
    add_tensor(b, "wide", QUANT_F32, 4, 8, 1);
    build_set(b, "wide:dim1", UINT64_C(1) << 32);
    build_set(b, "wide:dim2", UINT64_C(1) << 29);
}

/* Two tensors of 2^63 bytes; wrapped, the data ends where it starts. */
static void make_wrapping_sum(struct build *b)
{
    add_tensor(b, "one", QUANT_F32, 2, 8, 1);
    add_tensor(b, "two", QUANT_F32, 2, 8, 1);
    build_set(b, "one:dim0", UINT64_C(1) << 40);
    build_set(b, "one:dim1", UINT64_C(1) << 21);
    build_set(b, "two:dim0", UINT64_C(1) << 40);
    build_set(b, "two:dim1", UINT64_C(1) << 21);
    build_set(b, "two:offset", UINT64_C(1) << 63);
}

/* A tensor of 2^64 - 4 bytes: (2^31 - 1)(2^31 + 1) floats. Padded to 32, nothing at all. */
static void make_wrapping_padding(struct build *b)
{
    add_tensor(b, "wide", QUANT_F32, 2, 8, 1);
    build_set(b, "wide:dim0", (UINT64_C(1) << 31) - 1);
    build_set(b, "wide:dim1", (UINT64_C(1) << 31) + 1);
}

static const struct made {
    const char *name;
    void (*make)(struct build *b);
    const char *says;
} made[] = {
    {"duplicate key", make_duplicate_key, "general.name: key stands in the file twice"},
    {"key name with NUL", make_key_with_nul, "key 0: name: holds a NUL byte"},
    {"key name with controls", make_key_with_controls,
     "a\\x1b[2Jb\\x0ac\\xff: type: unknown (got 77"},
    {"key name too long", make_long_key, "key 0: name: too long (got 65536 bytes, limit 65535)"},
    {"alignment is text (ggml c2cdd2b2)", make_text_alignment,
     "general.alignment: wrong type (got string, limit u32)"},
    {"alignment is u64", make_u64_alignment, "general.alignment: wrong type (got u64"},
    {"duplicate tensor", make_duplicate_tensor, "same: tensor stands in the file twice"},
    {"tensor name with NUL", make_tensor_with_nul, "tensor 0: name: holds a NUL byte"},
    {"tensor name of 64 bytes", make_long_tensor,
     "tensor 0: name: too long (got 64 bytes, limit 63)"},
    {"size wraps (CVE-2026-33298)", make_wrapping_dims, "wide: size overflows"},
    {"sum of sizes wraps (CVE-2025-53630)", make_wrapping_sum,
     "two: offset: sum of sizes overflows"},
    {"padding wraps (CVE-2026-27940)", make_wrapping_padding,
     "wide: offset: sum of sizes overflows"},
};
enum { N_MADE = sizeof made / sizeof made[0] };

static void refuses_made(void **state)
{
    const struct made *m = *state;
    struct build b;

    build_init(&b);
    m->make(&b);
    build_finish(&b);
    assert_refused(&b, m->says);
    build_done(&b);
}

/* Where the bytes end, a page begins that must not be touched. */
static void refuses_every_cut(void **state)
{
    struct build b;
    (void)state;
    build_model(&b, "llama");

    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (b.size + page - 1) / page * page;
    unsigned char *map = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + room, page, PROT_NONE), 0);
    size_t longest = b.size < 4096 ? b.size : 4097;
    for (size_t size = 0; size < longest; size++) {
        struct gguf *g;
        char err[256] = "";
        unsigned char *cut = map + room - size;
        memcpy(cut, b.bytes, size);
        assert_int_equal(gguf_parse(&g, cut, size, err, sizeof err), -1);
        assert_tidy(err);
        char expected[64];
        snprintf(expected, sizeof expected, "truncated at byte %zu ", size);
        if (size >= 4 && !strstr(err, expected) && !strstr(err, "too many for this file"))
            fail_msg("cut at %zu: %s", size, err);
    }
    munmap(map, room + page);
    build_done(&b);
}

static void refuses_data_cut_by_a_byte(void **state)
{
    struct build b;
    struct gguf *g;
    char err[256] = "";
    (void)state;

    build_model(&b, "llama");
    build_truncate(&b, b.size - 1);
    assert_int_equal(gguf_parse(&g, b.bytes, b.size, err, sizeof err), -1);
    assert_non_null(strstr(err, "blk.1.ffn_down.weight: data: truncated at byte"));
    build_done(&b);
}

static void names_what_is_not_a_model(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *says;
    } files[] = {
        {"PK\x03\x04\x14\0\0\0\x08\0", 10, "this is a ZIP archive"},
        {"\x1f\x8b\x08\0\0\0\0\0", 8, "this is a gzip file, not a model"},
        {"\x80\x02}q\0(X\x05\0\0\0", 10, "this is a Python pickle"},
        {"<!DOCTYPE html>\n<html><head><title>404", 38, "this is an HTML page, not a model"},
        {"\xef\xbb\xbf \r\n<html lang=\"en\">", 22, "this is an HTML page, not a model"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:", 54,
         "this is a Git LFS pointer"},
        {"\x40\0\0\0\0\0\0\0{\"__metadata__\":{}}", 27, "this is a safetensors file"},
        {"{\"error\":\"Repository not found\"}", 32, "this is JSON text"},
        {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "this is a PNG image"},
        {"SQLite format 3\0", 16, "this is an SQLite database"},
        {"tjgg\x01\0\0\0", 8, "this is a file of GGML"},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, "this is zeros"},
        {"Hello, world", 12, "this is not a GGUF model (got Hell, limit GGUF)"},
        {"GGU", 3, "this is not a GGUF model (got GGU"},
        {"<", 1, "this is not a GGUF model (got <"},
        {"", 0, "this is not a GGUF model"},
        {"GGUF", 4, "version: truncated at byte 4 (got 4 bytes to read, limit 0)"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct gguf *g;
        char err[256] = "";
        unsigned char *exact = malloc(files[i].len + 1);
        memcpy(exact + 1, files[i].bytes, files[i].len);
        assert_int_equal(gguf_parse(&g, exact + 1, files[i].len, err, sizeof err), -1);
        assert_tidy(err);
        if (!strstr(err, files[i].says))
            fail_msg("said \"%s\", not \"%s\"", err, files[i].says);
        free(exact);
    }
}

/* Mutations */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void mutate(const struct build *b, unsigned char *bytes, size_t *size, uint64_t *random)
{
    static const uint64_t odd[] = {0,          1,         2,          31,         127,
                                   128,        255,       65535,      65536,      INT32_MAX,
                                   UINT32_MAX, INT64_MAX, UINT64_MAX, 1ULL << 40, 1ULL << 63};
    uint64_t n = 1 + next_random(random) % 4;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t kind = next_random(random) % 8, pick = next_random(random);
        const struct build_field *f = &b->fields[pick % b->n_fields];
        uint64_t value = odd[(pick >> 32) % (sizeof odd / sizeof odd[0])];
        if (kind < 4) /* a field gets an odd value, or one near its own */
            memcpy(bytes + f->offset, &value, f->width);
        else if (kind < 6)
            bytes[f->offset] += (unsigned char)(pick >> 40) % 5 - 2;
        else if (kind < 7)
            bytes[(pick >> 16) % b->size] = (unsigned char)pick;
        else if (next_random(random) % 4 == 0)
            *size = pick % (b->size + 1);
    }
}

/* Whatever a parsed file says must lie within it. */
static void walk(const struct gguf *g, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        const unsigned char *data = t->data;
        assert_true(data >= bytes && (size_t)(data - bytes) <= size);
        assert_true(t->bytes <= size - (size_t)(data - bytes));
    }
    for (size_t i = 0; i < gguf_n_keys(g); i++) {
        const struct gguf_key *k = gguf_key_at(g, i);
        if (k->type != GGUF_ARRAY)
            continue;
        const void *at = k->value.a.data;
        for (uint64_t n = 0; n < k->value.a.count; n++)
            gguf_next_element(k->value.a.type, &at);
        assert_true((const unsigned char *)at <= bytes + size);
    }
}

static void survives_mutations(void **state)
{
    enum { ROUNDS = 100000 };
    uint64_t random = 88172645463325252;
    int parsed = 0, bound = 0;
    struct build b;
    (void)state;

    build_model(&b, "llama");
    for (int i = 0; i < ROUNDS; i++) {
        unsigned char *bytes = malloc(b.size + 8);
        size_t size = b.size;
        memcpy(bytes, b.bytes, b.size);
        mutate(&b, bytes, &size, &random);
        unsigned char *exact = realloc(bytes, size ? size : 1);

        struct gguf *g;
        struct model m;
        char err[256] = "";
        if (gguf_parse(&g, exact, size, err, sizeof err) == 0) {
            parsed++;
            walk(g, exact, size);
            if (model_bind(&m, g, err, sizeof err) == 0) {
                bound++;
                model_done(&m);
            }
            if (i % 64 == 0)
                free(describe_model(g));
            gguf_close(g);
        }
        if (*err)
            assert_tidy(err);
        free(exact);
    }
    /* The mutations must reach behind the parser, and not leave most files whole. */
    assert_in_range(parsed, ROUNDS / 20, ROUNDS / 2);
    assert_in_range(bound, ROUNDS / 100, parsed - ROUNDS / 100);
    build_done(&b);
}

int test_gguf_damage(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(refuses_data_cut_by_a_byte),
        cmocka_unit_test(names_what_is_not_a_model),
        cmocka_unit_test(survives_mutations),
    };
    struct CMUnitTest damaged[N_DAMAGES + N_MADE];

    for (int i = 0; i < N_DAMAGES; i++) {
        damaged[i] = (struct CMUnitTest){.name = damages[i].name,
                                         .test_func = refuses_damage,
                                         .initial_state = (void *)&damages[i]};
    }
    for (int i = 0; i < N_MADE; i++) {
        damaged[N_DAMAGES + i] = (struct CMUnitTest){
            .name = made[i].name, .test_func = refuses_made, .initial_state = (void *)&made[i]};
    }
    return cmocka_run_group_tests_name("gguf damage", others, NULL, NULL) +
           cmocka_run_group_tests_name("gguf damage, by field", damaged, NULL, NULL);
}
