/* main.c - runs every group of the app's tests, or those that are named, or every Nth from the Kth
 * on (K/N), so that others can be run beside: they mostly wait for programs. */
#include "tests/app/tests.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct choice {
    char **names; /* NULL-terminated; none: all */
    int first, step, n_groups;
    int failures;
};

static void group(struct choice *c, const char *name, int (*run)(void))
{
    bool wanted = !c->names[0] && c->n_groups++ % c->step == c->first - 1;
    for (int i = 0; c->names[i]; i++)
        wanted = wanted || strcmp(c->names[i], name) == 0;
    if (wanted)
        c->failures += run();
}

int main(int argc, char **argv)
{
    struct choice c = {.names = argv + (argc > 0), .first = 1, .step = 1};
    if (argc == 2 && sscanf(argv[1], "%d/%d", &c.first, &c.step) == 2)
        c.names++;
    if (c.first < 1 || c.step < c.first)
        return 2;

    group(&c, "args", test_args);
    group(&c, "str", test_str);
    group(&c, "config", test_config);
    group(&c, "copy", test_copy);
    group(&c, "terminals", test_terminals);
    group(&c, "speech", test_speech);
    group(&c, "wrap", test_wrap);
    group(&c, "commands", test_commands);
    group(&c, "history", test_history);
    group(&c, "tree", test_tree);
    group(&c, "branch", test_branch);
    group(&c, "tokens", test_tokens);
    group(&c, "compact", test_compact);
    group(&c, "pipe", test_pipe);
    group(&c, "rewrite", test_rewrite);
    group(&c, "batch", test_batch);
    group(&c, "grade", test_grade);
    group(&c, "eval", test_eval);
    group(&c, "records", test_records);
    group(&c, "forms", test_forms);
    group(&c, "response-format", test_response_format);
    group(&c, "completion", test_completion);
    group(&c, "manual", test_manual);
    group(&c, "input", test_input);
    group(&c, "inspect", test_inspect);
    group(&c, "bench", test_bench);
    group(&c, "convert", test_convert);
    group(&c, "sums", test_sums);
    group(&c, "screen", test_screen);
    group(&c, "plain", test_plain);
    group(&c, "think", test_think);
    group(&c, "library", test_library);
    group(&c, "writing", test_writing);
    group(&c, "pool", test_pool);
    group(&c, "background", test_background);
    group(&c, "pull", test_pull_verb);
    group(&c, "pull-trust", test_pull_trust);
    group(&c, "pull-screen", test_pull_screen);
    group(&c, "models", test_models);
    return c.failures != 0;
}
