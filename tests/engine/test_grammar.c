/* test_grammar.c - GBNF, the automaton, and the masks over a vocabulary. */
#include "tests/engine/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/file/gguf.h"
#include "engine/grammar/masker.h"
#include "engine/grammar/trie.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/accept.h"
#include "tests/engine/build_vocab.h"

/* Grammars and texts */

static void gbnf_means_what_it_says(void **state)
{
    static const struct {
        const char *grammar, *yes[4], *no[4];
    } rows[] = {
        {"root ::= \"a\"", {"a"}, {"", "aa", "b"}},
        {"root ::= \"a\" | \"b\"\n     | \"c\"", {"a", "b", "c"}, {"d", "ab"}},
        {"root ::= (\n \"a\"\n \"b\" # why\n )+\n", {"ab", "abab"}, {"", "aba"}},
        {"root ::= x y?\nx ::= \"1\"\ny ::= \"2\"", {"1", "12"}, {"2", "11"}},
        {"root ::= [a-c]{2,3}", {"ab", "cba"}, {"a", "abca", "ad"}},
        {"root ::= [a-c]{2,}", {"ab", "abcabcabc"}, {"a", "abd"}},
        {"root ::= [a-c]{,2}", {"", "ab"}, {"abc"}},
        {"root ::= [a-c]{7}", {"abcabca"}, {"abcabc", "abcabcab"}},
        {"root ::= ([a-c]\"-\"){5,6}", {"a-b-c-a-b-", "a-b-c-a-b-c-"}, {"a-b-c-a-", "a-b-"}},
        {"root ::= [^a\\n]*", {"", "bcd\xc3\xa9"}, {"a", "b\n", "\xff"}},
        {"root ::= [\\]\\-^x]+", {"]-^x"}, {"a", "\\"}},
        {"root ::= [\\u00e9-\\u00eb\\U0001F600]", {"\xc3\xaa", "\xf0\x9f\x98\x80"}, {"\xc3\xac"}},
        {"root ::= .", {"a", "\xf0\x9f\x98\x80", "\n"}, {"", "ab", "\x80"}},
        {"root ::= \"\\x41\\t\\\"\\\\\"", {"A\t\"\\"}, {"A"}},
        {"root ::= \"(\" root \")\" | \"\"", {"", "()", "((()))"}, {"(", "())"}},
        {"root ::= \"a\" root | \"a\"", {"a", "aaaa"}, {"", "b"}},
        {"root ::= (\"\" | \"a\")*", {"", "aaa"}, {"b"}},
        {"root ::= (\"a\"?){9}", {"", "aaaaaaaaa"}, {"aaaaaaaaaa"}},
        {"root ::= \"a\"* \"a\"* \"a\"*", {"", "aaaa"}, {"b"}},
        {"root ::= a-b_C1\na-b_C1 ::= \"x\"", {"x"}, {""}},
        {"root ::=\n  \"x\"\n", {"x"}, {""}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct accept a;
        char err[256];
        if (accept_gbnf(&a, rows[i].grammar, err, sizeof err) != 0)
            fail_msg("%s: %s", rows[i].grammar, err);
        for (int k = 0; k < 4; k++) {
            if (rows[i].yes[k] && !accepts(&a, rows[i].yes[k], strlen(rows[i].yes[k])))
                fail_msg("%s does not take %s", rows[i].grammar, rows[i].yes[k]);
            if (rows[i].no[k] && accepts(&a, rows[i].no[k], strlen(rows[i].no[k])))
                fail_msg("%s takes %s", rows[i].grammar, rows[i].no[k]);
        }
        accept_done(&a);
    }
}

static void errors_give_line_and_column(void **state)
{
    static const struct {
        const char *grammar, *message;
    } rows[] = {
        {"", "line 1, column 1: root: no such rule"},
        {"a ::= \"b\"", "line 1, column 10: root: no such rule"},
        {"root ::= a\n", "line 1, column 10: a: no such rule"},
        {"root ::= \"a\nb\"", "line 1, column 10: the text has no end"},
        {"root ::= [a", "line 1, column 10: the class has no end"},
        {"root ::= []", "line 1, column 10: a class without characters"},
        {"root ::= [b-a]", "line 1, column 11: a range that ends before it begins"},
        {"root ::= (\"a\"", "line 1, column 10: the group has no \")\""},
        {"root ::= \"a\")", "line 1, column 13: a \")\" without its \"(\""},
        {"root = \"a\"", "line 1, column 6: \"::=\" is missing"},
        {"root ::= \"a\"\n\xc3\xa9 ::= \"b\"", "line 2, column 1: a rule's name is missing"},
        {"root ::= \"\\q\"", "line 1, column 11: no such escape"},
        {"root ::= \"\\u12\"", "line 1, column 11: 4 hexadecimal digits are needed"},
        {"root ::= \"\\uD800\"", "line 1, column 11: no such character"},
        {"root ::= \"a\"{", "line 1, column 14: a number is missing"},
        {"root ::= \"a\"{2,1}", "line 1, column 13: a maximum below the minimum"},
        {"root ::= \"a\"{99999999999}", "line 1, column 14: too many times"},
        {"root ::= \"a\"\nroot ::= \"b\"", "line 2, column 1: root: defined twice"},
        {"root ::= *", "line 1, column 10: a rule's name is missing"},
        {"root ::= \"\xff\"", "line 1, column 11: not UTF-8"},
        {"root ::= a \"x\" | \"y\"\na ::= \"\" root",
         "root: refers to itself before anything is read"},
        {"root ::= \"x\" a\na ::= b \"y\"\nb ::= c | a\nc ::= \"z\"", "a: refers to itself"},
        {"root ::= (\"a\"? root)", "nothing that it allows can ever end"},
        {"root ::= (\"a\"?){99999}", "a repetition, so many times, of what may be empty"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct accept a;
        char err[256] = "";
        if (accept_gbnf(&a, rows[i].grammar, err, sizeof err) == 0)
            fail_msg("%s was taken", rows[i].grammar);
        if (strncmp(err, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("%s: %s, not %s", rows[i].grammar, err, rows[i].message);
    }
}

/* An ambiguous grammar, and one whose states would be 2^n, cost time and memory for their size. */
static void ambiguity_is_bounded(void **state)
{
    static const char *const grammars[] = {
        "root ::= \"a\" root root | \"a\" root | \"a\"",
        "root ::= \"a\" x root | \"a\" y root | \"a\"\nx ::= \"a\" | \"b\"\ny ::= \"a\" | \"b\"",
        "root ::= (\"a\" | \"aa\" | \"aaa\")+",
        "root ::= (((\"a\"{1,50}){1,50}){1,50}){1,50}",
        "root ::= [ab]* \"a\" [ab]{30}",
    };
    char text[999];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof grammars / sizeof *grammars; i++) {
        struct accept a;
        char err[256];
        assert_int_equal(accept_gbnf(&a, grammars[i], err, sizeof err), 0);
        if (!accepts(&a, text, 333))
            fail_msg("%s", grammars[i]);
        accepts(&a, text, sizeof text);
        accept_done(&a);
    }
}

/* Forgetting states changes no verdict. */
static void flushing_forgets_nothing_that_counts(void **state)
{
    static const char text[] = "[[\"ab\",[]],[[[\"x\"]]],\"\"]";
    struct accept a;
    char err[256];
    (void)state;
    assert_int_equal(
        accept_gbnf(
            &a, "root ::= \"[\" (v (\",\" v)*)? \"]\"\nv ::= root | \"\\\"\" [a-z]{0,9} \"\\\"\"",
            err, sizeof err),
        0);
    int32_t now = machine_start(a.machine), begin = now;
    for (size_t i = 0; text[i]; i++) {
        int32_t dead = MACHINE_DEAD, *all[] = {&now, &begin, &dead};
        now = machine_step(a.machine, now, (uint8_t)text[i]);
        assert_true(now >= 0);
        machine_flush(a.machine, all, 3);
        assert_int_equal(dead, MACHINE_DEAD);
        assert_true(machine_step(a.machine, begin, '[') >= 0);
        assert_int_equal(machine_step(a.machine, begin, ']'), MACHINE_DEAD);
    }
    assert_true(machine_is_over(a.machine, now));
    accept_done(&a);
}

/* Masks */

struct masks {
    struct tokenizer *tokens;
    struct trie *trie;
    struct accept accept;
    struct masker *masker;
    uint32_t *mask;
};

static void masks_open(struct masks *m, struct tokenizer *tokens, const char *schema)
{
    char err[256] = "";
    *m = (struct masks){.tokens = tokens};
    if (accept_schema(&m->accept, schema, err, sizeof err) != 0)
        fail_msg("%s: %s", schema, err);
    assert_int_equal(trie_open(&m->trie, tokens), 0);
    assert_int_equal(masker_open(&m->masker, grammar_program(m->accept.grammar), tokens, m->trie),
                     0);
    m->mask = calloc(trie_mask_words(tok_info(tokens)->n_vocab), sizeof *m->mask);
}

static void masks_close(struct masks *m)
{
    masker_close(m->masker);
    accept_done(&m->accept);
    trie_close(m->trie);
    free(m->mask);
}

/* What the automaton itself says of each token, one by one. */
static bool fits(struct masks *m, const char *text, int32_t id, bool *ends_out)
{
    size_t len;
    const char *bytes = tok_bytes(m->tokens, id, &len);
    int32_t at = machine_start(m->accept.machine);
    for (const char *s = text; *s; s++)
        at = machine_step(m->accept.machine, at, (uint8_t)*s);
    *ends_out = machine_ends(m->accept.machine, at);
    for (size_t i = 0; i < len; i++)
        at = machine_step(m->accept.machine, at, (uint8_t)bytes[i]);
    return at >= 0;
}

/* After each beginning of a text, the mask is what the automaton says; every `step`-th token. */
static void compare_masks(struct masks *m, const char *text, int step)
{
    int32_t state;
    assert_int_equal(masker_join(m->masker, &state), 0);
    for (size_t n = 0; n <= strlen(text); n++) {
        char begun[256];
        snprintf(begun, sizeof begun, "%.*s", (int)n, text);
        bool any = masker_fill(m->masker, &state, m->mask);
        for (int32_t id = 0; id < tok_info(m->tokens)->n_vocab; id += step) {
            enum tok_type type = tok_type(m->tokens, id);
            bool ends, expected = fits(m, begun, id, &ends);
            if (tok_is_end(m->tokens, id))
                expected = ends;
            else if (type != TOK_NORMAL && type != TOK_BYTE)
                continue;
            bool is = m->mask[id / 32] >> id % 32 & 1;
            if (is != expected)
                fail_msg("after %s token %d is %d", begun, id, is);
            any = any || is;
        }
        assert_true(any);
        if (text[n])
            assert_true(masker_accept(m->masker, &state, text + n, 1));
    }
    masker_leave(m->masker, &state);
}

static const struct {
    const char *schema, *text;
} masked[] = {
    {"{\"type\": \"string\"}", "\"a\\u00e9x\""},
    {"{\"type\": \"string\", \"maxLength\": 6}", "\"abcde\""},
    {"{\"type\": \"string\", \"minLength\": 5, \"maxLength\": 200}", "\"\\n23456\""},
    {"{\"type\": \"string\", \"pattern\": \"^[a-z ]{5,9}[a-z0-9]+$\"}", "\"ab cde9f\""},
    {"{\"type\": \"string\", \"pattern\": \"^[^x]*x[^y]{0,5}$\"}", "\"abxcd\""},
    {"{\"type\": \"array\", \"items\": {\"type\": \"integer\", \"minimum\": -5, \"maximum\": 120}}",
     "[1, -3,\n  120]"},
    {"{\"properties\": {\"name\": {\"type\": \"string\"}, \"age\": {\"type\": \"number\"}},"
     "\"required\": [\"name\"], \"additionalProperties\": {\"enum\": [\"\xc3\xa9t\xc3\xa9\", 1]}}",
     "{\"name\": \"Al\", \"names\":1}"},
    {"{}", "[{\"a\":[1.5e3,null]}]"},
};

static void masks_are_what_the_automaton_says(void **state)
{
    struct tokenizer *t = build_tokenizer("qwen2");
    (void)state;
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        struct masks m;
        masks_open(&m, t, masked[i].schema);
        compare_masks(&m, masked[i].text, 1);
        compare_masks(&m, masked[i].text, 1); /* from what was kept */
        masks_close(&m);
    }
    tok_close(t);
}

static void masks_of_a_real_vocabulary_too(void **state)
{
    char path[1024], err[256];
    struct gguf *g;
    struct tokenizer *t;
    (void)state;
    fixture_path("vocab/deepseek-r1-distill-qwen-1.5b.vocab.gguf", path, sizeof path);
    assert_int_equal(gguf_open(&g, path, err, sizeof err), 0);
    assert_int_equal(tok_open_gguf(&t, g, err, sizeof err), 0);
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        struct masks m;
        masks_open(&m, t, masked[i].schema);
        compare_masks(&m, masked[i].text, 13);
        masks_close(&m);
    }
    tok_close(t);
    gguf_close(g);
}

/* Text that must come is tokens that need not be sampled; the last is left to the model. */
static void what_must_come_is_known(void **state)
{
    struct tokenizer *t = build_tokenizer("qwen2");
    struct masks m;
    int32_t at;
    char text[64];
    bool over;
    (void)state;
    masks_open(&m, t,
               "{\"properties\": {\"size\": {\"enum\": [\"large\", \"largest\"]}},"
               "\"required\": [\"size\"]}");
    assert_int_equal(masker_join(m.masker, &at), 0);
    assert_int_equal(masker_forced(m.masker, at, text, sizeof text, &over), 1);
    assert_true(masker_accept(m.masker, &at, "{\"", 2));
    size_t n = masker_forced(m.masker, at, text, sizeof text, &over);
    assert_int_equal(n, strlen("size\":"));
    assert_memory_equal(text, "size\":", n);
    assert_int_equal(masker_forced(m.masker, at, text, 3, &over), 3);
    assert_true(masker_accept(m.masker, &at, "size\":\"", 7));
    assert_int_equal(masker_forced(m.masker, at, text, sizeof text, &over), strlen("large"));
    assert_false(over);
    assert_true(masker_accept(m.masker, &at, "largest\"}", 9));
    assert_int_equal(masker_forced(m.masker, at, text, sizeof text, &over), 0);
    assert_true(over);
    masker_leave(m.masker, &at);
    masks_close(&m);
    tok_close(t);
}

int test_grammar(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gbnf_means_what_it_says),
        cmocka_unit_test(errors_give_line_and_column),
        cmocka_unit_test(ambiguity_is_bounded),
        cmocka_unit_test(flushing_forgets_nothing_that_counts),
        cmocka_unit_test(masks_are_what_the_automaton_says),
        cmocka_unit_test(what_must_come_is_known),
        cmocka_unit_test(masks_of_a_real_vocabulary_too),
    };
    return cmocka_run_group_tests_name("grammar", tests, NULL, NULL);
}
