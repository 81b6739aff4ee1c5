/* library.c - see library.h. */
#include "app/chat/library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "app/mem.h"

const char *library_advice(int status)
{
    return status == STORE_EDAMAGED ? "; duet --recover saves what can be read" : "";
}

void library_done(struct library *l)
{
    for (size_t i = 0; i < l->n_deleted; i++)
        free(l->deleted[i].title);
    free(l->deleted);
    *l = (struct library){0};
}

char *library_title(struct store *s, int64_t id)
{
    struct store_conversations *found;
    if (store_conversation_get(s, id, &found) != STORE_OK)
        return NULL;
    char *title = mem_strdup(found->items[0].title);
    store_conversations_free(found);
    return title;
}

int library_delete(struct library *l, struct store *s, int64_t id)
{
    char *title = library_title(s, id);
    int status = store_conversation_delete(s, id);
    if (status != STORE_OK) {
        free(title);
        return status;
    }
    l->deleted = mem_realloc(l->deleted, (l->n_deleted + 1) * sizeof *l->deleted);
    l->deleted[l->n_deleted++] = (struct library_deleted){id, title ? title : mem_strdup("")};
    return STORE_OK;
}

const struct library_deleted *library_last_deleted(const struct library *l)
{
    return l->n_deleted > 0 ? &l->deleted[l->n_deleted - 1] : NULL;
}

static void forget(struct library *l, size_t i)
{
    free(l->deleted[i].title);
    l->n_deleted--;
    for (; i < l->n_deleted; i++)
        l->deleted[i] = l->deleted[i + 1];
}

/* A deletion that cannot be undone any more is dropped: another instance purged it. */
int library_restore(struct library *l, struct store *s, int64_t id, int64_t *id_out)
{
    size_t i = l->n_deleted;
    while (i > 0 && id != 0 && l->deleted[i - 1].id != id)
        i--;
    *id_out = i > 0 ? l->deleted[i - 1].id : id;
    if (*id_out == 0)
        return STORE_OK;
    int status = store_conversation_restore(s, *id_out);
    if (i > 0 && (status == STORE_OK || status == STORE_ENOTFOUND))
        forget(l, i - 1);
    return status;
}

/* Among conversations whose titles contain the words of the name; the latest if there are
 * several. */
static int find_titled(struct store *s, const char *name, bool archived, int64_t *found)
{
    struct store_conversations *list;
    int status = store_conversation_filter(s, name, archived, SIZE_MAX, &list);
    if (status != STORE_OK)
        return status;
    for (size_t i = 0; i < list->count && !*found; i++)
        if (strcasecmp(list->items[i].title, name) == 0)
            *found = list->items[i].id;
    for (size_t i = 0; i < list->count && !*found; i++)
        if (strncasecmp(list->items[i].title, name, strlen(name)) == 0)
            *found = list->items[i].id;
    store_conversations_free(list);
    return STORE_OK;
}

static int find_latest(struct store *s, int64_t *found)
{
    struct store_conversations *list;
    int status = store_conversation_list(s, false, 0, 1, &list);
    if (status == STORE_OK && list->count > 0)
        *found = list->items[0].id;
    if (status == STORE_OK)
        store_conversations_free(list);
    return status;
}

static int find_numbered(struct store *s, int64_t id, int64_t *found)
{
    struct store_conversations *one;
    int status = store_conversation_get(s, id, &one);
    if (status == STORE_OK) {
        *found = id;
        store_conversations_free(one);
    }
    return status == STORE_ENOTFOUND ? STORE_OK : status;
}

int64_t library_find(struct store *s, const char *name)
{
    int64_t found = 0;
    char *end;
    errno = 0;
    long long number = name ? strtoll(name, &end, 10) : 0;
    int status;
    if (!name)
        status = find_latest(s, &found);
    else if (!*name)
        return 0;
    else if (*end == '\0' && errno == 0)
        status = find_numbered(s, number, &found);
    else
        status = find_titled(s, name, false, &found);
    if (status == STORE_OK && !found && name && *end)
        status = find_titled(s, name, true, &found);
    return status == STORE_OK ? found : status;
}

void library_add_date(struct str *out, int64_t ms)
{
    time_t when = (time_t)(ms / 1000), now = time(NULL);
    struct tm then, today;
    char date[32] = "";
    if (!localtime_r(&when, &then) || !localtime_r(&now, &today))
        return;
    bool this_year = then.tm_year == today.tm_year;
    strftime(date, sizeof date,
             this_year && then.tm_yday == today.tm_yday ? "%H:%M"
             : this_year                                ? "%d %b"
                                                        : "%Y",
             &then);
    str_adds(out, date);
}

const char *library_where(const struct store_hit *hit)
{
    return hit->where == STORE_IN_QUESTIONS ? "question"
           : hit->where == STORE_IN_ANSWERS ? "answer"
                                            : "reasoning";
}
