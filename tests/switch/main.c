/* main.c - `make bench-switch ARGS="MODEL MODEL"`: how long it takes on the real screen from Enter behind
 * /model until it shows that the other model answers, both being in memory; and how much of a conversation
 * the second one, which should not think, finds in its cache after that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/app/tests.h"

enum { SWITCHES = 40, LIMIT_MS = 300000 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Milliseconds from Enter behind the line until the text is written to the terminal. */
static double enter(struct term *t, const char *line, const char *text)
{
    size_t from, len;
    term_type(t, line);
    term_read(t, 150);
    term_bytes(t, &from);
    double start = now_ms();
    term_type(t, "\r");
    do {
        term_read(t, 1);
        const char *bytes = term_bytes(t, &len);
        if (memmem(bytes + from, len - from, text, strlen(text)))
            return now_ms() - start;
    } while (now_ms() - start < LIMIT_MS);
    fail_msg("no \"%s\" on the screen:\n%s", text, term_screen(t));
    return 0;
}

static double use(struct term *t, const char *model)
{
    char line[4200];
    snprintf(line, sizeof line, "/model %s", model);
    return enter(t, line, "answers from");
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What the last /stats says on the screen. */
static void print_counts(struct term *t, const char *what)
{
    static const char *const names[] = {"prompt_tokens", "cached_tokens", "completion_tokens"};
    term_read(t, 100);
    printf("%s:", what);
    for (int i = 0; i < 3; i++) {
        const char *at = NULL, *next = term_screen(t);
        while ((next = strstr(next, names[i])))
            at = next++;
        printf(" %s %d", names[i], at ? atoi(at + strlen(names[i])) : -1);
    }
    printf("\n");
}

static const char *models[2];

static void measure(void **state)
{
    double ms[SWITCHES];
    (void)state;
    struct term *t = term_start(24, 80, "-m", models[1], "--temp", "0", "-n", "16", NULL);
    if (!term_wait(t, " tokens (", LIMIT_MS))
        fail_msg("%s", term_screen(t));
    enter(t, "What is 15% of 240, and how many eggs are in 7 boxes of 12?", "first after");
    enter(t, "/stats", "tokens_per_second");
    print_counts(t, "first question");
    use(t, models[0]);
    for (int i = 0; i < SWITCHES; i++)
        ms[i] = use(t, models[i % 2]);
    qsort(ms, SWITCHES, sizeof *ms, by_value);
    printf("switch, %d times: median %.1f ms, most %.1f ms\n", SWITCHES, ms[SWITCHES / 2],
           ms[SWITCHES - 1]);
    enter(t, "And half of it?", "first after");
    enter(t, "/stats", "tokens_per_second");
    print_counts(t, "next question, back again");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(measure, sandbox_new, sandbox_remove)};
    models[0] = argc > 2 ? argv[1] : "demo-deepseek";
    models[1] = argc > 2 ? argv[2] : "demo-llama";
    return cmocka_run_group_tests_name("switching", tests, NULL, NULL);
}
