/*
 * dispatch.c: maps keys to actions according to the focus.
 */
#include "dispatch.h"
#include "colors.h"
#include "lookup.h"
#include "text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_STEP = 8 }; /* columns */

/* Actions */

bool dispatch_queue(struct ui *u, struct ui_action action)
{
    bool urgent = action.kind == UI_STOP || action.kind == UI_QUIT || action.kind == UI_HANGUP;
    size_t room = urgent ? UI_ACTIONS_MAX : UI_ACTIONS_MAX - 8;
    struct queued item = {.action = action};

    if (u->n_actions >= room)
        return false;
    if (action.text && !(item.text = strdup(action.text)))
        return false;
    item.action.text = item.text;
    if (urgent) {
        memmove(u->actions + 1, u->actions, u->n_actions * sizeof *u->actions);
        u->actions[0] = item;
    } else {
        u->actions[u->n_actions] = item;
    }
    u->n_actions++;
    return true;
}

static bool want(struct ui *u, enum ui_action_kind kind)
{
    return dispatch_queue(u, (struct ui_action){.kind = kind});
}

void dispatch_hangup(struct ui *u)
{
    if (!u->hangup_told)
        u->hangup_told = want(u, UI_HANGUP);
}

/* Sending */

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\n")] == '\0';
}

static void send(struct ui *u)
{
    size_t len;

    if (!composer_choose(&u->composer))
        return; /* a folder: offer its contents next */
    const char *text = composer_text(&u->composer, &len);
    if (is_blank(text)) {
        if (u->pending.n > 0 && u->pending.due == 0)
            want(u, UI_ASK_NEXT);
        return;
    }
    if (!dispatch_queue(u, (struct ui_action){.kind = UI_SEND, .text = text, .len = len})) {
        composer_insert(&u->composer, "\n", 1); /* nobody types that fast: a paste */
        status_hint(&u->status, "The queue is full; the draft is kept");
        return;
    }
    composer_sent(&u->composer);
    transcript_bottom(&u->transcript);
}

void dispatch_focus(struct ui *u, enum focus to)
{
    u->focus = to;
    find_accept(&u->find);
    transcript_focus(&u->transcript, to == FOCUS_TRANSCRIPT);
}

static void close_sidebar(struct ui *u)
{
    u->sidebar.open = u->sidebar.renaming = false;
    list_clear_filter(&u->sidebar.list);
    dispatch_focus(u, FOCUS_COMPOSER);
}

static void toggle_sidebar(struct ui *u)
{
    if (u->sidebar.open && u->focus == FOCUS_SIDEBAR) {
        close_sidebar(u);
        return;
    }
    if (!u->sidebar.open)
        lookup_list(u);
    u->sidebar.open = true;
    list_select(&u->sidebar.list, u->sidebar.list.current);
    dispatch_focus(u, FOCUS_SIDEBAR);
}

/* Closes the topmost box, or stops the answer; one key does both. */
static void cancel(struct ui *u)
{
    if (lookup_cancel(u))
        return;
    if (u->dialog.kind != DIALOG_NONE)
        dialog_close(&u->dialog);
    else if (u->focus == FOCUS_SIDEBAR)
        close_sidebar(u);
    else if (complete_is_open(&u->composer.complete))
        complete_dismiss(&u->composer.complete);
    else if (status_is_busy(&u->status))
        want(u, UI_STOP);
    else if (u->focus == FOCUS_TRANSCRIPT)
        dispatch_focus(u, FOCUS_COMPOSER);
    else if (u->pending.banner)
        want(u, UI_DECLINE);
}

static void interrupt(struct ui *u)
{
    size_t len;
    composer_text(&u->composer, &len);
    bool again = u->stop_sent || u->quit_armed;

    if (again) {
        dispatch_queue(u, (struct ui_action){.kind = UI_QUIT, .id = 130});
    } else if (status_is_busy(&u->status)) {
        u->stop_sent = want(u, UI_STOP);
    } else if (u->dialog.kind != DIALOG_NONE || u->focus == FOCUS_SIDEBAR || u->find.typing) {
        cancel(u);
    } else if (u->pending.banner) {
        want(u, UI_DECLINE);
    } else if (len > 0) {
        composer_set(&u->composer, "", 0);
    } else {
        u->quit_armed = true;
        struct bytes keys = {0};
        keymap_add_hint(&u->keymap, &keys, IN_ALL, ACT_INTERRUPT, ACT_NONE, "again quits");
        keymap_add_hint(&u->keymap, &keys, IN_COMPOSER, ACT_EOF, ACT_NONE, "quits too");
        status_hint(&u->status, keys.data);
        bytes_free(&keys);
    }
}

