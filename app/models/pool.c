/* pool.c - see pool.h. */
#include "app/models/pool.h"

#include <string.h>

#include "app/clock.h"
#include "app/exit.h"
#include "app/numbers.h"

void model_pool_init(struct model_pool *p, const struct options *options, const struct paths *paths)
{
    *p = (struct model_pool){.options = options, .paths = paths};
}

void model_pool_done(struct model_pool *p)
{
    for (size_t i = 0; i < p->n; i++) {
        engine_close(p->models[i].engine);
        model_file_done(&p->models[i].file);
    }
    str_done(&p->note);
}

void model_pool_close(struct model_pool *p, struct pool_model *m)
{
    engine_close(m->engine);
    m->engine = NULL;
    m->ready = false;
    p->revision++;
}

void model_pool_ready(struct model_pool *p, struct pool_model *m, double load_ms)
{
    m->ready = true;
    m->load_ms = load_ms;
    p->revision++;
}

static void touch(struct model_pool *p, struct pool_model *m)
{
    m->used_ms = clock_ms();
    p->revision++;
}

void model_pool_answer(struct model_pool *p, struct pool_model *m, bool answering)
{
    m->answering = answering;
    touch(p, m);
}

bool model_pool_take_note(struct model_pool *p, struct str *out)
{
    if (p->note.len == 0)
        return false;
    str_add(out, p->note.data, p->note.len);
    str_done(&p->note);
    return true;
}

/* Memory */

static uint64_t bytes_of(const struct pool_model *m)
{
    const struct engine_info *info = engine_info(m->engine);
    return info->weight_bytes + info->kv_bytes + info->scratch_bytes;
}

static bool is_on(const struct pool_model *m, bool gpu)
{
    return m->engine && engine_info(m->engine)->on_gpu == gpu;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* What is left of the limit on the memory of all models on a device. */
static uint64_t left_of_limit(const struct model_pool *p, bool gpu)
{
    uint64_t limit = (uint64_t)(gpu ? p->options->vram_limit : p->options->memory_limit) << 20;
    if (limit == 0)
        return UINT64_MAX;
    for (size_t i = 0; i < p->n; i++)
        if (is_on(&p->models[i], gpu))
            limit = minus(limit, bytes_of(&p->models[i]));
    return limit;
}

/* Memory that models still being loaded are about to take. */
static uint64_t reserved(const struct model_pool *p, bool gpu)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < p->n; i++)
        if (is_on(&p->models[i], gpu) && !p->models[i].ready)
            bytes += engine_info(p->models[i].engine)->weight_bytes;
    return bytes;
}

/* As the engine's options have it, where 0 is no limit. */
static uint64_t as_limit(uint64_t bytes)
{
    return bytes == UINT64_MAX ? 0 : bytes > 0 ? bytes : 1;
}

bool model_pool_has_gpu(const struct model_pool *p)
{
    return p->options->device == ENGINE_DEVICE_CUDA ||
           (p->options->device == ENGINE_DEVICE_AUTO && engine_has_gpu());
}

static bool wants_gpu(const struct model_pool *p, const struct pool_model *m)
{
    if (m->where == POOL_ANY_DEVICE)
        return !m->on_cpu && model_pool_has_gpu(p);
    return m->where == POOL_GPU;
}

static int open_engine(struct model_pool *p, struct pool_model *m, struct engine_shortage *shortage,
                       char *err, size_t errlen)
{
    struct engine_options options = options_engine(p->options, m->file.path);
    bool gpu = wants_gpu(p, m);
    options.device = gpu ? ENGINE_DEVICE_CUDA : ENGINE_DEVICE_CPU;
    options.host_memory = as_limit(left_of_limit(p, false));
    options.device_memory = as_limit(left_of_limit(p, true));
    options.reserved_memory = reserved(p, gpu);
    options.shortage = shortage;
    m->ready = false;
    m->fault[0] = '\0';
    int status = engine_open(&m->engine, &options, err, errlen);
    if (status != 0)
        m->engine = NULL;
    else
        m->serial = ++p->n_opened;
    touch(p, m);
    return status;
}

