/* test_engine_open.c - opening an engine: what is refused, planned and told, on tiny random models
 * and the outside fixtures. */
#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/engine/answers.h"
#include "tests/engine/tests.h"

static const char sum[] = "[{\"role\": \"user\", \"content\": \"What is 17 + 25?\"}]";
static const struct engine_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
static const struct engine_sampling warm = {
    .temperature = 0.8f, .top_p = 0.95f, .repeat_penalty = 1, .seed = 42};

static void refuses_with_a_reason(void **state)
{
    (void)state;
    struct fixture f;
    answers_open_tiny(&f, "qwen2");
    char *endless = malloc(3000);
    memset(endless, 'x', 2999);
    endless[2999] = '\0';
    char messages[3200], err[256];
    snprintf(messages, sizeof messages, "[{\"role\": \"user\", \"content\": \"%s\"}]", endless);
    struct engine_request req = {.messages = messages, .sampling = warm};
    uint64_t id = 7;
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EFIT);
    assert_non_null(strstr(err, "tokens do not fit (limit 511)"));

    /* What is far too long is not counted to its end. */
    enum { FAR = 8 << 20 };
    char *far = malloc(FAR + 64);
    int at = sprintf(far, "[{\"role\": \"user\", \"content\": \"");
    memset(far + at, 'x', FAR);
    strcpy(far + at + FAR, "\"}]");
    req.messages = far;
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EFIT);
    assert_non_null(strstr(err, "more than 66048 tokens do not fit (limit 511)"));
    free(far);

    req.messages = "[{\"role\": ";
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    req.messages = "{}";
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    req.messages = sum;
    req.sampling.temperature = -1;
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    assert_non_null(strstr(err, "temperature"));
    req.sampling = warm;
    req.max_tokens = -1;
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    engine_cancel(f.e, 12345);
    free(endless);
    answers_close_tiny(&f);
}

static void a_bad_file_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    answers_open_tiny(&f, "llama");
    struct engine *e = NULL;
    char err[256];
    struct engine_options opt = {.model_path = "/nowhere/model.gguf"};
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMODEL);
    opt.model_path = "/tmp";
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMODEL);
    opt.model_path = f.model.path;
    opt.n_ctx = TINY_CONTEXT + 1;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EINPUT);
    assert_non_null(strstr(err, "limit 512"));
    opt.n_ctx = -1;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EINPUT);
    opt.n_ctx = 0;
    opt.n_parallel = -2;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EINPUT);
    assert_null(e);
    engine_close(NULL);
    answers_close_tiny(&f);
}

/* As many at a time as are of use, or as the memory has room for; what has none is refused. */
static void memory_is_planned(void **state)
{
    (void)state;
    struct tiny_model model;
    struct engine *e = NULL;
    char err[256];
    tiny_model_write(&model,
                     &(struct tiny_model_options){.architecture = "llama", .n_ctx = 1 << 30});
    struct engine_options opt = {.model_path = model.path, .n_parallel = ENGINE_PARALLEL_BEST};
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    assert_int_equal(engine_info(e)->n_parallel, 16);
    engine_close(e);
    e = NULL;
    opt.n_ctx = 1 << 30;
    opt.n_parallel = 256;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_non_null(strstr(err, "parallel: too many for a context of 1073741824 tokens"));
    opt.n_parallel = 16;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    struct engine_shortage shortage;
    opt.shortage = &shortage;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_non_null(strstr(err, "memory: does not fit with a context of 1073741824 tokens"));
    assert_true(shortage.needed > shortage.available && shortage.available > 0);
    assert_null(e);

    opt.n_ctx = TINY_CONTEXT;
    opt.host_memory = 16 << 20;
    opt.n_parallel = ENGINE_PARALLEL_BEST; /* within the limit */
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    assert_int_equal(shortage.needed, 0);
    const struct engine_info *info = engine_info(e);
    uint64_t takes = info->weight_bytes + info->kv_bytes + info->scratch_bytes;
    assert_in_range(takes, 1, opt.host_memory);
    assert_false(info->on_gpu);
    engine_close(e);
    e = NULL;
    opt.host_memory = 1 << 16;
    opt.n_parallel = 1;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_int_equal(shortage.available, opt.host_memory);
    assert_in_range(shortage.needed, opt.host_memory + 1, takes);
    opt.host_memory = 0;
    opt.reserved_memory = UINT64_MAX - 1; /* others are about to take all there is */
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_int_equal(shortage.available, 0);
    tiny_model_remove(&model);
}

