/* grid.c - see grid.h. */
#include "app/grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "app/mem.h"

enum { GAP = 2, MAX_CELL = 96 };

static void take(struct grid *g, char *text)
{
    g->cells = mem_realloc(g->cells, (g->n_cells + 1) * sizeof *g->cells);
    g->cells[g->n_cells++] = text;
}

void grid_add(struct grid *g, const char *text)
{
    struct str t = {0};
    str_add_visible(&t, text, str_cut(text, strlen(text), MAX_CELL), false);
    take(g, t.data);
}

void grid_addf(struct grid *g, const char *format, ...)
{
    struct str t = {0};
    va_list args;
    va_start(args, format);
    str_addv(&t, format, args);
    va_end(args);
    grid_add(g, str_get(&t));
    str_done(&t);
}

void grid_add_gap(struct grid *g)
{
    for (int i = 0; i < g->n_columns; i++)
        take(g, NULL);
}

void grid_done(struct grid *g)
{
    for (size_t i = 0; i < g->n_cells; i++)
        free(g->cells[i]);
    free(g->cells);
    *g = (struct grid){0};
}

static size_t row_count(const struct grid *g)
{
    return g->n_cells / (size_t)g->n_columns;
}

static const char *cell_at(const struct grid *g, size_t row, int column)
{
    const char *text = g->cells[row * (size_t)g->n_columns + (size_t)column];
    return text ? text : "";
}

static bool is_gap(const struct grid *g, size_t row)
{
    for (int i = 0; i < g->n_columns; i++)
        if (*cell_at(g, row, i))
            return false;
    return true;
}

static void pad(struct str *out, int n)
{
    for (int i = 0; i < n; i++)
        str_adds(out, " ");
}

static void print_row(const struct grid *g, size_t row, const int *widths, struct str *out)
{
    size_t start = out->len;
    for (int i = 0; i < g->n_columns; i++) {
        const char *text = cell_at(g, row, i);
        int missing = widths[i] - str_columns(text);
        pad(out, i > 0 && widths[i] > 0 ? GAP : 0);
        pad(out, i > 0 ? missing : 0);
        str_adds(out, text);
        pad(out, i == 0 ? missing : 0);
    }
    while (out->len > start && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    str_adds(out, "\n");
}

void grid_print_text(const struct grid *g, struct str *out)
{
    int widths[GRID_MAX_COLUMNS] = {0};
    size_t n_rows = row_count(g);
    for (size_t row = 0; row < n_rows; row++) {
        for (int i = 0; i < g->n_columns; i++) {
            int width = str_columns(cell_at(g, row, i));
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (size_t row = 0; row < n_rows; row++)
        print_row(g, row, widths, out);
}

static void add_escaped(struct str *out, const char *text)
{
    for (; *text; text++)
        str_addf(out, strchr("|\\`*_<>[]#~&$", *text) ? "\\%c" : "%c", *text);
}

void grid_print_markdown(const struct grid *g, struct str *out)
{
    size_t n_rows = row_count(g);
    for (size_t row = 0; row < n_rows; row++) {
        if (is_gap(g, row))
            continue;
        str_adds(out, "|");
        for (int i = 0; i < g->n_columns; i++) {
            const char *text = cell_at(g, row, i);
            str_adds(out, " ");
            add_escaped(out, text + strspn(text, " "));
            str_adds(out, " |");
        }
        str_adds(out, "\n");
        for (int i = 0; row == 0 && i < g->n_columns; i++)
            str_adds(out, i == 0 ? "| --- |" : " ---: |");
        if (row == 0)
            str_adds(out, "\n");
    }
}
