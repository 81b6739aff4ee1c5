/* holder.c - see holder.h. */
#include "app/models/holder.h"

#include <string.h>

#include "app/clock.h"
#include "app/exit.h"
#include "app/numbers.h"

void holder_init(struct holder *h, const struct options *options, const struct paths *paths)
{
    *h = (struct holder){.options = options, .paths = paths};
}

void holder_done(struct holder *h)
{
    for (size_t i = 0; i < h->n; i++) {
        engine_close(h->models[i].engine);
        model_file_done(&h->models[i].file);
    }
    str_done(&h->note);
}

void holder_close(struct holder *h, struct held *m)
{
    engine_close(m->engine);
    m->engine = NULL;
    m->ready = false;
    h->revision++;
}

void holder_ready(struct holder *h, struct held *m, double load_ms)
{
    m->ready = true;
    m->load_ms = load_ms;
    h->revision++;
}

static void touch(struct holder *h, struct held *m)
{
    m->used_ms = clock_ms();
    h->revision++;
}

void holder_answer(struct holder *h, struct held *m, bool answering)
{
    m->answering = answering;
    touch(h, m);
}

bool holder_take_note(struct holder *h, struct str *out)
{
    if (h->note.len == 0)
        return false;
    str_add(out, h->note.data, h->note.len);
    str_done(&h->note);
    return true;
}

size_t holder_count(const struct holder *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++)
        n += h->models[i].engine != NULL;
    return n;
}

/* Memory */

static uint64_t bytes_of(const struct held *m)
{
    const struct engine_info *info = engine_info(m->engine);
    return info->weight_bytes + info->kv_bytes + info->scratch_bytes;
}

static bool is_held_on(const struct held *m, bool gpu)
{
    return m->engine && engine_info(m->engine)->on_gpu == gpu;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* What the models on a device may take together, less what they do take. */
static uint64_t left_of_limit(const struct holder *h, bool gpu)
{
    uint64_t limit = (uint64_t)(gpu ? h->options->vram_limit : h->options->memory_limit) << 20;
    if (limit == 0)
        return UINT64_MAX;
    for (size_t i = 0; i < h->n; i++)
        if (is_held_on(&h->models[i], gpu))
            limit = minus(limit, bytes_of(&h->models[i]));
    return limit;
}

/* What models that are being loaded are about to take. */
static uint64_t reserved(const struct holder *h, bool gpu)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < h->n; i++)
        if (is_held_on(&h->models[i], gpu) && !h->models[i].ready)
            bytes += engine_info(h->models[i].engine)->weight_bytes;
    return bytes;
}

/* As an option of the engine, for which 0 is no limit. */
static uint64_t as_limit(uint64_t bytes)
{
    return bytes == UINT64_MAX ? 0 : bytes > 0 ? bytes : 1;
}

bool holder_has_gpu(const struct holder *h)
{
    return h->options->device == ENGINE_DEVICE_CUDA ||
           (h->options->device == ENGINE_DEVICE_AUTO && engine_has_gpu());
}

static bool wants_gpu(const struct holder *h, const struct held *m)
{
    if (m->where == HELD_ANYWHERE)
        return !m->on_cpu && holder_has_gpu(h);
    return m->where == HELD_GPU;
}

static int open_engine(struct holder *h, struct held *m, struct engine_shortage *shortage,
                       char *err, size_t errlen)
{
    struct engine_options options = options_engine(h->options, m->file.path);
    bool gpu = wants_gpu(h, m);
    options.device = gpu ? ENGINE_DEVICE_CUDA : ENGINE_DEVICE_CPU;
    options.host_memory = as_limit(left_of_limit(h, false));
    options.device_memory = as_limit(left_of_limit(h, true));
    options.reserved_memory = reserved(h, gpu);
    options.shortage = shortage;
    m->ready = false;
    m->fault[0] = '\0';
    int status = engine_open(&m->engine, &options, err, errlen);
    if (status != 0)
        m->engine = NULL;
    else
        m->serial = ++h->n_opened;
    touch(h, m);
    return status;
}

