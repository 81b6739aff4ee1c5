/* grammar_form.h - a grammar's expressions, shared by grammar.c, which builds and checks them, and
 * grammar_emit.c, which compiles them. */
#ifndef ENGINE_GRAMMAR_GRAMMAR_FORM_H
#define ENGINE_GRAMMAR_GRAMMAR_FORM_H

#include "grammar/grammar.h"

enum gx_kind { GX_EMPTY, GX_NEVER, GX_SET, GX_TEXT, GX_WORDS, GX_SEQ, GX_ALT, GX_REPEAT, GX_CALL };

struct gx {
    uint8_t kind;
    int32_t a, n;     /* SET, CALL: number a; TEXT: bytes a..; WORDS: word a..; SEQ, ALT: part a..;
                         REPEAT: part a */
    int32_t min, max; /* REPEAT */
};

struct rule {
    char *name; /* or NULL */
    int32_t body;
    bool reached, nullable, ends; /* ends: it matches some finite text */
};

/* Where a text lies in the grammar's own bytes. */
struct gtext {
    int32_t at, len;
};

/* A growing array; failing sticks in the grammar. */
struct garray {
    void *data;
    size_t n, cap;
};

struct grammar {
    struct garray gx, parts, bytes, words, sets,
        rules;                                      /* gx, int32_t, char, gtext, charset, rule */
    struct garray nodes, loops, byte_sets, entries; /* gnode, gloop, gbytes, int32_t */
    struct gprogram program;
    const char *fault; /* why it cannot be finished, or NULL */
};

#define GX(g, id)     (((struct gx *)(g)->gx.data)[id])
#define PART(g, i)    (((int32_t *)(g)->parts.data)[i])
#define RULE(g, id)   (((struct rule *)(g)->rules.data)[id])
#define WORD(g, i)    (((struct gtext *)(g)->words.data)[i])
#define BYTE_AT(g, i) (((char *)(g)->bytes.data)[i])

/* Adds n elements of this size and returns the number of the first, or -1: the
 * grammar has failed. */
int32_t garray_add(struct grammar *g, struct garray *a, size_t size, const void *from, size_t n);

bool gx_is_nullable(const struct grammar *g, int id);
bool gx_ends(const struct grammar *g, int id);

/* Fills in the program. Faults go to g->fault. */
void grammar_emit(struct grammar *g, int root);

#endif
