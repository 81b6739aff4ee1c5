/* holder.h - the models in memory. A model that is asked for is opened beside those that are
 * loaded; if memory is short, the least recently used ones are unloaded first, but never one that
 * is answering. If a GPU has no room for it, the model goes to the CPU. Statuses are 0 or an exit
 * status (exit.h), with one line in err. */
#ifndef APP_MODELS_HOLDER_H
#define APP_MODELS_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/aside.h"
#include "app/models/models.h"
#include "app/options.h"
#include "app/paths.h"
#include "app/str.h"
#include "engine/engine.h"

enum { HOLDER_MODELS = 8 };

/* On which device a model goes. */
enum held_where {
    HELD_ANYWHERE, /* as the options have it; where a GPU has no room left, on the CPU */
    HELD_CPU,
    HELD_GPU, /* there and nowhere else */
};

struct held {
    struct model_file file;
    struct engine *engine; /* NULL: not in memory (evicted, lost, or never opened) */
    bool ready;            /* the weights are loaded */
    double load_ms;
    char fault[256]; /* why it has failed; "" if it has not */
    int n_lost;      /* how often it was lost since its last good answer */
    bool on_cpu;     /* though the options want the GPU: it has no room, or has failed too often */
    enum held_where where;
    bool answering;
    double used_ms;  /* of clock_ms(): when it was used last */
    uint64_t serial; /* of the engine, never reused: counts made with it hold for it alone */
};

struct holder {
    const struct options *options;
    const struct paths *paths;
    struct aside aside; /* what goes on while a model is opened, {0} at first: nothing */
    struct held models[HOLDER_MODELS];
    size_t n;
    uint64_t n_opened;
    struct str note;   /* what was unloaded to make room: lines for the user */
    uint64_t revision; /* grows with each change of what is in memory, or of what it does */
};

void holder_init(struct holder *h, const struct options *options, const struct paths *paths);
void holder_done(struct holder *h);

/* The model of this name, in memory or not; NULL: the options' or the default one. `keep` (or NULL)
 * keeps its place. */
int holder_find(struct holder *h, const char *name, const struct held *keep, struct held **out,
                char *err, size_t errlen);

/* Loads a model unless it is in memory. A lost one returns to its device, but to the CPU once the
 * GPU has failed it twice or cannot be opened any more; a model that does not fit the GPU goes to
 * the CPU too, unless the GPU was asked for. */
int holder_open(struct holder *h, struct held *m, char *err, size_t errlen);

/* Moves a model to a device; if that is impossible it stays where it was. Not while it is
 * answering. */
int holder_move(struct holder *h, struct held *m, enum held_where where, char *err, size_t errlen);

/* Whether models go to a GPU by default. */
bool holder_has_gpu(const struct holder *h);

/* Unloads a model. */
void holder_close(struct holder *h, struct held *m);

/* Records what happens to a model: it is loaded; it begins an answer; it ends one. */
void holder_ready(struct holder *h, struct held *m, double load_ms);
void holder_answer(struct holder *h, struct held *m, bool answering);

/* Moves the lines about unloaded models to *out. False: there are none. */
bool holder_take_note(struct holder *h, struct str *out);

/* Whether the model of this file is in memory, and which. */
bool holder_has(const struct holder *h, const char *path, bool *on_gpu);

/* 0 where it is not in memory, or NULL. */
uint64_t held_serial(const struct held *m);

/* How many are in memory. */
size_t holder_count(const struct holder *h);

#endif
