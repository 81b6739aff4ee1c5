/* backend.c - which device. */
#include "backend.h"

#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"

#ifdef HAVE_CUDA
#include "cuda/door.h"
#else
static int cuda_open(struct backend **out, const struct model *m, const struct backend_options *opt,
                     char *err, size_t errlen)
{
    (void)out, (void)m, (void)opt;
    snprintf(err, errlen, "device: no CUDA backend in this build");
    return -1;
}

static bool cuda_usable(void)
{
    return false;
}
#endif

bool backend_has_gpu(void)
{
    return cuda_usable();
}

int backend_open(struct backend **out, const char *device, const struct model *m,
                 const struct backend_options *opt, char *err, size_t errlen)
{
    if (device && strcmp(device, "cuda") == 0)
        return cuda_open(out, m, opt, err, errlen);
    if (device && strcmp(device, "cpu") != 0) {
        snprintf(err, errlen, "device: unknown (got %s)", device);
        return -1;
    }
    if (!device && cuda_open(out, m, opt, err, errlen) == 0)
        return 0;
    return cpu_open(out, cpu_best_level(), m, opt, err, errlen);
}

void backend_close(struct backend *b)
{
    if (b)
        b->ops->close(b);
}
