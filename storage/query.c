/*
 * query.c - splitting and quoting.
 *
 * Space separates words, double quotes hold a phrase together, everything else is literal: what
 * SQLite would take for an operator is quoted before SQLite sees it.
 */
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "utf8.h"

#define SPACE       " \t\r\n\v\f"
#define LONG_ENOUGH 3 /* characters, of which the index is made */

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

/* Writes `w` at `out`, with `escape` before each of the characters in `special`. */
static char *put_escaped(char *out, const struct query_word *w, const char *special, char escape)
{
    for (size_t i = 0; i < w->len; i++) {
        if (strchr(special, w->text[i]))
            *out++ = escape;
        *out++ = w->text[i];
    }
    return out;
}

/* {columns} : ("word" AND "word"), see "Full-text Query Syntax", sqlite.org/fts5.html. */
static bool make_match(struct query *q, size_t text_len, unsigned scope)
{
    /* A word grows to twice its length, with quotes and AND around it. */
    char *p = q->match = malloc(64 + 2 * text_len + 8 * q->count);
    if (!p)
        return false;
    p += sprintf(p, "{%s%s%s } : (", scope & STORE_IN_QUESTIONS ? " question" : "",
                 scope & STORE_IN_ANSWERS ? " answer" : "",
                 scope & STORE_IN_REASONING ? " reasoning" : "");
    const char *glue = "\"";
    for (size_t i = 0; i < q->count; i++) {
        if (!q->words[i].is_long)
            continue;
        p = stpcpy(p, glue);
        p = put_escaped(p, &q->words[i], "\"", '"');
        *p++ = '"';
        glue = " AND \"";
    }
    strcpy(p, ")");
    return true;
}

static bool make_like(struct query *q)
{
    const struct query_word *w = &q->words[0];
    char *p = q->like = malloc(2 * w->len + 3);
    if (!p)
        return false;
    *p++ = '%';
    p = put_escaped(p, w, "%_\\", '\\');
    strcpy(p, "%");
    return true;
}

bool query_parse(struct query *q, const char *text, unsigned scope)
{
    *q = (struct query){0};
    /* What is not UTF-8 is in no text that was written whole. */
    if (!utf8_valid(text, strlen(text)))
        return true;
    if (!split(q, text))
        return false;
    for (size_t i = 0; i < q->count; i++)
        if (q->words[i].is_long)
            return make_match(q, strlen(text), scope);
    return q->count == 0 || make_like(q);
}

void query_done(struct query *q)
{
    free(q->words);
    free(q->match);
    free(q->like);
}
