/*
 * search.c - finding texts by their words.
 *
 * Candidates come newest first and are read, so that a hit, its rank and its snippet come from what
 * is written, not from the index. The newest that match are ranked, so that a common word costs no
 * more than a rare one.
 */
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "arena.h"
#include "candidates.h"
#include "index.h"
#include "query.h"
#include "stmt.h"
#include "text.h"
#include "utf8.h"

#define RANKED         1000
#define SNIPPET_BEFORE 60 /* bytes around the match */
#define SNIPPET_AFTER  140
#define EVERYWHERE     (STORE_IN_QUESTIONS | STORE_IN_ANSWERS | STORE_IN_REASONING)
#define ELLIPSIS       "\xe2\x80\xa6"

/* A text that matches, and how well. */
struct found {
    int64_t document;
    double score;
};

struct search {
    struct store *store;
    const struct store_query *asked;
    struct query query;
    unsigned scope;
    struct found *found; /* [RANKED] */
    size_t n_found;
    struct text_body body; /* of the candidate at hand */
    struct store_hits *hits;
};

static enum store_kind kind_of(int64_t document)
{
    return document % INDEX_PARTS == INDEX_REASONING ? STORE_REASONING : STORE_TEXT;
}

static unsigned scope_of(int64_t document)
{
    return 1u << document % INDEX_PARTS;
}

_Static_assert(STORE_IN_QUESTIONS == 1 << INDEX_QUESTION && STORE_IN_ANSWERS == 1 << INDEX_ANSWER &&
                   STORE_IN_REASONING == 1 << INDEX_REASONING,
               "a scope is a set of parts");

/* Ranking */

#define SATURATION       1.2    /* k1 */
#define LENGTH_MATTERS   0.75   /* b */
#define USUAL_LENGTH     1000.0 /* bytes */
#define COUNTED          32     /* occurrences of a word */
#define REASONING_WEIGHT 0.5
#define INSIDE_WEIGHT    0.5 /* of an occurrence inside a word */

static bool begins_word(const char *text, size_t at)
{
    unsigned char before = at > 0 ? (unsigned char)text[at - 1] : ' ';
    return before < 0x80 && !iswalnum(before);
}

/* How often a word is there; 0: not at all. */
static double occurrences(const struct text_body *b, const struct query_word *w)
{
    double n = 0;
    size_t at, len;
    for (size_t from = 0, i = 0; i < COUNTED; i++, from += at + len) {
        if (!utf8_find(b->data + from, b->len - from, w->text, w->len, &at, &len))
            break;
        n += begins_word(b->data, from + at) ? 1 : INSIDE_WEIGHT;
    }
    return n;
}

/*
 * BM25 without the rarity of words: every hit holds every word, so that their rarity hardly sets
 * two apart. See "The Probabilistic Relevance Framework: BM25 and Beyond", Robertson and Zaragoza,
 * 2009. 0 when a word is missing.
 */
static double score(const struct search *f, int64_t document)
{
    double often = 0;
    for (size_t i = 0; i < f->query.count; i++) {
        double n = occurrences(&f->body, &f->query.words[i]);
        if (n == 0)
            return 0;
        often += n;
    }
    if (kind_of(document) == STORE_REASONING)
        often *= REASONING_WEIGHT;
    double length = (double)f->body.len / USUAL_LENGTH;
    return often / (often + SATURATION * (1 - LENGTH_MATTERS + LENGTH_MATTERS * length));
}

/* Of two hits in one message the answer represents both. */
static void keep(struct search *f, int64_t document, double value)
{
    struct found *last = f->n_found > 0 ? &f->found[f->n_found - 1] : NULL;
    if (!last || last->document / INDEX_PARTS != document / INDEX_PARTS) {
        f->found[f->n_found++] = (struct found){document, value};
        return;
    }
    if (kind_of(document) == STORE_TEXT)
        last->document = document;
    if (value > last->score)
        last->score = value;
}

static int examine(struct search *f, int64_t document)
{
    if (!(scope_of(document) & f->scope))
        return STORE_OK;
    int rc = text_read_kind(f->store, document / INDEX_PARTS, kind_of(document), &f->body);
    double value = rc == STORE_OK && f->body.len > 0 ? score(f, document) : 0;
    if (value > 0)
        keep(f, document, value);
    return rc;
}

/* Short words are not ranked: the newest come first. */
static int better(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->document < y->document) - (x->document > y->document);
}

/* Showing */

