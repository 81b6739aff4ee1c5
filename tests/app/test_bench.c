/* test_bench.c - `duet bench`: what it measures, the forms it prints, and comparing. No figure is
 * held against a limit: only what must hold on any machine. */
#include "tests/app/tests.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void run_well(struct run *r, const char *line)
{
    setenv("M", some_model(), 1);
    run_shell(r, line);
    if (r->status != 0)
        fail_msg("%s: exit %d: %s", line, r->status, r->err);
}

static void assert_line(const char *line, const char *part)
{
    struct run r;
    run_well(&r, line);
    assert_contains(r.out, part);
    run_done(&r);
}

static json_t *load(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    if (!json)
        fail_msg("not JSON: %s", text);
    return json;
}

/* Measuring */

static json_t *row_of(json_t *model, const char *name, const char *key, int value)
{
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(model, "rows"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0 &&
            (!key || json_integer_value(json_object_get(row, key)) == value))
            return row;
    }
    fail_msg("no %s of %s %d", name, key ? key : "", value);
    return NULL;
}

static double number(json_t *row, const char *name)
{
    json_t *value = json_object_get(row, name);
    if (!json_is_number(value))
        fail_msg("no %s in %s", name, json_string_value(json_object_get(row, "name")));
    return json_number_value(value);
}

static double median(json_t *model, const char *name, const char *key, int value)
{
    json_t *row = row_of(model, name, key, value);
    double v = number(row, "median");
    assert_true(v > 0 && number(row, "low") <= v && v <= number(row, "high"));
    assert_true(v <= number(row, "p99"));
    assert_true(number(row, "runs") >= 1);
    return v;
}

static const char *note(json_t *model, const char *name, const char *key, int value)
{
    return json_string_value(json_object_get(row_of(model, name, key, value), "note"));
}

static void near(double a, double b)
{
    if (fabs(a - b) > 1e-6 * fabs(b))
        fail_msg("%g is not %g", a, b);
}

