/*
 * search.c - the full-text index and its queries.
 *
 * The index finds three characters or more; a shorter word is looked for in the texts themselves.
 * Either way gives candidates, newest first, that are read and checked here, so that a hit and its
 * snippet come from one mechanism.
 */
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "query.h"
#include "stmt.h"
#include "text.h"
#include "utf8.h"

#define SNIPPET_BEFORE 60 /* bytes around the match */
#define SNIPPET_AFTER  140
#define MERGED_AT_ONCE 1000 /* pages of the index: a few MB, some tens of ms */
#define EVERYWHERE     (STORE_IN_QUESTIONS | STORE_IN_ANSWERS | STORE_IN_REASONING)
#define ELLIPSIS       "\xe2\x80\xa6"

int search_add(struct store *s, int64_t message)
{
    struct stmt q = stmt_open(s, "INSERT INTO search(rowid, question, answer, reasoning)"
                                 " SELECT id, question, answer, reasoning FROM searchable"
                                 " WHERE id = ?");
    stmt_bind_int(&q, message);
    int rc = stmt_run(&q);
    /* A broken index must not keep a message from being saved. */
    return rc == STORE_EDAMAGED ? STORE_OK : rc;
}

int search_remove(struct store *s, int64_t conversation)
{
    struct stmt q = stmt_open(s, "INSERT INTO search(search, rowid, question, answer, reasoning)"
                                 " SELECT 'delete', id, question, answer, reasoning FROM searchable"
                                 " WHERE id IN (SELECT id FROM message WHERE conversation = ?)");
    stmt_bind_int(&q, conversation);
    return stmt_run(&q);
}

/* See "The 'merge' command", sqlite.org/fts5.html: first a negative number of pages. */
static int merge_some(struct store *s, int pages, bool *done)
{
    int before = sqlite3_total_changes(s->sql);
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    struct stmt q = stmt_open(s, "INSERT INTO search(search, rank) VALUES('merge', ?)");
    stmt_bind_int(&q, pages);
    rc = db_end(s, stmt_run(&q));
    *done = sqlite3_total_changes(s->sql) - before < 2;
    return rc;
}

int search_compact(struct store *s)
{
    bool done;
    int rc = merge_some(s, -MERGED_AT_ONCE, &done);
    while (rc == STORE_OK && !done)
        rc = merge_some(s, MERGED_AT_ONCE, &done);
    return rc;
}

struct search {
    struct store *store;
    struct query query;
    unsigned scope;
    size_t limit;
    struct store_hits *hits;
    struct text text; /* of the candidate at hand */
};

static bool in_scope(const struct search *f, enum store_role role, enum store_kind kind)
{
    if (kind == STORE_REASONING)
        return f->scope & STORE_IN_REASONING;
    return f->scope & (role == STORE_USER ? STORE_IN_QUESTIONS : STORE_IN_ANSWERS);
}

/* Whether some text in scope holds the word; then where. */
static bool find_word(const struct search *f, enum store_role role, const struct query_word *w,
                      struct store_hit *hit)
{
    for (int kind = 0; kind < STORE_KINDS; kind++) {
        const struct text_body *b = &f->text.body[kind];
        if (in_scope(f, role, kind) &&
            utf8_find(b->data, b->len, w->text, w->len, &hit->match_at, &hit->match_len)) {
            hit->kind = kind;
            return true;
        }
    }
    return false;
}

/* The index has checked the long words, and it folds more letters than utf8_find may. */
static bool matches(const struct search *f, enum store_role role, struct store_hit *hit)
{
    for (size_t i = 0; i < f->query.count; i++) {
        const struct query_word *w = &f->query.words[i];
        if (!w->is_long && !find_word(f, role, w, hit))
            return false;
    }
    if (!find_word(f, role, &f->query.words[0], hit)) {
        bool said = in_scope(f, role, STORE_TEXT) && f->text.body[STORE_TEXT].len > 0;
        hit->kind = said ? STORE_TEXT : STORE_REASONING;
        hit->match_at = hit->match_len = 0;
    }
    return true;
}

