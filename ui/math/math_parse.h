/*
 * math_parse.h: what the files of the parser share. Failure is sticky: once `failed` is set every
 * function returns 0 and reads no further.
 */
#ifndef UI_MATH_MATH_PARSE_H
#define UI_MATH_MATH_PARSE_H

#include "math/math_tree.h"

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
bool math_take(struct math_parser *p, char c); /* after spaces */
struct math_name math_peek_command(const struct math_parser *p);
struct math_name math_take_command(struct math_parser *p);

/* Up to what cannot be in a row: `}`, `&`, \\, \right, \end, the end; a `]` where one is
 * awaited. */
int math_parse_row(struct math_parser *p, bool until_bracket);
int math_parse_argument(struct math_parser *p); /* a group, a command or a character */
int math_parse_optional(struct math_parser *p); /* [..]; 0: there is none */

/* What is between braces, as it stands: a name, a length. */
bool math_raw_argument(struct math_parser *p, struct math_name *out);

/* math_bracket.c: brackets written without \left and \right belong together all the same, and
 * grow. */
void math_match_brackets(struct math_parser *p, struct math_list *list);
/* A binary operator that stands where there is nothing to join is a sign. */
void math_settle_classes(struct math_parser *p, int first);

/* math_command.c: after the name of a command. 0: it leaves nothing behind. */
int math_parse_command(struct math_parser *p, struct math_name name);
/* math_text.c: words and formulas in braces, as \text has them. */
int math_parse_text(struct math_parser *p);
/* A node of words, without formulas, if the braces that come hold only letters; 0: they do not. */
int math_parse_word(struct math_parser *p);
/* math_table.c */
int math_parse_environment(struct math_parser *p);
/* Lines of cells to the end of what is around them. */
int math_parse_table(struct math_parser *p, enum math_table form);

#endif
