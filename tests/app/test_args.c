/* test_args.c - command lines: what is understood, and what is refused in which words. */
#include "tests/app/tests.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/options.h"

struct parsed {
    struct options o;
    struct args_rest rest;
    int status;
};

enum { MAX_ARGS = 16 };

/* Parses words separated by '|'. */
static struct parsed *parse(const char *line)
{
    static struct parsed p;
    static char copy[512], *argv[MAX_ARGS + 1];
    int argc = 0;

    snprintf(copy, sizeof copy, "duet|%s", line);
    for (char *at = copy; at && argc < MAX_ARGS;)
        argv[argc++] = strsep(&at, "|");
    options_init(&p.o);
    p.status = args_parse(&options_table, argc, argv, &p.o, &p.rest);
    return &p;
}

static void done(struct parsed *p)
{
    free(p->rest.words);
    free(p->rest.used);
}

static void assert_refused(const char *line, const char *message)
{
    struct parsed *p = parse(line);
    assert_int_equal(p->status, -1);
    assert_string_equal(p->rest.error, message);
    done(p);
}

static void options_take_their_values(void **state)
{
    (void)state;
    struct parsed *p = parse("-m|llama|--temp=0.5|-n|20|--seed|9007199254740991|--top-k|0|-qR|-c");
    assert_int_equal(p->status, 0);
    assert_string_equal(p->o.model, "llama");
    assert_true(p->o.temperature == 0.5);
    assert_int_equal(p->o.max_tokens, 20);
    assert_int_equal(p->o.seed, 9007199254740991);
    assert_int_equal(p->o.top_k, 0);
    assert_true(p->o.quiet && p->o.hide_reasoning && p->o.resume);
    assert_true(isnan(p->o.top_p));
    done(p);
    p = parse("-q|--quiet=off|--plain=on");
    assert_int_equal(p->status, 0);
    assert_true(!p->o.quiet && p->o.plain);
    assert_int_equal(p->rest.n_words, 0);
    done(p);
    p = parse("--ctx=32k|-n|4K|--reasoning-budget|0k"); /* of tokens alone */
    assert_int_equal(p->status, 0);
    assert_int_equal(p->o.n_ctx, 32768);
    assert_int_equal(p->o.max_tokens, 4096);
    assert_int_equal(p->o.reasoning_budget, 0);
    done(p);
    assert_refused("--threads=1k", "--threads: not a whole number (got 1k, limit 1 to 1024)");
    p = parse("--date|2024-02-29");
    assert_int_equal(p->status, 0);
    assert_int_equal(p->o.date, 20240229);
    done(p);
    assert_refused("--date=2023-02-29", "--date: not a day like 2024-07-26 (got 2023-02-29)");
    assert_refused("--date=24-7-26", "--date: not a day like 2024-07-26 (got 24-7-26)");
}

static void other_programs_spellings_are_taken(void **state)
{
    (void)state;
    struct parsed *p = parse(
        "--predict|7|--ctx-size|512|--no-save|--hidethinking|--backend|cpu|-sys|be brief|--cid|3|"
        "--kv|q8");
    assert_int_equal(p->status, 0);
    assert_int_equal(p->o.max_tokens, 7);
    assert_int_equal(p->o.n_ctx, 512);
    assert_int_equal(p->o.kv_type, ENGINE_KV_Q8);
    assert_true(p->o.no_log && p->o.hide_reasoning);
    assert_int_equal(p->o.device, ENGINE_DEVICE_CPU);
    assert_string_equal(p->o.system, "be brief");
    assert_string_equal(p->o.session, "3");
    done(p);
    p = parse("--device|GPU|-jf|schema.json|--think=false|--color|always|17 + 25");
    assert_int_equal(p->status, 0);
    assert_int_equal(p->o.device, ENGINE_DEVICE_CUDA);
    assert_string_equal(p->o.schema, "schema.json");
    assert_int_equal(p->o.think, ENGINE_THINK_OFF);
    assert_int_equal(p->o.color, COLOR_ON);
    assert_int_equal(p->rest.n_words, 1);
    done(p);
}

