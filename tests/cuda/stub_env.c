/* stub_env.c - the stub's device as the environment wants it, for the whole program on the stub:
 * DUET_STUB="FAIL_AT ONCE", as struct stub has them. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/cuda/stub.h"

__attribute__((constructor)) static void read_environment(void)
{
    const char *text = getenv("DUET_STUB");
    int once = 0;

    stub_reset();
    if (text && sscanf(text, "%ld %d", &stub.fail_at, &once) >= 1)
        stub.once = once != 0;
}
