/* engine_open.c - opens an engine part by part; see engine.h. What fails here is refused before the
 * engine's thread exists. */
#include "engine.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_state.h"
#include "file/hf.h"
#include "host/memory.h"

enum {
    DEFAULT_CONTEXT = 4096,
    MAX_PARALLEL = 256,  /* no step has fewer tokens than that */
    INSPECT_OUTPUTS = 8, /* positions of a step whose logits can be read at once, at least */
};

/* Each stage returns 0 or one of enum engine_error, with what it opened left in e. */

struct complaint {
    char *err;
    size_t errlen;
    const char *file; /* the model's file, as messages name it */
};

/* Prefixes the reason that a part gave with the file's name. */
static int refuse(const struct complaint *c, enum engine_error error, const char *reason)
{
    snprintf(c->err, c->errlen, "%s: %s", c->file, reason);
    return error;
}

static int open_file(struct engine *e, const struct engine_options *opt, const struct complaint *c)
{
    char why[256];
    int rc = hf_is_folder(opt->model_path)
                 ? hf_open(&e->file, opt->model_path, e->vocab_only, why, sizeof why)
                 : gguf_open(&e->file, opt->model_path, why, sizeof why);
    if (rc < 0)
        return refuse(c, ENGINE_EMODEL, why);
    if (model_read_config(&e->model.cfg, e->file, why, sizeof why) < 0 ||
        (!e->vocab_only && model_bind(&e->model, e->file, why, sizeof why) < 0) ||
        tok_open_gguf(&e->tokenizer, e->file, why, sizeof why) < 0 ||
        tmpl_open_gguf(&e->template, e->tokenizer, e->file, why, sizeof why) < 0)
        return refuse(c, ENGINE_EMODEL, why);
    if (shapes_open(&e->shapes, e->tokenizer, tmpl_family(e->template)) < 0)
        return refuse(c, ENGINE_EMEMORY, "out of memory");
    if (tok_info(e->tokenizer)->n_vocab != e->model.cfg.n_vocab) {
        snprintf(why, sizeof why, "tokenizer.ggml.tokens: not one for each row (got %d, rows %d)",
                 tok_info(e->tokenizer)->n_vocab, e->model.cfg.n_vocab);
        return refuse(c, ENGINE_EMODEL, why);
    }
    return 0;
}

const char *engine_kv_type_name(enum engine_kv_type type)
{
    static const char *const names[] = {
        [ENGINE_KV_F16] = "f16", [ENGINE_KV_F32] = "f32", [ENGINE_KV_Q8] = "q8"};

    return names[type];
}

static enum backend_kv_type kv_type_of(const struct engine_options *opt)
{
    static const enum backend_kv_type types[] = {[ENGINE_KV_F16] = BACKEND_KV_F16,
                                                 [ENGINE_KV_F32] = BACKEND_KV_F32,
                                                 [ENGINE_KV_Q8] = BACKEND_KV_Q8};

    return types[opt->kv_type];
}

/* Beyond this, products are bound by arithmetic and more sequences gain nothing. */
static int best_parallel(const struct model_config *cfg, const struct engine_options *opt,
                         int n_ctx)
{
    bool cuda = opt->device == ENGINE_DEVICE_CUDA;
    uint64_t row = backend_kv_row_bytes(cfg, backend_kv_type_for(cfg, kv_type_of(opt)));
    uint64_t host = cpu_memory_available();
    if (opt->host_memory > 0 && opt->host_memory < host)
        host = opt->host_memory;
    uint64_t budget = cuda ? (uint64_t)4 << 30 : host / 4;
    uint64_t n = budget / (row * (uint64_t)n_ctx), most = cuda ? 64 : 16;
    return n < 1 ? 1 : n < most ? (int)n : (int)most;
}