/* Whatever number of them another program would take. */
static void all_layers_or_none_are_on_the_gpu(void **state)
{
    (void)state;
    struct parsed *p = parse("-ngl|99");
    assert_int_equal(p->status, 0);
    assert_int_equal(p->o.device, ENGINE_DEVICE_AUTO);
    done(p);
    p = parse("--gpu-layers=0");
    assert_int_equal(p->status, 0);
    assert_int_equal(p->o.device, ENGINE_DEVICE_CPU);
    done(p);
    assert_refused("-ngl|all", "-ngl: not a whole number (got all, limit 0 to 1000000)");
}

static void what_is_spelt_otherwise_here_is_refused_with_its_name(void **state)
{
    (void)state;
    assert_refused("-m|llama|-s|42", "-s: a seed is --seed N, a system prompt --system TEXT");
    assert_refused("-cnv", "-cnv: duet talks on where no prompt is given; leave it out");
    assert_refused("--flash-attn=on", "--flash-attn: duet chooses what is fastest; leave it out");
    assert_refused("-ctk|q8_0", "-ctk: the KV cache's numbers are --kv-type TYPE");
    assert_refused("-np|4", "-np: answers at a time are --parallel N of duet batch");
    assert_refused("-hf|x/y", "-hf: duet pull gets a model, -m FILE takes one that is there");
    assert_refused("--keepalif", "--keepalif: unknown option (a prompt like this goes after --)");

    struct run r;
    run_shell(&r, "$DUET --format json 17 + 25; $DUET export --format json 7; $DUET ps -v");
    assert_string_equal(
        r.err, "duet: --format: an answer in JSON is --schema FILE, its numbers in JSON --json\n"
               "duet: no conversation 7\n"
               "duet: -v: the numbers of an answer are --verbose, the version is --version\n");
    run_done(&r);
}

/* llama-cli's -c is the size of the context: it must not end as a question in an old
 * conversation. */
static void a_size_after_c_is_no_prompt(void **state)
{
    (void)state;
    assert_refused(
        "-m|llama|-c|4096|hello",
        "-c 4096: -c continues the last conversation, the size of the context is --ctx N "
        "(a prompt like this goes after --)");
    struct parsed *p = parse("-qc|8k");
    assert_int_equal(p->status, -1);
    done(p);
    static const char *const prompts[] = {"-c|42", "-c|2048 is 2^11?", "-c|--|4096", "4096|-c",
                                          "--continue|4096"};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        p = parse(prompts[i]);
        assert_int_equal(p->status, 0);
        assert_true(p->o.resume);
        assert_int_equal(p->rest.n_words, 1);
        done(p);
    }
}

static void words_that_are_no_options_are_the_prompt(void **state)
{
    (void)state;
    struct parsed *p = parse("17|-n5|+|--|-25|--json");
    assert_int_equal(p->status, 0);
    assert_int_equal(p->o.max_tokens, 5);
    assert_false(p->o.json);
    assert_int_equal(p->rest.n_words, 4);
    assert_int_equal(p->rest.n_plain, 2);
    assert_string_equal(p->rest.words[2], "-25");
    done(p);
}

static void a_prompt_may_begin_with_a_minus(void **state)
{
    (void)state;
    struct parsed *p = parse("-p|-5 + 3|-p|--7");
    assert_int_equal(p->status, 0);
    assert_string_equal(p->o.prompt, "--7"); /* the last counts */
    done(p);
}

static void unknown_options_are_refused_with_a_guess(void **state)
{
    (void)state;
    assert_refused("--modle|x", "--modle: unknown option; did you mean --model?");
    assert_refused("--temprature=1", "--temprature: unknown option; did you mean --temperature?");
    assert_refused("--list-key", "--list-key: unknown option (a prompt like this goes after --)");
    assert_refused("--zzzzzzzzzz",
                   "--zzzzzzzzzz: unknown option (a prompt like this goes after --)");
    assert_refused("-qZ", "-qZ: unknown option (a prompt like this goes after --)");
    assert_refused("--cpu=yes", "--cpu: takes no value (got yes)");
    assert_refused("--quiet=maybe", "--quiet: neither on nor off (got maybe)");
}

