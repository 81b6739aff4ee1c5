/* door.h - the CUDA backend, as backend.c sees it. */
#ifndef ENGINE_CUDA_DOOR_H
#define ENGINE_CUDA_DOOR_H

#include "backend.h"

/* Opens the first device there is. 0, or -1 with err set: no driver or an old one, no device or one
 * that this build has no code for, too little memory. Nothing is left behind then. */
int cuda_open(struct backend **out, const struct model *m, const struct backend_options *opt,
              char *err, size_t errlen);

/* Whether there is a device that this build can use. Nothing is left behind. */
bool cuda_usable(void);

#endif
