/*
 * query.c - splitting and quoting.
 *
 * Space separates words, double quotes hold a phrase together, everything else is literal: what
 * SQLite would take for an operator is quoted before SQLite sees it.
 */
#include "query.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

#define SPACE       " \t\r\n\v\f"
#define LONG_ENOUGH 3 /* characters, of which the index is made */
#define PIECE_SIZE  (LONG_ENOUGH * UTF8_LONGEST + 2 + 5 + LONG_ENOUGH) /* quotes, " AND " */

/* The next word or phrase at *p, which moves behind it; a length of 0 at the end. */
static struct query_word next_word(const char **p)
{
    struct query_word w;
    do {
        *p += strspn(*p, SPACE);
        bool phrase = **p == '"';
        w.text = *p += phrase;
        w.len = strcspn(*p, phrase ? "\"" : SPACE "\"");
        *p += w.len;
        if (phrase && **p)
            ++*p;
        /* Spaces around a phrase are nobody's intention; one of spaces only is no word. */
        while (w.len > 0 && strchr(SPACE, w.text[w.len - 1]))
            w.len--;
        while (w.len > 0 && strchr(SPACE, w.text[0]))
            w.text++, w.len--;
    } while (w.len == 0 && **p);
    w.is_long = utf8_length(w.text, w.len) >= LONG_ENOUGH;
    return w;
}

static bool split(struct query *q, const char *text)
{
    /* Not more words than every other byte. */
    q->words = calloc(strlen(text) / 2 + 1, sizeof(*q->words));
    if (!q->words)
        return false;
    for (struct query_word w = next_word(&text); w.len > 0; w = next_word(&text))
        q->words[q->count++] = w;
    return true;
}

/* One piece as a string of SQLite's query language, which doubles quotes. */
static char *put_piece(char *out, const char *piece, size_t len)
{
    *out++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (piece[i] == '"')
            *out++ = '"';
        *out++ = piece[i];
    }
    *out++ = '"';
    return out;
}

/* Pieces of a long word, at most `most` and then from all over it, each behind `glue`. */
static char *put_word(char *out, const struct query_word *w, size_t most, const char **glue)
{
    size_t pieces = utf8_length(w->text, w->len) - (LONG_ENOUGH - 1), begin = 0;
    for (size_t i = 0, put = 0; i < pieces; i++, utf8_next(w->text, w->len, &begin)) {
        if (i < put * pieces / most)
            continue;
        size_t end = begin;
        for (int n = 0; n < LONG_ENOUGH; n++)
            utf8_next(w->text, w->len, &end);
        out = put_piece(stpcpy(out, *glue), w->text + begin, end - begin);
        *glue = " AND ";
        put++;
    }
    return out;
}

/* "pie" AND "iec" AND "ece", see "Full-text Query Syntax", sqlite.org/fts5.html. */
static bool make_match(struct query *q, size_t n_long)
{
    size_t words = n_long < QUERY_PIECES ? n_long : QUERY_PIECES, most = QUERY_PIECES / words;
    char *p = q->match = malloc(QUERY_PIECES * PIECE_SIZE + 1);
    if (!p)
        return false;
    const char *glue = "";
    for (size_t i = 0; i < q->count && words > 0; i++) {
        if (!q->words[i].is_long)
            continue;
        p = put_word(p, &q->words[i], most, &glue);
        words--;
    }
    *p = '\0';
    return true;
}

bool query_parse(struct query *q, const char *text)
{
    *q = (struct query){0};
    text = text ? text : "";
    /* What is not UTF-8 is in no text that was written whole. */
    if (!utf8_valid(text, strlen(text)))
        return true;
    if (!split(q, text))
        return false;
    size_t n_long = 0;
    for (size_t i = 0; i < q->count; i++)
        n_long += q->words[i].is_long;
    return n_long == 0 || make_match(q, n_long);
}

void query_done(struct query *q)
{
    free(q->words);
    free(q->match);
}

bool query_matches(const struct query *q, const char *text, size_t len)
{
    size_t at, found;
    for (size_t i = 0; i < q->count; i++)
        if (!utf8_find(text, len, q->words[i].text, q->words[i].len, &at, &found))
            return false;
    return true;
}
