/* history.c - see history.h. */
#include "app/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/mem.h"
#include "app/say.h"

enum {
    SAVE_EVERY_MS = 120, /* while an answer streams */
    RETRY_MS = 1000,
    TITLE_BYTES = 72,
};

/* Turns */

const char *turn_keep(struct turn *turn, const char *string)
{
    if (turn->n_kept == (int)(sizeof turn->kept / sizeof *turn->kept))
        return "";
    return turn->kept[turn->n_kept++] = mem_strdup(string ? string : "");
}

static void turn_free(struct turn *turn)
{
    for (int k = 0; k < STORE_KINDS; k++)
        str_done(&turn->text[k]);
    for (int i = 0; i < turn->n_kept; i++)
        free(turn->kept[i]);
    free(turn);
}

static struct turn *add_turn(struct history *h, struct turn turn)
{
    h->turns = mem_realloc(h->turns, (h->n_turns + 1) * sizeof *h->turns);
    struct turn *t = h->turns[h->n_turns++] = mem_alloc(sizeof *t);
    *t = turn;
    t->number = (int64_t)h->n_turns;
    return t;
}

static void note_change(struct history *h, bool urgent)
{
    if (h->changed_ms == 0)
        h->changed_ms = clock_ms();
    h->urgent = h->urgent || urgent;
}

struct turn *history_add(struct history *h, enum store_role role, enum store_state state,
                         const char *text, size_t len)
{
    struct turn *t = add_turn(h, (struct turn){.role = role, .state = state});
    str_add_valid(&t->text[STORE_TEXT], text, len);
    note_change(h, true);
    return t;
}

void history_append(struct history *h, struct turn *turn, enum store_kind kind, const char *text,
                    size_t len)
{
    str_add(&turn->text[kind], text, len);
    note_change(h, false);
}

void history_end(struct history *h, struct turn *turn, enum store_state state)
{
    turn->state = state;
    note_change(h, true);
}

/* Conversations */

static void forget(struct history *h)
{
    for (size_t i = 0; i < h->n_turns; i++)
        turn_free(h->turns[i]);
    free(h->turns);
    free(h->title);
    free(h->system);
    if (h->loaded)
        store_messages_free(h->loaded);
    h->turns = NULL;
    h->title = h->system = NULL;
    h->loaded = NULL;
    h->n_turns = h->n_clean = 0;
    h->conversation = 0;
    h->changed_ms = h->retry_ms = 0;
    h->urgent = false;
    h->problem[0] = '\0';
}

int history_open(struct history *h, const char *path, const char *why, char *err, size_t errlen)
{
    int status = 0;
    *h = (struct history){0};
    if (path && store_open(&h->store, path, err, errlen) != STORE_OK) {
        say_to(h->off, sizeof h->off, 0, "%s", err);
        status = -1;
    } else if (!path) {
        say_to(h->off, sizeof h->off, 0, "%s", why);
    }
    if (!h->store && store_open(&h->store, NULL, err, errlen) != STORE_OK)
        mem_fail();
    return status;
}

void history_close(struct history *h)
{
    forget(h);
    store_close(h->store);
    h->store = NULL;
}

void history_new(struct history *h, const char *system)
{
    char *copy = mem_strdup(system ? system : "");
    forget(h);
    h->system = copy;
}

int history_load(struct history *h, int64_t id, char *err, size_t errlen)
{
    struct store_conversations *found;
    struct store_messages *path;

    if (store_conversation_get(h->store, id, &found) != STORE_OK)
        return say_to(err, errlen, -1, "conversation %lld: %s", (long long)id,
                      store_error(h->store));
    if (store_message_path(h->store, id, &path) != STORE_OK) {
        store_conversations_free(found);
        return say_to(err, errlen, -1, "conversation %lld: %s", (long long)id,
                      store_error(h->store));
    }
    forget(h);
    h->conversation = id;
    h->title = mem_strdup(found->items[0].title);
    h->system = mem_strdup(found->items[0].system);
    store_conversations_free(found);

    h->loaded = path;
    for (size_t i = 0; i < path->count; i++) {
        const struct store_message *m = &path->items[i];
        struct turn *t = add_turn(
            h, (struct turn){.role = m->role, .state = m->state, .damaged = m->damaged});
        for (int k = 0; k < STORE_KINDS; k++)
            str_add_valid(&t->text[k], m->text[k], m->len[k]);
        if (m->generation) {
            t->generated = true;
            t->generation = *m->generation;
        }
        /* Another instance may be writing it: what it adds is its business. */
        t->saved = (struct turn_mark){.id = m->id, .ended = true};
        for (int k = 0; k < STORE_KINDS; k++)
            t->saved.len[k] = t->text[k].len;
    }
    h->n_clean = h->n_turns;
    return 0;
}

void history_set_system(struct history *h, const char *system)
{
    free(h->system);
    h->system = mem_strdup(system);
    if (h->conversation > 0 &&
        store_conversation_set_system(h->store, h->conversation, system) != STORE_OK)
        say_to(h->problem, sizeof h->problem, 0, "%s", store_error(h->store));
}