uint64_t pool_model_serial(const struct pool_model *m)
{
    return m && m->engine ? m->serial : 0;
}

/* Making room */

static bool may_be_unloaded(const struct pool_model *m, bool gpu)
{
    return is_on(m, gpu) && !m->answering;
}

/* Whether there would be enough room if every idle model were unloaded. */
static bool is_enough(const struct model_pool *p, bool gpu, const struct engine_shortage *shortage)
{
    uint64_t bytes = shortage->available;
    for (size_t i = 0; i < p->n; i++)
        if (may_be_unloaded(&p->models[i], gpu))
            bytes += bytes_of(&p->models[i]);
    return bytes >= shortage->needed;
}

static struct pool_model *find_lru(struct model_pool *p, bool gpu)
{
    struct pool_model *lru = NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct pool_model *m = &p->models[i];
        if (may_be_unloaded(m, gpu) && (!lru || m->used_ms < lru->used_ms))
            lru = m;
    }
    return lru;
}

static void add_note(struct model_pool *p)
{
    if (p->note.len > 0)
        str_adds(&p->note, "\n");
}

static void add_shortage(struct model_pool *p, const struct engine_shortage *shortage)
{
    str_adds(&p->note, "needs ");
    numbers_add_bytes(&p->note, shortage->needed);
    str_adds(&p->note, ", ");
    numbers_add_bytes(&p->note, shortage->available);
    str_adds(&p->note, " free");
}

/* Unloads the least recently used until there is room. False: there cannot be. */
static bool make_room(struct model_pool *p, const struct pool_model *m,
                      const struct engine_shortage *shortage)
{
    bool gpu = wants_gpu(p, m);
    struct pool_model *lru;
    if (shortage->needed == 0 || !is_enough(p, gpu, shortage))
        return false;
    add_note(p);
    const char *comma = "";
    for (uint64_t bytes = shortage->available;
         bytes < shortage->needed && (lru = find_lru(p, gpu));) {
        bytes += bytes_of(lru);
        model_pool_close(p, lru);
        str_addf(&p->note, "%s%s", comma, lru->file.name);
        comma = ", ";
    }
    str_addf(&p->note, " gave way to %s (", m->file.name);
    add_shortage(p, shortage);
    str_adds(&p->note, ")");
    return true;
}

/* If other models fill the GPU, there may be room on the CPU. */
static bool spill(struct model_pool *p, struct pool_model *m,
                  const struct engine_shortage *shortage)
{
    struct engine_shortage on_cpu;
    char ignored[256];
    if (!wants_gpu(p, m) || m->where == POOL_GPU || shortage->needed == 0 || !find_lru(p, true))
        return false;
    m->on_cpu = true;
    if (open_engine(p, m, &on_cpu, ignored, sizeof ignored) != 0) {
        m->on_cpu = false;
        return false;
    }
    add_note(p);
    str_addf(&p->note, "%s runs on the CPU, as the GPU has no room left (", m->file.name);
    add_shortage(p, shortage);
    str_addf(&p->note, "); /model %s gpu makes it", m->file.name);
    return true;
}

/* Opens the engine, making room for it. 0 or an exit status. */
static int open_with_room(struct model_pool *p, struct pool_model *m, char *err, size_t errlen)
{
    struct engine_shortage shortage;
    int status;
    do
        status = open_engine(p, m, &shortage, err, errlen);
    while (status != 0 && !spill(p, m, &shortage) && make_room(p, m, &shortage));
    return m->engine ? 0 : exit_of_engine(status);
}

/* Finding */

static struct pool_model *find_path(struct model_pool *p, const char *path)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->models[i].file.path, path) == 0)
            return &p->models[i];
    return NULL;
}

bool model_pool_has(const struct model_pool *p, const char *path, bool *on_gpu)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->models[i].engine && strcmp(p->models[i].file.path, path) == 0) {
            *on_gpu = is_on(&p->models[i], true);
            return true;
        }
    return false;
}

