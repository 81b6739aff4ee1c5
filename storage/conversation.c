/*
 * conversation.c - the list of conversations: making, changing, deleting.
 */
#include "conversation.h"

#include <string.h>

#include "arena.h"
#include "index.h"
#include "query.h"
#include "schema.h"
#include "stmt.h"
#include "utf8.h"

#define COLUMNS "id, leaf, activity, created, updated, title, system, archived"

/* The next place in the order of use. */
#define NEXT_ACTIVITY "(SELECT coalesce(max(activity), 0) + 1 FROM conversation)"

int store_conversation_create(struct store *s, const char *title, const char *system,
                              int64_t *id_out)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    int64_t now = db_now_ms();
    struct stmt q = stmt_open(s,
                              "INSERT INTO conversation(title, system, created, updated, activity)"
                              " VALUES(?, ?, ?, ?, " NEXT_ACTIVITY ")");
    stmt_bind_string(&q, title);
    stmt_bind_string(&q, system);
    stmt_bind_int(&q, now);
    stmt_bind_int(&q, now);
    rc = stmt_run(&q);
    int64_t id = sqlite3_last_insert_rowid(s->sql);
    rc = db_end(s, rc);
    if (rc == STORE_OK)
        *id_out = id;
    return rc;
}

/* NULL when out of memory. */
static const char *read_string(struct stmt *q, int column, void *arena, bool *damaged)
{
    size_t len;
    const char *text = stmt_text(q, column, &len);
    if (!text || !utf8_valid(text, len) || memchr(text, '\0', len))
        *damaged = true;
    return arena_copy(arena, text ? text : "", len);
}

static int read_row(struct stmt *q, struct store_conversations *list)
{
    struct store_conversation *items = arena_grow(list, list->items, list->count, sizeof(*items));
    if (!items)
        return db_no_memory(q->store);
    list->items = items;
    struct store_conversation *c = &items[list->count++];
    c->id = stmt_int(q, 0);
    c->leaf = stmt_int(q, 1);
    c->activity = stmt_int(q, 2);
    c->created_ms = stmt_int(q, 3);
    c->updated_ms = stmt_int(q, 4);
    c->title = read_string(q, 5, list, &c->damaged);
    c->system = read_string(q, 6, list, &c->damaged);
    c->archived = stmt_int(q, 7) != 0;
    return c->title && c->system ? STORE_OK : db_no_memory(q->store);
}

static int read_list(struct stmt *q, struct store_conversations **out)
{
    struct store_conversations *list = arena_new(sizeof(*list));
    int rc = list ? STORE_OK : db_no_memory(q->store);
    while (rc == STORE_OK && stmt_row(q))
        rc = read_row(q, list);
    rc = stmt_close_after(q, rc);
    if (rc != STORE_OK) {
        arena_free(list);
        list = NULL;
    }
    *out = list;
    return rc;
}

