/*
 * formula.h: finds the formulas in a text and lays them out, including those still being written.
 */
#ifndef UI_MARKDOWN_FORMULA_H
#define UI_MARKDOWN_FORMULA_H

#include "markdown/lines.h"
#include "markdown/outline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An outline_finder. */
bool formula_find(const char *text, size_t len, size_t from, struct outline_span *out);

/*
 * Appends a formula to the runs: as an atom if it is inline or `as_inline`, else as a RUN_BLOCK
 * with `arg`. False: out of memory.
 */
bool formula_add(struct runs *runs, const char *text, const struct outline_span *span,
                 bool as_inline, uint32_t arg);

/* Lays out a display formula; lines wider than the window scroll. */
void formula_layout(struct lines *l, struct margin *margin, int width, const char *text,
                    const struct outline_span *span);

/*
 * Appends a formula given without delimiters in its one-line form, or the source if it does not
 * parse. False: out of memory.
 */
bool formula_on_line(struct bytes *out, const char *tex, size_t len);

#endif
