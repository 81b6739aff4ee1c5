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

enum backend_kv_type backend_kv_type_for(const struct model_config *cfg,
                                         enum backend_kv_type wanted)
{
    return wanted == BACKEND_KV_Q8 && cfg->head_dim % 32 != 0 ? BACKEND_KV_F16 : wanted;
}

uint64_t backend_kv_row_bytes(const struct model_config *cfg, enum backend_kv_type type)
{
    static const uint8_t bytes_of_32[] = {
        [BACKEND_KV_F16] = 64, [BACKEND_KV_F32] = 128, [BACKEND_KV_Q8] = 34};

    return (uint64_t)2 * (uint64_t)cfg->n_layer * (uint64_t)cfg->n_head_kv *
           (uint64_t)cfg->head_dim * bytes_of_32[type] / 32;
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
