/* app_bench.h - the group of tests of that name. */
#ifndef TESTS_CUDA_APP_BENCH_H
#define TESTS_CUDA_APP_BENCH_H

int test_bench_on_stub(void); /* the number of its failures */

#endif
