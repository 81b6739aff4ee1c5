/*
 * reasoning.h: a model's reasoning as screen rows: a summary line, and its steps, each of which
 * folds.
 *
 * Every step is a block of its own (block.h), so while the text grows only the last step is laid
 * out again.
 */
#ifndef UI_TRANSCRIPT_REASONING_H
#define UI_TRANSCRIPT_REASONING_H

#include "markdown/block.h"
#include "terminal/grid.h"
#include "transcript/steps.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A step as shown. */
struct passage {
    struct block block;
    bool folded;
    size_t end; /* total rows up to and including its last */
};

struct reasoning {
    struct steps steps;
    enum ui_fold fold;
    bool strikes; /* the terminal can strike text through */
    struct passage *passages;
    size_t n, cap;
    size_t n_laid;   /* steps laid out for good at this width */
    size_t n_placed; /* steps whose `end` is valid */
    int width;
};

/* For the summary line. */
struct reasoning_facts {
    bool thinking;
    int64_t tokens, ms; /* 0: unknown */
    const char *result; /* from a \boxed{}; shown while the reasoning is folded */
    size_t result_len;
};

void reasoning_done(struct reasoning *r); /* zero-initialized: empty and folded */

/* UI_FOLD_OPEN unfolds every step. */
void reasoning_set_fold(struct reasoning *r, enum ui_fold fold);

/* Folds a step, or unfolds it. */
void reasoning_fold_step(struct reasoning *r, size_t step);

/* Whether some of it is folded. */
bool reasoning_hides(const struct reasoning *r);

/*
 * Updates the steps and their rows for the text, as block_layout() does; `growing`: more may
 * follow. False: out of memory.
 */
bool reasoning_layout(struct reasoning *r, const char *text, size_t len, int width, bool growing);

size_t reasoning_rows(const struct reasoning *r);
size_t reasoning_row_of(const struct reasoning *r, size_t step);
size_t reasoning_step_at(const struct reasoning *r, size_t row);

void reasoning_draw(const struct reasoning *r, size_t n, struct grid *g, struct area at);

/* "14 steps · 2 back-tracks · 812 tokens · 6.1 s", as much as fits. */
void reasoning_draw_facts(const struct reasoning *r, const struct reasoning_facts *facts,
                          struct grid *g, struct area at);

#endif
