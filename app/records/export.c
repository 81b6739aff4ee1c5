/* export.c - see export.h. */
#include "app/records/export.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "app/say.h"

static int fail(struct store *store, int status, char *err, size_t errlen)
{
    return say_to(err, errlen, status, "history: %s", store_error(store));
}

static int add_path(struct store *store, const struct store_conversation *c,
                    enum export_format format, struct str *out)
{
    struct store_messages *path;
    int status = store_message_path(store, c->id, &path);
    if (status != STORE_OK)
        return status;
    if (format == EXPORT_MD)
        export_add_md(c, path, out);
    else if (format == EXPORT_HTML)
        export_add_html(c, path, out);
    else
        export_add_jsonl(path, out);
    store_messages_free(path);
    return STORE_OK;
}

int export_conversation(struct store *store, int64_t id, enum export_format format, struct str *out,
                        char *err, size_t errlen)
{
    struct store_conversations *one;
    int status = store_conversation_get(store, id, &one);
    if (status == STORE_ENOTFOUND)
        return say_to(err, errlen, status, "no conversation %lld", (long long)id);
    if (status != STORE_OK)
        return fail(store, status, err, errlen);
    status = format == EXPORT_JSON ? export_add_json(store, &one->items[0], out)
                                   : add_path(store, &one->items[0], format, out);
    store_conversations_free(one);
    return status == STORE_OK ? 0 : fail(store, status, err, errlen);
}

void export_file_name(const char *title, enum export_format format, int n, struct str *out)
{
    static const char *const extensions[] = {[EXPORT_MD] = "md",
                                             [EXPORT_JSON] = "json",
                                             [EXPORT_JSONL] = "jsonl",
                                             [EXPORT_HTML] = "html"};
    enum { LONGEST = 48 };
    size_t start = out->len;

    for (const char *s = title; *s && out->len - start < LONGEST; s++) {
        bool plain = isalnum((unsigned char)*s) && !((unsigned char)*s & 0x80);
        char c = plain ? (char)tolower((unsigned char)*s) : '-';
        if (plain || (out->len > start && out->data[out->len - 1] != '-'))
            str_add(out, &c, 1);
    }
    while (out->len > start && out->data[out->len - 1] == '-')
        out->data[--out->len] = '\0';
    if (out->len == start)
        str_adds(out, "conversation");
    if (n > 1)
        str_addf(out, "-%d", n);
    str_addf(out, ".%s", extensions[format]);
}

/* What the forms for people have in common */

const char *export_speaker(const struct store_message *m)
{
    switch (m->role) {
    case STORE_USER: return "You";
    case STORE_SYSTEM: return "System";
    case STORE_TOOL: return "Tool";
    case STORE_ASSISTANT: return m->generation ? m->generation->model : "Assistant";
    case STORE_UNKNOWN_ROLE: break;
    }
    return "Unknown";
}

const char *export_remark(const struct store_message *m)
{
    switch (m->state) {
    case STORE_STREAMING: return "being written";
    case STORE_STOPPED: return "stopped";
    case STORE_INTERRUPTED: return "interrupted";
    case STORE_FAILED: return "failed";
    case STORE_COMPLETE: break;
    }
    return m->damaged ? "damaged" : NULL;
}

void export_add_date(int64_t ms, struct str *out)
{
    time_t when = (time_t)(ms / 1000);
    struct tm local;
    char date[64];
    if (localtime_r(&when, &local) && strftime(date, sizeof date, "%Y-%m-%d %H:%M", &local) > 0)
        str_adds(out, date);
}
