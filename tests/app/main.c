/* main.c - runs every group of the app's tests. */
#include "tests/app/tests.h"

int main(void)
{
    int failures = 0;

    failures += test_args();
    failures += test_str();
    failures += test_commands();
    failures += test_history();
    failures += test_pipe();
    failures += test_input();
    failures += test_inspect();
    failures += test_sums();
    failures += test_screen();
    failures += test_plain();
    return failures != 0;
}
