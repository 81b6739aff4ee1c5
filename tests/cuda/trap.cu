/* trap.cu - see trap.h. */
#include "tests/cuda/trap.h"

static __global__ void trap(void)
{
    __trap();
}

void trap_device(void)
{
    trap<<<1, 1>>>();
    cudaDeviceSynchronize();
}