static int choose_sizes(struct engine *e, const struct engine_options *opt,
                        const struct complaint *c)
{
    char why[128];
    int trained = e->model.cfg.n_ctx_train;
    int n_ctx = opt->n_ctx;
    if (n_ctx == 0)
        n_ctx = trained < DEFAULT_CONTEXT ? trained : DEFAULT_CONTEXT;
    if (n_ctx < 2 || n_ctx > trained) {
        snprintf(why, sizeof why, "context: not possible (got %d, limit %d)", n_ctx, trained);
        return refuse(c, ENGINE_EINPUT, why);
    }
    int n_parallel = opt->n_parallel ? opt->n_parallel : 1;
    if (n_parallel == ENGINE_PARALLEL_BEST)
        n_parallel = best_parallel(&e->model.cfg, opt, n_ctx);
    if (n_parallel < 1 || n_parallel > MAX_PARALLEL) {
        snprintf(why, sizeof why, "parallel: not possible (got %d, limit %d)", n_parallel,
                 MAX_PARALLEL);
        return refuse(c, ENGINE_EINPUT, why);
    }
    if (n_parallel > INT_MAX / kv_blocks(n_ctx)) {
        snprintf(why, sizeof why, "parallel: too many for a context of %d tokens (got %d)", n_ctx,
                 n_parallel);
        return refuse(c, ENGINE_EMEMORY, why);
    }
    if (opt->n_threads < 0) {
        snprintf(why, sizeof why, "threads: not possible (got %d)", opt->n_threads);
        return refuse(c, ENGINE_EINPUT, why);
    }
    e->sizes = (struct backend_options){
        .n_threads = opt->n_threads,
        .max_sequences = n_parallel,
        .max_outputs = n_parallel > INSPECT_OUTPUTS ? n_parallel : INSPECT_OUTPUTS,
        .max_context = n_ctx,
        .n_blocks = n_parallel * kv_blocks(n_ctx),
        .kv_type = backend_kv_type_for(&e->model.cfg, kv_type_of(opt)),
        .host_memory = opt->host_memory,
        .device_memory = opt->device_memory,
        .reserved_memory = opt->reserved_memory,
        .shortage = &e->shortage,
        .reproducible = opt->reproducible,
        .abort_load = queue_shut_flag(e->queue),
        .abort_reading = queue_interrupt_flag(e->queue),
    };
    return 0;
}

bool engine_has_gpu(void)
{
    return backend_has_gpu();
}

static int open_backend(struct engine *e, const struct engine_options *opt,
                        const struct complaint *c)
{
    static const char *const devices[] = {
        [ENGINE_DEVICE_AUTO] = NULL, [ENGINE_DEVICE_CPU] = "cpu", [ENGINE_DEVICE_CUDA] = "cuda"};
    const char *device = devices[opt->device];
    char why[256];
    int rc = backend_open(&e->backend, device, &e->model, &e->sizes, why, sizeof why);
    if (opt->shortage)
        *opt->shortage = (struct engine_shortage){e->shortage.needed, e->shortage.available};
    if (rc < 0)
        return refuse(c, ENGINE_EMEMORY, why);

    const struct backend_memory *memory = &e->backend->memory;
    e->sizes.max_tokens = e->backend->max_tokens;
    e->info.weight_bytes = memory->weights;
    e->info.kv_bytes = memory->kv;
    e->info.scratch_bytes = memory->scratch;
    e->info.kv_token_bytes = memory->kv / ((uint64_t)e->sizes.n_blocks * KV_BLOCK);
    e->info.bus_address = e->backend->bus_address;
    e->info.device = e->backend->device;
    e->info.on_gpu = e->backend->bus_address != NULL;
    e->info.kv_type = e->sizes.kv_type == kv_type_of(opt) ? opt->kv_type : ENGINE_KV_F16;
    return 0;
}

