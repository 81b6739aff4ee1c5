/*
 * voice.h: shared by the files that put a formula into words.
 */
#ifndef UI_MATH_VOICE_H
#define UI_MATH_VOICE_H

#include "math/tree.h"

struct voice {
    const struct math_tree *t;
    struct bytes *out;
    bool approaching; /* inside a limit: an arrow reads "approaches" */
    char within;      /* the enclosing bracket, which decides what a bar means */
    bool failed;
};

static inline const struct math_node *at(const struct voice *v, int node)
{
    return &v->t->nodes[node];
}

/* A node, or the only child of its braces. */
static inline int one(const struct voice *v, int node)
{
    return math_unwrap(v->t, node);
}

void voice_add(struct voice *v, const char *s, size_t len);
void voice_say(struct voice *v, const char *words);
void voice_pause(struct voice *v, const char *mark); /* a comma or the like, with no space before */
void voice_atom(struct voice *v, int node);
void voice_text(struct voice *v, const struct math_node *n);

/* Whether a part, or a script, can be spoken without marking its end. */
bool voice_is_short(const struct voice *v, int node);
bool voice_is_short_script(const struct voice *v, int node);
bool voice_is_symbol(const struct voice *v, int node, const char *name);
bool voice_is_char(const struct voice *v, int node, uint32_t cp);
bool voice_is_text(const struct voice *v, int node, const char *text);
bool voice_is_vert(const struct voice *v, int node);

/* speak.c */
void voice_speak(struct voice *v, int node);

/* speak_script.c, speak_group.c */
void voice_scripts(struct voice *v, const struct math_node *n);
void voice_matrix(struct voice *v, const struct math_node *n, const char *what);
void voice_lines(struct voice *v, const struct math_node *n);
void voice_delim(struct voice *v, const struct math_node *n);

#endif
