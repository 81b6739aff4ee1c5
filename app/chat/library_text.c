/* library_text.c - the stored conversations as lines of text, for line mode. */
#include "app/chat/library.h"

#include <stdio.h>
#include <string.h>

enum { LISTED = 20, HITS = 10 };

/* On one line, whatever is in it; the screen's outlet makes the rest harmless. */
static void add_flat(struct str *out, const char *s, size_t len)
{
    size_t from = out->len;
    str_add(out, s, len);
    for (size_t i = from; i < out->len; i++)
        if (strchr("\n\r\t", out->data[i]))
            out->data[i] = ' ';
}

int library_add_list(struct str *out, struct store *s, const char *words, bool archived)
{
    struct store_conversations *list;
    int status = *words ? store_conversation_filter(s, words, archived, LISTED + 1, &list)
                        : store_conversation_list(s, archived, 0, LISTED + 1, &list);
    if (status != STORE_OK)
        return status;
    int digits = 1;
    for (size_t i = 0; i < list->count && i < LISTED; i++) {
        int n = snprintf(NULL, 0, "%lld", (long long)list->items[i].id);
        digits = n > digits ? n : digits;
    }
    for (size_t i = 0; i < list->count && i < LISTED; i++) {
        const struct store_conversation *c = &list->items[i];
        str_addf(out, "%*lld  ", digits, (long long)c->id);
        add_flat(out, c->title, strlen(c->title));
        str_adds(out, "  (");
        library_add_date(out, c->updated_ms);
        str_adds(out, ")\n");
    }
    if (list->count == 0)
        str_adds(out, *words     ? "no title holds these words"
                      : archived ? "no conversation is archived"
                                 : "no conversations yet");
    else
        str_adds(out, list->count > LISTED
                          ? "and more: /list WORDS narrows; /switch NUMBER goes there"
                          : "/switch NUMBER goes there");
    store_conversations_free(list);
    return STORE_OK;
}

int library_add_hits(struct str *out, struct store *s, const char *words)
{
    struct store_hits *hits;
    int status = store_search(s, words, 0, HITS, &hits);
    if (status != STORE_OK)
        return status;
    for (size_t i = 0; i < hits->count; i++) {
        const struct store_hit *h = &hits->items[i];
        size_t behind = h->match_at + h->match_len;
        str_addf(out, "%lld  ", (long long)h->conversation);
        add_flat(out, h->title, strlen(h->title));
        str_addf(out, "  (%s, ", library_where(h));
        library_add_date(out, h->created_ms);
        str_adds(out, ")\n    ");
        add_flat(out, h->snippet, h->match_at);
        str_adds(out, "[");
        add_flat(out, h->snippet + h->match_at, h->match_len);
        str_adds(out, "]");
        add_flat(out, h->snippet + behind, strlen(h->snippet + behind));
        str_adds(out, "\n");
    }
    if (hits->count == 0)
        str_adds(out, "nothing found");
    else if (hits->next != 0 || hits->found > hits->count)
        str_addf(out, "the best %zu of more; /switch NUMBER goes there", hits->count);
    else
        str_adds(out, "/switch NUMBER goes there");
    store_hits_free(hits);
    return STORE_OK;
}