static bool inside_character(const char *text, size_t at)
{
    return ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* Cuts the surroundings of the match, and makes match_at count from their start. */
static const char *snippet(const struct search *f, struct store_hit *hit)
{
    const struct text_body *b = &f->body;
    size_t from = hit->match_at > SNIPPET_BEFORE ? hit->match_at - SNIPPET_BEFORE : 0;
    size_t to = hit->match_at + hit->match_len;
    to = b->len - to > SNIPPET_AFTER ? to + SNIPPET_AFTER : b->len;
    while (from > 0 && from < hit->match_at && inside_character(b->data, from))
        from++;
    while (to < b->len && inside_character(b->data, to))
        to++;
    const char *head = from > 0 ? ELLIPSIS : "";
    const char *tail = to < b->len ? ELLIPSIS : "";
    size_t head_len = strlen(head), tail_len = strlen(tail);
    char *out = arena_alloc(f->hits, head_len + (to - from) + tail_len + 1);
    if (!out)
        return NULL;
    memcpy(out, head, head_len);
    memcpy(out + head_len, b->data + from, to - from);
    memcpy(out + head_len + (to - from), tail, tail_len);
    for (char *nul; (nul = memchr(out + head_len, '\0', to - from)) != NULL;)
        *nul = ' ';
    hit->match_at = hit->match_at - from + head_len;
    return out;
}

static int add_hit(struct search *f, struct store_hit *hit, struct stmt *q)
{
    struct store_hits *list = f->hits;
    struct store_hit *items = arena_grow(list, list->items, list->count, sizeof(*items));
    if (!items)
        return db_no_memory(f->store);
    list->items = items;
    size_t title_len;
    const char *title = stmt_text(q, 1, &title_len);
    hit->snippet = snippet(f, hit);
    hit->title = arena_copy(list, title ? title : "", title_len);
    if (!hit->snippet || !hit->title)
        return db_no_memory(f->store);
    items[list->count++] = *hit;
    return STORE_OK;
}

/* Makes a hit of a text that was found, unless its conversation is deleted. */
static int show(struct search *f, const struct found *found)
{
    struct store_hit hit = {
        .message = found->document / INDEX_PARTS,
        .kind = kind_of(found->document),
        .where = scope_of(found->document),
        .score = found->score,
    };
    struct stmt q = stmt_open(f->store, "SELECT c.id, c.title, m.created FROM message m"
                                        " JOIN conversation c ON c.id = m.conversation"
                                        " WHERE m.id = ? AND c.deleted_by IS NULL");
    stmt_bind_int(&q, hit.message);
    int rc = STORE_OK;
    if (stmt_row(&q)) {
        const struct query_word *w = &f->query.words[0];
        hit.conversation = stmt_int(&q, 0);
        hit.created_ms = stmt_int(&q, 2);
        rc = text_read_kind(f->store, hit.message, hit.kind, &f->body);
        if (rc == STORE_OK &&
            utf8_find(f->body.data, f->body.len, w->text, w->len, &hit.match_at, &hit.match_len))
            rc = add_hit(f, &hit, &q);
    }
    return stmt_close_after(&q, rc);
}

static int show_best(struct search *f)
{
    int rc = STORE_OK;
    if (f->query.match)
        qsort(f->found, f->n_found, sizeof(*f->found), better);
    for (size_t i = 0; i < f->n_found && f->hits->count < f->asked->limit && rc == STORE_OK; i++)
        rc = show(f, &f->found[i]);
    f->hits->found = f->n_found;
    return rc;
}

/* Collects matches until there are enough or the time is up. */
static int gather(struct search *f, struct candidates *c, int64_t until_ms)
{
    size_t enough = f->query.match || f->asked->limit > RANKED ? RANKED : f->asked->limit;
    int64_t document, message = 0;
    int rc = STORE_OK;
    while (rc == STORE_OK && candidates_next(c, &document)) {
        bool stop = f->n_found >= enough || db_clock_ms() >= until_ms;
        if (stop && message != 0 && document / INDEX_PARTS != message) {
            f->hits->next = message * INDEX_PARTS;
            break;
        }
        message = document / INDEX_PARTS;
        rc = examine(f, document);
    }
    return rc;
}

static int run(struct search *f)
{
    const struct store_query *asked = f->asked;
    int64_t until_ms = asked->ms > 0 ? db_clock_ms() + asked->ms : INT64_MAX;
    int rc = db_snapshot(f->store);
    if (rc != STORE_OK)
        return rc;
    struct candidates c;
    rc = candidates_open(&c, f->store, &f->query, asked->before);
    if (rc == STORE_OK)
        rc = gather(f, &c, until_ms);
    rc = candidates_close(&c, rc);
    if (rc == STORE_OK)
        rc = show_best(f);
    db_release(f->store);
    return rc;
}

static int search(struct search *f)
{
    locale_t before = uselocale(f->store->letters); /* none: as it is */
    f->hits = arena_new(sizeof(*f->hits));
    f->found = malloc((RANKED + 1) * sizeof(*f->found));
    bool ready = f->hits && f->found && query_parse(&f->query, f->asked->text);
    int rc = ready ? STORE_OK : db_no_memory(f->store);
    if (rc == STORE_OK && f->query.count > 0)
        rc = run(f);
    uselocale(before);
    return rc;
}

int store_search_some(struct store *s, const struct store_query *query, struct store_hits **out)
{
    struct search f = {.store = s, .asked = query, .scope = query->scope & EVERYWHERE};
    if (f.scope == 0)
        f.scope = EVERYWHERE;
    int rc = search(&f);
    query_done(&f.query);
    free(f.body.data);
    free(f.found);
    if (rc != STORE_OK) {
        arena_free(f.hits);
        f.hits = NULL;
    }
    *out = f.hits;
    return rc;
}

int store_search(struct store *s, const char *query, unsigned scope, size_t limit,
                 struct store_hits **out)
{
    const struct store_query all = {.text = query, .scope = scope, .limit = limit};
    return store_search_some(s, &all, out);
}

void store_hits_free(struct store_hits *list)
{
    arena_free(list);
}
