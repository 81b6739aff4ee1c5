/* main.c - `make bench-switch ARGS="MODEL MODEL [TOKENS]"`: how long it takes on the real screen
 * from Enter behind /model until it shows that the other model answers, both being in memory; and
 * how much of a conversation the second one, which should not think, finds in its cache after that.
 * With TOKENS a conversation of about so many is there before, and nothing is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/app/tests.h"

enum { SWITCHES = 40, LIMIT_MS = 60000 };

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

/* The same until the status line shows the model, as what scrolls is not always written anew. */
static double use(struct term *t, const char *model)
{
    const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model;
    int len = (int)strlen(name) - (strstr(name, ".gguf") ? 5 : 0);
    char line[4200], status[280];
    snprintf(line, sizeof line, "/model %s", model);
    snprintf(status, sizeof status, "\n  %.*s \u00b7 ", len, name);
    term_type(t, line);
    term_read(t, 150);
    double start = now_ms();
    term_type(t, "\r");
    do
        term_read(t, 1);
    while (!strstr(term_screen(t), status) && now_ms() - start < LIMIT_MS);
    if (!strstr(term_screen(t), status))
        fail_msg("no \"%s\" on the screen:\n%s", status, term_screen(t));
    return now_ms() - start;
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

static void ask(struct term *t, const char *question, const char *what)
{
    enter(t, question, "first after");
    enter(t, "/stats", "tokens_per_second");
    print_counts(t, what);
}

static const char *models[2];
static int n_tokens; /* of the conversation there is */

/* Exchanges of some 200 tokens each, as duet's own JSON; its number is 1. */
static void import_conversation(void)
{
    enum { EACH = 200 };
    char path[512];
    struct run r;
    sandbox_path("long.json", path, sizeof path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "{\"duet\": 1, \"title\": \"long\", \"messages\": [");
    for (int i = 0; i < 2 * n_tokens / EACH; i++) {
        fprintf(f,
                "%s{\"id\": %d, \"parent\": %d, \"role\": \"%s\", \"state\": \"complete\", "
                "\"content\": \"",
                i ? ", " : "", i + 1, i, i % 2 ? "assistant" : "user");
        for (int k = 0; k < 4; k++)
            fprintf(f,
                    "A box holds %d eggs, so %d boxes of them hold $%d \\\\times %d = %d$ eggs in "
                    "all. ",
                    i + 2, k + 7, i + 2, k + 7, (i + 2) * (k + 7));
        fprintf(f, "\"}");
    }
    fprintf(f, "]}");
    fclose(f);
    run_duet(&r, NULL, 0, "import", path, NULL);
    if (r.status != 0)
        fail_msg("%s", r.err);
    run_done(&r);
}

static struct term *start(void)
{
    char context[32];
    if (n_tokens == 0)
        return term_start(24, 80, "-m", models[1], "--temp", "0", "-n", "16", NULL);
    import_conversation();
    snprintf(context, sizeof context, "%d", n_tokens + n_tokens / 2);
    return term_start(24, 80, "-m", models[1], "--continue", "--ctx", context, NULL);
}

static void measure(void **state)
{
    double ms[SWITCHES];
    (void)state;
    struct term *t = start();
    if (!term_wait(t, " tokens (", LIMIT_MS))
        fail_msg("%s", term_screen(t));
    if (n_tokens == 0)
        ask(t, "What is 15% of 240, and how many eggs are in 7 boxes of 12?", "first question");
    use(t, models[0]);
    for (int i = 0; i < SWITCHES; i++)
        ms[i] = use(t, models[i % 2]);
    qsort(ms, SWITCHES, sizeof *ms, by_value);
    printf("switch, %d times: median %.1f ms, most %.1f ms\n", SWITCHES, ms[SWITCHES / 2],
           ms[SWITCHES - 1]);
    if (n_tokens == 0)
        ask(t, "And half of it?", "next question, back again");
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
    n_tokens = argc > 3 ? atoi(argv[3]) : 0;
    return cmocka_run_group_tests_name("switching", tests, NULL, NULL);
}
