/*
 * code.h: the lines of a code block. Long lines wrap at their own indentation with a mark in the
 * margin, so that a wrap is not mistaken for a newline in the code.
 */
#ifndef UI_MARKDOWN_CODE_H
#define UI_MARKDOWN_CODE_H

#include "markdown/highlight.h"
#include "markdown/lines.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code {
    struct lines *l; /* where to, set by the caller before code_begin() */
    struct margin *margin;
    int width;

    bool open;
    const struct language *language;
    uint8_t state; /* lexer state */
    struct bytes line;
};

/* `info`: the info string of the fence; `state`: of the lexer, 0 at the beginning of a block. */
void code_begin(struct code *c, const char *info, size_t n, uint8_t state);

/* The header line with the name of the language. */
void code_header(struct code *c, const char *info, size_t n);

/* Appends text; a line is laid out when it ends. The first one continues an open line. */
void code_add(struct code *c, const char *s, size_t n);

void code_end(struct code *c);
void code_done(struct code *c);

#endif
