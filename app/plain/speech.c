/* speech.c - see speech.h. */
#include "app/plain/speech.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ui/ui.h"

/* Separates words from those of a preceding formula. */
static void say_plain(struct speech *s, size_t end, struct str *out)
{
    if (end <= s->said)
        return;
    const char *text = s->text.data + s->said;
    if (s->after_formula && isalnum((unsigned char)*text))
        str_adds(out, " ");
    s->after_formula = false;
    str_add(out, text, end - s->said);
    s->said = end;
}

static void say_formula(struct speech *s, const struct ui_formula *f, struct str *out)
{
    bool before = f->start > 0 && isalnum((unsigned char)s->text.data[f->start - 1]);
    say_plain(s, f->start, out);
    if (f->words && s->said == f->start) {
        str_adds(out, before || s->after_formula ? " " : "");
        str_adds(out, f->words);
        s->after_formula = true;
        s->said = f->end;
    }
    say_plain(s, f->end, out); /* unspeakable formulas are printed as written */
}

/* A formula is certain once its last line is complete: code may begin before it in the line and end
 * after it. */
static bool is_certain(const struct speech *s, const struct ui_formula *f)
{
    return !f->open && memchr(s->text.data + f->end, '\n', s->text.len - f->end);
}

/* Where in the last line a possible formula or code span begins. */
static size_t doubt_from(const struct speech *s)
{
    size_t at = s->text.len;
    while (at > s->said && s->text.data[at - 1] != '\n')
        at--;
    while (at < s->text.len && !strchr("$\\`", s->text.data[at]))
        at++;
    return at;
}

void speech_add(struct speech *s, const char *text, size_t len, bool ended, struct str *out)
{
    struct ui_formula f = {.words = NULL};
    bool found;

    str_add(&s->text, text, len); /* from here on it is a text, even if empty */
    while ((found = ui_formula_in(s->text.data, s->text.len, s->from, &f)) &&
           (ended || is_certain(s, &f))) {
        say_formula(s, &f, out);
        free(f.words);
        s->from = f.end;
    }
    if (found)
        free(f.words);
    size_t doubt = ended ? s->text.len : doubt_from(s);
    say_plain(s, found && f.start < doubt ? f.start : doubt, out);
    if (ended)
        speech_done(s);
}

void speech_done(struct speech *s)
{
    str_done(&s->text);
    *s = (struct speech){0};
}