int64_t history_find(struct history *h, const char *name)
{
    struct store_conversations *list;
    size_t len = name ? strlen(name) : 0;
    int64_t found = 0;

    int status = store_conversation_list(h->store, false, 0, name ? 10000 : 1, &list);
    if (status != STORE_OK)
        return status;
    if (!name && list->count > 0)
        found = list->items[0].id;
    char *end;
    errno = 0;
    long long number = name ? strtoll(name, &end, 10) : 0;
    bool is_number = name && len > 0 && *end == '\0' && errno == 0;
    for (size_t i = 0; name && !found && i < list->count; i++)
        if (is_number ? list->items[i].id == number : strcasecmp(list->items[i].title, name) == 0)
            found = list->items[i].id;
    for (size_t i = 0; len > 0 && !is_number && !found && i < list->count; i++)
        if (strncasecmp(list->items[i].title, name, len) == 0)
            found = list->items[i].id;
    store_conversations_free(list);
    return found;
}

/* The first line of the first question, cut between words. */
static char *make_title(const struct history *h)
{
    struct str title = {0};
    size_t len = h->n_turns ? h->turns[0]->text[STORE_TEXT].len : 0;
    const char *s = len ? str_trim(h->turns[0]->text[STORE_TEXT].data, &len) : "";
    size_t line = strcspn(s, "\r\n");
    if (line < len)
        len = line;
    size_t cut = str_cut(s, len, TITLE_BYTES);
    if (cut < len)
        for (size_t i = cut; i > TITLE_BYTES / 2; i--)
            if (s[i] == ' ') {
                cut = i;
                break;
            }
    str_add(&title, s, cut);
    if (cut < len)
        str_adds(&title, "...");
    return title.data;
}

/* Saving */

int history_due_ms(const struct history *h)
{
    if (h->changed_ms == 0)
        return -1;
    double now = clock_ms(), at = h->urgent ? now : h->changed_ms + SAVE_EVERY_MS;
    if (h->retry_ms > at)
        at = h->retry_ms;
    return at > now ? (int)(at - now) + 1 : 0;
}

static int begin_turn(struct history *h, struct turn *t, int64_t conversation, int64_t parent)
{
    struct store_draft draft = {
        .conversation = conversation,
        .parent = parent,
        .role = t->role,
        .generation = t->generated ? &t->generation : NULL,
    };
    const struct str *text = &t->text[STORE_TEXT];
    if (t->role == STORE_ASSISTANT)
        return store_message_begin(h->store, &draft, &t->saving.id);
    t->saving.ended = true;
    t->saving.len[STORE_TEXT] = text->len;
    return store_message_add(h->store, &draft, str_get(text), text->len, &t->saving.id);
}

static int save_turn(struct history *h, struct turn *t, int64_t conversation, int64_t parent)
{
    t->saving = t->saved;
    if (t->saving.ended)
        return STORE_OK;
    int status = t->saving.id ? STORE_OK : begin_turn(h, t, conversation, parent);
    for (int k = 0; k < STORE_KINDS && status == STORE_OK; k++) {
        size_t from = t->saving.len[k], to = t->text[k].len;
        if (to > from)
            status = store_message_append(h->store, t->saving.id, (enum store_kind)k,
                                          t->text[k].data + from, to - from);
        t->saving.len[k] = to;
    }
    if (status == STORE_OK && !t->saving.ended && t->state != STORE_STREAMING) {
        t->saving.ended = true;
        status = store_message_end(h->store, t->saving.id, t->state,
                                   t->generated ? &t->generation : NULL);
    }
    return status;
}

static int save_turns(struct history *h, int64_t *conversation)
{
    int64_t parent = h->n_clean > 0 ? h->turns[h->n_clean - 1]->saved.id : 0;
    int status = STORE_OK;

    if (*conversation == 0) {
        free(h->title);
        h->title = make_title(h);
        status = store_conversation_create(h->store, h->title, h->system, conversation);
    }
    for (size_t i = h->n_clean; i < h->n_turns && status == STORE_OK; i++) {
        status = save_turn(h, h->turns[i], *conversation, parent);
        parent = h->turns[i]->saving.id;
    }
    return status;
}

/* One transaction. Keeps the reason of a failure before the rollback can forget it. */
static int save_all(struct history *h, int64_t *conversation)
{
    int status = store_begin(h->store);
    bool begun = status == STORE_OK;
    if (begun)
        status = save_turns(h, conversation);
    if (begun && status == STORE_OK) {
        status = store_commit(h->store); /* rolls back where it fails */
        begun = false;
    }
    if (status != STORE_OK)
        say_to(h->problem, sizeof h->problem, 0, "%s", store_error(h->store));
    if (begun)
        store_rollback(h->store);
    return status;
}

int history_save(struct history *h)
{
    int64_t conversation = h->conversation;
    if (h->n_clean < h->n_turns) {
        if (save_all(h, &conversation) != STORE_OK) {
            h->retry_ms = clock_ms() + RETRY_MS;
            return -1;
        }
        h->conversation = conversation;
        for (size_t i = h->n_clean; i < h->n_turns; i++)
            h->turns[i]->saved = h->turns[i]->saving;
        while (h->n_clean < h->n_turns && h->turns[h->n_clean]->saved.ended)
            h->n_clean++;
    }
    h->changed_ms = h->retry_ms = 0;
    h->urgent = false;
    h->problem[0] = '\0';
    return 0;
}
