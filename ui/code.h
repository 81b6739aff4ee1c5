/*
 * code.h: the lines of a code block. Long lines are wrapped at their own indentation, with a mark
 * in the margin, so that it stays clear what is code and what is not.
 */
#ifndef UI_CODE_H
#define UI_CODE_H

#include "highlight.h"
#include "lines.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code {
    bool open;
    struct lines *l;
    struct margin *margin;
    int width;
    const struct language *language;
    uint8_t state; /* of the highlighting */
    struct bytes line;
};

/* `info`: what stands behind the fence. */
void code_begin(struct code *c, struct lines *l, struct margin *margin, int width, const char *info,
                size_t n, uint8_t state);

/* The line above it, with the name of the language. */
void code_header(struct code *c, const char *info, size_t n);

/* Adds text; lines are laid as they end. Where a line is open, the first goes on with it. */
void code_add(struct code *c, const char *s, size_t n);

void code_end(struct code *c);
void code_done(struct code *c);

#endif
