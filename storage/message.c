/*
 * message.c - writing messages: whole, or begun, appended to and ended.
 */
#include "message.h"

#include "conversation.h"
#include "crc.h"
#include "index.h"
#include "stmt.h"
#include "text.h"

static int write_generation(struct store *s, int64_t message, const struct store_generation *g)
{
    struct stmt q = stmt_open(
        s, "INSERT OR REPLACE INTO generation(message, model, fingerprint, engine, device,"
           " settings, stop_reason, error, seed, prompt_tokens, cached_tokens, completion_tokens,"
           " reasoning_tokens, load_ms, time_to_first_token_ms, generation_time_ms)"
           " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    stmt_bind_int(&q, message);
    stmt_bind_string(&q, g->model);
    stmt_bind_string(&q, g->fingerprint);
    stmt_bind_string(&q, g->engine);
    stmt_bind_string(&q, g->device);
    stmt_bind_string(&q, g->settings);
    stmt_bind_string(&q, g->stop_reason);
    stmt_bind_string(&q, g->error);
    stmt_bind_int(&q, (int64_t)g->seed);
    stmt_bind_int(&q, g->prompt_tokens);
    stmt_bind_int(&q, g->cached_tokens);
    stmt_bind_int(&q, g->completion_tokens);
    stmt_bind_int(&q, g->reasoning_tokens);
    stmt_bind_real(&q, g->load_ms);
    stmt_bind_real(&q, g->time_to_first_token_ms);
    stmt_bind_real(&q, g->generation_time_ms);
    return stmt_run(&q);
}

/* The draft's parent as an id, known to exist; 0 for a root. */
static int find_parent(struct store *s, const struct store_draft *draft, int64_t *parent)
{
    int64_t leaf;
    int rc = conversation_leaf(s, draft->conversation, &leaf);
    *parent = draft->parent == STORE_LEAF ? leaf : draft->parent;
    if (rc != STORE_OK || *parent == 0)
        return rc;
    struct stmt q = stmt_open(s, "SELECT 1 FROM message WHERE conversation = ? AND id = ?");
    stmt_bind_int(&q, draft->conversation);
    stmt_bind_int(&q, *parent);
    bool found = stmt_row(&q);
    rc = stmt_close(&q);
    if (rc == STORE_OK && !found)
        rc = db_error(s, STORE_ENOTFOUND, "parent: no such message in this conversation");
    return rc;
}

uint32_t message_crc(int64_t id, int64_t conversation, int64_t parent, int64_t role)
{
    const int64_t fields[] = {id, conversation, parent, role};
    unsigned char bytes[sizeof(fields)]; /* little endian on every machine */
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)((uint64_t)fields[i / 8] >> (i % 8 * 8));
    return crc32_add(0, bytes, sizeof(bytes));
}

static int set_crc(struct store *s, int64_t id, uint32_t crc)
{
    struct stmt q = stmt_open(s, "UPDATE message SET crc = ? WHERE id = ?");
    stmt_bind_int(&q, crc);
    stmt_bind_int(&q, id);
    return stmt_run(&q);
}

static int set_state(struct store *s, int64_t id, enum store_state state)
{
    struct stmt q = stmt_open(s, "UPDATE message SET state = ?, owner = NULL WHERE id = ?");
    stmt_bind_int(&q, state);
    stmt_bind_int(&q, id);
    return stmt_run(&q);
}

/* What a clock that was never set says is no time. */
static int64_t time_of(const struct store_draft *draft)
{
    int64_t ms = draft->created_ms ? draft->created_ms : db_now_ms();
    return ms >= 0 && ms <= MESSAGE_LAST_MS ? ms : 0;
}

/* The message without its text; its checksum so far is left to the caller to set. */
static int insert(struct store *s, const struct store_draft *draft, enum store_state state,
                  int64_t *id_out, uint32_t *crc_out)
{
    if (draft->role >= STORE_UNKNOWN_ROLE)
        return db_error(s, STORE_EINVAL, "role: there is no such role (got %d)", (int)draft->role);
    int64_t parent;
    int rc = find_parent(s, draft, &parent);
    if (rc != STORE_OK)
        return rc;
    struct stmt q = stmt_open(
        s, "INSERT INTO message(conversation, parent, role, state, created, crc, owner)"
           " VALUES(?, ?, ?, ?, ?, 0, ?)");
    stmt_bind_int(&q, draft->conversation);
    stmt_bind_id(&q, parent);
    stmt_bind_int(&q, draft->role);
    stmt_bind_int(&q, state);
    stmt_bind_int(&q, time_of(draft));
    stmt_bind_id(&q, state == STORE_STREAMING ? s->owner.token : 0);
    rc = stmt_run(&q);
    *id_out = sqlite3_last_insert_rowid(s->sql);
    *crc_out = message_crc(*id_out, draft->conversation, parent, draft->role);
    if (rc == STORE_OK)
        rc = conversation_touch(s, draft->conversation, *id_out);
    if (rc == STORE_OK && draft->generation)
        rc = write_generation(s, *id_out, draft->generation);
    return rc;
}

int store_message_add(struct store *s, const struct store_draft *draft, const char *text,
                      size_t len, int64_t *id_out)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    int64_t id;
    uint32_t crc;
    rc = insert(s, draft, STORE_COMPLETE, &id, &crc);
    if (rc == STORE_OK && len > 0) {
        rc = text_insert(s, id, STORE_TEXT, text, len);
        crc = text_crc(crc, STORE_TEXT, text, len);
    }
    if (rc == STORE_OK)
        rc = set_crc(s, id, crc);
    if (rc == STORE_OK)
        rc = index_add(s, id);
    rc = db_end(s, rc);
    if (rc == STORE_OK)
        *id_out = id;
    return rc;
}

