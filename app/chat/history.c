/* history.c - see history.h. */
#include "app/chat/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/chat/library.h"
#include "app/chat/title.h"
#include "app/clock.h"
#include "app/mem.h"
#include "app/say.h"

enum {
    SAVE_EVERY_MS = 120, /* while an answer streams */
    RETRY_MS = 1000,
};

/* Turns */

const char *turn_keep(struct turn *turn, const char *string)
{
    if (turn->n_kept == (int)(sizeof turn->kept / sizeof *turn->kept))
        return "";
    return turn->kept[turn->n_kept++] = mem_strdup(string ? string : "");
}

void turn_drop_kept(struct turn *turn)
{
    for (int i = 0; i < turn->n_kept; i++)
        free(turn->kept[i]);
    turn->n_kept = 0;
}

/* Replaces the generation by a copy with its own strings. */
static void set_generation(struct turn *t, const struct store_generation *from)
{
    struct store_generation *g = &t->generation;
    const char **strings[] = {&g->model,    &g->fingerprint, &g->engine, &g->device,
                              &g->settings, &g->stop_reason, &g->error};
    turn_drop_kept(t);
    t->generated = true;
    *g = *from;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        *strings[i] = turn_keep(t, *strings[i]);
}

struct turn *history_add(struct history *h, enum store_role role, enum store_state state,
                         const char *text, size_t len)
{
    struct turn *t = history_new_turn(h, h->leaf, role, state);
    str_add_valid(&t->text[STORE_TEXT], text, len);
    history_set_leaf(h, t);
    return t;
}

void history_append(struct history *h, struct turn *turn, enum store_kind kind, const char *text,
                    size_t len)
{
    str_add(&turn->text[kind], text, len);
    history_mark_changed(h, false);
}

void history_end(struct history *h, struct turn *turn, enum store_state state)
{
    turn->state = state;
    history_mark_changed(h, true);
}

/* Conversations */

static void forget(struct history *h)
{
    history_clear(h);
    free(h->title);
    free(h->system);
    h->title = h->system = NULL;
    h->n_clean = 0;
    h->conversation = h->leaf_saved = h->seen = h->proposed = 0;
    h->changed_ms = h->retry_ms = 0;
    h->urgent = h->window_changed = h->system_changed = false;
    h->problem[0] = '\0';
}

