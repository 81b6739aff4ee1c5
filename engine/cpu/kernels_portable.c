/* kernels_portable.c - kernels.inc for any machine. */
#include "cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "batch.h"

#define KERNELS kernels_portable
#include "cpu/simd_portable.h"
#include "cpu/kernels.inc"