/* Actions by focus */

static enum keymap_place place_of(const struct ui *u)
{
    if (lookup_has_field(u))
        return IN_FIELD;
    if (u->dialog.kind != DIALOG_NONE || u->focus == FOCUS_SIDEBAR)
        return IN_LIST;
    if (u->focus == FOCUS_TRANSCRIPT)
        return IN_TRANSCRIPT;
    return u->composer.search.active ? IN_SEARCH : IN_COMPOSER;
}

/* Who writes is shown all in the usual order, else comes first what the keys do just now. */
static void help(struct ui *u)
{
    enum keymap_place place = place_of(u);
    if (u->dialog.kind != DIALOG_HELP)
        dialog_help(&u->dialog, place == IN_COMPOSER ? IN_ALL : place);
}

static bool everywhere(struct ui *u, enum keymap_action action)
{
    switch (action) {
    case ACT_INTERRUPT: interrupt(u); break;
    case ACT_CANCEL: cancel(u); break;
    case ACT_HELP: help(u); break;
    case ACT_SIDEBAR: toggle_sidebar(u); break;
    case ACT_SEARCH: lookup_search(u); break;
    case ACT_FOLD_ALL: transcript_fold_all(&u->transcript); break;
    case ACT_THINK: want(u, UI_THINK); break;
    case ACT_ANSWER_NOW: want(u, UI_ANSWER_NOW); break;
    case ACT_CONTINUE: want(u, UI_CONTINUE); break;
    case ACT_THINK_MORE: want(u, UI_THINK_MORE); break;
    case ACT_MODELS: want(u, UI_MODELS); break;
    case ACT_NEW: want(u, UI_NEW); break;
    case ACT_PAGE_UP: transcript_page(&u->transcript, -1); break;
    case ACT_PAGE_DOWN: transcript_page(&u->transcript, 1); break;
    case ACT_REPAINT: screen_repaint(u->screen); break;
    case ACT_SUSPEND: want(u, UI_SUSPEND); break;
    default: return false;
    }
    return true;
}

static void in_composer(struct ui *u, enum keymap_action action)
{
    size_t len;
    composer_text(&u->composer, &len);

    switch (action) {
    case ACT_SEND: send(u); break;
    case ACT_TAB:
    case ACT_TAB_BACK:
        if (!composer_complete(&u->composer, action == ACT_TAB ? 1 : -1))
            dispatch_focus(u, FOCUS_TRANSCRIPT);
        break;
    case ACT_EDITOR: want(u, UI_EDIT); break;
    case ACT_UP:
        if (len == 0 && u->pending.n > 0)
            want(u, UI_TAKE_BACK);
        else
            composer_do(&u->composer, action);
        break;
    case ACT_TAKE_BACK: want(u, UI_TAKE_BACK); break;
    case ACT_DROP: want(u, UI_DROP); break;
    case ACT_EOF:
        if (len == 0)
            dispatch_queue(u, (struct ui_action){.kind = UI_QUIT});
        else
            composer_do(&u->composer, action);
        break;
    default: composer_do(&u->composer, action); break;
    }
}

/* Queues an action on the selected message. */
static void of_message(struct ui *u, enum keymap_action action)
{
    static const struct {
        enum keymap_action action;
        enum ui_action_kind kind;
    } rows[] = {
        {ACT_REASK, UI_REASK},
        {ACT_REGEN, UI_REGEN},
        {ACT_REGEN_WITH, UI_REGEN_WITH},
        {ACT_VERSION_BEFORE, UI_VERSION_BEFORE},
        {ACT_VERSION_AFTER, UI_VERSION_AFTER},
        {ACT_FORK, UI_FORK},
        {ACT_COPY, UI_COPY},
    };
    int64_t id = transcript_selected(&u->transcript);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].action != action)
            continue;
        if (id != 0)
            dispatch_queue(u, (struct ui_action){.kind = rows[i].kind, .id = id});
        else
            status_hint(&u->status, "[ and ] mark a question or an answer");
    }
}

