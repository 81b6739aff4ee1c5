/* pool.h - the models in memory. A model that is asked for is opened beside those that are
 * loaded; if memory is short, the least recently used ones are unloaded first, but never one that
 * is answering. If a GPU has no room for it, the model goes to the CPU. Statuses are 0 or an exit
 * status (exit.h), with one line in err. */
#ifndef APP_MODELS_POOL_H
#define APP_MODELS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/background.h"
#include "app/models/models.h"
#include "app/options.h"
#include "app/paths.h"
#include "app/str.h"
#include "engine/engine.h"

enum { POOL_MODELS = 8 };

/* On which device a model goes. */
enum pool_device {
    POOL_ANY_DEVICE, /* as the options have it; where a GPU has no room left, on the CPU */
    POOL_CPU,
    POOL_GPU, /* there and nowhere else */
};

struct pool_model {
    struct model_file file;
    struct engine *engine; /* NULL: not in memory (evicted, lost, or never opened) */
    bool ready;            /* the weights are loaded */
    double load_ms;
    char fault[256]; /* why it has failed; "" if it has not */
    int n_lost;      /* how often it was lost since its last good answer */
    bool on_cpu;     /* though the options want the GPU: it has no room, or has failed too often */
    enum pool_device where;
    bool answering;
    double used_ms;  /* of clock_ms(): when it was used last */
    uint64_t serial; /* of the engine, never reused: counts made with it hold for it alone */
};

struct model_pool {
    const struct options *options;
    const struct paths *paths;
    struct background background; /* what to do while a model is opened; {0}: nothing */
    struct pool_model models[POOL_MODELS];
    size_t n;
    uint64_t n_opened;
    struct str note;   /* lines for the user about models unloaded to make room */
    uint64_t revision; /* grows with each change of what is in memory, or of what it does */
};

void model_pool_init(struct model_pool *p, const struct options *options,
                     const struct paths *paths);
void model_pool_done(struct model_pool *p);

/* The model of this name, as typed in a chat, in memory or not; NULL: the options' or the default
 * one. `keep` (or NULL)
 * keeps its place. */
int model_pool_find(struct model_pool *p, const char *name, const struct pool_model *keep,
                    struct pool_model **out, char *err, size_t errlen);

/* Loads a model unless it is in memory. A lost one returns to its device, but to the CPU once the
 * GPU has failed it twice or cannot be opened any more; a model that does not fit the GPU goes to
 * the CPU too, unless the GPU was asked for. */
int model_pool_open(struct model_pool *p, struct pool_model *m, char *err, size_t errlen);

/* Moves a model to a device; if that is impossible it stays where it was. Not while it is
 * answering. */
int model_pool_move(struct model_pool *p, struct pool_model *m, enum pool_device where, char *err,
                    size_t errlen);

/* Whether models go to a GPU by default. */
bool model_pool_has_gpu(const struct model_pool *p);

/* Unloads a model. */
void model_pool_close(struct model_pool *p, struct pool_model *m);

/* Records what happens to a model: it is loaded; it begins an answer; it ends one. */
void model_pool_ready(struct model_pool *p, struct pool_model *m, double load_ms);
void model_pool_answer(struct model_pool *p, struct pool_model *m, bool answering);

/* Moves the lines about unloaded models to *out. False: there are none. */
bool model_pool_take_note(struct model_pool *p, struct str *out);

/* Whether the model of this file is in memory, and which. */
bool model_pool_has(const struct model_pool *p, const char *path, bool *on_gpu);

/* 0 where it is not in memory, or NULL. */
uint64_t pool_model_serial(const struct pool_model *m);

#endif