/* A slot for one more model: a free one, that of a model not in memory, or that of the least
 * recently used. */
static struct pool_model *find_place(struct model_pool *p, const struct pool_model *keep)
{
    struct pool_model *place = NULL;
    if (p->n < POOL_MODELS)
        return &p->models[p->n++];
    for (size_t i = 0; i < p->n; i++) {
        struct pool_model *m = &p->models[i];
        bool sooner = !place || (!m->engine && place->engine) ||
                      (!m->engine == !place->engine && m->used_ms < place->used_ms);
        if (m != keep && !m->answering && sooner)
            place = m;
    }
    model_pool_close(p, place);
    model_file_done(&place->file);
    return place;
}

int model_pool_find(struct model_pool *p, const char *name, const struct pool_model *keep,
                    struct pool_model **out, char *err, size_t errlen)
{
    struct model_file file;
    int status = name ? models_find_in_chat(p->paths, name, &file, err, errlen)
                      : models_find(p->paths, p->options->model, &file, err, errlen);
    if (status != 0)
        return status;
    *out = find_path(p, file.path);
    if (*out) {
        model_file_done(&file);
    } else {
        *out = find_place(p, keep);
        **out = (struct pool_model){.file = file};
    }
    return 0;
}

/* Opening a model reads its whole vocabulary, perhaps from a slow disk, and waits for others to be
 * unloaded: so it happens in the background. */
struct opening {
    struct model_pool *p;
    struct pool_model *m;
    enum pool_device where; /* for move() */
    char *err;
    size_t errlen;
};

static int open_model(void *arg)
{
    const struct opening *o = arg;
    struct model_pool *p = o->p;
    struct pool_model *m = o->m;
    if (m->n_lost == 0)
        m->on_cpu = false; /* by now the GPU may have room */
    bool chosen = p->options->device == ENGINE_DEVICE_AUTO && m->where == POOL_ANY_DEVICE;
    bool gives_up = wants_gpu(p, m) && (m->n_lost > 0 || chosen);
    m->on_cpu = m->on_cpu || (gives_up && m->n_lost > 1);
    if (m->on_cpu)
        m->where = POOL_ANY_DEVICE;
    int status = open_with_room(p, m, o->err, o->errlen);
    if (status == 0 || !gives_up || m->on_cpu)
        return status;
    char why[256];
    snprintf(why, sizeof why, "%s", o->err);
    m->on_cpu = true;
    m->where = POOL_ANY_DEVICE;
    status = open_with_room(p, m, o->err, o->errlen);
    if (status == 0 && m->n_lost == 0) {
        add_note(p);
        str_addf(&p->note, "%s runs on the CPU (%s)", m->file.name, why);
    }
    return status;
}

int model_pool_open(struct model_pool *p, struct pool_model *m, char *err, size_t errlen)
{
    struct opening o = {.p = p, .m = m, .err = err, .errlen = errlen};
    if (m->engine) {
        touch(p, m);
        return 0;
    }
    return background_run(&p->background, open_model, &o);
}

/* The old engine is closed once the new one is open: they are on different devices. */
static int move_model(void *arg)
{
    const struct opening *o = arg;
    struct model_pool *p = o->p;
    struct pool_model *m = o->m;
    const struct pool_model before = *m;
    m->where = o->where;
    m->n_lost = 0;
    m->on_cpu = false;
    if (m->engine && engine_info(m->engine)->on_gpu == wants_gpu(p, m)) {
        touch(p, m);
        return 0;
    }
    m->engine = NULL;
    int status = open_with_room(p, m, o->err, o->errlen);
    if (status == 0)
        engine_close(before.engine);
    else
        *m = before;
    return status;
}

int model_pool_move(struct model_pool *p, struct pool_model *m, enum pool_device where, char *err,
                    size_t errlen)
{
    struct opening o = {.p = p, .m = m, .where = where, .err = err, .errlen = errlen};
    return background_run(&p->background, move_model, &o);
}
