/* test_convert.c - models in other number formats: releases as files, files as smaller ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/file/convert.h"
#include "engine/file/hf.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/folder.h"
#include "tests/engine/release.h"
#include "tests/engine/tests.h"
#include "tests/engine/tiny_model.h"

static struct gguf *open_file(const char *path)
{
    struct gguf *g;
    char err[256];
    int rc = hf_is_folder(path) ? hf_open(&g, path, false, err, sizeof err)
                                : gguf_open(&g, path, err, sizeof err);
    if (rc != 0)
        fail_msg("%s: %s", path, err);
    return g;
}

static void convert(const char *from, const char *to, enum engine_convert_type type)
{
    const struct engine_convert c = {.model_path = from, .out_path = to, .type = type};
    char err[512];
    if (engine_convert(&c, err, sizeof err) != 0)
        fail_msg("%s", err);
}

/* Logits of the last of some tokens, the caller's to free. */
struct logits {
    float *values;
    int n;
};

static void keep_last(void *ud, size_t position, const float *logits, int n_vocab)
{
    struct logits *l = ud;
    (void)position;
    l->values = realloc(l->values, (size_t)n_vocab * sizeof *logits);
    assert_non_null(l->values);
    memcpy(l->values, logits, (size_t)n_vocab * sizeof *logits);
    l->n = n_vocab;
}

static struct logits logits_of(const char *path)
{
    static const int32_t tokens[] = {72,  101, 108, 108, 111, 44, 32,
                                     119, 111, 114, 108, 100, 7,  200};
    struct logits l = {0};
    struct engine *e;
    char err[512];
    const struct engine_options options = {
        .model_path = path, .device = ENGINE_DEVICE_CPU, .n_threads = 1, .kv_type = ENGINE_KV_F32};
    const struct engine_evaluation ev = {.tokens = tokens,
                                         .n_tokens = sizeof tokens / sizeof *tokens,
                                         .position = keep_last,
                                         .ud = &l};
    if (engine_open(&e, &options, err, sizeof err) != 0 ||
        engine_evaluate(e, &ev, err, sizeof err) != 0)
        fail_msg("%s: %s", path, err);
    engine_close(e);
    return l;
}

static void assert_near(struct logits a, struct logits b, double most)
{
    double worst = 0;
    assert_int_equal(a.n, b.n);
    for (int i = 0; i < a.n; i++)
        worst = fmax(worst, fabs((double)a.values[i] - (double)b.values[i]));
    free(a.values);
    free(b.values);
    if (!(worst <= most))
        fail_msg("logits differ by %g", worst);
}

/* And the file that is made of the release. In each format, and in any number of files. */
static void a_release_has_the_logits_of_its_file(void **state)
{
    static const char *const architectures[] = {"llama", "qwen2"};
    static const struct {
        enum quant_type type;
        enum engine_convert_type same;
        double most; /* against the numbers before they were rounded to the type */
    } types[] = {
        {QUANT_F32, ENGINE_CONVERT_F16, 1e-4},
        {QUANT_F16, ENGINE_CONVERT_F16, 0.05},
        {QUANT_BF16, ENGINE_CONVERT_BF16, 0.4},
    };
    (void)state;
    for (int a = 0; a < 2; a++)
        for (int t = 0; t < 3; t++) {
            struct tiny_model m;
            tiny_model_write(&m, &(struct tiny_model_options){.architecture = architectures[a]});
            struct gguf *g = open_file(m.path);
            char name[32];
            snprintf(name, sizeof name, "%s-%d", architectures[a], t);
            assert_int_equal(mkdir(path_of(name), 0700), 0);
            const struct release_options opt = {
                .folder = path_of(name), .type = types[t].type, .n_files = t + 1};
            release_write(g, &opt);
            assert_near(logits_of(opt.folder), logits_of(m.path), types[t].most);
            snprintf(name, sizeof name, "%s-%d.gguf", architectures[a], t);
            convert(opt.folder, path_of(name), types[t].same);
            assert_near(logits_of(path_of(name)), logits_of(opt.folder), t == 0 ? 0.05 : 1e-4);
            gguf_close(g);
            tiny_model_remove(&m);
        }
}

static struct engine_sampling sampling_of(const char *path)
{
    struct engine *e;
    char err[512];
    const struct engine_options options = {.model_path = path, .vocab_only = true};
    if (engine_open(&e, &options, err, sizeof err) != 0)
        fail_msg("%s: %s", path, err);
    struct engine_sampling s = engine_info(e)->sampling;
    engine_close(e);
    return s;
}

