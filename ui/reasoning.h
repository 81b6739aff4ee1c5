/*
 * reasoning.h: a model's reasoning as rows of the screen: a summary line, and its steps, each of
 * which folds.
 *
 * Every step is a block of its own (block.h), so while the text grows only the last is laid out
 * again, and the rows of the others stay as they are.
 */
#ifndef UI_REASONING_H
#define UI_REASONING_H

#include "block.h"
#include "grid.h"
#include "steps.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One step, as it is shown. */
struct passage {
    struct block block;
    bool folded;
    size_t end; /* the rows up to its last */
};

struct reasoning {
    struct steps steps;
    enum ui_fold fold;
    struct passage *passages;
    size_t n, cap;
    size_t n_laid;   /* passages that are laid for good in this width */
    size_t n_placed; /* passages whose `end` holds */
    int width;
};

/* For the line above it. */
struct reasoning_facts {
    bool thinking;
    int64_t tokens, ms; /* 0: not known */
    const char *result; /* of a \boxed{}; shown where the reasoning is not */
    size_t result_len;
};

void reasoning_done(struct reasoning *r); /* all zero is an empty one, folded */

void reasoning_set_fold(struct reasoning *r, enum ui_fold fold); /* all of it; opens every step */
bool reasoning_hides(const struct reasoning *r);                 /* some of it */
void reasoning_fold_step(struct reasoning *r, size_t step);

/*
 * Brings the steps and their rows up to date with the text, as block_lay() does; `growing`: more
 * may come. False: out of memory.
 */
bool reasoning_lay(struct reasoning *r, const char *text, size_t len, int width, bool growing);

size_t reasoning_rows(const struct reasoning *r);
size_t reasoning_row_of(const struct reasoning *r, size_t step);
size_t reasoning_step_at(const struct reasoning *r, size_t row);

void reasoning_draw(const struct reasoning *r, size_t n, struct grid *g, int row, int col,
                    int width);

/* "14 steps · 2 back-tracks · 812 tokens · 6.1 s", as much of it as fits. */
void reasoning_draw_facts(const struct reasoning *r, const struct reasoning_facts *facts,
                          struct grid *g, int row, int col, int width);

#endif
