/*
 * steps.c: scans the text once, by lines and sentences. It judges by first words, as it cannot
 * understand the text.
 */
#include "transcript/steps.h"
#include "text/array.h"
#include "text/ascii.h"

#include <stdlib.h>
#include <string.h>

enum { RESULT_MAX = 1024 }; /* how far after \boxed{ its end is searched, in bytes */

/* How the beginning of a line or sentence is classified. */
enum verdict { CONTINUES, BEGINS, TAKES_BACK, TOO_SHORT };

struct piece {
    const char *s;
    size_t n;
    bool ended; /* end of text: a partial match is no match */
};

void steps_done(struct steps *s)
{
    free(s->at);
    *s = (struct steps){0};
}

/* Words */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Whether the piece begins with a phrase, ignoring case: its length, 0, or -1 while undecided.
 * Typographic apostrophes match too; a letter at the phrase's end must end a word.
 */
static int match(struct piece p, const char *phrase)
{
    static const char apostrophe[] = "\xe2\x80\x99";
    size_t at = 0;
    for (const char *c = phrase; *c; c++) {
        size_t left = p.n - at;
        size_t curly = left < 3 ? left : 3;
        if (left == 0)
            return p.ended ? 0 : -1;
        if (*c == '\'' && memcmp(p.s + at, apostrophe, curly) == 0) {
            if (curly < 3)
                return p.ended ? 0 : -1;
            at += 3;
        } else if (lower(p.s[at]) == *c) {
            at++;
        } else {
            return 0;
        }
    }
    if (!ascii_is_letter(phrase[strlen(phrase) - 1]))
        return (int)at;
    if (at == p.n)
        return p.ended ? (int)at : -1;
    return ascii_is_letter(p.s[at]) ? 0 : (int)at;
}

/* The longest matching phrase of a NULL-terminated list; -1 while undecided. */
static int match_any(struct piece p, const char *const *phrases)
{
    int longest = 0;
    for (; *phrases; phrases++) {
        int n = match(p, *phrases);
        if (n < 0)
            return -1;
        longest = n > longest ? n : longest;
    }
    return longest;
}

static const char *const fillers[] = {
    "but ", "so ", "oh, ", "oh ", "okay, ", "ok, ", "and ", "well, ", "now, ", NULL,
};

static const char *const back_tracks[] = {
    "wait",
    "hm",
    "hmm",
    "hmmm",
    "hold on",
    "actually",
    "no,",
    "no wait",
    "oops",
    "scratch that",
    "on second thought",
    "i made a mistake",
    "i made an error",
    "i was wrong",
    "that's wrong",
    "that is wrong",
    "this is wrong",
    "that's not right",
    "that is not right",
    "that can't be",
    "that doesn't seem right",
    "that doesn't make sense",
    "let me re-check",
    "let me recheck",
    "let me double-check",
    "let me double check",
    "let me check again",
    "let me check that again",
    "let me re-examine",
    "let me re-read",
    "let me redo",
    "let me reconsider",
    "let me try again",
    NULL,
};

/* Whether a sentence retracts something; a word such as "But" may precede. */
static enum verdict judge_sentence(struct piece p)
{
    int n = match_any(p, back_tracks);
    for (int words = 0; n == 0 && words < 2; words++) {
        int filler = match_any(p, fillers);
        if (filler <= 0)
            return filler < 0 ? TOO_SHORT : CONTINUES;
        p.s += filler;
        p.n -= (size_t)filler;
        n = match_any(p, back_tracks);
    }
    return n < 0 ? TOO_SHORT : n > 0 ? TAKES_BACK : CONTINUES;
}

/* Lines */

/* "12." and "3)" always begin a step, other numbers an equation. */
static enum verdict judge_number(struct piece p, bool continues)
{
    size_t n = 0;
    while (n < p.n && is_digit(p.s[n]))
        n++;
    if (n + 1 < p.n && (p.s[n] == '.' || p.s[n] == ')') && p.s[n + 1] == ' ')
        return BEGINS;
    if (n + 1 >= p.n && !p.ended && (n == p.n || p.s[n] == '.' || p.s[n] == ')'))
        return TOO_SHORT;
    return continues ? CONTINUES : BEGINS;
}

static enum verdict judge_letter(struct piece p, bool apart, bool continues)
{
    static const char *const labels[] = {"step ", "case ", "method ", "part ", NULL};
    bool capital = p.s[0] != lower(p.s[0]);

    if (continues) {
        int n = capital ? match_any(p, labels) : 0;
        return n < 0 ? TOO_SHORT : n > 0 ? BEGINS : CONTINUES;
    }
    if (capital)
        return BEGINS;
    if (apart)
        return CONTINUES; /* "where x is the length" */
    if (p.n == 1)
        return p.ended ? CONTINUES : TOO_SHORT;
    return ascii_is_letter(p.s[1]) ? CONTINUES : BEGINS; /* a word, a variable */
}