static bool inside_character(const char *text, size_t at)
{
    return ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* Cuts the surroundings of the match, and makes match_at count from their start. */
static const char *snippet(const struct search *f, struct store_hit *hit)
{
    const struct text_body *b = &f->text.body[hit->kind];
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
    if (to > from)
        memcpy(out + head_len, b->data + from, to - from);
    memcpy(out + head_len + (to - from), tail, tail_len);
    for (char *nul; (nul = memchr(out + head_len, '\0', to - from)) != NULL;)
        *nul = ' ';
    hit->match_at = hit->match_at - from + head_len;
    return out;
}

static int add_hit(struct search *f, struct store_hit *hit, const char *title, size_t title_len)
{
    struct store_hits *list = f->hits;
    struct store_hit *items = arena_grow(list, list->items, list->count, sizeof(*items));
    if (!items)
        return db_no_memory(f->store);
    list->items = items;
    hit->snippet = snippet(f, hit);
    hit->title = arena_copy(list, title ? title : "", title_len);
    if (!hit->snippet || !hit->title)
        return db_no_memory(f->store);
    items[list->count++] = *hit;
    return STORE_OK;
}

/* Makes a hit of the message, if it is one and its conversation is not deleted. */
static int examine(struct search *f, int64_t message)
{
    struct store_hit hit = {.message = message};
    struct stmt q = stmt_open(f->store, "SELECT c.id, c.title, m.role FROM message m"
                                        " JOIN conversation c ON c.id = m.conversation"
                                        " WHERE m.id = ? AND c.deleted_by IS NULL");
    stmt_bind_int(&q, message);
    int rc = STORE_OK;
    if (stmt_row(&q)) {
        size_t title_len;
        const char *title = stmt_text(&q, 1, &title_len);
        hit.conversation = stmt_int(&q, 0);
        enum store_role role = (enum store_role)stmt_int(&q, 2);
        rc = text_read(f->store, message, 0, &f->text);
        if (rc == STORE_OK && matches(f, role, &hit))
            rc = add_hit(f, &hit, title, title_len);
    }
    return stmt_close_after(&q, rc);
}

/* The newest matches are ranked, so that a common word costs no more than a rare one. */
static struct stmt indexed_candidates(struct search *f)
{
    struct stmt q = stmt_open(f->store,
                              "SELECT id FROM (SELECT rowid AS id, relevance(search) AS score"
                              " FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT 1000)"
                              " ORDER BY score DESC, id DESC");
    stmt_bind_string(&q, f->query.match);
    return q;
}

static struct stmt scanned_candidates(struct search *f)
{
    struct stmt q = stmt_open(f->store, "SELECT id FROM searchable WHERE"
                                        " (?1 & 1 AND question LIKE ?2 ESCAPE '\\') OR"
                                        " (?1 & 2 AND answer LIKE ?2 ESCAPE '\\') OR"
                                        " (?1 & 4 AND reasoning LIKE ?2 ESCAPE '\\')"
                                        " ORDER BY id DESC");
    stmt_bind_int(&q, f->scope);
    stmt_bind_string(&q, f->query.like);
    return q;
}

static int run(struct search *f)
{
    int rc = db_snapshot(f->store);
    if (rc != STORE_OK)
        return rc;
    struct stmt q = f->query.match ? indexed_candidates(f) : scanned_candidates(f);
    while (rc == STORE_OK && f->hits->count < f->limit && stmt_row(&q))
        rc = examine(f, stmt_int(&q, 0));
    rc = stmt_close_after(&q, rc);
    db_release(f->store);
    return rc;
}

int store_search(struct store *s, const char *query, unsigned scope, size_t limit,
                 struct store_hits **out)
{
    struct search f = {.store = s, .scope = scope & EVERYWHERE, .limit = limit};
    if (f.scope == 0)
        f.scope = EVERYWHERE;
    f.hits = arena_new(sizeof(*f.hits));
    int rc = f.hits && query_parse(&f.query, query, f.scope) ? STORE_OK : db_no_memory(s);
    if (rc == STORE_OK && f.query.count > 0)
        rc = run(&f);
    query_done(&f.query);
    text_done(&f.text);
    if (rc != STORE_OK) {
        arena_free(f.hits);
        f.hits = NULL;
    }
    *out = f.hits;
    return rc;
}

void store_hits_free(struct store_hits *list)
{
    arena_free(list);
}
