/*
 * prompts.c - what the user asked before, for the composer to bring back.
 */
#include "arena.h"
#include "stmt.h"

#define LOOK_BACK 8 /* questions looked at for each one wanted: some were asked twice */

static int read_prompts(struct stmt *q, struct store_prompts *list)
{
    while (stmt_row(q)) {
        size_t len;
        const char *text = stmt_text(q, 0, &len);
        if (!text)
            continue;
        const char **items = arena_grow(list, list->items, list->count, sizeof(*items));
        const char *copy = arena_copy(list, text, len);
        if (!items || !copy)
            return db_no_memory(q->store);
        list->items = items;
        list->items[list->count++] = copy;
    }
    return STORE_OK;
}

int store_prompts(struct store *s, size_t limit, struct store_prompts **out)
{
    struct store_prompts *list = arena_new(sizeof(*list));
    if (!list)
        return db_no_memory(s);
    int64_t most = limit < INT64_MAX / LOOK_BACK ? (int64_t)limit : INT64_MAX / LOOK_BACK;
    struct stmt q = stmt_open(
        s, "SELECT body FROM"
           " (SELECT m.id, t.body FROM message m JOIN text t ON t.message = m.id"
           "  JOIN conversation c ON c.id = m.conversation"
           "  WHERE m.role = 1 AND t.kind = 0 AND c.deleted_by IS NULL ORDER BY m.id DESC LIMIT ?)"
           " GROUP BY body ORDER BY max(id) DESC LIMIT ?");
    stmt_bind_int(&q, LOOK_BACK * most);
    stmt_bind_int(&q, most);
    int rc = read_prompts(&q, list);
    rc = stmt_close_after(&q, rc);
    if (rc != STORE_OK) {
        arena_free(list);
        list = NULL;
    }
    *out = list;
    return rc;
}

void store_prompts_free(struct store_prompts *list)
{
    arena_free(list);
}
