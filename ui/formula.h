/*
 * formula.h: where formulas are in a text, and how one looks while it is still being written.
 */
#ifndef UI_FORMULA_H
#define UI_FORMULA_H

#include "lines.h"
#include "outline.h"

#include <stdbool.h>
#include <stddef.h>

/* An outline_finder. */
struct outline_span formula_find(const char *text, size_t len, size_t from);

/*
 * Adds the formula at `start` to the runs: among words where it is inline or `inline_only`, as a
 * RUN_BLOCK with its start as arg where it is displayed. False: out of memory.
 */
bool formula_add(struct runs *runs, const char *text, size_t len, size_t start, bool inline_only);

/* Lays out the displayed formula at `start`, lines that may scroll. */
void formula_lay(struct lines *l, struct margin *margin, int width, const char *text, size_t len,
                 size_t start);

#endif
