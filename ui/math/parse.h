/*
 * parse.h: shared by the files of the parser. Failure is sticky: once `failed` is set every
 * function returns 0 and reads no further.
 */
#ifndef UI_MATH_PARSE_H
#define UI_MATH_PARSE_H

#include "math/tree.h"

struct math_parser {
    struct math_tree *t;
    const char *s;
    size_t len, at;
    int depth;
    enum math_font font;
    bool failed;
};

struct math_list {
    int first, last;
};

struct math_name {
    const char *s;
    size_t len; /* 0: not at a command */
};

static inline bool name_is(struct math_name name, const char *what)
{
    size_t i = 0;
    while (i < name.len && what[i] && what[i] == name.s[i])
        i++;
    return i == name.len && what[i] == '\0';
}

static inline struct math_node *node(struct math_parser *p, int n)
{
    return &p->t->nodes[n];
}

int math_fail(struct math_parser *p); /* 0 */
int math_node(struct math_parser *p, enum math_kind kind, enum math_class class);
void math_list_add(struct math_parser *p, struct math_list *list, int n);

/* Text of a node: as given, or a symbol's. */
void math_set_text(struct math_parser *p, int n, const char *text, size_t len);
int math_symbol_node(struct math_parser *p, const struct math_symbol *symbol);
int math_char_node(struct math_parser *p, uint32_t cp);

void math_skip_spaces(struct math_parser *p);
bool math_next_is(const struct math_parser *p, char c);
bool math_take(struct math_parser *p, char c); /* skips spaces */
struct math_name math_peek_command(const struct math_parser *p);
struct math_name math_take_command(struct math_parser *p);

/*
 * Parses up to a token that ends a row: `}`, `&`, \\, \right, \end, the end; a `]` if one is
 * expected.
 */
int math_parse_row(struct math_parser *p, bool until_bracket);
int math_parse_argument(struct math_parser *p); /* a group, a command or a character */
int math_parse_optional(struct math_parser *p); /* [..]; 0: absent */

/* The raw text between braces: a name, a length. */
bool math_raw_argument(struct math_parser *p, struct math_name *out);

/* bracket.c: pairs brackets written without \left and \right, so that they grow too. */
void math_match_brackets(struct math_parser *p, struct math_list *list);
/* Turns a binary operator without two operands into a sign. */
void math_settle_classes(struct math_parser *p, int first);

/* command.c: called after a command's name. 0: the command produces no node. */
int math_parse_command(struct math_parser *p, struct math_name name);
/* text.c: text and formulas in braces, as in \text. */
int math_parse_text(struct math_parser *p);
/* A text node without formulas if the braced group holds only letters; 0: it does not. */
int math_parse_word(struct math_parser *p);
/* table.c */
int math_parse_environment(struct math_parser *p);
/* Lines of cells up to the end of the enclosing group. */
int math_parse_table(struct math_parser *p, enum math_table form);

#endif
