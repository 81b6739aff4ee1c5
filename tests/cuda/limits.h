/* limits.h - tests of what happens when the device's memory, or the device, is not what it was. */
#ifndef TESTS_CUDA_LIMITS_H
#define TESTS_CUDA_LIMITS_H

void short_memory_is_said(void);
void nothing_is_taken_once_open(void);

/* The device cannot be used by this process afterwards. */
void a_lost_device_is_said(void);

#endif
