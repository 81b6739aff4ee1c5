/*
 * lookup.c: see lookup.h. Requests are queued as actions; the caller's replies come through ui.h.
 */
#include "lookup.h"
#include "dispatch.h"
#include "text/text.h"

#include <string.h>

/* Requests */

void lookup_list(struct ui *u)
{
    struct sidebar *s = &u->sidebar;
    struct ui_action action = {
        .kind = UI_LIST,
        .tag = s->archived,
        .id = (int64_t)s->wanted,
        .text = bytes_string(&s->list.filter),
        .len = s->list.filter.len,
    };
    dispatch_queue(u, action);
}

/* The filter or the listing has changed. */
static void list_afresh(struct ui *u)
{
    u->sidebar.wanted = SIDEBAR_WANTED;
    u->sidebar.list.afresh = true;
    lookup_list(u);
}

static void ask_search(struct ui *u)
{
    const char *text = field_text(&u->search.query);
    dispatch_queue(
        u, (struct ui_action){
               .kind = UI_SEARCH, .tag = (int)u->search.where, .text = text, .len = strlen(text)});
}

void lookup_search(struct ui *u)
{
    u->dialog.kind = DIALOG_SEARCH;
    field_do(&u->search.query, ACT_END);
    u->search.query.replaced = true;
    ask_search(u);
}

/* The sidebar */

void lookup_open_sidebar(struct ui *u, const char *words, bool archived)
{
    struct sidebar *s = &u->sidebar;

    s->open = true;
    s->archived = archived;
    list_clear_filter(&s->list);
    list_type(&s->list, words, strlen(words));
    list_afresh(u);
    dispatch_focus(u, FOCUS_SIDEBAR);
}

static void act_on_row(struct ui *u, enum keymap_action action)
{
    struct sidebar *s = &u->sidebar;
    struct ui_action request = {.kind = action == ACT_ARCHIVE ? UI_ARCHIVE : UI_DELETE,
                                .tag = !s->archived};

    if (!list_chosen(&s->list, &request.id))
        status_hint(&u->status, "there is no conversation here");
    else if (action == ACT_RENAME)
        sidebar_rename(s);
    else
        dispatch_queue(u, request);
}

void lookup_move(struct ui *u, int64_t rows)
{
    list_move(&u->sidebar.list, rows);
    if (sidebar_wants_more(&u->sidebar))
        lookup_list(u);
}

static bool in_sidebar(struct ui *u, enum keymap_action action)
{
    struct sidebar *s = &u->sidebar;

    switch (action) {
    case ACT_ERASE:
        list_erase(&s->list);
        list_afresh(u);
        break;
    case ACT_KILL_START:
        list_clear_filter(&s->list);
        list_afresh(u);
        break;
    case ACT_SCOPE:
        s->archived = !s->archived;
        list_clear_filter(&s->list);
        list_afresh(u);
        break;
    case ACT_RENAME:
    case ACT_ARCHIVE:
    case ACT_DELETE_ROW: act_on_row(u, action); break;
    case ACT_RESTORE_ROW: dispatch_queue(u, (struct ui_action){.kind = UI_RESTORE}); break;
    default: return false;
    }
    return true;
}

static void rename_row(struct ui *u)
{
    struct ui_action request = {.kind = UI_RENAME, .text = field_text(&u->sidebar.title)};

    request.len = strlen(request.text);
    u->sidebar.renaming = false;
    if (list_chosen(&u->sidebar.list, &request.id))
        dispatch_queue(u, request);
}

/* Fields */

static struct field *field_of(struct ui *u)
{
    if (u->dialog.kind == DIALOG_SEARCH)
        return &u->search.query;
    if (u->dialog.kind != DIALOG_NONE)
        return NULL;
    if (u->focus == FOCUS_SIDEBAR && u->sidebar.renaming)
        return &u->sidebar.title;
    return u->focus == FOCUS_TRANSCRIPT && u->find.typing ? &u->find.field : NULL;
}

bool lookup_has_field(const struct ui *u)
{
    return field_of((struct ui *)u) != NULL;
}

