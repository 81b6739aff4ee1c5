/* gbnf.h - reads a grammar in GBNF, the notation that users of llama.cpp write:
 *
 *     root  ::= "yes" | "no" (", " word)*     # a comment
 *     word  ::= [a-z]{2,9} [^ \n]? . "\u00e9"
 *
 * A rule ends with its line, unless a group is open or a "|" stands there or on the next. Texts and
 * classes know \n \r \t \\ \" \' \[ \] \- \^ \/ \xHH \uHHHH \UHHHHHHHH. */
#ifndef ENGINE_GRAMMAR_GBNF_H
#define ENGINE_GRAMMAR_GBNF_H

#include <stddef.h>

struct grammar;

/* Adds the rules of a text to g; *root_out is the one named root. 0, or -1 with one line in err
 * that gives line and column. */
int gbnf_read(struct grammar *g, const char *text, int *root_out, char *err, size_t errlen);

#endif