/* A line that begins with a sign; records what it opens. */
static enum verdict judge_sign(struct steps *s, struct piece p, bool continues)
{
    static const char fence[] = "```";
    if (p.s[0] == '`') {
        size_t n = p.n < 3 ? p.n : 3;
        if (memcmp(p.s, fence, n) != 0)
            return CONTINUES;
        if (n < 3)
            return p.ended ? CONTINUES : TOO_SHORT;
        s->fenced = true;
        return CONTINUES;
    }
    if (!strchr("\\$*#([\"", p.s[0]))
        return CONTINUES; /* list marks, quotes, tables, the other side of an equation */
    if (p.s[0] == '#')
        return BEGINS;
    if (p.n < 2)
        return p.ended ? CONTINUES : TOO_SHORT;
    if (p.s[0] == '*')
        return p.s[1] == '*' ? BEGINS : CONTINUES;
    if (memcmp(p.s, "\\[", 2) == 0)
        s->math_end = "\\]";
    else if (memcmp(p.s, "$$", 2) == 0)
        s->math_end = "$$";
    else if (p.s[0] != '\\' || p.s[1] == '(')
        return continues || !s->apart ? CONTINUES : BEGINS;
    return CONTINUES;
}

static enum verdict judge_line(struct steps *s, struct piece p, bool indented)
{
    bool continues = s->last == ':' || s->last == ',';

    if (s->n == 0) { /* nothing to continue or retract yet */
        enum verdict v = judge_sign(s, p, false);
        return v == TOO_SHORT ? TOO_SHORT : BEGINS;
    }
    enum verdict back = judge_sentence(p);
    if (back != CONTINUES)
        return back;
    if (indented)
        return CONTINUES;
    if (is_digit(p.s[0]))
        return judge_number(p, continues);
    if (ascii_is_letter(p.s[0]))
        return judge_letter(p, s->apart, continues);
    if ((unsigned char)p.s[0] >= 0x80)
        return continues ? CONTINUES : BEGINS;
    return judge_sign(s, p, continues);
}

/* The scan */

static bool add_step(struct steps *s, size_t start, bool apart, bool back_track)
{
    if (s->n == STEPS_MAX)
        return true;
    struct step *grown = array_grow(s->at, s->n, &s->cap, sizeof *grown);
    if (!grown)
        return false;
    s->at = grown;
    s->at[s->n] = (struct step){start, apart && s->n > 0, back_track};
    s->n++;
    s->n_back_tracks += back_track;
    return true;
}

/* Classifies the line at `known`; false: undecided, or out of memory (*ok). */
static bool open_line(struct steps *s, const char *text, size_t len, bool ended, bool *ok)
{
    size_t at = s->known;
    while (at < len && (text[at] == ' ' || text[at] == '\t'))
        at++;
    if (at == len && !ended)
        return false;
    if (at == len || text[at] == '\n') {
        s->apart = true;
        s->known = at < len ? at + 1 : at;
        return true;
    }
    const struct piece p = {text + at, len - at, ended};
    const char *math_end = s->math_end;
    enum verdict v = CONTINUES;
    if (s->fenced) {
        if (p.n < 3 && !ended && p.s[0] == '`')
            return false;
        s->fenced = p.n < 3 || memcmp(p.s, "```", 3) != 0;
    } else if (!s->math_end) {
        v = judge_line(s, p, at > s->known);
    }
    if (v == TOO_SHORT)
        return false;
    if (v != CONTINUES)
        *ok = add_step(s, s->known, s->apart, v == TAKES_BACK);
    s->in_line = true;
    s->apart = false;
    s->known = s->math_end == math_end ? at : at + 2; /* an opening does not close itself */
    return *ok;
}

/* Advances within the line to the next possible step; false: undecided, or out of memory. */
static bool walk_line(struct steps *s, const char *text, size_t len, bool ended, bool *ok)
{
    for (; s->known < len && text[s->known] != '\n'; s->known++) {
        const char *at = text + s->known;
        size_t left = len - s->known;
        if (s->math_end && *at == s->math_end[0]) {
            if (left < 2 && !ended)
                return false;
            if (left >= 2 && at[1] == s->math_end[1])
                s->math_end = NULL;
        }
        bool sentence = *at == ' ' && strchr(".?!", s->last) && s->last && !s->fenced &&
                        !s->math_end;
        if (sentence && s->known > 0 && text[s->known - 1] == s->last) {
            enum verdict v = judge_sentence((struct piece){at + 1, left - 1, ended});
            if (v == TOO_SHORT)
                return false;
            if (v == TAKES_BACK && !(*ok = add_step(s, s->known + 1, false, true)))
                return false;
        }
        if (*at != ' ')
            s->last = *at;
    }
    if (s->known < len) {
        s->known++;
        s->in_line = false;
    }
    return true;
}

bool steps_scan(struct steps *s, const char *text, size_t len, bool ended)
{
    bool ok = true, more = true;
    while (more && s->known < len)
        more = s->in_line ? walk_line(s, text, len, ended, &ok)
                          : open_line(s, text, len, ended, &ok);
    return ok;
}

/* Results */

void boxed_scan(struct boxed *b, const char *text, size_t len)
{
    static const char mark[] = "\\boxed{";
    const size_t n = sizeof mark - 1;

    while (b->scanned + n <= len) {
        const char *found = memmem(text + b->scanned, len - b->scanned, mark, n);
        if (!found) {
            b->scanned = len - n + 1;
            return;
        }
        size_t start = (size_t)(found - text) + n, end = start;
        size_t most = start + RESULT_MAX < len ? start + RESULT_MAX : len;
        for (int depth = 1; end < most; end++) {
            depth += (text[end] == '{') - (text[end] == '}');
            if (depth == 0)
                break;
        }
        b->scanned = start;
        if (end == most && most == len) { /* it may still end */
            b->scanned = start - n;
            return;
        }
        if (end < most) {
            b->at = start;
            b->len = end - start;
        }
    }
}
