/* library.c - see library.h. Long operations are done in steps, one per turn, so that keys
 * are handled meanwhile. */
#include "app/tui/library.h"

#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/commands/library.h"
#include "app/mem.h"
#include "app/tui/tui.h"

enum {
    REST_MS = 300,   /* retry delay after the file was locked by another program */
    SLICE_MS = 25,   /* time for a search per turn */
    CHECK_MS = 1000, /* interval between checks of the store */
    PAGE_HITS = 100,
};

static void end_search(struct tui_library *l)
{
    for (size_t i = 0; i < l->n_pages; i++)
        store_hits_free(l->pages[i]);
    l->n_pages = l->n_found = l->n_all = 0;
    l->next = 0;
    l->searching = false;
}

void tui_library_done(struct tui *t)
{
    struct tui_library *l = &t->library;
    end_search(l);
    str_done(&l->words);
    str_done(&l->query);
}

/* The sidebar */

void tui_library_list(struct tui *t)
{
    t->library.listed = false;
}

static int read_rows(struct tui *t, struct store_conversations **list)
{
    const struct tui_library *l = &t->library;
    struct store *store = t->chat.history.store;
    if (l->words.len > 0)
        return store_conversation_filter(store, l->words.data, l->archived, l->wanted, list);
    return store_conversation_list(store, l->archived, 0, l->wanted, list);
}

static void say_unlisted(struct tui *t, int status)
{
    tui_notice(t, UI_FAIL, "the conversations cannot be listed: %s%s",
               store_error(t->chat.history.store), library_advice(status));
}

static void show_rows(struct tui *t)
{
    struct store_conversations *list;
    struct str dates = {0};

    int status = read_rows(t, &list);
    if (status == STORE_EBUSY) { /* a later turn will do it */
        t->library.rest_ms = clock_ms() + REST_MS;
        return;
    }
    t->library.listed = true;
    if (status != STORE_OK && !t->library.failed)
        say_unlisted(t, status);
    t->library.failed = status != STORE_OK;
    if (t->library.failed)
        return;
    struct ui_row *rows = mem_alloc((list->count + 1) * sizeof *rows);
    size_t *at = mem_alloc((list->count + 1) * sizeof *at);
    for (size_t i = 0; i < list->count; i++) {
        at[i] = dates.len;
        library_add_date(&dates, list->items[i].updated_ms);
        str_add(&dates, "", 1);
    }
    for (size_t i = 0; i < list->count; i++)
        rows[i] = (struct ui_row){list->items[i].id, list->items[i].title, dates.data + at[i]};
    const struct library_deleted *last = library_last_deleted(&t->chat.library);
    ui_sidebar_set(t->ui, rows, list->count, t->chat.history.conversation);
    ui_sidebar_deleted(t->ui, last ? last->title : NULL);
    free(at);
    free(rows);
    str_done(&dates);
    store_conversations_free(list);
}

static void act_list(struct tui *t, const struct ui_action *action)
{
    struct tui_library *l = &t->library;
    str_clear(&l->words);
    str_add(&l->words, action->text, action->len);
    l->archived = action->tag != 0;
    l->wanted = (size_t)action->id;
    l->listed = false;
}

/* Runs a command on the row; its outcome is reported like that of a typed one. */
static void act_on_row(struct tui *t, const struct ui_action *action)
{
    struct chat *c = &t->chat;
    struct command_reply reply = {.effect = COMMAND_SAY};
    struct str title = {0};

    str_add(&title, action->text ? action->text : "", action->len);
    switch (action->kind) {
    case UI_RENAME: command_rename(c, action->id, str_get(&title), &reply); break;
    case UI_ARCHIVE: command_archive(c, action->id, action->tag != 0, &reply); break;
    case UI_DELETE: command_delete(c, action->id, &reply); break;
    default: command_undelete(c, 0, &reply); break;
    }
    /* The result shows in the sidebar, not in the transcript. */
    if (!reply.failed && reply.effect == COMMAND_SAY) {
        ui_hint(t->ui, str_get(&reply.text));
        str_clear(&reply.text);
    }
    tui_follow(t, &reply);
    str_done(&title);
}

