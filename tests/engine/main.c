/* main.c - runs every group of the engine's tests. */
#include "tests/engine/tests.h"

int main(void)
{
    int failures = 0;

    failures += test_quant();
    return failures != 0;
}
