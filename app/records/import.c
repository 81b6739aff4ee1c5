/* import.c - see import.h. */
#include "app/records/import.h"

#include "app/exit.h"
#include "app/records/export.h"
#include "app/say.h"

int import_failed(struct import *in, int status)
{
    in->status = status;
    return say_to(in->err, in->errlen, -1, "history: %s", store_error(in->store));
}

/* Appends a text of one kind unless there is none. */
static int append(struct import *in, int64_t id, enum store_kind kind, const json_t *text)
{
    size_t len = json_string_length(text);
    return len ? store_message_append(in->store, id, kind, json_string_value(text), len) : STORE_OK;
}

int64_t import_message(struct import *in, const struct store_draft *draft, enum store_state state,
                       const json_t *text, const json_t *reasoning)
{
    int64_t id;
    int status = store_message_begin(in->store, draft, &id);
    if (status == STORE_OK)
        status = append(in, id, STORE_REASONING, reasoning);
    if (status == STORE_OK)
        status = append(in, id, STORE_TEXT, text);
    if (status == STORE_OK)
        status = store_message_end(in->store, id, state, draft->generation);
    return status == STORE_OK ? id : import_failed(in, status);
}

int64_t import_ms(const json_t *seconds)
{
    double s = json_number_value(seconds);
    return s > 0 && s < 253402300800 ? (int64_t)(s * 1000) : 0; /* to the end of the year 9999 */
}

/* Keeps the original dates: duet's own in milliseconds, ChatGPT's in seconds. */
static int keep_dates(struct import *in, const json_t *from)
{
    int64_t created = json_integer_value(json_object_get(from, "created_ms"));
    int64_t updated = json_integer_value(json_object_get(from, "updated_ms"));
    if (created <= 0)
        created = import_ms(json_object_get(from, "create_time"));
    if (updated <= 0)
        updated = import_ms(json_object_get(from, "update_time"));
    if (created <= 0)
        return 0;
    int status = store_conversation_date(in->store, in->conversation, created,
                                         updated > created ? updated : created);
    return status == STORE_OK ? 0 : import_failed(in, status);
}

static int take(struct import *in, const json_t *from)
{
    const char *title = json_string_value(json_object_get(from, "title"));
    const char *system = json_string_value(json_object_get(from, "system"));
    bool chatgpt = json_is_object(json_object_get(from, "mapping"));

    if (!chatgpt && !json_is_array(json_object_get(from, "messages")))
        return say_to(in->err, in->errlen, -1, "neither duet's JSON nor ChatGPT's export");
    int status = store_conversation_create(in->store, title && *title ? title : "imported",
                                           system ? system : "", &in->conversation);
    if (status != STORE_OK)
        return import_failed(in, status);
    if ((chatgpt ? import_chatgpt : import_own)(in, from) != 0 || keep_dates(in, from) != 0)
        return -1;
    if (json_is_true(json_object_get(from, "archived")) &&
        (status = store_conversation_archive(in->store, in->conversation, true)) != STORE_OK)
        return import_failed(in, status);
    return 0;
}

int import_conversation(struct store *store, const json_t *from, int64_t *id_out, char *err,
                        size_t errlen)
{
    struct import in = {.store = store, .err = err, .errlen = errlen};
    int status = store_begin(store);
    if (status != STORE_OK)
        return say_to(err, errlen, EXIT_HISTORY, "history: %s", store_error(store));
    if (take(&in, from) != 0) {
        store_rollback(store);
        return in.status == STORE_OK ? EXIT_USAGE : EXIT_HISTORY;
    }
    if (store_commit(store) != STORE_OK)
        return say_to(err, errlen, EXIT_HISTORY, "history: %s", store_error(store));
    *id_out = in.conversation;
    return 0;
}
