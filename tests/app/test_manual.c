/* test_manual.c - what the program knows, its help and its manual pages say, and nothing else. */
#include "tests/app/tests.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_page(const char *verb)
{
    struct run r;
    char line[256];
    snprintf(line, sizeof line, strcmp(verb, "chat") == 0 ? "cat man/duet.1" : "cat man/duet-%s.1",
             verb);
    run_shell(&r, line);
    if (r.status != 0)
        fail_msg("%s", r.err);
    free(r.err);
    return r.out;
}

/* Whether the text has the word with nothing of a longer one behind it. */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += len)
        if (!isalnum((unsigned char)at[len]) && at[len] != '-')
            return true;
    return false;
}

/* The first long spelling of an option, without its dashes; false: it has none. */
static bool long_name(const char *spellings, char *out, size_t outlen)
{
    const char *at = strstr(spellings, "--");
    if (!at)
        return false;
    snprintf(out, outlen, "%.*s", (int)strcspn(at + 2, " \t"), at + 2);
    return true;
}

struct row {
    char where[256], spellings[256];
};

/* The rows of --list-options that are options. The number of them. */
static int list_options(struct row *rows, int most)
{
    struct run r;
    int n = 0;
    run_shell(&r, "$DUET --list-options");
    for (char *line = strtok(r.out, "\n"); line; line = strtok(NULL, "\n")) {
        assert_int_equal(sscanf(line, "%255[^\t]\t%255[^\t]", rows[n].where, rows[n].spellings), 2);
        if (strcmp(rows[n].where, "verb") != 0)
            n++;
        assert_in_range(n, 0, most - 1);
    }
    run_done(&r);
    return n;
}

enum { MOST = 200 };

/* In the help of its verb, and in its page or, by reference, in duet(1). */
static void every_option_is_documented(void **state)
{
    static struct row rows[MOST];
    int n = list_options(rows, MOST);
    char *general = read_page("chat");
    (void)state;
    for (int i = 0; i < n; i++) {
        char name[64], dashed[80], marked[80];
        if (!long_name(rows[i].spellings, name, sizeof name))
            continue;
        snprintf(dashed, sizeof dashed, "--%s", name);
        snprintf(marked, sizeof marked, "Fl -%s", name);
        for (char *verb = strtok(rows[i].where, ","); verb; verb = strtok(NULL, ",")) {
            struct run help;
            char *page = read_page(verb);
            run_duet(&help, NULL, 0, verb, "--help", NULL);
            if (!has_word(help.out, dashed))
                fail_msg("duet %s --help does not know %s", verb, dashed);
            if (!has_word(page, marked) &&
                !(strstr(page, "Xr duet 1") && has_word(general, marked)))
                fail_msg("the page of duet %s does not know %s", verb, dashed);
            run_done(&help);
            free(page);
        }
    }
    free(general);
}

/* On a line of its own in the synopsis; chat is the one without a name. */
static void every_verb_is_documented(void **state)
{
    struct run list;
    char *page = read_page("chat");
    (void)state;
    run_shell(&list, "$DUET --list-options | awk '$1 == \"verb\" && $2 != \"chat\" { print $2 }'");
    assert_contains(list.out, "eval\n");
    for (char *verb = strtok(list.out, "\n"); verb; verb = strtok(NULL, "\n")) {
        char line[64];
        snprintf(line, sizeof line, ".Nm\n.Cm %s\n", verb);
        assert_contains(page, line);
    }
    run_done(&list);
    free(page);
}

static void nothing_else_is_documented(void **state)
{
    struct run known, told;
    (void)state;
    run_shell(&known, "$DUET --list-options | cut -f2");
    run_shell(&told, "grep -ohE 'Fl -[a-z][a-z0-9-]+' man/*.1 | cut -c5- | sort -u");
    for (char *name = strtok(told.out, "\n"); name; name = strtok(NULL, "\n")) {
        char dashed[80];
        snprintf(dashed, sizeof dashed, "-%s", name);
        if (!has_word(known.out, dashed))
            fail_msg("the manual tells of -%s", dashed);
    }
    run_done(&known);
    run_done(&told);
}

int test_manual(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_option_is_documented),
        TEST(every_verb_is_documented),
        TEST(nothing_else_is_documented),
    };
    return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
