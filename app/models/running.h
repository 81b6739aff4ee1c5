/* running.h - which duets run, and what each holds in memory: each process keeps a small file up
 * to date, which `duet ps` reads. It holds no word of any conversation.
 *
 * The file is locked while its process lives, so that the file of a killed process is recognised
 * and removed. It lies in the user's runtime folder, or else in the state folder, readable by
 * the user only. What is read is not trusted: it is text to be shown, and no more. */
#ifndef APP_MODELS_RUNNING_H
#define APP_MODELS_RUNNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/paths.h"
#include "app/str.h"
#include "engine/engine.h"

enum running_state { RUNNING_LOADING, RUNNING_IDLE, RUNNING_ANSWERING, RUNNING_STATES };

struct running_model {
    const char *name;
    const char *device; /* "CPU, 2 threads, AVX-512 VNNI" */
    bool on_gpu;
    enum running_state state;
    double since_ms; /* of clock_ms(): the state's begin */
    int64_t weight_bytes, kv_bytes, scratch_bytes;
    int64_t cached_tokens;
};

struct running_process {
    int64_t pid;
    const char *as;       /* how it talks: "screen", "line", "prompt", "batch", "eval", "bench" */
    const char *terminal; /* "/dev/pts/3"; "" for none */
    struct running_model *models;
    size_t n_models;
    bool damaged; /* the file is damaged: only the pid is known */
    void *owner;  /* of the strings, in a list */
};

/* What an engine holds, in this state from now on; strings are the engine's. */
struct running_model running_model_of(const struct engine *engine, const char *name,
                                      enum running_state state);

/* Writing. {.fd = -1} has no file yet. */
struct running {
    char *path;
    int fd;
};

/* Publishes what this process holds now, if anything. If that fails, others just do not see it. */
void running_publish(struct running *r, const struct paths *paths, const char *as,
                     const struct running_model *models, size_t n);
void running_done(struct running *r);

/* Reading */

struct running_list {
    struct running_process *items; /* by pid */
    size_t count;
};

void running_read(const struct paths *paths, struct running_list *out);
void running_list_done(struct running_list *list);

/* A table, a row for each model, with a line of titles; and as JSON on one line. */
void running_add_table(struct str *out, const struct running_list *list);
void running_add_json(struct str *out, const struct running_list *list);

/* For running*.c: the usual (0) and the other (1) folder, or NULL; the name of a state. */
char *running_folder(const struct paths *paths, int i);
const char *running_state_name(enum running_state state);

#endif