static void facts_and_inspection(void **state)
{
    (void)state;
    struct fixture f;
    answers_open_tiny(&f, "llama");
    const struct engine_info *info = engine_info(f.e);
    assert_string_equal(info->name, "Tiny");
    assert_string_equal(info->architecture, "llama");
    assert_string_equal(info->type, "F32");
    assert_int_equal(info->family, ENGINE_FAMILY_LLAMA);
    assert_false(info->thinks);
    assert_int_equal(info->n_ctx, TINY_CONTEXT);
    const struct engine_sampling *s = &info->sampling;
    assert_true(s->temperature == 0.6f && s->top_p == 0.9f && s->repeat_penalty == 1);
    assert_true(s->top_k == 0 && s->min_p == 0);
    assert_true(info->n_params > 50000 && info->weight_bytes > 0 && info->kv_bytes > 0);

    static const char text[] = "hello <|eot_id|> wörld \xff\n";
    int32_t *ids;
    size_t n, len;
    char *back;
    assert_int_equal(engine_tokenize(f.e, text, strlen(text), false, &ids, &n), 0);
    assert_int_equal(engine_detokenize(f.e, ids, n, &back, &len), 0);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(back, text, len);
    free(back);
    ids[0] = info->n_vocab;
    assert_int_equal(engine_detokenize(f.e, ids, n, &back, &len), ENGINE_EINPUT);
    free(ids);

    const struct engine_request req = {.messages = sum, .date = "26 Jul 2024"};
    struct engine_prompt prompt;
    char err[256];
    assert_int_equal(engine_render(f.e, &req, &(struct engine_rendering){.generate = true}, &prompt,
                                   err, sizeof err),
                     0);
    assert_non_null(strstr(prompt.text, "26 Jul 2024"));
    assert_true(prompt.n_ids > 20);
    free(prompt.text);
    free(prompt.ids);

    char *described = engine_describe(f.e);
    json_t *root = json_loads(described, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "tensors")), 2 + 2 * 9);
    json_decref(root);
    free(described);
    answers_close_tiny(&f);
}

static void a_vocabulary_alone_opens(void **state)
{
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){"qwen2", .without_tensors = true});
    struct engine_options opt = {.model_path = m.path, .vocab_only = true};
    struct engine *e = NULL;
    char err[256];
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    assert_int_equal(engine_next_event(e, 0)->type, ENGINE_READY);
    assert_true(engine_info(e)->thinks);
    int32_t *ids;
    size_t n;
    assert_int_equal(engine_tokenize(e, "a<think>", 8, true, &ids, &n), 0);
    assert_int_equal(n, 2);
    free(ids);
    uint64_t id;
    const struct engine_request req = {.messages = sum, .sampling = greedy};
    assert_int_equal(engine_submit(e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    const struct engine_evaluation ev = {.tokens = (int32_t[]){1}, .n_tokens = 1};
    assert_int_equal(engine_evaluate(e, &ev, err, sizeof err), ENGINE_EINPUT);
    engine_close(e);
    opt.vocab_only = false;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMODEL);
    tiny_model_remove(&m);
}

int test_engine_open(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_a_reason),    cmocka_unit_test(a_bad_file_is_refused),
        cmocka_unit_test(memory_is_planned),        cmocka_unit_test(facts_and_inspection),
        cmocka_unit_test(a_vocabulary_alone_opens),
    };
    return cmocka_run_group_tests_name("opening", tests, NULL, NULL);
}
