/*
 * pending.c: a row for each question that waits, as many as there is room for.
 */
#include "pending.h"

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

void pending_set(struct pending *p, const char *const *texts, size_t n, bool held)
{
    forget(p);
    p->held = held;
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

/* The first line of a question; that there are more of either. */
static void draw_waiting(const struct pending *p, size_t i, struct grid *g, int row, int col,
                         int width, size_t more)
{
    const char *name = i > 0 ? "then: " : p->held ? "kept: " : "next: ";
    const char *text = p->texts[i] + strspn(p->texts[i], " \t\n");
    size_t len = strcspn(text, "\n");
    char tail[48] = "";

    if (more > 0)
        snprintf(tail, sizeof tail, " (and %zu more)", more);
    else if (i == 0 && p->n == 1 && !text[len])
        snprintf(tail, sizeof tail, "%s", p->held ? " · Enter asks it" : " · Up takes it back");
    int at = grid_label(g, row, col, width, name, STYLE_PROMPT);
    int room = width - at - (int)strlen(tail);
    char *line = strndup(text, len);
    if (line && room > 8)
        at += grid_label(g, row, col + at, room, line, STYLE_USER);
    if (text[len])
        at += grid_label(g, row, col + at, width - at, " …", STYLE_DIM);
    grid_label(g, row, col + at, width - at, tail, STYLE_DIM);
    free(line);
}

void pending_draw(const struct pending *p, struct grid *g, int row, int col, int rows, int width)
{
    size_t room = (size_t)(rows - (p->banner != NULL)), shown = p->n < room ? p->n : room;

    for (size_t i = 0; i < shown; i++)
        draw_waiting(p, i, g, row++, col, width, i + 1 == shown ? p->n - shown : 0);
    if (p->banner && rows > 0)
        grid_label(g, row, col, width, p->banner, STYLE_WARN);
}