static void assert_sampling(const char *path, const struct engine_sampling *want)
{
    struct engine_sampling got = sampling_of(path);
    assert_true(got.temperature == want->temperature && got.top_k == want->top_k &&
                got.top_p == want->top_p && got.min_p == want->min_p &&
                got.repeat_penalty == want->repeat_penalty);
}

/* And goes into the file. Where a release says nothing, or nothing usable, the family's card
 * counts. */
static void the_recommended_sampling_is_used(void **state)
{
    static const struct {
        const char *architecture, *json;
        struct engine_sampling want;
    } rows[] = {
        {"qwen2", NULL, {.temperature = 0.6f, .top_p = 0.95f, .repeat_penalty = 1}},
        {"llama", NULL, {.temperature = 0.6f, .top_p = 0.9f, .repeat_penalty = 1}},
        {"llama",
         "{\"temperature\":1.5,\"top_p\":0.5,\"top_k\":20,\"min_p\":0.25,"
         "\"repetition_penalty\":1.25}",
         {.temperature = 1.5f,
          .top_p = 0.5f,
          .top_k = 20,
          .min_p = 0.25f,
          .repeat_penalty = 1.25f}},
        {"qwen2", "{\"temperature\":0}", {.top_p = 0.95f, .repeat_penalty = 1}},
        {"qwen2",
         "{\"temperature\":-1,\"top_p\":3,\"top_k\":-5,\"min_p\":1e99,\"repetition_penalty\":0}",
         {.temperature = 0.6f, .top_p = 0.95f, .repeat_penalty = 1}},
        {"llama",
         "{\"temperature\":\"hot\",\"top_p\":null,\"top_k\":1e3}",
         {.temperature = 0.6f, .top_p = 0.9f, .repeat_penalty = 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tiny_model m;
        char name[32];
        tiny_model_write(&m, &(struct tiny_model_options){.architecture = rows[i].architecture});
        struct gguf *g = open_file(m.path);
        snprintf(name, sizeof name, "%zu", i);
        assert_int_equal(mkdir(path_of(name), 0700), 0);
        const struct release_options opt = {
            .folder = path_of(name), .type = QUANT_BF16, .n_files = 1};
        release_write(g, &opt);
        if (rows[i].json) {
            snprintf(name, sizeof name, "%zu/generation_config.json", i);
            FILE *f = fopen(path_of(name), "w");
            assert_non_null(f);
            fputs(rows[i].json, f);
            fclose(f);
        }
        assert_sampling(opt.folder, &rows[i].want);
        snprintf(name, sizeof name, "%zu.gguf", i);
        convert(opt.folder, path_of(name), ENGINE_CONVERT_BF16);
        assert_sampling(path_of(name), &rows[i].want);
        gguf_close(g);
        tiny_model_remove(&m);
    }
}

/* Whether all that is in b is in a, too, byte for byte; keys but for what names the model. */
static void assert_same_contents(const char *ours, const char *theirs)
{
    struct gguf *a = open_file(ours), *b = open_file(theirs);
    for (size_t i = 0; i < gguf_n_keys(b); i++) {
        const struct gguf_key *y = gguf_key_at(b, i);
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)y->name.len, y->name.data);
        const struct gguf_key *x = gguf_find_key(a, name);
        if (strcmp(name, "general.name") == 0 || strcmp(name, "general.size_label") == 0)
            continue;
        if (!x || x->type != y->type)
            fail_msg("%s: %s", ours, name);
        if (x->type == GGUF_U32 || x->type == GGUF_BOOL)
            assert_int_equal(x->value.u, y->value.u);
    }
    assert_int_equal(gguf_n_tensors(a), gguf_n_tensors(b));
    for (size_t i = 0; i < gguf_n_tensors(b); i++) {
        const struct gguf_tensor *y = gguf_tensor_at(b, i);
        char name[72];
        snprintf(name, sizeof name, "%.*s", (int)y->name.len, y->name.data);
        const struct gguf_tensor *x = gguf_find_tensor(a, name);
        if (!x || x->type != y->type || x->n_dims != y->n_dims || x->bytes != y->bytes)
            fail_msg("%s: %s: not the same type or shape", ours, name);
        if (strcmp(name, "rope_freqs.weight") == 0) { /* computed: in another order of operations */
            for (int64_t k = 0; k < x->dim[0]; k++)
                assert_true(fabsf(((const float *)x->data)[k] / ((const float *)y->data)[k] - 1) <
                            1e-6f);
            continue;
        }
        if (memcmp(x->data, y->data, x->bytes) != 0)
            fail_msg("%s: %s: other numbers", ours, name);
    }
    gguf_close(a);
    gguf_close(b);
}