uint64_t held_serial(const struct held *m)
{
    return m && m->engine ? m->serial : 0;
}

/* Giving way */

static bool may_give_way(const struct held *m, bool gpu)
{
    return is_held_on(m, gpu) && !m->answering;
}

/* Whether there would be enough if all gave way that may. */
static bool is_enough(const struct holder *h, bool gpu, const struct engine_shortage *shortage)
{
    uint64_t bytes = shortage->available;
    for (size_t i = 0; i < h->n; i++)
        if (may_give_way(&h->models[i], gpu))
            bytes += bytes_of(&h->models[i]);
    return bytes >= shortage->needed;
}

static struct held *find_oldest(struct holder *h, bool gpu)
{
    struct held *oldest = NULL;
    for (size_t i = 0; i < h->n; i++) {
        struct held *m = &h->models[i];
        if (may_give_way(m, gpu) && (!oldest || m->used_ms < oldest->used_ms))
            oldest = m;
    }
    return oldest;
}

static void add_note(struct holder *h)
{
    if (h->note.len > 0)
        str_adds(&h->note, "\n");
}

static void add_shortage(struct holder *h, const struct engine_shortage *shortage)
{
    str_adds(&h->note, "needs ");
    numbers_add_bytes(&h->note, shortage->needed);
    str_adds(&h->note, ", ");
    numbers_add_bytes(&h->note, shortage->available);
    str_adds(&h->note, " free");
}

/* Lets the oldest go until there is room. False: there cannot be. */
static bool make_room(struct holder *h, const struct held *m,
                      const struct engine_shortage *shortage)
{
    bool gpu = wants_gpu(h, m);
    struct held *oldest;
    if (shortage->needed == 0 || !is_enough(h, gpu, shortage))
        return false;
    add_note(h);
    const char *comma = "";
    for (uint64_t bytes = shortage->available;
         bytes < shortage->needed && (oldest = find_oldest(h, gpu));) {
        bytes += bytes_of(oldest);
        holder_close(h, oldest);
        str_addf(&h->note, "%s%s", comma, oldest->file.name);
        comma = ", ";
    }
    str_addf(&h->note, " gave way to %s (", m->file.name);
    add_shortage(h, shortage);
    str_adds(&h->note, ")");
    return true;
}

/* Where the GPU is held by others, the CPU has room perhaps. */
static bool spill(struct holder *h, struct held *m, const struct engine_shortage *shortage)
{
    struct engine_shortage on_cpu;
    char ignored[256];
    if (!wants_gpu(h, m) || m->where == HELD_GPU || shortage->needed == 0 || !find_oldest(h, true))
        return false;
    m->on_cpu = true;
    if (open_engine(h, m, &on_cpu, ignored, sizeof ignored) != 0) {
        m->on_cpu = false;
        return false;
    }
    add_note(h);
    str_addf(&h->note, "%s runs on the CPU, as the GPU has no room left (", m->file.name);
    add_shortage(h, shortage);
    str_addf(&h->note, "); /model %s gpu makes it", m->file.name);
    return true;
}

/* With the engine open, or the engine's error. */
static int open_with_room(struct holder *h, struct held *m, char *err, size_t errlen)
{
    struct engine_shortage shortage;
    int status;
    do
        status = open_engine(h, m, &shortage, err, errlen);
    while (status != 0 && !spill(h, m, &shortage) && make_room(h, m, &shortage));
    return m->engine ? 0 : exit_of_engine(status);
}

/* Finding */

static struct held *find_path(struct holder *h, const char *path)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->models[i].file.path, path) == 0)
            return &h->models[i];
    return NULL;
}