static void changed(struct ui *u, const struct field *field)
{
    if (field == &u->search.query)
        ask_search(u);
    else if (field == &u->find.field)
        find_changed(&u->find);
}

static void choose_hit(struct ui *u)
{
    struct ui_action request = {.kind = UI_OPEN_HIT};

    if (!search_chosen(&u->search, &request.id))
        return;
    dispatch_queue(u, request);
    dialog_close(&u->dialog);
}

static void accept(struct ui *u, const struct field *field)
{
    if (field == &u->search.query)
        choose_hit(u);
    else if (field == &u->sidebar.title)
        rename_row(u);
    else
        find_accept(&u->find);
}

static void move_in_field(struct ui *u, const struct field *field, int64_t rows)
{
    if (field == &u->search.query)
        search_move(&u->search, rows);
    else if (field == &u->find.field)
        find_next(&u->find, rows < 0 ? -1 : 1);
}

static bool in_field(struct ui *u, struct field *field, enum keymap_action action)
{
    switch (action) {
    case ACT_CHOOSE: accept(u, field); break;
    case ACT_ROW_UP: move_in_field(u, field, -1); break;
    case ACT_ROW_DOWN: move_in_field(u, field, 1); break;
    case ACT_ROWS_UP: move_in_field(u, field, -u->search.height); break;
    case ACT_ROWS_DOWN: move_in_field(u, field, u->search.height); break;
    case ACT_SCOPE:
        if (field == &u->search.query) {
            search_narrow(&u->search);
            ask_search(u);
        }
        break;
    case ACT_INTERRUPT:
    case ACT_CANCEL:
    case ACT_HELP:
    case ACT_SIDEBAR:
    case ACT_SEARCH:
    case ACT_REPAINT:
    case ACT_SUSPEND: return false;
    default:
        if (field_do(field, action))
            changed(u, field);
    }
    return true;
}

/* The transcript */

/* Status of a search by key; while typing, the find line shows it. */
static void tell_outcome(struct ui *u)
{
    if (u->find.typing || u->find.seeking)
        return;
    if (!u->find.found)
        status_hint(&u->status, "not found");
    else if (u->find.wrapped)
        status_hint(&u->status, "search wrapped");
}

void lookup_step(struct ui *u)
{
    if (!u->find.seeking)
        return;
    find_step(&u->find);
    tell_outcome(u);
    u->dirty = true;
}

static bool in_transcript(struct ui *u, enum keymap_action action)
{
    switch (action) {
    case ACT_FIND: find_begin(&u->find); break;
    case ACT_FIND_NEXT:
    case ACT_FIND_BACK:
        if (find_next(&u->find, action == ACT_FIND_NEXT ? 1 : -1))
            tell_outcome(u);
        else
            status_hint(&u->status, "no search yet; / starts one");
        break;
    default: return false;
    }
    return true;
}

/* For dispatch.c */

bool lookup_act(struct ui *u, enum keymap_place place, enum keymap_action action)
{
    struct field *field = field_of(u);

    if (field)
        return in_field(u, field, action);
    if (place == IN_LIST && u->dialog.kind == DIALOG_NONE)
        return in_sidebar(u, action);
    return place == IN_TRANSCRIPT && in_transcript(u, action);
}

bool lookup_insert(struct ui *u, enum keymap_place place, const char *text, size_t len)
{
    struct field *field = field_of(u);

    if (field) {
        if (field_insert(field, text, len))
            changed(u, field);
        return true;
    }
    if (place != IN_LIST || u->dialog.kind != DIALOG_NONE)
        return false;
    list_type(&u->sidebar.list, text, len);
    list_afresh(u);
    return true;
}

bool lookup_cancel(struct ui *u)
{
    struct field *field = field_of(u);

    if (!field)
        return false;
    if (field == &u->search.query)
        dialog_close(&u->dialog);
    else if (field == &u->find.field)
        find_cancel(&u->find);
    u->sidebar.renaming = false;
    return true;
}