/* Searching */

static void act_search(struct tui *t, const struct ui_action *action)
{
    static const unsigned scopes[UI_WHERES] = {
        [UI_IN_QUESTIONS] = STORE_IN_QUESTIONS,
        [UI_IN_ANSWERS] = STORE_IN_ANSWERS,
        [UI_IN_REASONING] = STORE_IN_REASONING,
    };
    struct tui_library *l = &t->library;
    end_search(l);
    str_clear(&l->query);
    str_add(&l->query, action->text, action->len);
    l->scope = scopes[action->tag];
    l->searching = true;
}

/* Keeps the hits in order of rank; ties in order of arrival, newest first. */
static void take_page(struct tui_library *l, struct store_hits *page)
{
    l->pages[l->n_pages++] = page;
    l->n_all += page->found;
    for (size_t i = 0; i < page->count; i++) {
        const struct store_hit *hit = &page->items[i];
        size_t at = l->n_found;
        while (at > 0 && l->found[at - 1]->score < hit->score)
            at--;
        if (at == FOUND_SHOWN)
            continue;
        size_t last = l->n_found < FOUND_SHOWN ? l->n_found++ : FOUND_SHOWN - 1;
        memmove(l->found + at + 1, l->found + at, (last - at) * sizeof *l->found);
        l->found[at] = hit;
    }
}

static void add_summary(const struct tui_library *l, struct str *out)
{
    if (l->query.len == 0)
        return;
    if (l->searching)
        str_adds(out, "searching\u2026");
    else if (l->n_found == 0)
        str_adds(out, "nothing found");
    else if (l->next != 0)
        str_addf(out, "the %zu best, and more", l->n_found);
    else if (l->n_all > l->n_found)
        str_addf(out, "the %zu best of %zu", l->n_found, l->n_all);
    else
        str_addf(out, "%zu found", l->n_found);
}

static void show_found(struct tui *t)
{
    struct tui_library *l = &t->library;
    struct ui_hit hits[FOUND_SHOWN];
    char details[FOUND_SHOWN][48];
    struct str summary = {0}, detail = {0};

    for (size_t i = 0; i < l->n_found; i++) {
        const struct store_hit *hit = l->found[i];
        str_clear(&detail);
        str_addf(&detail, "%s \u00b7 ", library_where(hit));
        library_add_date(&detail, hit->created_ms);
        snprintf(details[i], sizeof details[i], "%s", detail.data);
        hits[i] = (struct ui_hit){(int64_t)i,   hit->title,    details[i],
                                  hit->snippet, hit->match_at, hit->match_len};
    }
    add_summary(l, &summary);
    ui_search_set(t->ui, hits, l->n_found, l->n_pages > 1, str_get(&summary));
    str_done(&summary);
    str_done(&detail);
}

static void search_on(struct tui *t)
{
    struct tui_library *l = &t->library;
    struct store_query query = {
        .text = str_get(&l->query),
        .scope = l->scope,
        .limit = PAGE_HITS,
        .before = l->next,
        .ms = SLICE_MS,
    };
    struct store_hits *page;
    int status = store_search_some(t->chat.history.store, &query, &page);
    if (status == STORE_EBUSY) {
        l->rest_ms = clock_ms() + REST_MS;
        return;
    }
    if (status != STORE_OK) {
        l->searching = false;
        ui_search_set(t->ui, NULL, 0, false, store_error(t->chat.history.store));
        return;
    }
    l->next = page->next;
    take_page(l, page);
    l->searching = l->next != 0 && l->n_found < FOUND_SHOWN && l->n_pages < FOUND_PAGES;
    show_found(t);
}

