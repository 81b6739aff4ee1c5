/*
 * text.c: text in formulas: \text{if $x$ is odd}, \operatorname{rank}.
 */
#include "math/parse.h"
#include "text/ascii.h"
#include "text/text.h"

#include <string.h>

/* One character of text, in ASCII if requested. */
static bool add_cluster(struct math_parser *p, struct bytes *words)
{
    struct text_cluster c;
    char utf8[4];
    text_next(p->s + p->at, p->len - p->at, &c);
    p->at += c.len;
    for (int i = 0; i < c.n; i++) {
        const struct math_symbol *symbol = NULL;
        if (p->t->ascii && c.cp[i] >= 0x80) {
            symbol = math_symbol_of(c.cp[i]);
            c.cp[i] = '?';
        }
        const char *ascii = symbol ? symbol->ascii ? symbol->ascii : symbol->name : NULL;
        bool added = ascii ? bytes_add(words, ascii, strlen(ascii))
                           : bytes_add(words, utf8, text_encode(c.cp[i], utf8));
        if (!added)
            return false;
    }
    return true;
}

/* Appends the text read so far to the list. */
static void flush(struct math_parser *p, struct bytes *words, struct math_list *list)
{
    if (words->len == 0 || p->failed)
        return;
    int n = math_node(p, MATH_TEXT, CLASS_ORD);
    math_set_text(p, n, words->data, words->len);
    if (!p->failed)
        node(p, n)->word = words->len > 1;
    math_list_add(p, list, n);
    bytes_cut(words, 0);
}

/* A command inside text: an escaped character or a font change. */
static void command_in_text(struct math_parser *p, struct bytes *words)
{
    struct math_name name = math_take_command(p);
    static const char *const looks[] = {"textbf", "textit", "textrm", "text", "emph", "mathrm"};
    if (name.len == 1 && strchr(" %$#&_{}~", name.s[0])) {
        if (!bytes_add(words, name.s[0] == '~' ? " " : name.s, 1))
            math_fail(p);
        return;
    }
    if (name_is(name, "quad") || name_is(name, ",") || name_is(name, ";")) {
        if (!bytes_add(words, "  ", name_is(name, "quad") ? 2 : 1))
            math_fail(p);
        return;
    }
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (name_is(name, looks[i]))
            return; /* its braces are parsed like any others */
    const struct math_symbol *symbol = math_symbol(name.s, name.len);
    const char *text = !symbol         ? NULL
                       : !p->t->ascii  ? symbol->text
                       : symbol->ascii ? symbol->ascii
                                       : symbol->name;
    if (!text || !bytes_add(words, text, strlen(text)))
        math_fail(p);
}

static void formula_in_text(struct math_parser *p, struct bytes *words, struct math_list *list)
{
    p->at++;
    flush(p, words, list);
    int start = (int)p->at;
    const char *end = memchr(p->s + start, '$', p->len - p->at);
    size_t len = p->len;
    if (!end) {
        math_fail(p);
        return;
    }
    p->len = (size_t)(end - p->s);
    int row = math_parse_row(p, false);
    if (p->at != p->len)
        math_fail(p);
    p->len = len;
    p->at++;
    math_list_add(p, list, row);
}

int math_parse_text(struct math_parser *p)
{
    struct math_list list = {0};
    struct bytes words = {0};
    int depth = 0;

    if (!math_take(p, '{'))
        return math_fail(p);
    while (!p->failed && p->at < p->len) {
        char c = p->s[p->at];
        if (c == '}' && depth-- == 0)
            break;
        depth += c == '{';
        if (c == '\\')
            command_in_text(p, &words);
        else if (c == '$')
            formula_in_text(p, &words, &list);
        else if (c == '{' || c == '}')
            p->at++;
        else if (c == '~' || c == '\n' || c == '\r' || c == '\t')
            p->at++, p->failed |= !bytes_add(&words, " ", 1);
        else if (!add_cluster(p, &words))
            math_fail(p);
    }
    if (!math_next_is(p, '}'))
        math_fail(p);
    p->at++;
    flush(p, &words, &list);
    bytes_free(&words);
    if (p->failed)
        return 0;
    if (list.first && !node(p, list.first)->next && node(p, list.first)->kind == MATH_TEXT)
        return list.first;
    int row = math_node(p, MATH_ROW, CLASS_ORD);
    if (row)
        node(p, row)->a = list.first;
    return row;
}

int math_parse_word(struct math_parser *p)
{
    char word[64];
    size_t len = 0, at;
    int n;
    math_skip_spaces(p);
    if (!math_next_is(p, '{'))
        return 0;
    for (at = p->at + 1; at < p->len && p->s[at] != '}' && len < sizeof word; at++) {
        char c = p->s[at];
        if (c == '\\' && at + 1 < p->len && p->s[at + 1] == ',') /* arg\,max */
            c = ' ', at++;
        if (!ascii_is_letter(c) && (len == 0 || !c || !strchr(" -/", c)))
            return 0;
        word[len++] = c;
    }
    if (len < 2 || at >= p->len || p->s[at] != '}')
        return 0;
    n = math_node(p, MATH_TEXT, CLASS_ORD);
    math_set_text(p, n, word, len);
    p->at = at + 1;
    if (n)
        node(p, n)->word = true;
    return p->failed ? 0 : n;
}