int store_message_begin(struct store *s, const struct store_draft *draft, int64_t *id_out)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    int64_t id;
    uint32_t crc;
    rc = insert(s, draft, STORE_STREAMING, &id, &crc);
    if (rc == STORE_OK)
        rc = set_crc(s, id, crc);
    rc = db_end(s, rc);
    if (rc == STORE_OK)
        *id_out = id;
    return rc;
}

/* The checksums of a message that `owner` is writing: where it starts, and where it stands. */
static int read_crc(struct store *s, int64_t id, int64_t owner, uint32_t *start, uint32_t *crc)
{
    struct stmt q = stmt_open(s, "SELECT conversation, parent, role, crc FROM message"
                                 " WHERE id = ? AND owner = ?");
    stmt_bind_int(&q, id);
    stmt_bind_int(&q, owner);
    bool found = stmt_row(&q);
    if (found) {
        *start = message_crc(id, stmt_int(&q, 0), stmt_int(&q, 1), stmt_int(&q, 2));
        *crc = (uint32_t)stmt_int(&q, 3);
    }
    int rc = stmt_close(&q);
    if (rc == STORE_OK && !found)
        rc = db_error(s, STORE_ENOTFOUND, "message: not being written here (got %lld)",
                      (long long)id);
    return rc;
}

int store_message_append(struct store *s, int64_t id, enum store_kind kind, const char *text,
                         size_t len)
{
    if (kind >= STORE_KINDS)
        return db_error(s, STORE_EINVAL, "kind: there is no such kind (got %d)", (int)kind);
    if (len == 0)
        return STORE_OK;
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    uint32_t start, crc;
    rc = read_crc(s, id, s->owner.token, &start, &crc);
    if (rc == STORE_OK)
        rc = text_insert(s, id, kind, text, len);
    if (rc == STORE_OK)
        rc = set_crc(s, id, text_crc(crc, kind, text, len));
    return db_end(s, rc);
}

/* Ends a message of any owner, whom the caller knows to be this handle or dead. */
static int end(struct store *s, int64_t id, int64_t owner, enum store_state state,
               const struct store_generation *generation)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    uint32_t start, crc;
    rc = read_crc(s, id, owner, &start, &crc);
    if (rc == STORE_OK)
        rc = text_fold(s, id, start, &crc);
    if (rc == STORE_OK)
        rc = set_crc(s, id, crc);
    if (rc == STORE_OK)
        rc = set_state(s, id, state);
    if (rc == STORE_OK && generation)
        rc = write_generation(s, id, generation);
    if (rc == STORE_OK)
        rc = index_add(s, id);
    return db_end(s, rc);
}

int store_message_end(struct store *s, int64_t id, enum store_state state,
                      const struct store_generation *generation)
{
    if (state == STORE_STREAMING || state > STORE_FAILED)
        return db_error(s, STORE_EINVAL, "state: not that of an ended message (got %d)",
                        (int)state);
    return end(s, id, s->owner.token, state, generation);
}

int store_message_set_window_start(struct store *s, int64_t id, bool window_start)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    struct stmt q = stmt_open(s, "UPDATE message SET opens = ? WHERE id = ?");
    stmt_bind_int(&q, window_start);
    stmt_bind_int(&q, id);
    return db_end(s, stmt_run_on(&q, "message"));
}

/* Whether a message can be gone on with. */
static int find_idle(struct store *s, int64_t id)
{
    struct stmt q = stmt_open(s, "SELECT owner FROM message WHERE id = ?");
    stmt_bind_int(&q, id);
    bool found = stmt_row(&q);
    int64_t owner = found ? stmt_int(&q, 0) : 0;
    int rc = stmt_close(&q);
    if (rc == STORE_OK && !found)
        rc = db_error(s, STORE_ENOTFOUND, "message: there is none (got %lld)", (long long)id);
    if (rc == STORE_OK && owner != 0 && owner_alive(&s->owner, owner))
        rc = db_error(s, STORE_EBUSY, "message: is being written (got %lld)", (long long)id);
    return rc;
}

int store_message_resume(struct store *s, int64_t id)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    rc = find_idle(s, id);
    if (rc == STORE_OK)
        rc = index_withdraw(s, id);
    if (rc == STORE_OK) {
        struct stmt q = stmt_open(s, "UPDATE message SET state = ?, owner = ? WHERE id = ?");
        stmt_bind_int(&q, STORE_STREAMING);
        stmt_bind_int(&q, s->owner.token);
        stmt_bind_int(&q, id);
        rc = stmt_run(&q);
    }
    return db_end(s, rc);
}

static int next_orphan(struct store *s, int64_t *id, int64_t *owner)
{
    int64_t found = 0;
    struct stmt q = stmt_open(
        s, "SELECT id, owner FROM message"
           " INDEXED BY message_owned WHERE owner IS NOT NULL AND id > ? ORDER BY id");
    stmt_bind_int(&q, *id);
    while (!found && stmt_row(&q)) {
        *owner = stmt_int(&q, 1);
        if (!owner_alive(&s->owner, *owner))
            found = stmt_int(&q, 0);
    }
    *id = found;
    return stmt_close(&q);
}

int message_end_orphans(struct store *s)
{
    int64_t id = 0, owner = 0;
    int rc = next_orphan(s, &id, &owner);
    while (rc == STORE_OK && id != 0) {
        rc = end(s, id, owner, STORE_INTERRUPTED, NULL);
        if (rc == STORE_OK)
            rc = next_orphan(s, &id, &owner);
    }
    return rc;
}
