/*
 * main.c: the tests of ui/. `ui.run show` shows the screen instead.
 */
#include "show.h"
#include "tests.h"

#include <locale.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "show") == 0)
        return show_run();
    setlocale(LC_ALL, "C.UTF-8");
    return 0;
}
