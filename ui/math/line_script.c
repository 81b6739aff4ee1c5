/*
 * line_script.c: scripts on one line: in raised or lowered characters if each has one, else as
 * ^x and _(n + 1).
 */
#include "math/line.h"
#include "text/text.h"

#include <string.h>

bool line_add_script(struct bytes *out, const char *s, size_t len, bool raised)
{
    size_t start = out->len;
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        char utf8[4];
        i += text_decode(s + i, len - i, &cp);
        cp = math_script_of(cp, raised);
        if (!cp || !bytes_add(out, utf8, text_encode(cp, utf8))) {
            bytes_cut(out, start);
            return false;
        }
    }
    return true;
}

static bool is_script_char(const struct line *l, int node, const char *name)
{
    const struct math_node *n = at(l, math_unwrap(l->t, node));
    return n->symbol && strcmp(n->symbol->name, name) == 0;
}

static bool is_word(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'z') ||
              (s[i] >= 'A' && s[i] <= 'Z')))
            return false;
    return true;
}

/* A script as ^x or ^(x + 1). */
static void put_plain_script(struct line *l, int node, bool raised, bool always_parens,
                             const struct bytes *s)
{
    bool word = is_word(s->data, s->len);
    bool parens = math_level(l->t, node) != LEVEL_ONE && !(word && (!raised || s->len == 1));
    int one = math_unwrap(l->t, node);
    if (at(l, one)->kind == MATH_DELIM)
        parens = s->data[0] != '(';
    parens = parens || always_parens;
    line_say(l, raised ? "^" : "_");
    if (parens)
        line_say(l, "(");
    line_put(l, s->data, s->len);
    if (parens)
        line_say(l, ")");
    l->guard = !parens;
}

struct scripts {
    struct bytes below, above;    /* as written */
    struct bytes lowered, raised; /* in raised or lowered characters */
};

static bool is_primes(const struct bytes *s)
{
    return s->len > 0 && strspn(s->data, "'") == s->len;
}

/* The scripts in both forms; returns whether every character has a raised or lowered one. */
static bool script_forms(const struct line *l, const struct math_node *n, struct scripts *s,
                         bool *failed)
{
    bool whole = true;
    if (n->b && !math_line(l->t, n->b, true, &s->below))
        *failed = true;
    if (n->c && !math_line(l->t, n->c, true, &s->above))
        *failed = true;
    if (*failed)
        return false;
    if (at(l, n->a)->kind == MATH_BRACE)
        return false; /* labels of a brace are not powers */
    if (l->t->ascii)
        return !n->b && is_primes(&s->above) &&
               line_add_script(&s->raised, s->above.data, s->above.len, true);
    if (s->below.len > 0)
        whole = line_add_script(&s->lowered, s->below.data, s->below.len, false);
    if (whole && s->above.len > 0)
        whole = line_add_script(&s->raised, s->above.data, s->above.len, true);
    return whole;
}

void line_put_scripts(struct line *l, int node)
{
    const struct math_node *n = at(l, node);
    struct scripts s = {0};
    bool whole = script_forms(l, n, &s, &l->failed), brace = at(l, n->a)->kind == MATH_BRACE;

    if (whole) {
        line_put(l, s.lowered.data, s.lowered.len);
        line_put(l, s.raised.data, s.raised.len);
    } else if (!l->failed) {
        if (l->t->ascii && n->c && is_script_char(l, n->c, "circ")) {
            line_say(l, " deg");
            n = NULL;
        }
        if (n && s.below.len > 0)
            put_plain_script(l, n->b, false, brace, &s.below);
        size_t primes = s.above.len > 0 ? strspn(s.above.data, "'") : 0;
        if (n && primes > 0) {
            l->guard = false;
            line_put(l, s.above.data, primes);
            bytes_splice(&s.above, 0, primes, NULL, 0);
        }
        if (n && s.above.len > 0)
            put_plain_script(l, n->c, true, brace, &s.above);
    }
    bytes_free(&s.below);
    bytes_free(&s.above);
    bytes_free(&s.lowered);
    bytes_free(&s.raised);
}

bool math_line_script(const struct math_tree *t, int script, bool raised, struct bytes *out)
{
    struct bytes s = {0};
    bool done = math_line(t, script, true, &s) && s.len > 0;
    if (t->ascii)
        done = done && is_primes(&s);
    done = done && line_add_script(out, s.data, s.len, raised);
    bytes_free(&s);
    return done;
}