static void outside_files_come_out_the_same(void **state)
{
    static const struct {
        const char *release, *file;
        enum engine_convert_type type;
    } rows[] = {
        {"tiny/llama-b/hf", "tiny/llama-b/llama-b.f16.gguf", ENGINE_CONVERT_F16},
        {"tiny/qwen2-a/hf", "tiny/qwen2-a/qwen2-a.bf16.gguf", ENGINE_CONVERT_BF16},
        {"tiny/qwen2-a/hf", "tiny/qwen2-a/qwen2-a.q8_0.gguf", ENGINE_CONVERT_Q8_0},
        {"tiny/llama-b/llama-b.f32.gguf", "tiny/llama-b/llama-b.bf16.gguf", ENGINE_CONVERT_BF16},
        {"tiny/llama-b/llama-b.f32.gguf", "tiny/llama-b/llama-b.f16.gguf", ENGINE_CONVERT_F16},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char from[512], to[512], name[16];
        fixture_path(rows[i].release, from, sizeof from);
        fixture_path(rows[i].file, to, sizeof to);
        snprintf(name, sizeof name, "%zu.gguf", i);
        convert(from, path_of(name), rows[i].type);
        assert_same_contents(path_of(name), to);
    }
}

static void the_mixture_of_types_is_the_usual_one(void **state)
{
    char from[512], to[512];
    (void)state;
    fixture_path("tiny/llama-a/llama-a.q8_0.gguf", from, sizeof from);
    fixture_path("tiny/llama-a/llama-a.q4_k_m.gguf", to, sizeof to);
    convert(from, path_of("a.gguf"), ENGINE_CONVERT_Q4_K_M);
    struct gguf *a = open_file(path_of("a.gguf")), *b = open_file(to);
    for (size_t i = 0; i < gguf_n_tensors(b); i++) {
        char name[72];
        struct gguf_string s = gguf_tensor_at(b, i)->name;
        snprintf(name, sizeof name, "%.*s", (int)s.len, s.data);
        assert_int_equal(gguf_find_tensor(a, name)->type, gguf_tensor_at(b, i)->type);
    }
    gguf_close(a);
    gguf_close(b);
}

