/*
 * speak_script.c: powers, indices and limits, in words.
 */
#include "math/voice.h"

#include <string.h>

static bool has_relation(const struct voice *v, int node)
{
    node = one(v, node);
    if (at(v, node)->kind != MATH_ROW)
        return false;
    for (int i = at(v, node)->a; i; i = at(v, i)->next)
        if (voice_is_char(v, i, '='))
            return true;
    return false;
}

/* A sum, an integral or a limit, with its bounds. */
static void speak_big(struct voice *v, const struct math_node *n, bool range)
{
    bool limit = at(v, one(v, n->a))->symbol && strstr(at(v, one(v, n->a))->symbol->name, "lim");
    bool approaching = v->approaching;
    voice_speak(v, n->a);
    if (n->b) {
        voice_say(v, limit                                      ? "as"
                     : n->c && (range || has_relation(v, n->b)) ? "from"
                     : has_relation(v, n->b)                    ? "where"
                                                                : "over");
        v->approaching = limit;
        voice_speak(v, n->b);
        v->approaching = approaching;
    }
    if (n->c) {
        voice_say(v, "to");
        voice_speak(v, n->c);
    }
    voice_say(v, "of");
}

/* Whether a part is a matrix, judging by its form. */
static bool is_capital(const struct voice *v, int node)
{
    const struct math_node *n = at(v, one(v, node));
    if (n->kind == MATH_DELIM) {
        int inside = one(v, n->a);
        inside = at(v, inside)->kind == MATH_ROW ? at(v, inside)->a : inside;
        inside = at(v, inside)->kind == MATH_SCRIPTS ? at(v, inside)->a : inside;
        return at(v, inside)->kind == MATH_TABLE || (inside && is_capital(v, inside));
    }
    return n->kind == MATH_ATOM && ((n->cp >= 'A' && n->cp <= 'Z') || n->font == FONT_BOLD);
}

static bool is_minus_one(const struct voice *v, int node)
{
    node = one(v, node);
    int sign = at(v, node)->kind == MATH_ROW ? at(v, node)->a : 0,
        digit = sign ? at(v, sign)->next : 0;
    return digit && voice_is_char(v, sign, '-') && voice_is_text(v, digit, "1") &&
           !at(v, digit)->next;
}

/* Powers with a word of their own; false: none. */
static bool speak_known_power(struct voice *v, int base, int power)
{
    static const struct {
        const char *symbol, *words;
    } known[] = {{"circ", "degrees"},  {"ast", "star"},           {"dagger", "dagger"},
                 {"top", "transpose"}, {"intercal", "transpose"}, {"complement", "complement"},
                 {"perp", "perp"},     {"degree", "degrees"}};
    int p = one(v, power), b = one(v, base);
    bool function = at(v, b)->class == CLASS_OP || voice_is_char(v, b, 'f') ||
                    voice_is_char(v, b, 'g');

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (voice_is_symbol(v, p, known[i].symbol)) {
            voice_say(v, known[i].words);
            return true;
        }
    if (voice_is_symbol(v, p, "prime")) {
        bool twice = voice_is_text(v, p, "\u2033"), thrice = voice_is_text(v, p, "\u2034");
        voice_say(v, twice ? "double prime" : thrice ? "triple prime" : "prime");
        return true;
    }
    if (voice_is_text(v, p, "2") || voice_is_text(v, p, "3")) {
        voice_say(v, voice_is_text(v, p, "2") ? "squared" : "cubed");
        return true;
    }
    if (voice_is_char(v, p, '*') || voice_is_char(v, p, '+') || voice_is_char(v, p, '-')) {
        voice_say(v, voice_is_char(v, p, '*')   ? "star"
                     : voice_is_char(v, p, '+') ? "plus"
                                                : "minus");
        return true;
    }
    if (is_minus_one(v, p) && (function || is_capital(v, base))) {
        voice_say(v, "inverse");
        return true;
    }
    if ((voice_is_char(v, p, 'T') || voice_is_char(v, p, 'H')) && is_capital(v, base)) {
        voice_say(v, voice_is_char(v, p, 'T') ? "transpose" : "conjugate transpose");
        return true;
    }
    return false;
}

