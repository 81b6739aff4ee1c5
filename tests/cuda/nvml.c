/* nvml.c - an NVML for the stub's machine: two GPUs, of which the second is the stub's. The program
 * under test loads it in place of the driver's. */
#include <string.h>

enum { OK = 0, NOT_FOUND = 6 };

struct memory {
    unsigned long long total, free, used;
};

struct rates {
    unsigned gpu, memory;
};

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **out);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out);
int nvmlDeviceGetIndex(void *device, unsigned *out);
int nvmlDeviceGetMemoryInfo(void *device, struct memory *out);
int nvmlDeviceGetUtilizationRates(void *device, struct rates *out);

static char devices[2];

int nvmlInit_v2(void)
{
    return OK;
}

int nvmlShutdown(void)
{
    return OK;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **out)
{
    *out = &devices[1];
    return strcmp(address, "00000000:00:00.0") == 0 ? OK : NOT_FOUND;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out)
{
    if (index > 1)
        return NOT_FOUND;
    *out = &devices[index];
    return OK;
}

int nvmlDeviceGetIndex(void *device, unsigned *out)
{
    *out = device == &devices[1];
    return OK;
}

/* Another program's gigabyte, and from the second look on two more. */
int nvmlDeviceGetMemoryInfo(void *device, struct memory *out)
{
    static int n_looks;
    out->used = device == &devices[0] ? 0 : n_looks++ == 0 ? 1000000000 : 3000000000;
    return OK;
}

int nvmlDeviceGetUtilizationRates(void *device, struct rates *out)
{
    out->gpu = device == &devices[1] ? 87 : 0;
    return OK;
}
