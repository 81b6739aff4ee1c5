/* caches.h - finds the models that other programs have downloaded, to be used in place.
 *
 * Looks into the cache of Hugging Face's tools, the blobs of ollama (through its manifests), the
 * cache of llama.cpp and the folder of LM Studio, each where its own environment variable says.
 * Only folders whose names begin like one of our releases are searched, so that large caches
 * cost nothing. */
#ifndef APP_MODELS_CACHES_H
#define APP_MODELS_CACHES_H

#include "app/models/models.h"

/* path: of a GGUF file or of a release's folder; stem: "Llama-3.2-1B-Instruct-Q8_0". Both live
 * until the call returns. */
typedef void (*caches_found)(void *ud, enum model_place place, const char *path, const char *stem);

void caches_list(caches_found found, void *ud);

#endif
