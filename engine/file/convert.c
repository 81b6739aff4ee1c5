/* convert.c - rewrites a model's weights tensor by tensor, in pieces that all cores share.
 *
 * The source is mapped, and what has been read of it is dropped; the output is written in order.
 * So memory holds one piece, a row for each thread, and the header. */
#include "file/convert.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file/gguf_build.h"
#include "file/hf.h"
#include "file/outfile.h"
#include "file/quantize.h"
#include "host/features.h"
#include "host/pages.h"
#include "host/pool.h"
#include "text/tokenizer.h"

enum {
    PIECE_BYTES = 2 << 20, /* of the file; a row, if that is more */
    ITEM_BYTES = 16 << 10, /* what a thread takes at a time */
};

/* A number that no format can hold, or the one wanted cannot. */
struct fault {
    bool found;
    int64_t row;
    float value;
};

struct converter {
    const struct engine_convert *opt;
    struct gguf *file;
    struct model model;
    struct convert_plan plan;
    struct outfile out;
    bool writes; /* out is open */
    struct pool *pool;
    float **rows; /* [threads], each of the longest row */
    struct fault *faults;
    unsigned char *piece;
    uint64_t done;
    char *err;
    size_t errlen;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* "NAME: reason", with the name of the file at fault. Returns the error. */
static int refuse(const struct converter *c, enum engine_error error, const char *path,
                  const char *reason)
{
    char shown[64];
    const char *base = base_name(path);
    gguf_print(shown, sizeof shown, (struct gguf_string){base, strlen(base)});
    snprintf(c->err, c->errlen, "%s: %s", shown, reason);
    return error;
}

/* The source */

static int open_source(struct converter *c)
{
    const char *path = c->opt->model_path;
    struct tokenizer *t;
    char why[256];
    int rc = hf_is_folder(path) ? hf_open(&c->file, path, false, why, sizeof why)
                                : gguf_open(&c->file, path, why, sizeof why);
    if (rc < 0 || model_bind(&c->model, c->file, why, sizeof why) < 0 ||
        tok_open_gguf(&t, c->file, why, sizeof why) < 0)
        return refuse(c, ENGINE_EMODEL, path, why);
    int n_vocab = tok_info(t)->n_vocab;
    tok_close(t);
    if (n_vocab != c->model.cfg.n_vocab)
        return refuse(c, ENGINE_EMODEL, path, "tokenizer.ggml.tokens: not one for each row");
    if (convert_plan(&c->plan, c->file, &c->model, c->opt->type, why, sizeof why) < 0)
        return refuse(c, ENGINE_EMODEL, path, why);
    return 0;
}

static int64_t longest_row(const struct convert_plan *p)
{
    int64_t most = 1;
    for (size_t i = 0; i < p->n_parts; i++)
        if (p->parts[i].from->dim[0] > most)
            most = p->parts[i].from->dim[0];
    return most;
}

static size_t row_bytes(const struct convert_part *part)
{
    return quant_row_bytes(part->type, part->from->dim[0]);
}

static int open_threads(struct converter *c)
{
    size_t longest = (size_t)longest_row(&c->plan), piece = PIECE_BYTES;
    int n = c->opt->n_threads > 0 ? c->opt->n_threads : cpu_count();
    bool failed = pool_new(&c->pool, n) != 0;

    for (size_t i = 0; i < c->plan.n_parts; i++)
        if (row_bytes(&c->plan.parts[i]) > piece)
            piece = row_bytes(&c->plan.parts[i]);
    n = failed ? 0 : pool_threads(c->pool);
    c->rows = calloc((size_t)n + 1, sizeof *c->rows);
    c->faults = calloc((size_t)n + 1, sizeof *c->faults);
    c->piece = malloc(piece + GGUF_BUILD_ALIGN);
    for (int i = 0; c->rows && i < n; i++)
        failed = !(c->rows[i] = malloc(longest * sizeof **c->rows)) || failed;
    if (failed || !c->rows || !c->faults || !c->piece) {
        snprintf(c->err, c->errlen, "memory or threads are short");
        return ENGINE_EMEMORY;
    }
    return 0;
}

/* The file */

static int blame_out(const struct converter *c, const char *why)
{
    return refuse(c, ENGINE_ERROR, c->opt->out_path, why);
}

static int open_out(struct converter *c)
{
    struct stat from, to;
    char why[200];
    if (stat(c->opt->model_path, &from) == 0 && stat(c->opt->out_path, &to) == 0 &&
        from.st_dev == to.st_dev && from.st_ino == to.st_ino)
        return blame_out(c, "this is the model itself");
    if (outfile_open(&c->out, c->opt->out_path, c->opt->replace, why, sizeof why) != 0)
        return blame_out(c, why);
    c->writes = true;
    return outfile_reserve(&c->out, c->plan.file_bytes, why, sizeof why) != 0 ? blame_out(c, why)
                                                                              : 0;
}

static int write_bytes(struct converter *c, const void *bytes, size_t n)
{
    char why[200];
    c->done += n;
    return outfile_write(&c->out, bytes, n, why, sizeof why) != 0 ? blame_out(c, why) : 0;
}

/* Rows first .. first + n_rows of a tensor, on their way into the piece. */
struct piece {
    struct converter *c;
    const struct convert_part *part;
    int64_t first, n_rows;
    int rows_per_item;
};

static bool check_row(const float *row, int64_t n, float most, float *bad)
{
    bool fine = true;
    for (int64_t i = 0; i < n; i++)
        fine = fine && fabsf(row[i]) <= most; /* NaN is not */
    for (int64_t i = 0; !fine && i < n; i++)
        if (!(fabsf(row[i]) <= most)) {
            *bad = row[i];
            break;
        }
    return fine;
}

static float most_of(enum quant_type type)
{
    return type == QUANT_F32 || type == QUANT_BF16 ? FLT_MAX : QUANT_MOST;
}

static void convert_row(const struct piece *p, int64_t r, int thread)
{
    const struct convert_part *part = p->part;
    const struct gguf_tensor *from = part->from;
    int64_t cols = from->dim[0];
    bool matrix = from->n_dims > 1;
    int64_t origin = matrix && part->head_dim ? convert_origin(r, part->head_dim) : r;
    const char *row = (const char *)from->data + (size_t)origin * quant_row_bytes(from->type, cols);
    unsigned char *out = p->c->piece + (size_t)(r - p->first) * row_bytes(part);
    float *floats = p->c->rows[thread];
    struct fault *fault = &p->c->faults[thread];

    quant_to_float(from->type, row, cols, floats);
    if (!fault->found && !check_row(floats, cols, most_of(part->type), &fault->value)) {
        fault->found = true;
        fault->row = r;
    }
    if (fault->found)
        return;
    if (!matrix && part->head_dim)
        for (int64_t i = 0; i < cols; i++)
            memcpy(out + (size_t)i * sizeof *floats, floats + convert_origin(i, part->head_dim),
                   sizeof *floats);
    else if (from->type == part->type)
        memcpy(out, row, row_bytes(part));
    else
        quantize_row(part->type, floats, cols, out);
}

static void convert_item(void *ud, int item, int thread)
{
    const struct piece *p = ud;
    int64_t r = p->first + (int64_t)item * p->rows_per_item, end = p->first + p->n_rows;
    for (int i = 0; i < p->rows_per_item && r < end; i++, r++)
        convert_row(p, r, thread);
}

/* Faults that threads met in the last piece; the file may also have changed. */
static int check_piece(const struct converter *c, const struct convert_part *part)
{
    char why[200], name[72], value[32];
    if (gguf_changed(c->file))
        return refuse(c, ENGINE_EMODEL, c->opt->model_path, "changed while it was read");
    for (int i = 0; i < pool_threads(c->pool); i++) {
        const struct fault *f = &c->faults[i];
        if (!f->found)
            continue;
        gguf_print(name, sizeof name, part->from->name);
        snprintf(value, sizeof value, "%g", (double)f->value);
        if (isfinite(f->value))
            snprintf(why, sizeof why, "%s: row %" PRId64 ": too large for %s (got %s, limit %g)",
                     name, f->row, quant_info(part->type)->name, value,
                     (double)most_of(part->type));
        else
            snprintf(why, sizeof why, "%s: row %" PRId64 ": damaged (got %s, limit finite numbers)",
                     name, f->row, value);
        return refuse(c, ENGINE_EMODEL, c->opt->model_path, why);
    }
    return 0;
}

/* ENGINE_ECANCEL when the caller gave up. */
static int tell(const struct converter *c, const struct convert_part *part, bool begins)
{
    char name[72];
    if (!c->opt->step)
        return 0;
    const struct engine_convert_step step = {
        .tensor = gguf_print(name, sizeof name, part->from->name),
        .type = quant_info(part->type)->name,
        .instead = begins ? part->instead : NULL,
        .begins = begins,
        .done = c->done,
        .total = c->plan.file_bytes,
    };
    if (c->opt->step(c->opt->ud, &step))
        return 0;
    snprintf(c->err, c->errlen, "cancelled");
    return ENGINE_ECANCEL;
}

static void forget_source(const struct piece *p)
{
    const struct gguf_tensor *t = p->part->from;
    size_t bytes = quant_row_bytes(t->type, t->dim[0]);
    if (p->c->model.mapped && t->n_dims > 1)
        pages_drop_file((const char *)t->data + (size_t)p->first * bytes,
                        (size_t)p->n_rows * bytes);
}

static int write_part(struct converter *c, const struct convert_part *part)
{
    static const unsigned char zeros[GGUF_BUILD_ALIGN];
    int64_t rows = part->from->dim[1], bytes = (int64_t)row_bytes(part);
    struct piece p = {.c = c, .part = part};
    p.rows_per_item = bytes < ITEM_BYTES ? (int)(ITEM_BYTES / bytes) : 1;
    p.n_rows = bytes < PIECE_BYTES ? PIECE_BYTES / bytes : 1;

    for (; p.first < rows; p.first += p.n_rows) {
        int rc = tell(c, part, p.first == 0);
        if (rc != 0)
            return rc;
        if (p.n_rows > rows - p.first)
            p.n_rows = rows - p.first;
        pool_run(c->pool, convert_item, &p,
                 (int)((p.n_rows + p.rows_per_item - 1) / p.rows_per_item));
        rc = check_piece(c, part);
        if (rc == 0)
            rc = write_bytes(c, c->piece, (size_t)(p.n_rows * bytes));
        if (rc != 0)
            return rc;
        forget_source(&p);
    }
    size_t beyond = (size_t)(part->bytes % GGUF_BUILD_ALIGN);
    return beyond ? write_bytes(c, zeros, GGUF_BUILD_ALIGN - beyond) : 0;
}

static int write_file(struct converter *c)
{
    char why[200];
    int rc = write_bytes(c, c->plan.header, c->plan.header_bytes);
    for (size_t i = 0; rc == 0 && i < c->plan.n_parts; i++)
        rc = write_part(c, &c->plan.parts[i]);
    if (rc == 0 && c->plan.n_parts > 0)
        rc = tell(c, &c->plan.parts[c->plan.n_parts - 1], false);
    if (rc != 0)
        return rc;
    c->writes = false;
    return outfile_commit(&c->out, why, sizeof why) != 0 ? blame_out(c, why) : 0;
}

static void close_converter(struct converter *c)
{
    if (c->writes)
        outfile_abandon(&c->out);
    for (int i = 0; c->rows && c->rows[i]; i++)
        free(c->rows[i]);
    free(c->rows);
    free(c->faults);
    free(c->piece);
    pool_free(c->pool);
    convert_plan_done(&c->plan);
    model_done(&c->model);
    gguf_close(c->file);
}

int engine_convert(const struct engine_convert *opt, char *err, size_t errlen)
{
    struct converter c = {.opt = opt, .err = err, .errlen = errlen};
    int rc = open_source(&c);
    if (rc == 0)
        rc = open_threads(&c);
    if (rc == 0)
        rc = open_out(&c);
    if (rc == 0)
        rc = write_file(&c);
    close_converter(&c);
    return rc;
}