int history_open(struct history *h, const char *path, const char *why, char *err, size_t errlen)
{
    *h = (struct history){0};
    h->leaf = &h->root;
    int status = path ? store_open(&h->store, path, err, errlen) : STORE_OK;
    if (status != STORE_OK) {
        say_to(h->off, sizeof h->off, 0, "%s%s", err, library_advice(status));
        say_to(err, errlen, 0, "%s", h->off);
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

/* From the store */

static void take_message(struct turn *t, const struct store_message *m)
{
    t->state = m->state;
    t->damaged = m->damaged;
    t->window_start = t->window_start_saved = m->window_start;
    if (m->generation)
        set_generation(t, m->generation);
    /* Another instance may be writing it: its additions are handled there. */
    t->saved = t->saving = (struct turn_mark){.id = m->id, .ended = true};
    t->tokens.engine = 0; /* another text may be as long */
    for (int k = 0; k < STORE_KINDS; k++) {
        str_clear(&t->text[k]);
        str_add_valid(&t->text[k], m->text[k], m->len[k]);
        t->saved.len[k] = t->saving.len[k] = t->text[k].len;
    }
}

static int by_id(const void *a, const void *b)
{
    const struct turn *const *x = a, *const *y = b;
    return ((*x)->saved.id > (*y)->saved.id) - ((*x)->saved.id < (*y)->saved.id);
}

/* The index of an id in turns sorted by it, or its insertion point. */
static size_t place_of(struct turn **turns, size_t n, int64_t id)
{
    size_t low = 0;
    while (low < n) {
        size_t middle = (low + n) / 2;
        if (turns[middle]->saved.id < id)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

/* Adds stored messages, parents first, that are missing from the tree or were incomplete. */
static void merge(struct history *h, const struct store_messages *list)
{
    struct turn **known = mem_alloc((h->n_all + list->count + 1) * sizeof *known);
    size_t n = 0;
    for (size_t i = 0; i < h->n_all; i++)
        if (h->all[i]->saved.id)
            known[n++] = h->all[i];
    qsort(known, n, sizeof *known, by_id);
    for (size_t i = 0; i < list->count; i++) {
        const struct store_message *m = &list->items[i];
        size_t at = place_of(known, n, m->id), above = place_of(known, n, m->parent);
        struct turn *t = at < n && known[at]->saved.id == m->id ? known[at] : NULL;
        bool has_parent = above < n && known[above]->saved.id == m->parent;
        if (t && !(t->foreign && t->state == STORE_STREAMING))
            continue;
        if (!t) {
            t = history_new_turn(h, has_parent ? known[above] : &h->root, m->role, m->state);
            t->foreign = true;
            memmove(known + at + 1, known + at, (n++ - at) * sizeof *known);
            known[at] = t;
        }
        take_message(t, m);
        t->damaged |= m->parent != 0 && !has_parent;
    }
    free(known);
    if (list->count > 0 && list->items[list->count - 1].id > h->seen)
        h->seen = list->items[list->count - 1].id;
}

/* Messages still being written elsewhere are read again, with everything newer. */
static int64_t unseen_after(const struct history *h)
{
    int64_t after = h->seen;
    for (size_t i = 0; i < h->n_all; i++) {
        const struct turn *t = h->all[i];
        if (t->foreign && t->state == STORE_STREAMING && t->saved.id <= after)
            after = t->saved.id - 1;
    }
    return after;
}

int history_refresh(struct history *h)
{
    struct store_messages *list;
    if (h->conversation == 0)
        return 0;
    if (store_message_tree(h->store, h->conversation, unseen_after(h), &list) != STORE_OK)
        return -1;
    bool clean = h->n_clean == h->n_all;
    merge(h, list);
    if (clean)
        h->n_clean = h->n_all;
    store_messages_free(list);
    return 0;
}

/* The turn at the end of the stored path; if that is lost, the one before it. */
static struct turn *stored_leaf(const struct history *h, int64_t id)
{
    struct turn *leaf = NULL;
    for (size_t i = 0; i < h->n_all && h->all[i]->saved.id <= id; i++)
        leaf = h->all[i];
    return leaf;
}

int history_load(struct history *h, int64_t id, char *err, size_t errlen)
{
    struct store_conversations *found;
    struct store_messages *tree;

    if (store_conversation_get(h->store, id, &found) != STORE_OK)
        return say_to(err, errlen, -1, "conversation %lld: %s", (long long)id,
                      store_error(h->store));
    if (store_message_tree(h->store, id, 0, &tree) != STORE_OK) {
        store_conversations_free(found);
        return say_to(err, errlen, -1, "conversation %lld: %s", (long long)id,
                      store_error(h->store));
    }
    forget(h);
    h->conversation = id;
    h->title = mem_strdup(found->items[0].title);
    h->system = mem_strdup(found->items[0].system);
    int64_t leaf = found->items[0].leaf;
    store_conversations_free(found);
    merge(h, tree);
    store_messages_free(tree);
    h->n_clean = h->n_all;
    history_set_leaf(h, stored_leaf(h, leaf));
    h->leaf_saved = h->leaf->saved.id;
    h->changed_ms = 0;
    h->urgent = false;
    return 0;
}

static struct turn *copy_turn(struct history *h, struct turn *parent, const struct turn *from)
{
    struct turn *t = history_new_turn(h, parent, from->role, from->state);
    if (t->state == STORE_STREAMING) /* by another instance, which knows nothing of the copy */
        t->state = STORE_INTERRUPTED;
    t->damaged = from->damaged;
    t->window_start = from->window_start;
    for (int k = 0; k < STORE_KINDS; k++)
        str_add(&t->text[k], str_get(&from->text[k]), from->text[k].len);
    if (from->generated)
        set_generation(t, &from->generation);
    return t;
}

void history_fork(struct history *h, const struct turn *last)
{
    struct history old = *h;
    struct str title = {0};
    struct turn *leaf = &h->root;

    if (old.title)
        str_addf(&title, "%s (fork)", old.title);
    h->all = h->turns = NULL;
    h->n_all = 0;
    h->title = h->system = NULL;
    forget(h);
    h->title = title.data;
    h->system = mem_strdup(old.system);
    for (size_t i = 0; i < last->depth; i++)
        leaf = copy_turn(h, leaf, old.turns[i]);
    history_set_leaf(h, leaf);
    h->window_changed = true;
    free(old.title);
    free(old.system);
    history_clear(&old);
}

void history_copy(struct history *out, const struct history *h)
{
    char err[256];
    history_open(out, NULL, "a copy", err, sizeof err);
    out->title = h->title ? mem_strdup(h->title) : NULL;
    out->system = mem_strdup(h->system ? h->system : "");
    for (size_t i = 0; i < h->n_all; i++) {
        const struct turn *parent = h->all[i]->parent;
        copy_turn(out, parent->number ? out->all[parent->number - 1] : &out->root, h->all[i]);
    }
    history_set_leaf(out, h->leaf->number ? out->all[h->leaf->number - 1] : NULL);
    out->window_changed = true;
}

void history_detach(struct history *h)
{
    for (size_t i = 0; i < h->n_all; i++) {
        struct turn *t = h->all[i];
        if (t->foreign && t->state == STORE_STREAMING)
            t->state = STORE_INTERRUPTED;
        t->saved = t->saving = (struct turn_mark){0};
        t->foreign = t->window_start_saved = false;
    }
    h->conversation = h->leaf_saved = h->seen = 0;
    h->n_clean = 0;
    h->window_changed = true;
    history_mark_changed(h, true);
}

int history_reopen(struct history *h, const char *path, char *err, size_t errlen)
{
    struct store *fresh;
    if (store_open(&fresh, path, err, errlen) != STORE_OK)
        return -1;
    store_close(h->store);
    h->store = fresh;
    history_detach(h);
    return 0;
}

void history_set_system(struct history *h, const char *system)
{
    free(h->system);
    h->system = mem_strdup(system);
    h->system_changed = true;
    history_mark_changed(h, true);
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
    int64_t leaf = h->leaf_saved;
    int status = STORE_OK;

    if (*conversation == 0) {
        if (!h->title)
            h->title = title_make(str_get(&h->all[0]->text[STORE_TEXT]),
                                  h->all[0]->text[STORE_TEXT].len);
        status = store_conversation_create(h->store, h->title, h->system, conversation);
    } else if (h->system_changed) {
        status = store_conversation_set_system(h->store, *conversation, h->system);
    }
    for (size_t i = h->n_clean; i < h->n_all && status == STORE_OK; i++) {
        struct turn *t = h->all[i];
        bool begins = t->saved.id == 0;
        status = save_turn(h, t, *conversation, t->parent->saving.id);
        leaf = begins ? t->saving.id : leaf;
    }
    if (status == STORE_OK && leaf != h->leaf->saving.id)
        status = store_conversation_set_leaf(h->store, *conversation, h->leaf->saving.id);
    for (size_t i = 0; h->window_changed && i < h->n_all && status == STORE_OK; i++)
        if (h->all[i]->window_start != h->all[i]->window_start_saved)
            status = store_message_set_window_start(h->store, h->all[i]->saving.id,
                                                    h->all[i]->window_start);
    return status;
}

/* One transaction. Records the reason of a failure before the rollback resets it. */
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

static void note_saved(struct history *h, int64_t conversation)
{
    h->conversation = conversation;
    h->leaf_saved = h->leaf->saving.id;
    for (size_t i = h->n_clean; i < h->n_all; i++)
        h->all[i]->saved = h->all[i]->saving;
    while (h->n_clean < h->n_all && h->all[h->n_clean]->saved.ended)
        h->n_clean++;
    for (size_t i = 0; h->window_changed && i < h->n_all; i++)
        h->all[i]->window_start_saved = h->all[i]->window_start;
    h->window_changed = h->system_changed = false;
}

int history_save(struct history *h)
{
    int64_t conversation = h->conversation;
    bool other_leaf = h->leaf->saved.id != h->leaf_saved;
    bool changed = h->n_clean < h->n_all || other_leaf || h->window_changed || h->system_changed;
    if (changed && (h->n_all > 0 || conversation > 0)) {
        if (save_all(h, &conversation) != STORE_OK) {
            h->again = h->retry_ms > 0;
            h->retry_ms = clock_ms() + RETRY_MS;
            return -1;
        }
        note_saved(h, conversation);
    }
    h->changed_ms = h->retry_ms = 0;
    h->urgent = h->again = false;
    h->problem[0] = '\0';
    return 0;
}

/* Continuing an answer, and declining to */

int history_resume(struct history *h, char *err, size_t errlen)
{
    struct turn *turn = h->leaf;
    if (turn->saved.ended && store_message_resume(h->store, turn->saved.id) != STORE_OK)
        return say_to(err, errlen, -1, "history: %s", store_error(h->store));
    turn->state = STORE_STREAMING;
    turn->saved.ended = turn->foreign = false;
    for (size_t i = 0; i < h->n_clean; i++)
        if (h->all[i] == turn)
            h->n_clean = i;
    history_mark_changed(h, true);
    return 0;
}

/* The last message of a conversation, from a list that the caller frees. */
static const struct store_message *last_message(struct history *h, int64_t conversation,
                                                struct store_messages **path)
{
    if (store_message_path(h->store, conversation, path) != STORE_OK)
        return NULL;
    return (*path)->count > 0 ? &(*path)->items[(*path)->count - 1] : NULL;
}

int64_t history_interrupted(struct history *h, struct str *question)
{
    struct store_messages *path = NULL;
    int64_t id = h->conversation > 0 ? h->conversation : library_find(h->store, NULL);
    const struct store_message *last = id > 0 ? last_message(h, id, &path) : NULL;
    bool interrupted = last && last->role == STORE_ASSISTANT && last->state == STORE_INTERRUPTED;

    if (interrupted && path->count > 1)
        str_add_valid(question, last[-1].text[STORE_TEXT], last[-1].len[STORE_TEXT]);
    if (path)
        store_messages_free(path);
    return interrupted ? id : 0;
}

void history_decline(struct history *h, int64_t conversation)
{
    struct store_messages *path = NULL;
    const struct store_message *last = last_message(h, conversation, &path);
    if (last && last->state == STORE_INTERRUPTED &&
        store_message_resume(h->store, last->id) == STORE_OK)
        store_message_end(h->store, last->id, STORE_STOPPED, NULL);
    if (path)
        store_messages_free(path);
    if (h->conversation == conversation && h->n_turns > 0)
        h->turns[h->n_turns - 1]->state = STORE_STOPPED;
}
