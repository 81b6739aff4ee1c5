/*
 * path.c - reading messages: the current path, the children of one, the tree.
 *
 * The file may be damaged: what cannot be right is replaced and its message marked, and reading
 * goes on. Every parent has a smaller id than its child, or it is not followed: a walk ends.
 */
#include "arena.h"
#include "conversation.h"
#include "message.h"
#include "stmt.h"
#include "text.h"

#define MESSAGES                                                                                   \
    "SELECT m.id, m.conversation, m.parent, m.role, m.state, m.owner, m.created, m.crc,"           \
    " g.message, g.model, g.fingerprint, g.engine, g.device, g.settings, g.stop_reason, g.error,"  \
    " g.seed, g.prompt_tokens, g.cached_tokens, g.completion_tokens, g.reasoning_tokens,"          \
    " g.load_ms, g.time_to_first_token_ms, g.generation_time_ms, m.opens"                          \
    " FROM message m LEFT JOIN generation g ON g.message = m.id"

static const struct store_generation *read_generation(struct stmt *q, void *arena, int column)
{
    struct store_generation *g = arena_alloc(arena, sizeof(*g));
    if (!g)
        return NULL;
    const char **strings[] = {&g->model,    &g->fingerprint, &g->engine, &g->device,
                              &g->settings, &g->stop_reason, &g->error};
    for (size_t i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
        size_t len;
        const char *text = stmt_text(q, column++, &len);
        *strings[i] = arena_copy(arena, text, len);
        if (!*strings[i])
            return NULL;
    }
    g->seed = (uint64_t)stmt_int(q, column++);
    g->prompt_tokens = stmt_int(q, column++);
    g->cached_tokens = stmt_int(q, column++);
    g->completion_tokens = stmt_int(q, column++);
    g->reasoning_tokens = stmt_int(q, column++);
    g->load_ms = stmt_real(q, column++);
    g->time_to_first_token_ms = stmt_real(q, column++);
    g->generation_time_ms = stmt_real(q, column++);
    return g;
}

/* A number that must lie in 0..last; else `instead`, and the message is damaged. */
static int64_t in_range(struct store_message *m, int64_t value, int64_t last, int64_t instead)
{
    if (value >= 0 && value <= last)
        return value;
    m->damaged = true;
    return instead;
}

static int read_text(struct store *s, struct store_message *m, uint32_t start, int64_t crc,
                     void *arena)
{
    struct text t = {0};
    int rc = text_read(s, m->id, start, &t);
    for (int kind = 0; kind < STORE_KINDS && rc == STORE_OK; kind++) {
        m->len[kind] = t.body[kind].len;
        m->text[kind] = arena_copy(arena, t.body[kind].data, t.body[kind].len);
        if (!m->text[kind])
            rc = db_no_memory(s);
    }
    m->damaged |= t.unreadable || t.crc != crc;
    text_done(&t);
    return rc;
}

static int read_row(struct stmt *q, struct store_messages *list)
{
    struct store_message *items = arena_grow(list, list->items, list->count, sizeof(*items));
    if (!items)
        return db_no_memory(q->store);
    list->items = items;
    struct store_message *m = &items[list->count++];
    m->id = stmt_int(q, 0);
    m->conversation = stmt_int(q, 1);
    m->parent = in_range(m, stmt_int(q, 2), m->id - 1, 0);
    m->role = (enum store_role)in_range(m, stmt_int(q, 3), STORE_TOOL, STORE_UNKNOWN_ROLE);
    m->state = (enum store_state)in_range(m, stmt_int(q, 4), STORE_FAILED, STORE_INTERRUPTED);
    if (m->state == STORE_STREAMING && !owner_alive(&q->store->owner, stmt_int(q, 5)))
        m->state = STORE_INTERRUPTED;
    m->created_ms = in_range(m, stmt_int(q, 6), MESSAGE_LAST_MS, 0);
    m->window_start = stmt_int(q, 24) != 0;
    uint32_t start = message_crc(m->id, m->conversation, m->parent, m->role);
    int rc = read_text(q->store, m, start, stmt_int(q, 7), list);
    if (rc != STORE_OK || stmt_is_null(q, 8))
        return rc;
    m->generation = read_generation(q, list, 9);
    return m->generation ? STORE_OK : db_no_memory(q->store);
}