/* An odd number of runs: the median of the times is then that of the speeds. */
static void every_figure_is_measured(void **state)
{
    struct run r;
    (void)state;
    run_well(&r, "$DUET bench -m $M --prompts 40,9000 --contexts 33,9000 --batch 1,3 --generate 8 "
                 "--runs 3 --json");
    assert_string_equal(r.err, "");
    json_t *json = load(r.out), *m = json_array_get(json_object_get(json, "models"), 0);
    assert_int_equal(json_integer_value(json_object_get(json, "duet_bench")), 1);
    assert_true(json_is_false(json_object_get(json, "interrupted")));
    assert_string_equal(json_string_value(json_object_get(m, "model")), "demo-llama");

    static const char *const plain[] = {
        "load_ms",       "rss_bytes",          "weight_bytes",     "kv_bytes",
        "scratch_bytes", "kv_bytes_per_token", "memory_bandwidth", "bytes_read_per_token"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        median(m, plain[i], NULL, 0);
    assert_true(median(m, "memory_bandwidth", NULL, 0) > 1e8);

    near(median(m, "ttft_ms", "prompt_tokens", 40) *
             median(m, "prefill_tokens_per_second", "prompt_tokens", 40),
         40e3);
    double speed = median(m, "tokens_per_second", "context", 33);
    near(median(m, "tpot_ms", "context", 33) * speed, 1e3);
    near(median(m, "limit_tokens_per_second", "context", 33) *
             median(m, "share_of_limit", "context", 33),
         speed);
    median(m, "itl_ms", "context", 33);
    median(m, "batch_tokens_per_second", "batch", 1);
    median(m, "batch_tokens_per_second", "batch", 3);
    median(m, "batch_share_of_limit", "batch", 3);

    /* What cannot be measured says why. */
    assert_string_equal(note(m, "ttft_ms", "prompt_tokens", 9000), "limit 2048");
    assert_string_equal(note(m, "tokens_per_second", "context", 9000), "limit 2048");
    assert_string_equal(note(m, "vram_bytes", NULL, 0), "on the CPU");
    assert_string_equal(note(m, "gpu_utilization", "batch", 1), "on the CPU");
    assert_string_equal(note(m, "reproducible_cost_batch", "batch", 3), "nothing");

    /* What was printed can be read again, and gives the same. */
    sandbox_write("new.json", r.out);
    struct run again;
    run_well(&again, "$DUET bench --json $HOME/new.json");
    assert_string_equal(again.out, r.out);
    run_done(&again);
    json_decref(json);
    run_done(&r);
}

static void without_a_name_both_demo_models_are_measured(void **state)
{
    struct run r;
    (void)state;
    run_well(&r, "$DUET bench --prompts 8 --contexts 8 --batch 2 --generate 2 --runs 1");
    const char *head = strstr(r.out, "demo-deepseek");
    assert_non_null(head);
    assert_true(strcspn(head, "\n") > strcspn(head, "l"));
    assert_contains(head, "demo-llama\n");
    assert_contains(r.out, "\ntokens/s of 2 together ");
    run_done(&r);
    run_shell(&r, "$DUET bench -m demo-llama,nobody");
    assert_int_equal(r.status, 3);
    assert_error_line(&r);
    assert_contains(r.err, "nobody");
    assert_string_equal(r.out, "");
    run_done(&r);
}

/* And one that is named twice is measured once. */
static void one_bad_model_stops_no_other(void **state)
{
    struct run r;
    (void)state;
    setenv("M", some_model(), 1);
    run_shell(&r, "echo GGUF >$HOME/a.gguf; $DUET bench -m $HOME/a.gguf,$M,demo-llama --csv "
                  "--prompts 8 --contexts 8 --batch 1 --generate 2 --runs 1 | "
                  "grep -c ',batch_tokens_per_second,'; exit ${PIPESTATUS[0]}");
    assert_int_equal(r.status, 3);
    assert_error_line(&r);
    assert_contains(r.err, "a.gguf: ");
    assert_string_equal(r.out, "1\n");
    run_done(&r);
    run_shell(&r, "echo GGUF >\"$HOME/a,b.gguf\"; $DUET bench -m \"$HOME/a,b.gguf\"");
    assert_int_equal(r.status, 3);
    assert_error_line(&r);
    assert_contains(r.err, "a,b.gguf: ");
    run_done(&r);
}

static void an_interrupt_prints_what_was_measured(void **state)
{
    (void)state;
    struct term *t = term_start(30, 80, "bench", "-m", some_model(), "--prompts", "8", "--contexts",
                                "8", "--runs", "1000", NULL);
    term_expect(t, "demo-llama \xc2\xb7 tokens/s at 8");
    term_type(t, "\003");
    term_expect(t, "Broken off: not everything was measured.");
    assert_int_equal(term_end(t), 130);
    size_t len;
    assert_contains(term_bytes(t, &len), "memory reads");
    term_free(t);
}

/* Forms */

/* Two models with a name that a terminal, Markdown and CSV would each take for something else. */
static const char results[] =
    "{\"duet_bench\": 1, \"version\": \"9\", \"machine\": \"abacus\", \"generate\": 8, "
    "\"runs\": 5, \"models\": ["
    "{\"model\": \"a|b,\\\"\\u001b[2J\", \"type\": \"Q8_0\", \"device\": \"CPU\", "
    "\"settings\": \"\", \"rows\": ["
    "{\"name\": \"load_ms\", \"median\": 1234.4, \"p99\": 1300, \"low\": 1200, \"high\": 1300,"
    " \"runs\": 5},"
    "{\"name\": \"itl_ms\", \"context\": 128, \"batch\": 1, \"median\": 1.25, \"p99\": 4.5,"
    " \"low\": 1.25, \"high\": 1.25, \"runs\": 5},"
    "{\"name\": \"invented_later\", \"median\": 1, \"p99\": 1, \"low\": 1, \"high\": 1,"
    " \"runs\": 1}]},"
    "{\"model\": \"c\", \"type\": \"F16\", \"device\": \"GPU\", \"settings\": \"\", \"rows\": ["
    "{\"name\": \"vram_bytes\", \"median\": 3.6e9, \"p99\": 3.6e9, \"low\": 3.6e9,"
    " \"high\": 3.6e9, \"runs\": 1},"
    "{\"name\": \"share_of_limit\", \"context\": 16, \"median\": 1.5, \"p99\": 1.5,"
    " \"low\": 1.5, \"high\": 1.5, \"runs\": 1},"
    "{\"name\": \"gpu_utilization\", \"batch\": 4, \"note\": \"no NVML\"},"
    "{\"name\": \"load_ms\", \"median\": 2, \"p99\": 2, \"low\": 2, \"high\": 2, \"runs\": 1}"
    "]}]}";

static void names_are_inert_in_every_form(void **state)
{
    struct run r;
    (void)state;
    sandbox_write("x.json", results);
    run_well(&r, "$DUET bench $HOME/x.json");
    assert_string_equal(r.out, "duet 9 on CPU; GPU; abacus\n\n"
                               "                            a|b,\"\\x1b[2J             c\n"
                               "type                                Q8_0           F16\n"
                               "load                             1234 ms  ±4%  2.00 ms\n"
                               "GPU memory after load                  -        3.6 GB\n"
                               "\n"
                               "share of the limit at 16               -       150.0 %\n"
                               "time between tokens at 128       1.25 ms  ±0%        -\n"
                               "  99 % of them within            4.50 ms             -\n"
                               "\n"
                               "GPU busy with 4                        -       no NVML\n"
                               "\n"
                               "Medians of 5 runs, ± the spread of four fifths of them. "
                               "Answers have 8 tokens.\n"
                               "Above 100 % the weights come from a cache: then memory is no "
                               "limit.\n");
    run_done(&r);
    run_well(&r, "$DUET bench $HOME/x.json --markdown");
    assert_contains(r.out, "\n|  | a\\|b,\"\\\\x1b\\[2J | c |\n| --- | ---: | ---: |\n"
                           "| type | Q8\\_0 | F16 |\n| load | 1234 ms ±4% | 2.00 ms |\n");
    run_done(&r);
    run_well(&r, "$DUET bench $HOME/x.json --csv");
    assert_string_equal(
        r.out, "model,type,device,name,prompt_tokens,context,batch,unit,median,p99,low,high,runs,"
               "note\n"
               "\"a|b,\"\"\\x1b[2J\",Q8_0,CPU,load_ms,,,,ms,1234.4,1300,1200,1300,5,\n"
               "\"a|b,\"\"\\x1b[2J\",Q8_0,CPU,itl_ms,,128,1,ms,1.25,4.5,1.25,1.25,5,\n"
               "c,F16,GPU,vram_bytes,,,,B,3.6e+09,3.6e+09,3.6e+09,3.6e+09,1,\n"
               "c,F16,GPU,share_of_limit,,16,,1,1.5,1.5,1.5,1.5,1,\n"
               "c,F16,GPU,gpu_utilization,,,4,1,,,,,,no NVML\n"
               "c,F16,GPU,load_ms,,,,ms,2,2,2,2,1,\n");
    run_done(&r);
}

/* Comparing */

static void write_speeds(const char *name, const char *model, const char *rows)
{
    char text[2048];
    snprintf(text, sizeof text,
             "{\"duet_bench\": 1, \"version\": \"1\", \"machine\": \"\", \"generate\": 8,"
             " \"runs\": 5, \"models\": ["
             "{\"model\": \"%s\", \"type\": \"F16\", \"device\": \"GPU\", \"settings\": \"\", "
             "\"rows\": [%s]}]}",
             model, rows);
    sandbox_write(name, text);
}

#define FIGURE(name, at, low, median, high)                                                        \
    "{\"name\": \"" name "\", " at "\"low\": " low ", \"median\": " median ", \"high\": " high     \
    ", \"p99\": " high ", \"runs\": 5}"

/* A time, a speed, one within the spread, one apart but by less than a hundredth, one that is
 * new. */
static void write_pair(void)
{
    write_speeds("old.json", "m",
                 FIGURE("load_ms", "", "90", "100", "110") "," FIGURE(
                     "tokens_per_second", "\"context\": 128, \"batch\": 1,", "990", "1000",
                     "1010") "," FIGURE("ttft_ms", "\"prompt_tokens\": 16,", "8", "10",
                                        "12") "," FIGURE("tpot_ms", "\"context\": 128,", "1000",
                                                         "1000", "1000"));
    write_speeds(
        "new.json", "m",
        FIGURE("load_ms", "", "120", "150", "160") "," FIGURE(
            "tokens_per_second", "\"context\": 128, \"batch\": 1,", "1190", "1200",
            "1210") "," FIGURE("ttft_ms", "\"prompt_tokens\": 16,", "11", "11.5",
                               "13") "," FIGURE("tpot_ms", "\"context\": 128,", "1005", "1005",
                                                "1005") "," FIGURE("itl_ms", "\"context\": 128,",
                                                                   "1", "1", "1"));
}

static void changes_are_told_from_noise(void **state)
{
    struct run r;
    (void)state;
    write_pair();
    run_well(&r, "$DUET bench --compare $HOME/old.json $HOME/new.json");
    assert_string_equal(r.err, "");
    assert_string_equal(
        r.out, "duet 1 on GPU\n\n"
               "m                               old            new        ratio  difference\n"
               "load                         100 ms  ±10%   150 ms  ±13%  1.500       worse\n"
               "\n"
               "first token after 16        10.0 ms  ±20%  11.5 ms   ±9%  1.150        none\n"
               "\n"
               "tokens/s at 128                1000   ±1%     1200   ±1%  1.200      better\n"
               "time for a token at 128     1000 ms   ±0%  1005 ms   ±0%  1.005        none\n"
               "time between tokens at 128        -        1.00 ms   ±0%\n"
               "\n"
               "Medians of 5 runs, ± the spread of four fifths of them. "
               "Answers have 8 tokens.\n");
    run_done(&r);
    assert_line("$DUET bench --compare $HOME/old.json $HOME/new.json --csv",
                ",1200,1210,1190,1210,5,,1000,990,1010,1.2,better\n");
    assert_line("$DUET bench --compare $HOME/old.json $HOME/new.json --markdown",
                "| m | old | new | ratio | difference |\n| --- | ---: | ---: | ---: | ---: |\n"
                "| load | 100 ms ±10% | 150 ms ±13% | 1.500 | worse |\n");
    run_well(&r, "$DUET bench --compare $HOME/old.json $HOME/new.json --json");
    json_t *json = load(r.out), *m = json_array_get(json_object_get(json, "models"), 0);
    json_t *row = row_of(m, "tokens_per_second", "context", 128);
    near(number(json_object_get(row, "old"), "median"), 1000);
    near(number(row, "ratio"), 1.2);
    assert_string_equal(json_string_value(json_object_get(row, "difference")), "better");
    assert_null(json_object_get(row_of(m, "itl_ms", NULL, 0), "ratio"));
    json_decref(json);
    run_done(&r);
}

static void runs_without_a_common_figure_are_refused(void **state)
{
    struct run r;
    (void)state;
    write_pair();
    write_speeds("other.json", "other", FIGURE("load_ms", "", "1", "1", "1"));
    run_shell(&r, "$DUET bench --compare $HOME/other.json $HOME/new.json -q");
    assert_int_equal(r.status, 2);
    assert_error_line(&r);
    assert_contains(r.err, "has none of these models");
    assert_string_equal(r.out, "");
    run_done(&r);

    /* What was made in another way can be compared, and is told. */
    run_well(&r, "sed 's/\"settings\": \"\"/\"settings\": \"context 8\"/; s/: 8, /: 9, /' "
                 "$HOME/old.json >$HOME/else.json; "
                 "$DUET bench --compare $HOME/else.json $HOME/new.json --csv");
    assert_contains(r.err, "else.json: m: other settings (context 8)\n");
    assert_contains(r.err, "else.json: answers of another length (9 tokens)\n");
    assert_contains(r.out, ",1.2,better\n");
    run_done(&r);
}

/* Refusals */

static void assert_refused(const char *line, const char *part)
{
    struct run r;
    run_shell(&r, line);
    if (r.status != 2)
        fail_msg("%s: exit %d: %s", line, r.status, r.err);
    assert_error_line(&r);
    assert_contains(r.err, part);
    assert_string_equal(r.out, "");
    run_done(&r);
}

static void strange_files_are_refused(void **state)
{
#define START                                                                                      \
    "{\"duet_bench\": 1, \"version\": \"1\", \"machine\": \"\", \"generate\": 8, \"runs\": 5,"     \
    " \"models\": "
#define MODEL                                                                                      \
    START                                                                                          \
    "[{\"model\": \"m\", \"type\": \"F16\", \"device\": \"GPU\", \"settings\": \"\", \"rows\": "
    static const char *const files[] = {
        "",
        "{}",
        "[]",
        "\x7f"
        "ELF",
        "{\"duet_bench\": 2, \"version\": \"1\", \"machine\": \"\", \"models\": []}",
        "{\"duet_bench\": 1, \"duet_bench\": 1, \"version\": \"1\", \"machine\": \"\","
        " \"models\": []}",
        START "{}}",
        START "[1]}",
        START
        "[{\"model\": \"m\\u0000\", \"type\": \"F16\", \"device\": \"GPU\", \"settings\": \"\","
        " \"rows\": []}]}",
        MODEL "{}}]}",
        MODEL "[{}]}]}",
        MODEL "[" FIGURE("load_ms", "", "2", "1", "3") "]}]}",
        MODEL "[" FIGURE("load_ms", "\"batch\": -1,", "1", "1", "1") "]}]}",
        MODEL "[" FIGURE("load_ms", "\"batch\": 1e3,", "1", "1", "1") "]}]}",
        MODEL "[" FIGURE("load_ms", "", "1", "\"1\"", "1") "]}]}",
        MODEL "[" FIGURE("load_ms", "", "1", "1e999", "1") "]}]}",
        MODEL
        "[" FIGURE("load_ms", "", "1", "1", "1") "," FIGURE("load_ms", "", "1", "1", "1") "]}]}",
        MODEL "[]}, {\"model\": \"m\", \"type\": \"\", \"device\": \"\", \"settings\": \"\","
              " \"rows\": []}]}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        sandbox_write("x.json", files[i]);
        assert_refused("$DUET bench $HOME/x.json", "x.json: not what duet bench --json writes");
    }
    assert_refused("$DUET bench --compare $HOME/x.json", "not what duet bench --json writes");
    assert_refused("$DUET bench $HOME/none.json", "No such file");
    assert_refused("$DUET bench $HOME", "not a file");
    assert_refused("mkfifo $HOME/pipe; $DUET bench $HOME/pipe", "not a file");
    assert_refused("truncate -s 1G $HOME/large; $DUET bench $HOME/large", "too large");
    assert_refused("head -c 3000000 /dev/zero | tr '\\0' '[' >$HOME/deep;"
                   "$DUET bench $HOME/deep",
                   "not what duet bench --json writes");
#undef MODEL
#undef START
}

static void wrong_options_are_refused(void **state)
{
    static const struct {
        const char *line, *part;
    } rows[] = {
        {"$DUET bench --prompts 1,x", "--prompts: not"},
        {"$DUET bench --prompts ''", "--prompts: not"},
        {"$DUET bench --prompts 1,", "--prompts: not"},
        {"$DUET bench --prompts 99999999999999999999", "--prompts: not"},
        {"$DUET bench --contexts 0", "--contexts: not"},
        {"$DUET bench --contexts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "--contexts: not"},
        {"$DUET bench --batch 257", "--batch: not"},
        {"$DUET bench --json --csv", "one of them at a time"},
        {"$DUET bench a b", "unexpected argument b"},
        {"$DUET bench --generate 1", "--generate"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_refused(rows[i].line, rows[i].part);
}

int test_bench(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_figure_is_measured),
        TEST(without_a_name_both_demo_models_are_measured),
        TEST(one_bad_model_stops_no_other),
        TEST(an_interrupt_prints_what_was_measured),
        TEST(names_are_inert_in_every_form),
        TEST(changes_are_told_from_noise),
        TEST(runs_without_a_common_figure_are_refused),
        TEST(strange_files_are_refused),
        TEST(wrong_options_are_refused),
    };
    return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