/* f'^2: primes first, then the power. */
static void speak_power(struct voice *v, int base, int power)
{
    int p = one(v, power), first = at(v, p)->kind == MATH_ROW ? at(v, p)->a : 0;
    if (first && voice_is_symbol(v, first, "prime") && at(v, first)->next) {
        speak_known_power(v, base, first);
        for (int i = at(v, first)->next; i; i = at(v, i)->next)
            speak_power(v, base, i);
        return;
    }
    if (speak_known_power(v, base, power))
        return;
    bool plain = voice_is_short_script(v, power);
    if (at(v, p)->kind == MATH_DELIM &&
        voice_is_symbol(v, at(v, p)->b, "(")) { /* order of a derivative */
        voice_say(v, "superscript");
        voice_speak(v, p);
        return;
    }
    voice_say(v, plain ? "to the" : "to the power");
    voice_speak(v, power);
    if (!plain)
        voice_say(v, "end power");
}

/* Labels over or under a sign: there, ! is not a factorial. */
static void speak_mark(struct voice *v, int node)
{
    if (voice_is_char(v, one(v, node), '!'))
        voice_say(v, "exclamation mark");
    else
        voice_speak(v, node);
}

static void speak_stacked(struct voice *v, const struct math_node *n)
{
    bool brace = at(v, one(v, n->a))->kind == MATH_BRACE;
    voice_speak(v, n->a);
    if (n->b) {
        voice_say(v, brace ? "labelled" : "with");
        speak_mark(v, n->b);
        voice_say(v, brace ? "end label" : "below");
    }
    if (n->c) {
        voice_say(v, brace ? "labelled" : "with");
        speak_mark(v, n->c);
        voice_say(v, brace ? "end label" : "above");
    }
}

/* x²/2| with limits: evaluated between them. */
static void speak_evaluated(struct voice *v, const struct math_node *n)
{
    voice_speak(v, at(v, one(v, n->a))->a);
    voice_pause(v, ",");
    voice_say(v, "evaluated");
    if (n->b) {
        voice_say(v, n->c ? "from" : "at");
        voice_speak(v, n->b);
    }
    if (n->c) {
        voice_say(v, n->b ? "to" : "at");
        voice_speak(v, n->c);
    }
    voice_pause(v, ",");
}

void voice_scripts(struct voice *v, const struct math_node *n)
{
    const struct math_node *base = at(v, one(v, n->a));
    bool integral = base->symbol && base->symbol->flags & SYMBOL_INTEGRAL;

    if (n->class == CLASS_BIG) {
        speak_big(v, n, integral);
        return;
    }
    if (n->form) {
        speak_stacked(v, n);
        return;
    }
    if (base->kind == MATH_DELIM && !base->b && base->c && voice_is_vert(v, base->c)) {
        speak_evaluated(v, n);
        return;
    }
    voice_speak(v, n->a);
    if (base->kind == MATH_DELIM && base->b && !voice_is_symbol(v, base->b, "("))
        voice_pause(v, ","); /* the power applies to the whole */
    if (base->kind == MATH_ROW && !base->a) {
        if (n->b)
            voice_say(v, "lower"), voice_speak(v, n->b);
        if (n->c)
            voice_say(v, "upper"), voice_speak(v, n->c);
        return;
    }
    if (n->b) {
        bool log = base->symbol && (strcmp(base->symbol->name, "log") == 0);
        voice_say(v, log ? "base" : "sub");
        voice_speak(v, n->b);
        if (!voice_is_short_script(v, n->b))
            voice_say(v, "end sub");
    }
    if (n->c)
        speak_power(v, n->a, n->c);
    if (n->b && base->symbol && strcmp(base->symbol->name, "log") == 0)
        voice_say(v, "of");
}