static int open_scheduler(struct engine *e, const struct complaint *c)
{
    if (kv_new(&e->kv, e->sizes.n_blocks) < 0)
        return refuse(c, ENGINE_EMEMORY, "out of memory");
    const struct sched_options options = {
        .backend = e->backend,
        .model = &e->model,
        .tokenizer = e->tokenizer,
        .file = e->file,
        .queue = e->queue,
        .kv = e->kv,
        .max_context = e->sizes.max_context,
        .max_sequences = e->sizes.max_sequences,
        .max_tokens = e->sizes.max_tokens,
    };
    if (sched_new(&e->sched, &options) < 0)
        return refuse(c, ENGINE_EMEMORY, "out of memory");
    return 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* What the file recommends, where it can be used. */
static float recommended(const struct gguf *g, const char *key, double most, float otherwise)
{
    char why[256];
    double value;
    int found = gguf_get_float(g, key, &value, why, sizeof why);
    return found == 1 && value >= 0 && value <= most ? (float)value : otherwise;
}

/* The recommended sampling: the file's, else the family's. */
static struct engine_sampling recommended_sampling(const struct gguf *g, enum engine_family family)
{
    float top_p = family == ENGINE_FAMILY_LLAMA ? 0.9f : 0.95f;
    char why[256];
    int64_t top_k = 0;
    struct engine_sampling s = {
        .temperature = recommended(g, "general.sampling.temp", 10, 0.6f),
        .top_p = recommended(g, "general.sampling.top_p", 1, top_p),
        .min_p = recommended(g, "general.sampling.min_p", 1, 0),
        .repeat_penalty = recommended(g, "general.sampling.penalty_repeat", 10, 1),
    };
    if (gguf_get_int(g, "general.sampling.top_k", 0, INT_MAX, &top_k, why, sizeof why) == 1)
        s.top_k = (int)top_k;
    if (s.repeat_penalty == 0)
        s.repeat_penalty = 1;
    return s;
}

static void fill_info(struct engine *e, const struct engine_options *opt)
{
    struct engine_info *info = &e->info;
    const struct model_config *cfg = &e->model.cfg;
    char why[256];
    struct gguf_string name;

    if (gguf_get_string(e->file, "general.name", &name, why, sizeof why) != 1 || name.len == 0) {
        const char *base = base_name(opt->model_path);
        name = (struct gguf_string){base, strlen(base)};
    }
    info->name = gguf_print(e->name, sizeof e->name, name);
    info->architecture = cfg->architecture;
    info->type = e->vocab_only ? "" : quant_info(e->model.type)->name;
    if (e->vocab_only)
        info->device = "";
    info->family = tmpl_family(e->template);
    info->thinks = tmpl_thinks(e->template);
    e->closes = info->thinks && thinking_close_init(&e->closing, e->tokenizer);
    info->n_vocab = cfg->n_vocab;
    info->n_layer = cfg->n_layer;
    info->n_embd = cfg->n_embd;
    info->n_head = cfg->n_head;
    info->n_head_kv = cfg->n_head_kv;
    info->head_dim = cfg->head_dim;
    info->n_ff = cfg->n_ff;
    info->n_ctx = e->sizes.max_context;
    info->n_parallel = e->sizes.max_sequences;
    info->n_ctx_train = cfg->n_ctx_train;
    info->n_params = e->model.n_params;
    size_t bytes;
    for (size_t i = 0; gguf_span(e->file, i, &bytes); i++)
        info->file_bytes += bytes;
    info->fingerprint = model_fingerprint(e->file);
    info->sampling = recommended_sampling(e->file, info->family);
}

/* Blocks the signals meant for the program as a whole, in this thread and those it creates; those
 * that a thread itself raises stay open (a blocked SIGBUS kills). */
static void block_signals(sigset_t *before_out)
{
    static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_BLOCK, &all, before_out);
}

static int open_model(struct engine *e, const struct engine_options *opt, const struct complaint *c)
{
    int rc = choose_sizes(e, opt, c);
    if (rc == 0)
        rc = open_backend(e, opt, c);
    if (rc == 0)
        rc = open_scheduler(e, c);
    return rc;
}

static int start(struct engine *e, const struct complaint *c)
{
    if (e->vocab_only) {
        queue_emit_ready(e->queue, 0);
        return 0;
    }
    e->has_thread = pthread_create(&e->thread, NULL, engine_serve, e) == 0;
    return e->has_thread ? 0 : refuse(c, ENGINE_EMEMORY, "cannot start a thread");
}

int engine_open(struct engine **out, const struct engine_options *opt, char *err, size_t errlen)
{
    char shown[64];
    const char *base = base_name(opt->model_path);
    const struct complaint c = {
        err, errlen, gguf_print(shown, sizeof shown, (struct gguf_string){base, strlen(base)})};

    if (opt->shortage)
        *opt->shortage = (struct engine_shortage){0};
    struct engine *e = calloc(1, sizeof *e);
    if (!e || queue_open(&e->queue) < 0) {
        free(e);
        return refuse(&c, ENGINE_EMEMORY, "memory or file descriptors are short");
    }
    e->vocab_only = opt->vocab_only;

    sigset_t before;
    block_signals(&before);
    int rc = open_file(e, opt, &c);
    if (rc == 0 && !e->vocab_only)
        rc = open_model(e, opt, &c);
    if (rc == 0) {
        fill_info(e, opt);
        rc = start(e, &c);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (rc < 0)
        engine_close(e);
    else
        *out = e;
    return rc;
}
