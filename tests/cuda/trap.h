/* trap.h - a kernel that ends in an error which the device does not get over. */
#ifndef TESTS_CUDA_TRAP_H
#define TESTS_CUDA_TRAP_H

#ifdef __cplusplus
extern "C" {
#endif

void trap_device(void);

#ifdef __cplusplus
}
#endif

#endif