static void an_option_without_its_value_is_refused(void **state)
{
    (void)state;
    assert_refused("--model", "--model: needs a value, NAME");
    assert_refused("--model|--cpu", "--model: needs a value, NAME");
    assert_refused("-n|-q", "-n: needs a value, N");
    assert_refused("--system|--nothing-of-ours", "--system: needs a value, TEXT");
}

static void numbers_are_whole_and_within_limits(void **state)
{
    (void)state;
    static const char *const not_real[] = {"abc", "nan", "0.5x", "", " 1"};
    static const char *const too_real[] = {"inf", "-1", "1e999", "11"};
    static const char *const not_int[] = {"4m", "", "1.5", "0x10", " 3", "k", "4kk", "4k "};
    static const char *const too_int[] = {"0",   "-1",    "99999999999999999999", "0k",
                                          "-1k", "1025k", "9007199254740993k"};
    char line[128], message[256];

    for (size_t i = 0; i < 5; i++) {
        snprintf(line, sizeof line, "--temp=%s", not_real[i]);
        snprintf(message, sizeof message, "--temp: not a number (got %s, limit 0 to 10)",
                 not_real[i]);
        assert_refused(line, message);
    }
    for (size_t i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "--temp=%s", too_real[i]);
        snprintf(message, sizeof message, "--temp: out of range (got %s, limit 0 to 10)",
                 too_real[i]);
        assert_refused(line, message);
    }
    for (size_t i = 0; i < 8; i++) {
        snprintf(line, sizeof line, "--ctx=%s", not_int[i]);
        snprintf(message, sizeof message, "--ctx: not a whole number (got %s, limit 16 to 1048576)",
                 not_int[i]);
        assert_refused(line, message);
    }
    for (size_t i = 0; i < 7; i++) {
        snprintf(line, sizeof line, "--ctx=%s", too_int[i]);
        snprintf(message, sizeof message, "--ctx: out of range (got %s, limit 16 to 1048576)",
                 too_int[i]);
        assert_refused(line, message);
    }
}

static void options_that_contradict_are_refused(void **state)
{
    (void)state;
    assert_refused("--cpu|--cuda", "--cuda: contradicts --cpu");
    assert_refused("--color|blue", "--color: unknown value (got blue, limit auto on off)");
    struct parsed *p = parse("--cpu|--cpu|--temp|1|--temp|0");
    assert_int_equal(p->status, 0);
    assert_true(p->o.temperature == 0);
    done(p);
}

/* And no verb has two options of one spelling. */
static void every_option_is_in_help_and_completions(void **state)
{
    struct run help, list;
    (void)state;
    for (size_t i = 0; i < options_table.n_options; i++) {
        const struct args_option *o = &options_table.options[i];
        struct args_table table = options_table;
        const char *spelt = o->names, *word;
        table.where = o->where;
        for (size_t len; (word = args_next_word(&spelt, &len));) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)len, word);
            assert_ptr_equal(args_find(&table, name), o);
        }
    }
    run_duet(&help, NULL, 0, "--help", NULL);
    assert_contains(help.out, "  -m, --model NAME");
    assert_null(strstr(help.out, "--greedy"));
    run_done(&help);
    run_duet(&help, NULL, 0, "inspect", "--help", NULL);
    assert_contains(help.out, "--greedy N");
    assert_null(strstr(help.out, "--temp"));
    run_done(&help);
    run_duet(&list, NULL, 0, "--list-options", NULL);
    assert_contains(list.out, "verb\tinspect\tmodel|tokens|prompt|logits\t");
    assert_contains(list.out, "chat,batch,inspect,bench,eval\t-m --model\tNAME\t");
    run_done(&list);
}

