/*
 * main.c - every group of tests of storage/.
 */
#include "place.h"

int main(void)
{
    int failures = 0;

    failures += test_parts();
    failures += test_message();
    failures += test_conversation();
    failures += test_search();
    failures += test_schema();
    failures += test_file();
    failures += test_share();
    failures += test_crash();
    failures += test_power();
    failures += test_damage();
    failures += test_recover();
    return failures != 0;
}
