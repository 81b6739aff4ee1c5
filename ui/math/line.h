/*
 * line.h: shared by the two files that write a formula on one line.
 */
#ifndef UI_MATH_LINE_H
#define UI_MATH_LINE_H

#include "math/tree.h"

struct line {
    const struct math_tree *t;
    struct bytes *out;
    bool tight; /* in a script */
    bool guard; /* a letter appended directly would change the meaning */
    bool failed;
};

static inline const struct math_node *at(const struct line *l, int node)
{
    return &l->t->nodes[node];
}

void line_put(struct line *l, const char *s, size_t len);
void line_say(struct line *l, const char *s);

/* line_script.c: the scripts of a MATH_SCRIPTS, after its base. */
void line_put_scripts(struct line *l, int node);
/* Appends s in raised or lowered characters; false: not possible, nothing appended. */
bool line_add_script(struct bytes *out, const char *s, size_t len, bool raised);

#endif