static void help_fits_80_columns(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "for verb in chat log search export import rm batch inspect models ps pull bench "
                  "convert eval; do $DUET $verb --help; done; $DUET --help");
    for (const char *line = r.out; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 80)
            fail_msg("%.*s", (int)strcspn(line, "\n"), line);
    run_done(&r);
}

static void an_option_belongs_to_its_verb(void **state)
{
    struct run r;
    (void)state;
    /* -n is one thing to chat and another to log, wherever the verb stands. */
    run_shell(&r, "$DUET -n 99999999 log; $DUET log -n99999999; $DUET -n 99999999 x");
    assert_int_equal(r.status, 2);
    assert_string_equal(r.err, "duet: -n: out of range (got 99999999, limit 1 to 1048576)\n");
    run_done(&r);
    run_shell(&r, "$DUET -qR 17 + 25 > /dev/null; $DUET --list -q; $DUET chat -l");
    assert_string_equal(r.out, "1\n");
    assert_string_equal(r.err, "duet: --list: not an option of duet chat\n");
    run_done(&r);
    run_duet(&r, NULL, 0, "serve", "prime", NULL);
    assert_int_equal(r.status, 2);
    assert_contains(r.err, "serve: not in this version");
    run_done(&r);
    run_duet(&r, NULL, 0, "models", "--temp", "1", NULL);
    assert_int_equal(r.status, 2);
    assert_string_equal(r.err, "duet: --temp: not an option of duet models\n");
    run_done(&r);
    /* What is advised is of use there. */
    run_shell(&r,
              "$DUET ps --wat; $DUET models --temprature 1; $DUET models --quit; $DUET -Z hello");
    assert_int_equal(r.status, 2);
    assert_string_equal(r.err,
                        "duet: --wat: unknown option (`duet ps --help` lists them)\n"
                        "duet: --temprature: unknown option (`duet models --help` lists them)\n"
                        "duet: --quit: unknown option; did you mean --quiet?\n"
                        "duet: -Z: unknown option (a prompt like this goes after --)\n");
    run_done(&r);
    run_duet(&r, NULL, 0, "inspect", "tokns", NULL);
    assert_int_equal(r.status, 2);
    assert_contains(r.err, "did you mean tokens");
    run_done(&r);
}

static void version_and_help_need_no_home(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "HOME=/nonexistent $DUET --version && env -i $DUET --help | head -3 && "
                  "env -i $DUET --dirs");
    assert_int_equal(r.status, 0);
    assert_int_equal(strncmp(r.out, "duet ", 5), 0);
    assert_contains(r.out, "usage: duet");
    assert_contains(r.out, "history\t-\n");
    run_done(&r);
    run_shell(&r, "$DUET --dirs; ls -A $HOME; XDG_DATA_HOME=relative $DUET --dirs");
    assert_contains(r.out, "/.local/share/duet/chat.db\n");
    assert_null(strstr(r.out, "relative"));
    assert_null(strstr(r.out, "\n.local\n")); /* nothing was made */
    run_done(&r);
}

int test_args(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_take_their_values),
        cmocka_unit_test(other_programs_spellings_are_taken),
        cmocka_unit_test(all_layers_or_none_are_on_the_gpu),
        TEST(what_is_spelt_otherwise_here_is_refused_with_its_name),
        cmocka_unit_test(a_size_after_c_is_no_prompt),
        cmocka_unit_test(words_that_are_no_options_are_the_prompt),
        cmocka_unit_test(a_prompt_may_begin_with_a_minus),
        cmocka_unit_test(unknown_options_are_refused_with_a_guess),
        cmocka_unit_test(an_option_without_its_value_is_refused),
        cmocka_unit_test(numbers_are_whole_and_within_limits),
        cmocka_unit_test(options_that_contradict_are_refused),
        TEST(every_option_is_in_help_and_completions),
        TEST(help_fits_80_columns),
        TEST(an_option_belongs_to_its_verb),
        TEST(version_and_help_need_no_home),
    };
    return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