bool holder_has(const struct holder *h, const char *path, bool *on_gpu)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->models[i].engine && strcmp(h->models[i].file.path, path) == 0) {
            *on_gpu = is_held_on(&h->models[i], true);
            return true;
        }
    return false;
}

/* A place for one more: a new one, that of a model which is not in memory, or that of the oldest.
 * Two at most are needed. */
static struct held *find_place(struct holder *h, const struct held *keep)
{
    struct held *place = NULL;
    if (h->n < HOLDER_MODELS)
        return &h->models[h->n++];
    for (size_t i = 0; i < h->n; i++) {
        struct held *m = &h->models[i];
        bool sooner = !place || (!m->engine && place->engine) ||
                      (!m->engine == !place->engine && m->used_ms < place->used_ms);
        if (m != keep && !m->answering && sooner)
            place = m;
    }
    holder_close(h, place);
    model_file_done(&place->file);
    return place;
}

int holder_find(struct holder *h, const char *name, const struct held *keep, struct held **out,
                char *err, size_t errlen)
{
    struct model_file file;
    int status = models_find(h->paths, name ? name : h->options->model, &file, err, errlen);
    if (status != 0)
        return status;
    *out = find_path(h, file.path);
    if (*out) {
        model_file_done(&file);
    } else {
        *out = find_place(h, keep);
        **out = (struct held){.file = file};
    }
    return 0;
}

/* Opening a model reads all of its vocabulary, from a disk perhaps, and what gives way to it is
 * waited for: so that is done aside. */
struct opening {
    struct holder *h;
    struct held *m;
    enum held_where where; /* for move() */
    char *err;
    size_t errlen;
};

static int open_held(void *arg)
{
    const struct opening *o = arg;
    struct holder *h = o->h;
    struct held *m = o->m;
    if (m->n_lost == 0)
        m->on_cpu = false; /* there may be room on the GPU now */
    bool chosen = h->options->device == ENGINE_DEVICE_AUTO && m->where == HELD_ANYWHERE;
    bool gives_up = wants_gpu(h, m) && (m->n_lost > 0 || chosen);
    m->on_cpu = m->on_cpu || (gives_up && m->n_lost > 1);
    if (m->on_cpu)
        m->where = HELD_ANYWHERE;
    int status = open_with_room(h, m, o->err, o->errlen);
    if (status == 0 || !gives_up || m->on_cpu)
        return status;
    char why[256];
    snprintf(why, sizeof why, "%s", o->err);
    m->on_cpu = true;
    m->where = HELD_ANYWHERE;
    status = open_with_room(h, m, o->err, o->errlen);
    if (status == 0 && m->n_lost == 0) {
        add_note(h);
        str_addf(&h->note, "%s runs on the CPU (%s)", m->file.name, why);
    }
    return status;
}

int holder_open(struct holder *h, struct held *m, char *err, size_t errlen)
{
    struct opening o = {.h = h, .m = m, .err = err, .errlen = errlen};
    if (m->engine) {
        touch(h, m);
        return 0;
    }
    return aside_run(&h->aside, open_held, &o);
}

/* The old engine goes when the new one is there: they share no device. */
static int move_held(void *arg)
{
    const struct opening *o = arg;
    struct holder *h = o->h;
    struct held *m = o->m;
    const struct held before = *m;
    m->where = o->where;
    m->n_lost = 0;
    m->on_cpu = false;
    if (m->engine && engine_info(m->engine)->on_gpu == wants_gpu(h, m)) {
        touch(h, m);
        return 0;
    }
    m->engine = NULL;
    int status = open_with_room(h, m, o->err, o->errlen);
    if (status == 0)
        engine_close(before.engine);
    else
        *m = before;
    return status;
}

int holder_move(struct holder *h, struct held *m, enum held_where where, char *err, size_t errlen)
{
    struct opening o = {.h = h, .m = m, .where = where, .err = err, .errlen = errlen};
    return aside_run(&h->aside, move_held, &o);
}
