/*
 * pending.c: a row for each question that waits, as many as there is room for.
 */
#include "pending.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forget(struct pending *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->texts[i]);
    free(p->texts);
    p->texts = NULL;
    p->n = 0;
}

void pending_done(struct pending *p)
{
    forget(p);
    free(p->banner);
    p->banner = NULL;
}

void pending_set(struct pending *p, const char *const *texts, size_t n, size_t due)
{
    forget(p);
    p->due = due;
    p->texts = calloc(n + 1, sizeof *p->texts);
    while (p->texts && p->n < n && (p->texts[p->n] = strdup(texts[p->n])))
        p->n++;
}

void pending_banner(struct pending *p, const char *text)
{
    free(p->banner);
    p->banner = text ? strdup(text) : NULL;
}

int pending_rows(const struct pending *p, int most)
{
    size_t rows = p->n + (p->banner != NULL);
    return rows < (size_t)most ? (int)rows : most > 0 ? most : 0;
}

/* The first line of a question, and what there is to say behind it. */
static void draw_waiting(const struct pending *p, size_t i, struct grid *g, int row, int col,
                         int width, const char *tail)
{
    const char *name = i >= p->due ? "kept: " : i > 0 ? "then: " : "next: ";
    const char *text = p->texts[i] + strspn(p->texts[i], " \t\n");
    size_t len = strcspn(text, "\n");
    char *line = strndup(text, len);
    int at = grid_label(g, row, col, width, name, STYLE_PROMPT);
    int wanted = text_width(tail, strlen(tail)) + (text[len] ? 2 : 0), room = width - at - wanted;

    if (line)
        at += grid_label(g, row, col + at, room > 8 ? room : width - at, line, STYLE_USER);
    if (text[len])
        at += grid_label(g, row, col + at, width - at, " …", STYLE_DIM);
    grid_label(g, row, col + at, width - at, tail, STYLE_DIM);
    free(line);
}

void pending_draw(const struct pending *p, struct grid *g, int row, int col, int rows, int width,
                  const char *keys)
{
    size_t shown = p->n < (size_t)rows ? p->n : (size_t)rows;
    char tail[160];

    for (size_t i = 0; i < shown; i++) {
        tail[0] = '\0';
        if (i + 1 == shown && shown < p->n)
            snprintf(tail, sizeof tail, " (and %zu more)", p->n - shown);
        else if (i + 1 == shown && *keys)
            snprintf(tail, sizeof tail, " · %s", keys);
        draw_waiting(p, i, g, row++, col, width, tail);
    }
}
