/* running_text.c - the running duets as a table and as JSON; see running.h. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/mem.h"
#include "app/models/running.h"
#include "app/numbers.h"

enum { COLUMNS = 8, TEXT_MAX = 40 };

static const char *const titles[COLUMNS] = {"PID", "MODEL",   "DEVICE", "WEIGHTS",
                                            "KV",  "SCRATCH", "CACHED", "STATE"};
static const bool right[COLUMNS] = {[3] = true, [4] = true, [5] = true, [6] = true};

struct row {
    struct str cells[COLUMNS];
};

/* A text from a file, in one line and not too long. */
static void add_text(struct str *out, const char *text, size_t len)
{
    size_t cut = str_cut(text, len, TEXT_MAX);
    str_add_visible(out, text, cut, false);
    if (cut < len)
        str_adds(out, "\u2026");
}

static void add_time(struct str *out, double ms)
{
    double s = ms > 0 ? ms / 1000 : 0;
    if (s < 60)
        str_addf(out, " %.0f s", s);
    else if (s < 3600)
        str_addf(out, " %.0f min", s / 60);
    else if (s < 48 * 3600)
        str_addf(out, " %.0f h", s / 3600);
    else
        str_addf(out, " %.0f days", s / (24 * 3600));
}

static struct row make_row(const struct running_process *p, const struct running_model *m)
{
    struct row row = {0};
    str_addf(&row.cells[0], "%lld", (long long)p->pid);
    if (!m) {
        str_adds(&row.cells[1], "(its file is damaged)");
        return row;
    }
    add_text(&row.cells[1], m->name, strlen(m->name));
    add_text(&row.cells[2], m->device, strcspn(m->device, ","));
    numbers_add_bytes(&row.cells[3], (uint64_t)m->weight_bytes);
    numbers_add_bytes(&row.cells[4], (uint64_t)m->kv_bytes);
    numbers_add_bytes(&row.cells[5], (uint64_t)m->scratch_bytes);
    str_addf(&row.cells[6], "%lld", (long long)m->cached_tokens);
    str_adds(&row.cells[7], running_state_name(m->state));
    add_time(&row.cells[7], clock_ms() - m->since_ms);
    return row;
}

/* Characters, as the names of models and devices seldom have wide ones. */
static size_t width_of(const struct str *cell)
{
    size_t width = 0;
    for (size_t i = 0; i < cell->len; i++)
        width += ((unsigned char)cell->data[i] & 0xc0) != 0x80;
    return width;
}

static void add_cell(struct str *line, const struct str *cell, size_t width, bool to_right)
{
    int pad = (int)(width - width_of(cell));
    str_addf(line, "%*s%s%*s  ", to_right ? pad : 0, "", str_get(cell), to_right ? 0 : pad, "");
}

static void add_line(struct str *out, const struct row *row, const size_t *widths)
{
    struct str line = {0};
    for (int k = 0; k < COLUMNS; k++)
        add_cell(&line, &row->cells[k], widths[k], right[k]);
    while (line.len > 0 && line.data[line.len - 1] == ' ')
        line.len--;
    str_add(out, line.data, line.len);
    str_adds(out, "\n");
    str_done(&line);
}

void running_add_table(struct str *out, const struct running_list *list)
{
    size_t n = 1, widths[COLUMNS] = {0};
    struct row *rows = mem_alloc(sizeof *rows);
    for (int k = 0; k < COLUMNS; k++)
        str_adds(&rows[0].cells[k], titles[k]);
    for (size_t i = 0; i < list->count; i++) {
        const struct running_process *p = &list->items[i];
        rows = mem_realloc(rows, (n + p->n_models + 1) * sizeof *rows);
        for (size_t j = 0; j < p->n_models; j++)
            rows[n++] = make_row(p, &p->models[j]);
        if (p->damaged)
            rows[n++] = make_row(p, NULL);
    }
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < COLUMNS; k++)
            if (width_of(&rows[i].cells[k]) > widths[k] && (k != 1 || rows[i].cells[2].len > 0))
                widths[k] = width_of(&rows[i].cells[k]);
    for (size_t i = 0; i < n; i++) {
        add_line(out, &rows[i], widths);
        for (int k = 0; k < COLUMNS; k++)
            str_done(&rows[i].cells[k]);
    }
    free(rows);
}

static json_t *model_json(const struct running_model *m)
{
    double ms = clock_ms() - m->since_ms;
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "name", m->name, "device",
                     m->device, "where", m->on_gpu ? "gpu" : "cpu", "state",
                     running_state_name(m->state), "state_ms", (json_int_t)(ms > 0 ? ms : 0),
                     "weight_bytes", (json_int_t)m->weight_bytes, "kv_bytes",
                     (json_int_t)m->kv_bytes, "scratch_bytes", (json_int_t)m->scratch_bytes,
                     "cached_tokens", (json_int_t)m->cached_tokens);
}

void running_add_json(struct str *out, const struct running_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const struct running_process *p = &list->items[i];
        json_t *models = json_array();
        for (size_t j = 0; j < p->n_models; j++)
            json_array_append_new(models, model_json(&p->models[j]));
        json_array_append_new(
            array, json_pack("{s:I, s:s?, s:s?, s:b, s:o}", "pid", (json_int_t)p->pid, "as", p->as,
                             "terminal", p->terminal, "damaged", p->damaged, "models", models));
    }
    char *line = json_dumps(array, JSON_ENSURE_ASCII);
    json_decref(array);
    if (!line)
        mem_fail();
    str_addf(out, "%s\n", line);
    free(line);
}
