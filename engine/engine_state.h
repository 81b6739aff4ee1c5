/* engine_state.h - what an open engine consists of; for the engine*.c files alone. */
#ifndef ENGINE_ENGINE_STATE_H
#define ENGINE_ENGINE_STATE_H

#include <pthread.h>
#include <stdbool.h>

#include "backend.h"
#include "engine.h"
#include "file/gguf.h"
#include "grammar/constrain.h"
#include "kv.h"
#include "model.h"
#include "queue.h"
#include "scheduler.h"
#include "text/template.h"
#include "text/tokenizer.h"
#include "thinking.h"

struct engine {
    /* Set by engine_open, constant then: any thread may read them. */
    struct gguf *file;
    struct tokenizer *tokenizer;
    struct tmpl *template;
    struct shapes *shapes;
    struct queue *queue;
    struct engine_info info;
    bool closes; /* its reasoning can be closed, so: */
    struct thinking_close closing;
    char name[128];
    bool vocab_only; /* then there is nothing of what follows */
    bool has_thread;
    pthread_t thread;
    struct backend_options sizes;
    struct backend_shortage shortage; /* why there is no backend */

    /* The engine thread's, once it runs. */
    struct model model;
    struct backend *backend;
    struct kv *kv;
    struct sched *sched;
    bool failed;
    enum engine_error failure;
    char failure_text[256];
};

/* The thread's main function; arg is the engine. */
void *engine_serve(void *arg);

#endif
