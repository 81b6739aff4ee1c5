/*
 * speak.c: a formula in words, in reading order. A part whose end cannot be heard gets a
 * closing phrase ("end root"), but only if it has more than one element.
 */
#include "math/voice.h"

#include <string.h>

/* A part, with its end spoken if it is long. */
static void speak_with_end(struct voice *v, int node, const char *end)
{
    voice_speak(v, node);
    if (!voice_is_short(v, node))
        voice_say(v, end);
}

static bool is_d(const struct voice *v, int node)
{
    node = one(v, node);
    if (at(v, node)->kind == MATH_ROW)
        node = at(v, node)->a;
    node = one(v, node);
    if (at(v, node)->kind == MATH_SCRIPTS)
        node = one(v, at(v, node)->a);
    return voice_is_char(v, node, 'd') || voice_is_symbol(v, node, "partial");
}

static void speak_fraction(struct voice *v, const struct math_node *n)
{
    bool plain = voice_is_short(v, n->a) && voice_is_short(v, n->b);
    if (n->form == FRACTION_CHOOSE || n->form == FRACTION_ATOP) {
        voice_speak(v, n->a);
        voice_say(v, n->form == FRACTION_CHOOSE ? "choose" : "above");
        voice_speak(v, n->b);
    } else if (math_level(v->t, n->b) == LEVEL_DIFFERENTIAL && is_d(v, n->a)) {
        voice_speak(v, n->a);
        voice_say(v, "by");
        voice_speak(v, n->b);
    } else {
        if (!plain)
            voice_say(v, "the fraction");
        voice_speak(v, n->a);
        voice_say(v, "over");
        voice_speak(v, n->b);
        if (!plain)
            voice_say(v, "end fraction");
    }
}

static void speak_root(struct voice *v, const struct math_node *n)
{
    int degree = one(v, n->b);
    if (n->b && voice_is_text(v, degree, "3")) {
        voice_say(v, "the cube root of");
    } else if (n->b && !voice_is_text(v, degree, "2")) {
        voice_say(v, "the root of order");
        voice_speak(v, n->b);
        voice_say(v, "of");
    } else {
        voice_say(v, "the square root of");
    }
    speak_with_end(v, n->a, "end root");
}

static void speak_accent(struct voice *v, const struct math_node *n)
{
    const struct math_accent *accent = math_accent(n->cp);
    bool before = n->cp == 0x20d7 || n->cp == 0x20d6 || n->cp == 0x20e1;
    if (before)
        voice_say(v, accent->speech);
    voice_speak(v, n->a);
    if (!before && voice_is_short(v, n->a))
        voice_say(v, accent->speech);
    else if (!before)
        voice_say(v, "with"), voice_say(v, accent->speech);
}

static void speak_bar(struct voice *v, const struct math_node *n)
{
    bool over = n->form == SIDE_OVER, plain = voice_is_short(v, n->a);
    if (!plain)
        voice_say(v, over ? "overline" : "underline");
    voice_speak(v, n->a);
    voice_say(v, plain ? over ? "bar" : "underlined" : over ? "end overline" : "end underline");
}

static void speak_arrow(struct voice *v, const struct math_node *n)
{
    const struct math_symbol *symbol = at(v, n->c)->symbol;
    bool right = symbol && strcmp(symbol->text, "→") == 0;
    if (right || (symbol && strcmp(symbol->text, "←") == 0))
        voice_say(v, right ? "right arrow" : "left arrow");
    else
        voice_speak(v, n->c);
    if (at(v, one(v, n->a))->kind != MATH_ROW || at(v, one(v, n->a))->a) {
        voice_say(v, "with");
        voice_speak(v, n->a);
        voice_say(v, "above");
    }
    if (n->b) {
        voice_say(v, "with");
        voice_speak(v, n->b);
        voice_say(v, "below");
    }
}

static bool has_primes(const struct voice *v, int script)
{
    int first = one(v, script);
    first = at(v, first)->kind == MATH_ROW ? at(v, first)->a : first;
    return first && voice_is_symbol(v, first, "prime");
}

/* f(x): whether a bracket holds the argument of the function before it. */
static bool is_application(const struct voice *v, int before, int node)
{
    const struct math_node *n = at(v, node);
    if (n->kind == MATH_SCRIPTS && !n->b)
        n = at(v, one(v, n->a)); /* f(x)^2 */
    if (before == 0 || n->kind != MATH_DELIM || !n->b || !voice_is_symbol(v, n->b, "("))
        return false;
    int base = one(v, before);
    if (at(v, base)->kind == MATH_SCRIPTS) {
        if (at(v, base)->c && has_primes(v, at(v, base)->c))
            return true;
        base = one(v, at(v, base)->a);
    }
    if (voice_is_symbol(v, base, "log") && at(v, one(v, before))->b)
        return false; /* log base 2 of */
    uint32_t cp = at(v, base)->cp;
    bool letter = at(v, base)->kind == MATH_ATOM && cp > 0 && cp < 0x80 &&
                  strchr("fghFGHP", (int)cp);
    return letter || at(v, base)->class == CLASS_OP || voice_is_symbol(v, base, "Gamma") ||
           voice_is_symbol(v, base, "zeta");
}

static bool is_vector(const struct voice *v, int node)
{
    if (at(v, node)->kind == MATH_SCRIPTS)
        node = at(v, node)->a;
    const struct math_node *n = at(v, one(v, node));
    return (n->kind == MATH_ACCENT && n->cp == 0x20d7) ||
           voice_is_symbol(v, one(v, node), "nabla") ||
           (n->kind == MATH_ATOM && n->font == FONT_BOLD);
}

