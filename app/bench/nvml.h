/* nvml.h - GPU memory in use and utilization, as reported by NVIDIA's driver. The library comes
 * with the driver and is opened at run time; without it nothing is reported. */
#ifndef APP_BENCH_NVML_H
#define APP_BENCH_NVML_H

#include <stdbool.h>
#include <stdint.h>

struct nvml;

/* NULL: there is no driver, or one without these functions. */
struct nvml *nvml_open(void);
void nvml_close(struct nvml *n); /* NULL is fine */

/* The number of the GPU with this address on the PCI bus; -1: none. n may be NULL. */
int nvml_find(struct nvml *n, const char *bus_address);

/* Each false if the driver does not report it. Memory: bytes in use by all programs. Utilization:
 * the share of about the last second in which any kernel ran. */
bool nvml_memory_used(struct nvml *n, int gpu, uint64_t *bytes);
bool nvml_utilization(struct nvml *n, int gpu, double *share);

#endif
