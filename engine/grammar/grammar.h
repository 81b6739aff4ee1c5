/* grammar.h - the common form of schemas, GBNF and tool calls, and the program for a pushdown
 * automaton over bytes that it is compiled to (machine.h runs it).
 *
 * A grammar is rules; a rule's body is an expression; expressions are made by the gx_ calls, each
 * of which returns an id to build larger ones with. A failure (memory, size) sticks, and
 * grammar_finish reports it. A call that ends its rule takes no room on the automaton's stack, so
 * right-recursive rules may serve as the states of a finite automaton. A repetition with large
 * bounds is one loop with a counter, not a row of copies. */
#ifndef ENGINE_GRAMMAR_GRAMMAR_H
#define ENGINE_GRAMMAR_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grammar/charset.h"

enum { GX_FOREVER = INT32_MAX };

struct grammar;

/* NULL: out of memory. */
struct grammar *grammar_new(void);
void grammar_free(struct grammar *g); /* NULL is fine */

/* name: for messages, or NULL; copied. */
int grammar_rule(struct grammar *g, const char *name);
void grammar_define(struct grammar *g, int rule, int body);

struct gx_word {
    const char *text;
    size_t len;
};

int gx_empty(struct grammar *g);
int gx_never(struct grammar *g);
int gx_set(struct grammar *g, const struct charset *set); /* finished; copied */
int gx_text(struct grammar *g, const char *s, size_t len);
int gx_string(struct grammar *g, const char *s);
/* Any one of the texts. Common prefixes are walked once, so there may be many. */
int gx_words(struct grammar *g, const struct gx_word *words, size_t n);
int gx_seq(struct grammar *g, const int *parts, size_t n);
int gx_alt(struct grammar *g, const int *parts, size_t n);
int gx_two(struct grammar *g, int first, int second); /* one after the other */
int gx_or(struct grammar *g, int a, int b);
int gx_repeat(struct grammar *g, int part, int32_t min, int32_t max);
int gx_maybe(struct grammar *g, int part);
int gx_call(struct grammar *g, int rule);

/* Compiles what can be reached from root. Branches that can never end are left out. 0, or -1 with
 * one line in err: a rule refers to itself before anything is read, nothing can ever end, it is too
 * large, or out of memory. */
int grammar_finish(struct grammar *g, int root, char *err, size_t errlen);

/* The program */

enum gop {
    G_BYTES,  /* one byte of set a, then b */
    G_SPLIT,  /* a, and b */
    G_CALL,   /* rule a, then b */
    G_TAIL,   /* rule a in place of this one */
    G_LOOP,   /* loop a */
    G_RETURN, /* to the caller */
};

struct gnode {
    uint8_t op;
    int32_t a, b;
    int32_t loop; /* G_BYTES: begins a character of this loop's own set; else -1 */
};

struct gloop {
    int32_t min, max; /* counted where they are not 0 and GX_FOREVER */
    int32_t body, exit;
    int32_t set; /* the body, or one of its alternatives, is any character of this set; or -1 */
};

struct gbytes {
    uint64_t bit[4];
};

static inline bool gbytes_has(const struct gbytes *s, uint8_t byte)
{
    return s->bit[byte / 64] >> byte % 64 & 1;
}

struct gprogram {
    const struct gnode *node;
    const struct gloop *loop;
    const struct gbytes *bytes;
    const struct charset *set;
    const int32_t *entry; /* of each rule */
    int32_t n_nodes, root;
    int n_classes;
    uint8_t class_of[256]; /* bytes of one class are in the same sets everywhere */
    uint8_t byte_of[256];  /* a byte of each class */
};

/* Of a finished grammar; its own. */
const struct gprogram *grammar_program(const struct grammar *g);

#endif
