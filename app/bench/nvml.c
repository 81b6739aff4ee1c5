/* nvml.c - see nvml.h. The declarations are ours, after NVML's documented interface: handles are
 * opaque, results are 0 for success, and only the functions in use are declared. */
#include "app/bench/nvml.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "app/mem.h"

typedef void *nvml_device;

struct nvml_memory {
    unsigned long long total, free, used;
};

struct nvml_rates {
    unsigned gpu, memory; /* percent */
};

struct nvml {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    int (*by_address)(const char *address, nvml_device *out);
    int (*by_index)(unsigned index, nvml_device *out);
    int (*index_of)(nvml_device device, unsigned *out);
    int (*memory)(nvml_device device, struct nvml_memory *out);
    int (*rates)(nvml_device device, struct nvml_rates *out);
};

/* Converts a function's address through memory: ISO C has no cast for it. */
static bool find_symbol(void *library, const char *name, void *function_out)
{
    void *symbol = dlsym(library, name);
    memcpy(function_out, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_symbols(struct nvml *n)
{
    return find_symbol(n->library, "nvmlInit_v2", &n->init) &&
           find_symbol(n->library, "nvmlShutdown", &n->shutdown) &&
           find_symbol(n->library, "nvmlDeviceGetHandleByPciBusId_v2", &n->by_address) &&
           find_symbol(n->library, "nvmlDeviceGetHandleByIndex_v2", &n->by_index) &&
           find_symbol(n->library, "nvmlDeviceGetIndex", &n->index_of) &&
           find_symbol(n->library, "nvmlDeviceGetMemoryInfo", &n->memory) &&
           find_symbol(n->library, "nvmlDeviceGetUtilizationRates", &n->rates);
}

struct nvml *nvml_open(void)
{
    struct nvml *n = mem_alloc(sizeof *n);
    n->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (n->library && find_symbols(n) && n->init() == 0)
        return n;
    if (n->library)
        dlclose(n->library);
    free(n);
    return NULL;
}

void nvml_close(struct nvml *n)
{
    if (!n)
        return;
    n->shutdown();
    dlclose(n->library);
    free(n);
}

int nvml_find(struct nvml *n, const char *bus_address)
{
    nvml_device device;
    unsigned index;
    if (!n || n->by_address(bus_address, &device) != 0 || n->index_of(device, &index) != 0)
        return -1;
    return (int)index;
}

bool nvml_memory_used(struct nvml *n, int gpu, uint64_t *bytes)
{
    nvml_device device;
    struct nvml_memory memory;
    if (!n || gpu < 0 || n->by_index((unsigned)gpu, &device) != 0 ||
        n->memory(device, &memory) != 0)
        return false;
    *bytes = memory.used;
    return true;
}

bool nvml_utilization(struct nvml *n, int gpu, double *share)
{
    nvml_device device;
    struct nvml_rates rates;
    if (!n || gpu < 0 || n->by_index((unsigned)gpu, &device) != 0 || n->rates(device, &rates) != 0)
        return false;
    *share = rates.gpu / 100.0;
    return true;
}