static int read_one(struct store *s, int64_t id, struct store_conversations *list)
{
    struct stmt q = stmt_open(s, "SELECT " COLUMNS
                                 " FROM conversation WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_int(&q, id);
    int rc = stmt_row(&q) ? read_row(&q, list) : STORE_OK;
    return stmt_close_after(&q, rc);
}

int store_conversation_get(struct store *s, int64_t id, struct store_conversations **one_out)
{
    struct stmt q = stmt_open(s, "SELECT " COLUMNS
                                 " FROM conversation WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_int(&q, id);
    int rc = read_list(&q, one_out);
    if (rc == STORE_OK && (*one_out)->count == 0) {
        arena_free(*one_out);
        *one_out = NULL;
        rc = db_error(s, STORE_ENOTFOUND, "conversation: there is none with this number");
    }
    return rc;
}

int store_conversation_list(struct store *s, bool archived, int64_t before, size_t limit,
                            struct store_conversations **out)
{
    struct stmt q = stmt_open(s, "SELECT " COLUMNS " FROM conversation"
                                 " WHERE archived = ? AND activity < ? AND deleted_by IS NULL"
                                 " ORDER BY activity DESC LIMIT ?");
    stmt_bind_int(&q, archived);
    stmt_bind_int(&q, before > 0 ? before : INT64_MAX);
    stmt_bind_int(&q, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
    return read_list(&q, out);
}

/* Titles are read from the index that orders them: all of them are looked at in a moment. */
static int filter(struct store *s, const struct query *words, bool archived, size_t limit,
                  struct store_conversations *list)
{
    int rc = STORE_OK;
    struct stmt q = stmt_open(s, "SELECT id, title FROM conversation"
                                 " WHERE archived = ? AND deleted_by IS NULL"
                                 " ORDER BY activity DESC");
    stmt_bind_int(&q, archived);
    while (rc == STORE_OK && list->count < limit && stmt_row(&q)) {
        size_t len;
        const char *title = stmt_text(&q, 1, &len);
        if (title && query_matches(words, title, len))
            rc = read_one(s, stmt_int(&q, 0), list);
    }
    return stmt_close_after(&q, rc);
}

int store_conversation_filter(struct store *s, const char *words, bool archived, size_t limit,
                              struct store_conversations **out)
{
    struct query query;
    locale_t before = uselocale(s->letters);
    struct store_conversations *list = arena_new(sizeof(*list));
    int rc = query_parse(&query, words) && list ? db_snapshot(s) : db_no_memory(s);
    if (rc == STORE_OK) {
        rc = filter(s, &query, archived, limit, list);
        db_release(s);
    }
    query_done(&query);
    uselocale(before);
    if (rc != STORE_OK) {
        arena_free(list);
        list = NULL;
    }
    *out = list;
    return rc;
}

void store_conversations_free(struct store_conversations *list)
{
    arena_free(list);
}

/* Runs a change of one conversation as a transaction of its own. */
static int change(struct store *s, struct stmt *q)
{
    int rc = db_begin(s);
    if (rc != STORE_OK) {
        stmt_close(q);
        return rc;
    }
    return db_end(s, stmt_run_on(q, "conversation"));
}

int store_conversation_rename(struct store *s, int64_t id, const char *title)
{
    struct stmt q = stmt_open(
        s, "UPDATE conversation SET title = ? WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_string(&q, title);
    stmt_bind_int(&q, id);
    return change(s, &q);
}

int store_conversation_set_system(struct store *s, int64_t id, const char *system)
{
    struct stmt q = stmt_open(
        s, "UPDATE conversation SET system = ? WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_string(&q, system);
    stmt_bind_int(&q, id);
    return change(s, &q);
}

int store_conversation_archive(struct store *s, int64_t id, bool archived)
{
    struct stmt q = stmt_open(
        s, "UPDATE conversation SET archived = ? WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_int(&q, archived);
    stmt_bind_int(&q, id);
    return change(s, &q);
}

int store_conversation_date(struct store *s, int64_t id, int64_t created_ms, int64_t updated_ms)
{
    struct stmt q = stmt_open(s, "UPDATE conversation SET created = ?, updated = ?"
                                 " WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_int(&q, created_ms);
    stmt_bind_int(&q, updated_ms);
    stmt_bind_int(&q, id);
    return change(s, &q);
}

int store_conversation_set_leaf(struct store *s, int64_t id, int64_t leaf)
{
    struct stmt q = stmt_open(s, "UPDATE conversation SET leaf = ?1"
                                 " WHERE id = ?2 AND deleted_by IS NULL AND (?1 IS NULL OR EXISTS"
                                 " (SELECT 1 FROM message WHERE conversation = ?2 AND id = ?1))");
    stmt_bind_id(&q, leaf);
    stmt_bind_int(&q, id);
    return change(s, &q);
}

int conversation_leaf(struct store *s, int64_t id, int64_t *leaf_out)
{
    struct stmt q = stmt_open(
        s, "SELECT (SELECT max(id) FROM message WHERE conversation = c.id AND id <= leaf)"
           " FROM conversation c WHERE c.id = ? AND deleted_by IS NULL");
    stmt_bind_int(&q, id);
    bool found = stmt_row(&q);
    *leaf_out = found ? stmt_int(&q, 0) : 0;
    int rc = stmt_close(&q);
    if (rc == STORE_OK && !found)
        rc = db_error(s, STORE_ENOTFOUND, "conversation: there is none with this number");
    return rc;
}

int conversation_touch(struct store *s, int64_t id, int64_t leaf)
{
    struct stmt q = stmt_open(s, "UPDATE conversation SET leaf = ?, updated = ?,"
                                 " activity = " NEXT_ACTIVITY " WHERE id = ?");
    stmt_bind_int(&q, leaf);
    stmt_bind_int(&q, db_now_ms());
    stmt_bind_int(&q, id);
    return stmt_run(&q);
}

int store_conversation_delete(struct store *s, int64_t id)
{
    struct stmt q = stmt_open(
        s, "UPDATE conversation SET deleted_by = ? WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_int(&q, s->owner.token);
    stmt_bind_int(&q, id);
    int rc = change(s, &q);
    s->has_deleted |= rc == STORE_OK;
    return rc;
}

bool store_is_deleted(struct store *s, int64_t id)
{
    struct stmt q = stmt_open(s, "SELECT 1 FROM conversation WHERE id = ? AND deleted_by IS NULL");
    stmt_bind_int(&q, id);
    bool found = stmt_row(&q);
    return stmt_close(&q) == STORE_OK && !found;
}

int store_conversation_restore(struct store *s, int64_t id)
{
    struct stmt q = stmt_open(
        s, "UPDATE conversation SET deleted_by = NULL WHERE id = ? AND deleted_by IS NOT NULL");
    stmt_bind_int(&q, id);
    return change(s, &q);
}

/* Everything but the row that records that there is something to remove. */
static int empty(struct store *s, int64_t id)
{
    static const char *const in_order[] = {
        "UPDATE conversation SET leaf = NULL, title = '', system = '' WHERE id = ?",
        "DELETE FROM text WHERE message IN (SELECT id FROM message WHERE conversation = ?)",
        "DELETE FROM generation WHERE message IN (SELECT id FROM message WHERE conversation = ?)",
        "DELETE FROM message WHERE conversation = ?",
    };
    int rc = index_remove(s, id);
    for (size_t i = 0; i < sizeof(in_order) / sizeof(*in_order) && rc == STORE_OK; i++) {
        struct stmt q = stmt_open(s, in_order[i]);
        stmt_bind_int(&q, id);
        rc = stmt_run(&q);
    }
    return rc;
}

static int forget(struct store *s, int64_t id)
{
    struct stmt q = stmt_open(s, "DELETE FROM conversation WHERE id = ?");
    stmt_bind_int(&q, id);
    return stmt_run(&q);
}

/* The first deleted conversation after `id` that nobody will restore; 0 when there is none. */
static int next_abandoned(struct store *s, int64_t *id)
{
    int64_t found = 0;
    struct stmt q = stmt_open(
        s, "SELECT id, deleted_by FROM conversation"
           " INDEXED BY conversation_deleted WHERE deleted_by IS NOT NULL AND id > ? ORDER BY id");
    stmt_bind_int(&q, *id);
    while (!found && stmt_row(&q)) {
        int64_t owner = stmt_int(&q, 1);
        if (owner == s->owner.token || !owner_alive(&s->owner, owner))
            found = stmt_int(&q, 0);
    }
    *id = found;
    return stmt_close(&q);
}

static int each_abandoned(struct store *s, int (*action)(struct store *s, int64_t id))
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    int64_t id = 0;
    rc = next_abandoned(s, &id);
    while (rc == STORE_OK && id != 0) {
        rc = action(s, id);
        if (rc == STORE_OK)
            rc = next_abandoned(s, &id);
    }
    return db_end(s, rc);
}

/* In three steps, of which the last removes what the first would find: a purge can be resumed. */
int conversation_purge(struct store *s, int64_t until_ms)
{
    if (s->grouped)
        return db_error(s, STORE_EINVAL, "a purge is a transaction of its own");
    int64_t id = 0;
    int rc = next_abandoned(s, &id);
    if (rc != STORE_OK || id == 0)
        return rc;
    bool done = false;
    schema_forget_copies(s);
    rc = each_abandoned(s, empty);
    if (rc == STORE_OK)
        rc = index_compact(s, until_ms, &done);
    if (rc == STORE_OK && !done)
        return STORE_OK;
    if (rc == STORE_OK)
        rc = each_abandoned(s, forget);
    if (rc != STORE_OK)
        return rc;
    s->has_deleted = false;
    return db_empty_log(s);
}

int store_purge(struct store *s)
{
    return conversation_purge(s, INT64_MAX);
}

int conversation_any_abandoned(struct store *s, bool *any)
{
    int64_t id = 0;
    int rc = next_abandoned(s, &id);
    *any = id != 0;
    return rc;
}
