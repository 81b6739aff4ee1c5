/*
 * speak_group.c: brackets, matrices, cases and lines, in words.
 */
#include "math/voice.h"

#include <string.h>

static int count(const struct voice *v, int first)
{
    int n = 0;
    for (int i = first; i; i = at(v, i)->next)
        n++;
    return n;
}

static void say_number(struct voice *v, int number)
{
    char digits[12];
    size_t pos = sizeof digits;
    do
        digits[--pos] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    voice_add(v, digits + pos, sizeof digits - pos);
}

void voice_matrix(struct voice *v, const struct math_node *n, const char *what)
{
    int rows = count(v, n->a), columns = 0, row = 0;
    for (int line = n->a; line; line = at(v, line)->next) {
        int cells = count(v, at(v, line)->a);
        columns = cells > columns ? cells : columns;
    }
    voice_say(v, "the");
    say_number(v, rows);
    voice_say(v, "by");
    say_number(v, columns);
    voice_say(v, what);
    voice_pause(v, ",");
    for (int line = n->a; line && !v->failed; line = at(v, line)->next) {
        voice_say(v, "row");
        say_number(v, ++row);
        voice_pause(v, ":");
        for (int cell = at(v, line)->a; cell; cell = at(v, cell)->next) {
            voice_speak(v, cell);
            voice_pause(v, at(v, cell)->next ? "," : ";");
        }
    }
    voice_say(v, "end");
    voice_say(v, what);
}

void voice_lines(struct voice *v, const struct math_node *n)
{
    bool cases = n->form == TABLE_CASES;
    if (cases) {
        voice_say(v, "cases");
        voice_pause(v, ":");
    }
    for (int line = n->a; line && !v->failed; line = at(v, line)->next) {
        int column = 0;
        for (int cell = at(v, line)->a; cell; cell = at(v, cell)->next, column++) {
            voice_speak(v, cell);
            if (n->form == TABLE_ALIGNED && column % 2 == 1 && at(v, cell)->next)
                voice_pause(v, ",");
            if ((cases || n->form == TABLE_ARRAY) && at(v, cell)->next)
                voice_pause(v, ",");
        }
        if (at(v, line)->b) {
            voice_pause(v, ",");
            voice_say(v, "equation");
            int tag = at(v, line)->b;
            voice_speak(v, at(v, tag)->kind == MATH_DELIM ? at(v, tag)->a : tag);
        }
        int next = at(v, line)->next;
        if (next && (n->form != TABLE_ALIGNED || at(v, at(v, next)->a)->a))
            voice_pause(v, ";");
        else if (next)
            voice_pause(v, ",");
    }
    if (cases) {
        voice_pause(v, ";");
        voice_say(v, "end cases");
    }
}

/* Brackets spoken by their meaning. */
static bool speak_known_brackets(struct voice *v, const struct math_node *n)
{
    static const struct {
        const char *open, *words, *end;
    } known[] = {
        {"|", "the absolute value of", "end absolute value"},
        {"‖", "the norm of", "end norm"},
        {"⌊", "the floor of", "end floor"},
        {"⌈", "the ceiling of", "end ceiling"},
        {"{", "the set", "end set"},
    };
    const struct math_symbol *open = at(v, n->b)->symbol, *close = at(v, n->c)->symbol;
    if (!n->b || !n->c || !open || !close)
        return false;
    bool bar_opens = open->text[0] == '|', bar_closes = close->text[0] == '|';
    if ((bar_opens && strcmp(close->text, "⟩") == 0) ||
        (bar_closes && strcmp(open->text, "⟨") == 0)) {
        voice_say(v, bar_opens ? "ket" : "bra");
        voice_speak(v, n->a);
        return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].open, open->text) == 0) {
            bool set = open->text[0] == '{';
            voice_say(v, known[i].words);
            voice_speak(v, n->a);
            if (set || !voice_is_short(v, n->a))
                voice_say(v, known[i].end);
            return true;
        }
    return false;
}

void voice_delim(struct voice *v, const struct math_node *n)
{
    const struct math_node *inside = at(v, one(v, n->a));
    const struct math_symbol *open = at(v, n->b)->symbol;
    char within = v->within;

    if (inside->kind == MATH_TABLE && inside->form != TABLE_CASES && n->b && n->c) {
        voice_matrix(v, inside, open && open->text[0] == '|' ? "determinant" : "matrix");
        return;
    }
    if (inside->kind == MATH_FRACTION && inside->form == FRACTION_CHOOSE) {
        bool plain = voice_is_short(v, inside->a) && voice_is_short(v, inside->b);
        if (!plain)
            voice_say(v, "the binomial");
        voice_speak(v, n->a);
        if (!plain)
            voice_say(v, "end binomial");
        return;
    }
    if (inside->kind == MATH_ROW && inside->a && voice_is_symbol(v, inside->a, "bmod")) {
        voice_pause(v, ",");
        voice_speak(v, n->a);
        return;
    }
    v->within = n->b ? v->t->text.data[at(v, n->b)->text] : '\0';
    if (inside->kind == MATH_TABLE) {
        voice_speak(v, n->a);
    } else if (!speak_known_brackets(v, n)) {
        voice_speak(v, n->b);
        voice_speak(v, n->a);
        voice_speak(v, n->c);
    }
    v->within = within;
}