static void in_transcript(struct ui *u, enum keymap_action action)
{
    struct transcript *t = &u->transcript;

    switch (action) {
    case ACT_COMPOSE: dispatch_focus(u, FOCUS_COMPOSER); break;
    case ACT_LINE_UP: transcript_scroll(t, -1); break;
    case ACT_LINE_DOWN: transcript_scroll(t, 1); break;
    case ACT_MESSAGE_UP: transcript_move_selection(t, -1); break;
    case ACT_MESSAGE_DOWN: transcript_move_selection(t, 1); break;
    case ACT_STEP_UP: transcript_move_step(t, -1); break;
    case ACT_STEP_DOWN: transcript_move_step(t, 1); break;
    case ACT_TOP: transcript_top(t); break;
    case ACT_BOTTOM: transcript_bottom(t); break;
    case ACT_SIDE_LEFT: transcript_shift(t, -SIDE_STEP); break;
    case ACT_SIDE_RIGHT: transcript_shift(t, SIDE_STEP); break;
    case ACT_FOLD: transcript_fold(t); break;
    default: of_message(u, action); break;
    }
}

static void choose(struct ui *u)
{
    int64_t id;

    if (u->dialog.kind == DIALOG_PICK) {
        if (list_chosen(&u->dialog.list, &id))
            dispatch_queue(u, (struct ui_action){.kind = UI_PICK, .tag = u->dialog.tag, .id = id});
        dialog_close(&u->dialog);
    } else if (u->dialog.kind == DIALOG_HELP) {
        dialog_close(&u->dialog);
    } else if (list_chosen(&u->sidebar.list, &id)) {
        dispatch_queue(u, (struct ui_action){.kind = UI_OPEN, .id = id});
        close_sidebar(u);
    }
}

static void move_in_list(struct ui *u, int64_t rows)
{
    if (u->dialog.kind != DIALOG_NONE)
        dialog_move(&u->dialog, rows);
    else
        lookup_move(u, rows);
}

static void in_list(struct ui *u, enum keymap_action action)
{
    struct list *list = u->dialog.kind != DIALOG_NONE ? &u->dialog.list : &u->sidebar.list;
    int page = u->dialog.kind != DIALOG_NONE ? u->dialog.height : u->sidebar.list.area.height;

    switch (action) {
    case ACT_ROW_UP: move_in_list(u, -1); break;
    case ACT_ROW_DOWN: move_in_list(u, 1); break;
    case ACT_ROWS_UP: move_in_list(u, -page); break;
    case ACT_ROWS_DOWN: move_in_list(u, page); break;
    case ACT_ROW_FIRST: move_in_list(u, INT32_MIN); break;
    case ACT_ROW_LAST: move_in_list(u, INT32_MAX); break;
    case ACT_CHOOSE: choose(u); break;
    case ACT_ERASE: list_erase(list); break;
    case ACT_KILL_START: list_clear_filter(list); break;
    default: break;
    }
}

/* Events */

/* A key without a binding: a character is inserted where text can be edited. */
static void type(struct ui *u, struct key key, enum keymap_place place)
{
    char utf8[4];

    if (!key_is_text(key))
        return;
    size_t len = text_encode(key.code, utf8);
    if (lookup_insert(u, place, utf8, len))
        return;
    if (place == IN_COMPOSER || place == IN_SEARCH) {
        if (!composer_type(&u->composer, key.code))
            status_hint(&u->status, "The draft is full");
    } else if (u->dialog.kind == DIALOG_PICK || u->dialog.kind == DIALOG_HELP) {
        u->dialog.top = 0;
        list_type(&u->dialog.list, utf8, len);
    }
}

static void paste(struct ui *u, const struct input_event *event)
{
    struct composer *c = &u->composer;
    if (lookup_insert(u, place_of(u), event->text, event->len))
        return;
    composer_do(c, ACT_NONE); /* ends a search */
    bool fits = composer_paste(c, event->text, event->len) && !event->cut;
    if (!fits)
        status_hint(&u->status, "The paste is too large for a draft");
    if (u->dialog.kind == DIALOG_NONE)
        dispatch_focus(u, FOCUS_COMPOSER);
}

static void press(struct ui *u, struct key key);

