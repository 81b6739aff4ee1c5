/*
 * voice.c: builds the words, and speaks single signs.
 */
#include "math/voice.h"
#include "text/text.h"

#include <string.h>

enum { SPEECH_MAX = 64 * MATH_SOURCE_MAX };

void voice_add(struct voice *v, const char *s, size_t len)
{
    if (v->failed || len == 0)
        return;
    bool blank = v->out->len > 0 && v->out->data[v->out->len - 1] != ' ';
    v->failed = v->out->len > SPEECH_MAX || (blank && !bytes_add(v->out, " ", 1)) ||
                !bytes_add(v->out, s, len);
}

void voice_say(struct voice *v, const char *words)
{
    voice_add(v, words, strlen(words));
}

void voice_pause(struct voice *v, const char *mark)
{
    size_t len = v->out->len;
    if (v->failed || len == 0 || strchr(",;:. ", v->out->data[len - 1]))
        return;
    v->failed = !bytes_add(v->out, mark, strlen(mark));
}

bool voice_is_symbol(const struct voice *v, int node, const char *name)
{
    const struct math_symbol *symbol = at(v, node)->symbol;
    return at(v, node)->kind == MATH_ATOM && symbol && strcmp(symbol->name, name) == 0;
}

bool voice_is_char(const struct voice *v, int node, uint32_t cp)
{
    return at(v, node)->kind == MATH_ATOM && at(v, node)->cp == cp;
}

bool voice_is_text(const struct voice *v, int node, const char *text)
{
    const struct math_node *n = at(v, node);
    return n->kind == MATH_ATOM && n->len == strlen(text) &&
           memcmp(v->t->text.data + n->text, text, n->len) == 0;
}

bool voice_is_vert(const struct voice *v, int node)
{
    return voice_is_symbol(v, node, "vert") || voice_is_symbol(v, node, "mid");
}

bool voice_is_short(const struct voice *v, int node)
{
    node = one(v, node);
    const struct math_node *n = at(v, node);
    if (n->kind == MATH_ROW && !n->a)
        return true;
    if (n->kind == MATH_SCRIPTS && !n->form)
        return voice_is_short(v, n->a) && (!n->b || at(v, one(v, n->b))->kind == MATH_ATOM) &&
               (!n->c || at(v, one(v, n->c))->kind == MATH_ATOM);
    return n->kind == MATH_ATOM || n->kind == MATH_TEXT ||
           (n->kind == MATH_ACCENT && at(v, one(v, n->a))->kind == MATH_ATOM);
}

/*
 * Whether a script can: scripts of scripts cannot, as the listener could not tell their bases
 * apart.
 */
bool voice_is_short_script(const struct voice *v, int node)
{
    return voice_is_short(v, node) && at(v, one(v, node))->kind != MATH_SCRIPTS;
}

static const char *char_words(uint32_t cp, bool sign)
{
    switch (cp) {
    case '+': return sign ? "positive" : "plus";
    case '-': return sign ? "negative" : "minus";
    case '*': return "times";
    case '=': return "equals";
    case ':': return "colon";
    case '!': return "factorial";
    case '?': return "question mark";
    case '"': return "quote";
    case '`': return "backquote";
    case '@': return "at";
    default: return NULL;
    }
}

static void speak_number_set(struct voice *v, uint32_t cp)
{
    static const struct {
        char letter;
        const char *words;
    } sets[] = {{'N', "the natural numbers"},
                {'Z', "the integers"},
                {'Q', "the rational numbers"},
                {'R', "the real numbers"},
                {'C', "the complex numbers"}};
    char letter[2] = {(char)cp, '\0'};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (cp == (uint32_t)sets[i].letter) {
            voice_say(v, sets[i].words);
            return;
        }
    voice_say(v, "blackboard");
    voice_say(v, letter);
}

void voice_atom(struct voice *v, int node)
{
    static const char *const fonts[] = {"", "bold", "blackboard", "script", "fraktur"};
    const struct math_node *n = at(v, node);
    const char *words;
    char utf8[4];

    if (n->negated)
        voice_say(v, "not");
    if (voice_is_vert(v, node) && n->class != CLASS_OPEN && n->class != CLASS_CLOSE) {
        voice_say(v, v->within == '{'                       ? "such that"
                     : v->within == '(' || v->within == '[' ? "given"
                     : voice_is_symbol(v, node, "mid")      ? "divides"
                                                            : "bar");
    } else if (n->symbol) {
        if (n->font)
            voice_say(v, fonts[n->font]);
        bool approach = v->approaching &&
                        (voice_is_symbol(v, node, "to") || voice_is_symbol(v, node, "rightarrow"));
        voice_say(v, approach                            ? "approaches"
                     : voice_is_symbol(v, node, "slash") ? "over"
                     : n->symbol->speech                 ? n->symbol->speech
                                                         : n->symbol->name);
    } else if (n->cp == ',' || n->cp == ';' || n->cp == '.') {
        voice_pause(v, n->cp == ',' ? "," : n->cp == ';' ? ";" : ".");
    } else if ((words = char_words(n->cp, n->class == CLASS_ORD && n->next))) {
        voice_say(v, words);
    } else if (n->number || !n->cp) {
        voice_add(v, v->t->text.data + n->text, n->len);
    } else if (n->font == FONT_DOUBLE) {
        speak_number_set(v, n->cp);
    } else {
        if (n->font)
            voice_say(v, fonts[n->font]);
        voice_add(v, utf8, text_encode(n->cp, utf8));
    }
}

void voice_text(struct voice *v, const struct math_node *n)
{
    const char *s = v->t->text.data + n->text;
    size_t len = n->len;
    while (len > 0 && *s == ' ')
        s++, len--;
    while (len > 0 && s[len - 1] == ' ')
        len--;
    if (len > 0 && strchr(",;.", *s)) {
        voice_pause(v, *s == ',' ? "," : *s == ';' ? ";" : ".");
        s++, len--;
        while (len > 0 && *s == ' ')
            s++, len--;
    }
    voice_add(v, s, len);
}