static struct turn *stored_turn(const struct history *h, int64_t message)
{
    for (size_t i = 0; i < h->n_all; i++)
        if (h->all[i]->saved.id == message)
            return h->all[i];
    return NULL;
}

/* Shows the conversation at the hit, by the path that leads through it. */
static void act_found(struct tui *t, const struct ui_action *action)
{
    const struct tui_library *l = &t->library;
    struct history *h = &t->chat.history;
    struct command_reply reply = {.effect = COMMAND_SAY};

    if (action->id < 0 || (size_t)action->id >= l->n_found)
        return;
    const struct store_hit *hit = l->found[action->id];
    if (hit->conversation == h->conversation)
        history_refresh(h);
    else
        command_open(&t->chat, hit->conversation, &reply);
    struct turn *turn = reply.failed ? NULL : stored_turn(h, hit->message);
    if (turn && !history_is_on_path(h, turn) && command_may_change(&t->chat, &reply)) {
        history_checkout(h, turn);
        reply.effect = COMMAND_SHOW;
    }
    tui_follow(t, &reply);
    if (turn && !reply.failed) {
        struct str match = {0};
        str_add(&match, hit->snippet + hit->match_at, hit->match_len);
        ui_find(t->ui, turn->number, hit->kind == STORE_REASONING ? UI_REASONING : UI_ANSWER,
                str_get(&match));
        str_done(&match);
    }
}

/* Other instances, and the file itself */

static void say_gone(struct tui *t)
{
    ui_notice(t->ui, UI_WARN,
              "this conversation was deleted in another window; the next question restores it");
    t->library.gone = true;
}

static void say_moved(struct tui *t)
{
    ui_notice(t->ui, UI_WARN,
              "the history file was moved, deleted or replaced: nothing is saved; /reopen begins "
              "a new one and saves this conversation in it");
    t->library.moved = true;
}

static void check_store(struct tui *t)
{
    struct history *h = &t->chat.history;
    struct tui_library *l = &t->library;

    l->checked_ms = clock_ms();
    bool moved = store_moved(h->store);
    if (moved && !l->moved)
        say_moved(t);
    l->moved = moved;
    if (moved || !store_changed(h->store))
        return;
    l->listed = false;
    if (h->conversation == 0)
        return;
    char *title = library_title(h->store, h->conversation);
    if (title)
        l->gone = false;
    else if (!l->gone && store_is_deleted(h->store, h->conversation))
        say_gone(t);
    if (title && strcmp(title, h->title) != 0) {
        free(h->title);
        h->title = mem_strdup(title);
    }
    free(title);
}

void tui_library_ensure_stored(struct tui *t)
{
    struct history *h = &t->chat.history;
    int64_t restored;
    if (!t->library.gone)
        return;
    t->library.gone = false;
    if (library_restore(&t->chat.library, h->store, h->conversation, &restored) != STORE_OK)
        history_detach(h);
    tui_library_list(t);
}

void tui_library_tick(struct tui *t)
{
    struct tui_library *l = &t->library;
    if (clock_ms() - l->checked_ms >= CHECK_MS)
        check_store(t);
    if (clock_ms() < l->rest_ms)
        return;
    if (!l->listed && l->wanted > 0)
        show_rows(t);
    if (l->searching)
        search_on(t);
}

int tui_library_timeout_ms(const struct tui *t)
{
    const struct tui_library *l = &t->library;
    double now = clock_ms(), check = l->checked_ms + CHECK_MS - now, rest = l->rest_ms - now;
    bool waits = l->searching || (!l->listed && l->wanted > 0);
    double left = waits && rest < check ? rest : check;
    return left > 0 ? (int)left + 1 : 0;
}

void tui_act_on_library(struct tui *t, const struct ui_action *action)
{
    switch (action->kind) {
    case UI_LIST: act_list(t, action); break;
    case UI_SEARCH: act_search(t, action); break;
    case UI_OPEN_HIT: act_found(t, action); break;
    default: act_on_row(t, action);
    }
}