/* Retypes vi's last command, with a new count if one was given. */
static void repeat(struct ui *u)
{
    struct vi *vi = &u->composer.vi;
    struct vi_record record = vi->last;
    char count[16] = "";

    vi->replaying = true;
    if (vi->times > 0 || record.count > 0)
        snprintf(count, sizeof count, "%d", vi->times > 0 ? vi->times : record.count);
    for (const char *digit = count; *digit; digit++)
        press(u, (struct key){(unsigned char)*digit, 0});
    for (size_t i = 0; i < record.n; i++)
        press(u, record.keys[i]);
    vi->replaying = false;
    if (vi->times > 0)
        vi->last.count = vi->times;
}

/* Whether vi handled the key. Alt plus a letter is Esc and that letter typed quickly. */
static bool press_in_vi(struct ui *u, struct key key)
{
    struct composer *c = &u->composer;
    bool quick = (key.mods & KEY_ALT) && key.code < KEY_ENTER;

    if (!c->uses_vi || c->search.active || c->quoting || u->has_prefix)
        return false;
    if (quick) {
        press(u, (struct key){KEY_ESC, 0});
        key.mods &= (uint8_t)~KEY_ALT;
    }
    switch (composer_vi(c, key)) {
    case VI_PASS: break;
    case VI_DONE:
        /* With an empty draft Esc applies to the answer, in any mode. */
        if (key.code == KEY_ESC && c->editor.text.len == 0 && status_is_busy(&u->status))
            cancel(u);
        return true;
    case VI_UP:
    case VI_DOWN:
        for (int i = c->vi.times; i > 0; i--)
            composer_do(c, key.code == 'k' || key.code == KEY_UP ? ACT_UP : ACT_DOWN);
        return true;
    case VI_SEARCH: composer_do(c, ACT_SEARCH_PROMPTS); return true;
    case VI_REPEAT: repeat(u); return true;
    }
    if (quick)
        press(u, key);
    return quick;
}

/* Inserts the key after "quote" literally. */
static void type_quoted(struct ui *u, struct key key)
{
    uint32_t cp = key.code;

    switch (key.code) {
    case KEY_ENTER: cp = '\n'; break;
    case KEY_TAB: cp = '\t'; break;
    case KEY_ESC: cp = 0x1b; break;
    case KEY_BACKSPACE: cp = 0x7f; break;
    default: break;
    }
    if (cp < KEY_ENTER && (key.mods & KEY_CTRL) && cp != ' ')
        cp &= 0x1f;
    u->composer.quoting = false;
    if (cp > 0 && cp < KEY_ENTER && !composer_type(&u->composer, cp))
        status_hint(&u->status, "The draft is full");
}

static void press(struct ui *u, struct key key)
{
    enum keymap_place place = place_of(u);

    if (place == IN_COMPOSER && u->composer.quoting) {
        type_quoted(u, key);
        return;
    }
    if (place == IN_COMPOSER && press_in_vi(u, key)) {
        u->quit_armed = u->stop_sent = false;
        return;
    }
    enum keymap_action action = keymap_lookup(&u->keymap, place, u->has_prefix ? &u->prefix : NULL,
                                              key);
    bool after_prefix = u->has_prefix;

    u->has_prefix = action == ACT_PREFIX;
    u->prefix = key;
    if (action != ACT_INTERRUPT)
        u->quit_armed = u->stop_sent = false;
    if (action == ACT_PREFIX)
        return;
    if (action == ACT_NONE && place == IN_SEARCH && !key_is_text(key)) {
        composer_do(&u->composer, ACT_NONE); /* accept the match; the key then edits it */
        press(u, key);
        return;
    }
    if (action == ACT_NONE) {
        if (!after_prefix)
            type(u, key, place);
        return;
    }
    dispatch_act(u, place, action);
}

void dispatch_act(struct ui *u, enum keymap_place place, enum keymap_action action)
{
    if (place == IN_SEARCH && composer_do(&u->composer, action))
        return;
    if (lookup_act(u, place, action) || everywhere(u, action))
        return;
    if (place == IN_LIST)
        in_list(u, action);
    else if (place == IN_TRANSCRIPT)
        in_transcript(u, action);
    else
        in_composer(u, action);
}

void dispatch_event(struct ui *u, const struct input_event *event)
{
    if (event->report) {
        if (!dispatch_mouse(u, event->report))
            colors_take_report(u, event->report);
        return;
    }
    u->dirty = true;
    status_hint(&u->status, NULL);
    if (event->is_paste)
        paste(u, event);
    else
        press(u, event->key);
}
