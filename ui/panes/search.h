/*
 * search.h: the dialog for searching all conversations. Holds the query and the hits; the search
 * itself is done elsewhere.
 */
#ifndef UI_PANES_SEARCH_H
#define UI_PANES_SEARCH_H

#include "editor/field.h"
#include "keys/keymap.h"
#include "terminal/grid.h"
#include "text/bytes.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct search_hit {
    int64_t id;
    size_t title, detail, snippet; /* in search.text */
    size_t match_at, match_len;    /* in the snippet */
};

struct search {
    const struct keymap *keymap; /* for hints; owned by the caller */
    struct field query;
    enum ui_where where;
    struct bytes text; /* strings of the hits, each with its NUL */
    struct search_hit *hits;
    size_t n, selected, top;
    struct area area; /* of the hits, as of the last draw, */
    int height;       /* and how many it holds */
    char *summary;
};

void search_init(struct search *s, const struct keymap *keymap);
void search_done(struct search *s);

/* Replaces the hits; selects the first unless `grown`: the same hits and more. */
bool search_set(struct search *s, const struct ui_hit *hits, size_t n, bool grown,
                const char *summary);

void search_move(struct search *s, int64_t hits);
void search_narrow(struct search *s); /* cycles through the scopes */
bool search_chosen(const struct search *s, int64_t *id_out);

/* Selects the hit drawn at that position; false: none there. */
bool search_point(struct search *s, int row, int col);

void search_draw(struct search *s, struct grid *g);

#endif
