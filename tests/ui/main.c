/*
 * main.c: the tests of ui/. `ui.run show` shows the screen instead, `ui.run golden` writes the
 * golden screens anew, `ui.run math` the layouts of formulas; `ui.run bench` measures.
 */
#include "bench.h"
#include "show.h"
#include "tests.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    int failures = 0;

    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return show_run();
    setlocale(LC_ALL, "C.UTF-8");
    unsetenv("COLORTERM");
    unsetenv("COLORFGBG");
    unsetenv("TMUX");
    if (argc > 1 && strcmp(argv[1], "bench") == 0)
        return bench_run();
    if (argc > 1 && strcmp(argv[1], "golden") == 0)
        return golden_write();
    if (argc > 1 && strcmp(argv[1], "math") == 0)
        return math_golden_write();
    failures += test_text();
    failures += test_input();
    failures += test_keymap();
    failures += test_composer();
    failures += test_vi();
    failures += test_block();
    failures += test_extract();
    failures += test_steps();
    failures += test_transcript();
    failures += test_list();
    failures += test_door();
    failures += test_branch();
    failures += test_lookup();
    failures += test_writing();
    failures += test_screen();
    failures += test_theme();
    failures += test_mouse();
    failures += test_hostile();
    failures += test_golden();
    failures += test_math();
    failures += test_math_find();
    failures += test_math_golden();
    return failures != 0;
}
