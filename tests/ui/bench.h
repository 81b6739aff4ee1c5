/*
 * bench.h: see bench.c.
 */
#ifndef TESTS_UI_BENCH_H
#define TESTS_UI_BENCH_H

int bench_run(void); /* the exit status */

#endif
