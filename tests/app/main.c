/* main.c - runs every group of the app's tests, or those that are named. */
#include "tests/app/tests.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(void);
} groups[] = {
    {"args", test_args},         {"str", test_str},         {"config", test_config},
    {"commands", test_commands}, {"history", test_history}, {"tree", test_tree},
    {"branch", test_branch},     {"compact", test_compact}, {"pipe", test_pipe},
    {"batch", test_batch},       {"forms", test_forms},     {"completion", test_completion},
    {"input", test_input},       {"inspect", test_inspect}, {"sums", test_sums},
    {"screen", test_screen},     {"plain", test_plain},
};

int main(int argc, char **argv)
{
    int failures = 0;

    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        bool wanted = argc < 2;
        for (int k = 1; k < argc; k++)
            wanted = wanted || strcmp(argv[k], groups[i].name) == 0;
        if (wanted)
            failures += groups[i].run();
    }
    return failures != 0;
}