/* Types of a model of 16 layers, with rows of 512, 96 and 40 numbers. */
static void types_follow_from_the_shapes(void **state)
{
    static const struct {
        const char *name, *type, *instead;
        bool tied_too;
        int n_dims;
        int64_t cols;
    } rows[] = {
        {"token_embd.weight", "Q4_K", NULL, false, 2, 512},
        {"output.weight", "Q6_K", NULL, false, 2, 512},
        {"output_norm.weight", "F32", NULL, true, 1, 512},
        {"blk.0.attn_v.weight", "Q6_K", NULL, true, 2, 512},
        {"blk.1.ffn_down.weight", "Q6_K", NULL, true, 2, 512},
        {"blk.2.ffn_down.weight", "Q4_K", NULL, true, 2, 512},
        {"blk.3.attn_v.weight", "Q4_K", NULL, true, 2, 512},
        {"blk.4.attn_v.weight", "Q6_K", NULL, true, 2, 512},
        {"blk.4.attn_k.weight", "Q4_K", NULL, true, 2, 512},
        {"blk.13.attn_v.weight", "Q6_K", NULL, true, 2, 512},
        {"blk.14.ffn_down.weight", "Q6_K", NULL, true, 2, 512},
        {"blk.14.ffn_up.weight", "Q4_K", NULL, true, 2, 512},
        {"blk.12.ffn_down.weight", "Q8_0", "Q4_K", true, 2, 96},
        {"blk.15.ffn_down.weight", "F16", "Q6_K", true, 2, 40},
        {"blk.15.attn_q.bias", "F32", NULL, true, 1, 40},
    };
    (void)state;
    struct build b;
    build_init(&b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        build_tensor(&b, rows[i].name, QUANT_F32, rows[i].n_dims,
                     (const int64_t[]){rows[i].cols, 1});
    build_finish(&b);
    struct gguf *g = build_parse(&b);
    for (int tied = 0; tied < 2; tied++) {
        struct model m = {.cfg = {.architecture = "llama", .n_layer = 16, .head_dim = 8},
                          .tied = tied};
        struct convert_plan p;
        char err[256];
        assert_int_equal(convert_plan(&p, g, &m, ENGINE_CONVERT_Q4_K_M, err, sizeof err), 0);
        for (size_t i = 0; i < p.n_parts; i++) {
            const char *type = quant_info(p.parts[i].type)->name;
            if (strcmp(rows[i].name, "token_embd.weight") == 0)
                assert_string_equal(type, tied ? "Q6_K" : "Q4_K");
            else if (rows[i].tied_too || !tied)
                assert_string_equal(type, rows[i].type);
            assert_true(!p.parts[i].instead == !rows[i].instead);
            if (rows[i].instead)
                assert_string_equal(p.parts[i].instead, rows[i].instead);
            bool turned = strstr(rows[i].name, "attn_q") || strstr(rows[i].name, "attn_k");
            assert_int_equal(p.parts[i].head_dim, turned ? 8 : 0);
        }
        convert_plan_done(&p);
    }
    gguf_close(g);
    build_done(&b);
    static const int64_t order[] = {0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9};
    for (int i = 0; i < 11; i++)
        assert_int_equal(convert_origin(i, 8), order[i]);
}

struct steps {
    int n, n_begun, n_instead, stop_after;
    uint64_t done, total;
    char on_the_way[128]; /* a file to cut short at the second step, or "" */
};

static bool count_step(void *ud, const struct engine_convert_step *s)
{
    struct steps *steps = ud;
    assert_true(s->done >= steps->done && s->done <= s->total);
    assert_true(s->tensor[0] && s->type[0]);
    steps->done = s->done;
    steps->total = s->total;
    steps->n_begun += s->begins;
    steps->n_instead += s->instead != NULL;
    if (++steps->n == 2 && steps->on_the_way[0])
        assert_int_equal(truncate(steps->on_the_way, 4096), 0);
    return steps->n != steps->stop_after;
}

static int convert_steps(const char *from, const char *to, struct steps *steps, char *err)
{
    const struct engine_convert c = {.model_path = from,
                                     .out_path = to,
                                     .type = ENGINE_CONVERT_Q4_K_M,
                                     .n_threads = 2,
                                     .step = count_step,
                                     .ud = steps};
    return engine_convert(&c, err, 512);
}

static void each_tensor_is_told_and_giving_up_leaves_nothing(void **state)
{
    struct tiny_model m;
    struct steps all = {0};
    struct stat st;
    char err[512];
    (void)state;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "llama"});
    struct gguf *g = open_file(m.path);
    assert_int_equal(convert_steps(m.path, path_of("a.gguf"), &all, err), 0);
    assert_int_equal(all.n_begun, gguf_n_tensors(g));
    assert_int_equal(all.n_instead, 15); /* rows of 64 and 96 are in no blocks of 256 */
    assert_true(all.done == all.total);
    assert_int_equal(stat(path_of("a.gguf"), &st), 0);
    assert_int_equal(st.st_size, all.total);
    for (int stop = 1; stop <= all.n; stop++) {
        struct steps some = {.stop_after = stop};
        assert_int_equal(convert_steps(m.path, path_of("b.gguf"), &some, err), ENGINE_ECANCEL);
        assert_int_equal(some.n, stop);
        assert_int_equal(folder_count(), 1);
    }
    gguf_close(g);
    tiny_model_remove(&m);
}

/* Nor does it matter whether a file or a release has the numbers. */
static void threads_change_no_byte(void **state)
{
    struct tiny_model m;
    char line[256], err[512];
    (void)state;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "qwen2"});
    for (int n = 1; n <= 3; n++) {
        char name[16];
        snprintf(name, sizeof name, "%d.gguf", n);
        const struct engine_convert c = {.model_path = m.path,
                                         .out_path = path_of(name),
                                         .type = ENGINE_CONVERT_Q8_0,
                                         .n_threads = n};
        assert_int_equal(engine_convert(&c, err, sizeof err), 0);
    }
    snprintf(line, sizeof line, "cd %s && cmp 1.gguf 2.gguf && cmp 2.gguf 3.gguf", folder_path());
    assert_int_equal(system(line), 0);
    convert(path_of("1.gguf"), path_of("4.gguf"), ENGINE_CONVERT_Q8_0);
    snprintf(line, sizeof line, "cd %s && cmp 1.gguf 4.gguf", folder_path());
    assert_int_equal(system(line), 0);
    assert_near(logits_of(path_of("1.gguf")), logits_of(m.path), 1.2);
    tiny_model_remove(&m);
}