/* Adds the message `id` to the list, if it is there. */
static int read_one(struct store *s, int64_t conversation, int64_t id, struct store_messages *list)
{
    struct stmt q = stmt_open(s, MESSAGES " WHERE m.conversation = ? AND m.id = ?");
    stmt_bind_int(&q, conversation);
    stmt_bind_int(&q, id);
    int rc = stmt_row(&q) ? read_row(&q, list) : STORE_OK;
    return stmt_close_after(&q, rc);
}

static void reverse(struct store_messages *list)
{
    for (size_t i = 0, j = list->count; i + 1 < j; i++) {
        struct store_message m = list->items[--j];
        list->items[j] = list->items[i];
        list->items[i] = m;
    }
}

static int read_path(struct store *s, int64_t conversation, struct store_messages *list)
{
    int64_t id;
    int rc = conversation_leaf(s, conversation, &id);
    while (rc == STORE_OK && id != 0) {
        size_t before = list->count;
        rc = read_one(s, conversation, id, list);
        bool found = list->count > before;
        if (!found && before > 0)
            list->items[before - 1].damaged = true; /* it names a parent that is not there */
        id = found ? list->items[before].parent : 0;
    }
    reverse(list);
    return rc;
}

static int read_children(struct store *s, int64_t conversation, int64_t parent,
                         struct store_messages *list)
{
    struct stmt q = stmt_open(s, MESSAGES " WHERE m.conversation = ? AND m.parent IS ?"
                                          " ORDER BY m.id");
    stmt_bind_int(&q, conversation);
    stmt_bind_id(&q, parent);
    int rc = STORE_OK;
    while (rc == STORE_OK && stmt_row(&q))
        rc = read_row(&q, list);
    return stmt_close_after(&q, rc);
}

static int read_tree(struct store *s, int64_t conversation, int64_t after,
                     struct store_messages *list)
{
    struct stmt q = stmt_open(s, MESSAGES " WHERE m.conversation = ? AND m.id > ? ORDER BY m.id");
    stmt_bind_int(&q, conversation);
    stmt_bind_int(&q, after);
    int rc = STORE_OK;
    while (rc == STORE_OK && stmt_row(&q))
        rc = read_row(&q, list);
    return stmt_close_after(&q, rc);
}

/* Gives the list to the caller or frees it. */
static int finish(struct store *s, int rc, struct store_messages *list, struct store_messages **out)
{
    db_release(s);
    if (rc != STORE_OK) {
        arena_free(list);
        list = NULL;
    }
    *out = list;
    return rc;
}

int store_message_path(struct store *s, int64_t conversation, struct store_messages **out)
{
    struct store_messages *list = arena_new(sizeof(*list));
    int rc = list ? db_snapshot(s) : db_no_memory(s);
    if (rc == STORE_OK)
        rc = read_path(s, conversation, list);
    return finish(s, rc, list, out);
}

int store_message_children(struct store *s, int64_t conversation, int64_t parent,
                           struct store_messages **out)
{
    struct store_messages *list = arena_new(sizeof(*list));
    int rc = list ? db_snapshot(s) : db_no_memory(s);
    if (rc == STORE_OK)
        rc = read_children(s, conversation, parent, list);
    return finish(s, rc, list, out);
}

int store_message_tree(struct store *s, int64_t conversation, int64_t after,
                       struct store_messages **out)
{
    struct store_messages *list = arena_new(sizeof(*list));
    int rc = list ? db_snapshot(s) : db_no_memory(s);
    if (rc == STORE_OK)
        rc = read_tree(s, conversation, after, list);
    return finish(s, rc, list, out);
}

void store_messages_free(struct store_messages *list)
{
    arena_free(list);
}