/* Vector products have names of their own. */
static bool speak_product(struct voice *v, int before, int node)
{
    int next = at(v, node)->next;
    bool dot = voice_is_symbol(v, node, "cdot");
    if (next && is_d(v, next) && at(v, next)->next) /* E . dl */
        next = at(v, next)->next;
    if ((!dot && !voice_is_symbol(v, node, "times")) || !next || !is_vector(v, before) ||
        !is_vector(v, next))
        return false;
    voice_say(v, dot ? "dot" : "cross");
    return true;
}

static bool is_fraction(const struct voice *v, int node)
{
    return node && at(v, node)->kind == MATH_FRACTION && at(v, node)->form <= FRACTION_SMALL;
}

static bool is_binomial(const struct voice *v, int node)
{
    const struct math_node *n = at(v, node), *inside = at(v, one(v, n->a));
    return node && n->kind == MATH_DELIM && inside->kind == MATH_FRACTION &&
           inside->form == FRACTION_CHOOSE;
}

/* What is spoken between a fraction and a factor beside it. */
static void speak_join(struct voice *v, int before, int node)
{
    if (is_fraction(v, node) && before && !is_fraction(v, before) && math_is_value(v->t, before)) {
        const struct math_node *n = at(v, node);
        bool mixed = at(v, before)->number && at(v, one(v, n->a))->number &&
                     at(v, one(v, n->b))->number;
        bool derivative = math_level(v->t, n->b) == LEVEL_DIFFERENTIAL && is_d(v, n->a);
        voice_say(v, mixed ? "and" : derivative ? "" : "times");
    } else if (is_fraction(v, before)) {
        const struct math_node *n = at(v, before);
        bool derivative = math_level(v->t, n->b) == LEVEL_DIFFERENTIAL && is_d(v, n->a);
        bool function = at(v, node)->class == CLASS_OP || at(v, node)->class == CLASS_BIG;
        if (!function && !math_is_value(v->t, node))
            return;
        if (derivative && voice_is_short(v, n->a))
            voice_say(v, "of");
        else
            voice_pause(v, ",");
    } else if ((is_binomial(v, before) || at(v, before)->kind == MATH_ROOT) &&
               math_is_value(v->t, node)) {
        voice_pause(v, ",");
    }
}

static void speak_row(struct voice *v, int first)
{
    int before = 0;
    for (int i = first; i && !v->failed; i = at(v, i)->next) {
        const struct math_node *n = at(v, i);
        if (n->kind == MATH_SPACE) {
            if (n->form >= 2 && before)
                voice_pause(v, ",");
            continue;
        }
        if (is_application(v, before, i)) {
            voice_say(v, "of");
            if (n->kind == MATH_DELIM && voice_is_short(v, n->a)) {
                voice_speak(v, n->a);
                before = i;
                continue;
            }
        }
        speak_join(v, before, i);
        if (voice_is_char(v, i, '!') && before && voice_is_symbol(v, before, "exists"))
            voice_say(v, "exactly one");
        else if (voice_is_char(v, i, '.') && before && at(v, before)->number && n->next)
            voice_say(v, "point");
        else if (!speak_product(v, before, i))
            voice_speak(v, i);
        if (n->kind == MATH_ATOM && n->class == CLASS_BIG && n->next)
            voice_say(v, "of");
        before = i;
    }
}

void voice_speak(struct voice *v, int node)
{
    const struct math_node *n = at(v, node);
    if (node == 0 || v->failed)
        return;
    switch (n->kind) {
    case MATH_ROW: speak_row(v, n->a); break;
    case MATH_ATOM: voice_atom(v, node); break;
    case MATH_TEXT: voice_text(v, n); break;
    case MATH_FRACTION: speak_fraction(v, n); break;
    case MATH_ROOT: speak_root(v, n); break;
    case MATH_SCRIPTS: voice_scripts(v, n); break;
    case MATH_DELIM: voice_delim(v, n); break;
    case MATH_TABLE:
        if (n->form == TABLE_MATRIX)
            voice_matrix(v, n, "matrix");
        else
            voice_lines(v, n);
        break;
    case MATH_ACCENT: speak_accent(v, n); break;
    case MATH_BAR: speak_bar(v, n); break;
    case MATH_BRACE: voice_speak(v, n->a); break;
    case MATH_ARROW: speak_arrow(v, n); break;
    case MATH_BOXED:
        voice_say(v, "boxed");
        speak_with_end(v, n->a, "end box");
        break;
    case MATH_CANCEL:
        voice_say(v, "crossed out");
        speak_with_end(v, n->a, "end crossed out");
        break;
    default: break;
    }
}

bool math_speak(struct bytes *out, const char *tex, size_t len)
{
    struct math_tree t = {0};
    struct bytes words = {0};
    struct voice v = {.t = &t, .out = &words};
    bool done = math_parse(&t, tex, len, false);

    if (done) {
        voice_speak(&v, t.root);
        while (words.len > 0 && strchr(",; ", words.data[words.len - 1]))
            bytes_cut(&words, words.len - 1);
        done = !v.failed && words.len > 0 && math_add_drawn(out, words.data, words.len);
    }
    bytes_free(&words);
    math_tree_free(&t);
    return done;
}