static void write_build(const struct build *b, const char *name)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(b->bytes, 1, b->size, f), b->size);
    fclose(f);
}

static void assert_refused(const char *from, const char *to, enum engine_convert_type type, int rc,
                           const char *why)
{
    const struct engine_convert c = {.model_path = from, .out_path = to, .type = type};
    char err[512] = "";
    int names = folder_count(), got = engine_convert(&c, err, sizeof err);
    if (got != rc || !strstr(err, why) || strchr(err, '\n'))
        fail_msg("%s: %d: %s", why, got, err);
    assert_int_equal(folder_count(), names);
}

static void set_number(const char *path, const char *tensor, float value)
{
    struct gguf *g = open_file(path);
    size_t size;
    const char *start = gguf_span(g, 0, &size);
    long at = (long)((const char *)gguf_find_tensor(g, tensor)->data - start) + 40;
    gguf_close(g);
    FILE *f = fopen(path, "r+b");
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    fwrite(&value, sizeof value, 1, f);
    fclose(f);
}

static void what_cannot_be_done_is_said_and_leaves_nothing(void **state)
{
    struct tiny_model m, damaged;
    struct build b;
    char err[512];
    (void)state;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "llama"});
    tiny_model_write(&damaged,
                     &(struct tiny_model_options){.architecture = "llama", .damaged = true});
    const char *out = path_of("out.gguf");
    assert_refused(damaged.path, out, ENGINE_CONVERT_Q8_0, ENGINE_EMODEL,
                   "blk.1.ffn_up.weight: row 0: damaged (got nan, limit finite numbers)");
    assert_refused(damaged.path, out, ENGINE_CONVERT_BF16, ENGINE_EMODEL, "damaged");
    set_number(m.path, "blk.0.attn_v.weight", 70000);
    out = path_of("out.gguf");
    assert_refused(m.path, out, ENGINE_CONVERT_F16, ENGINE_EMODEL,
                   "blk.0.attn_v.weight: row 0: too large for F16 (got 70000, limit 65504)");
    set_number(m.path, "blk.0.attn_v.weight", 1);
    out = path_of("out.gguf");
    assert_refused("/nowhere/model", out, ENGINE_CONVERT_F16, ENGINE_EMODEL, "model: cannot be");
    assert_refused(folder_path(), out, ENGINE_CONVERT_F16, ENGINE_EMODEL, "config.json: missing");
    assert_refused(m.path, m.path, ENGINE_CONVERT_F16, ENGINE_ERROR, "this is the model itself");
    assert_refused(m.path, folder_path(), ENGINE_CONVERT_F16, ENGINE_ERROR, "this is a directory");
    assert_refused(m.path, "/nowhere/a.gguf", ENGINE_CONVERT_F16, ENGINE_ERROR,
                   "a.gguf: its folder cannot be used");

    build_init(&b);
    build_model_keys(&b, "llama");
    build_finish(&b);
    write_build(&b, "keys.gguf");
    build_done(&b);
    assert_refused(path_of("keys.gguf"), out, ENGINE_CONVERT_F16, ENGINE_EMODEL,
                   "token_embd.weight: missing");
    struct steps steps = {0};
    snprintf(steps.on_the_way, sizeof steps.on_the_way, "%s", m.path);
    assert_int_equal(convert_steps(m.path, out, &steps, err), ENGINE_EMODEL);
    assert_non_null(strstr(err, "changed while it was read"));
    assert_int_equal(folder_count(), 1);
    tiny_model_remove(&m);
    tiny_model_remove(&damaged);
}

static void outside_compressed_files_are_refused(void **state)
{
    char from[512];
    (void)state;
    fixture_path("tiny/llama-a/llama-a.q4_0.gguf", from, sizeof from);
    assert_refused(from, path_of("out.gguf"), ENGINE_CONVERT_Q8_0, ENGINE_EMODEL,
                   " already; convert from the original (or F16, BF16, Q8_0)");
}

int test_convert(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_release_has_the_logits_of_its_file),
        TEST(the_recommended_sampling_is_used),
        TEST(outside_files_come_out_the_same),
        TEST(the_mixture_of_types_is_the_usual_one),
        TEST(types_follow_from_the_shapes),
        TEST(each_tensor_is_told_and_giving_up_leaves_nothing),
        TEST(threads_change_no_byte),
        TEST(what_cannot_be_done_is_said_and_leaves_nothing),
        TEST(outside_compressed_files_are_refused),
    };
#undef TEST
    return cmocka_run_group_tests_name("convert", tests, NULL, NULL);
}
