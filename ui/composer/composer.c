/*
 * composer.c: operations on the draft. The text belongs to editor.c, drawing to draw.c.
 */
#include "composer/composer.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

void composer_init(struct composer *c, const struct ui_command *commands, size_t n_commands)
{
    *c = (struct composer){.goal = -1};
    c->rows = (struct rows){.chips = &c->chips, .width = 1};
    editor_init(&c->editor);
    recall_init(&c->recall);
    complete_init(&c->complete, commands, n_commands);
}

void composer_done(struct composer *c)
{
    editor_done(&c->editor);
    chips_done(&c->chips);
    rows_done(&c->rows);
    recall_done(&c->recall);
    recall_search_done(&c->search);
    complete_done(&c->complete);
    bytes_free(&c->expanded);
}

void composer_use_vi(struct composer *c)
{
    c->uses_vi = true;
    vi_start(&c->vi, &c->editor);
}

static const char *raw(const struct composer *c)
{
    return bytes_string(&c->editor.text);
}

const char *composer_text(struct composer *c, size_t *len_out)
{
    const struct bytes *text = &c->editor.text;
    size_t whole = chips_expanded_len(&c->chips, raw(c), text->len);

    if (len_out)
        *len_out = whole;
    if (whole == text->len) {
        bytes_free(&c->expanded);
        c->expanded_of = 0;
        return raw(c);
    }
    if (c->expanded_of != c->editor.revision + 1) {
        bytes_cut(&c->expanded, 0);
        bool ok = chips_expand(&c->chips, text->data, text->len, &c->expanded);
        c->expanded_of = ok ? c->editor.revision + 1 : 0;
        if (!ok && len_out)
            *len_out = 0;
    }
    return bytes_string(&c->expanded);
}

/* Changing the text */

/* Called after every change; false: the draft would be too long, and the change was undone. */
static bool changed(struct composer *c)
{
    struct editor *e = &c->editor;
    bool fits = chips_expanded_len(&c->chips, raw(c), e->text.len) <= EDITOR_MAX;

    if (!fits) {
        editor_undo(e);
        editor_drop_undone(e);
    }
    c->goal = -1;
    complete_update(&c->complete, raw(c), e->text.len);
    return fits;
}

/* Normalizes text for a draft: valid UTF-8, LF alone ends a line, no NUL, no chip placeholders. */
static bool clean(const char *text, size_t len, struct bytes *out)
{
    char utf8[4];
    uint32_t cp;

    if (!bytes_reserve(out, len))
        return false;
    for (size_t i = 0, n; i < len; i += n) {
        n = text_decode(text + i, len - i, &cp);
        if (cp == '\r' && i + 1 < len && text[i + 1] == '\n')
            continue;
        if (cp == 0 || chip_is_placeholder(cp))
            cp = TEXT_REPLACEMENT;
        if (!bytes_add(out, utf8, text_encode(cp == '\r' ? '\n' : cp, utf8)))
            return false;
    }
    return true;
}

bool composer_insert(struct composer *c, const char *text, size_t len)
{
    struct bytes fit = {0};
    editor_settle(&c->editor);
    bool ok = clean(text, len, &fit) && editor_insert(&c->editor, fit.data, fit.len, false);
    bytes_free(&fit);
    return changed(c) && ok;
}

bool composer_set(struct composer *c, const char *text, size_t len)
{
    struct bytes fit = {0};
    bool ok = clean(text, len, &fit) && editor_set(&c->editor, fit.data, fit.len);
    bytes_free(&fit);
    return changed(c) && ok;
}

/* Frees chips that are in neither the draft, the undo list nor the kill ring. */
static void sweep(struct composer *c)
{
    const struct editor *e = &c->editor;
    uint32_t marks = 0;

    chips_mark(raw(c), e->text.len, &marks);
    for (size_t i = 0; i < e->n_changes + e->n_undone; i++)
        chips_mark(e->changes[i].removed, e->changes[i].removed_len, &marks);
    for (int i = 0; i < EDITOR_KILLS; i++)
        if (e->kills[i].data)
            chips_mark(e->kills[i].data, e->kills[i].len, &marks);
    if (c->recall.draft)
        chips_mark(c->recall.draft, strlen(c->recall.draft), &marks);
    chips_sweep(&c->chips, marks);
}

/*
 * Inserts a chip, optionally followed by a newline; takes ownership of text, which is normalized.
 */
static bool insert_chip(struct composer *c, const char *name, struct bytes *text, bool newline)
{
    char placeholder[CHIP_PLACEHOLDER + 1];

    sweep(c);
    if (!chips_add(&c->chips, name, text, placeholder))
        return editor_insert(&c->editor, text->data, text->len, false) && changed(c);
    placeholder[CHIP_PLACEHOLDER] = '\n';
    return editor_insert(&c->editor, placeholder, CHIP_PLACEHOLDER + newline, false) && changed(c);
}

bool composer_paste(struct composer *c, const char *text, size_t len)
{
    struct bytes fit = {0};

    editor_settle(&c->editor);
    bool ok = clean(text, len, &fit);
    if (ok && chip_is_long(fit.data, fit.len))
        ok = insert_chip(c, NULL, &fit, false);
    else
        ok = ok && editor_insert(&c->editor, fit.data, fit.len, false) && changed(c);
    bytes_free(&fit);
    return ok;
}

bool composer_attach(struct composer *c, const char *name, const char *text, size_t len)
{
    struct bytes fit = {0};

    editor_settle(&c->editor);
    bool ok = clean(text, len, &fit) && insert_chip(c, name, &fit, true);
    bytes_free(&fit);
    return ok;
}

/* Expands a chip in place: the one at the cursor, else the nearest before it, else after it. */
static void open_chip(struct composer *c)
{
    struct editor *e = &c->editor;
    size_t at = e->cursor;
    const struct chip *chip = NULL;

    for (size_t pos = at + (at < e->text.len); pos-- > 0 && !chip;)
        if ((chip = chips_find(&c->chips, raw(c) + pos, e->text.len - pos)))
            at = pos;
    for (size_t pos = e->cursor; pos < e->text.len && !chip; pos++)
        if ((chip = chips_find(&c->chips, raw(c) + pos, e->text.len - pos)))
            at = pos;
    if (chip)
        editor_replace(e, at, at + CHIP_PLACEHOLDER, chip->text, chip->len);
    changed(c);
}

bool composer_type(struct composer *c, uint32_t cp)
{
    struct editor *e = &c->editor;
    char utf8[4];

    c->quoting = false;
    if (chip_is_placeholder(cp))
        cp = TEXT_REPLACEMENT;
    size_t n = text_encode(cp, utf8);
    if (c->search.active) {
        recall_search_type(&c->search, &c->recall, utf8, n);
        return true;
    }
    bool over = c->uses_vi && c->vi.mode == VI_REPLACE && e->cursor < editor_line_end(e, e->cursor);
    bool ok = over ? editor_replace(e, e->cursor, editor_right(e), utf8, n)
                   : editor_insert(e, utf8, n, true);
    return changed(c) && ok;
}

/* Completing commands */

/* Replaces the completed word; `hold`: keeps the candidates so that they can be cycled through. */
static void put_word(struct composer *c, const char *word, size_t len, bool hold)
{
    struct bytes fit = {0};

    c->complete.held = hold;
    if (clean(word, len, &fit))
        editor_replace(&c->editor, c->complete.from, c->editor.text.len, fit.data, fit.len);
    bytes_free(&fit);
    changed(c);
}

static void put_chosen(struct composer *c, bool hold)
{
    const struct complete_offer *offer = complete_chosen(&c->complete);
    bool more = *offer->args && !hold;

    put_word(c, offer->word, strlen(offer->word), hold);
    if (more)
        composer_insert(c, " ", 1);
}

bool composer_complete(struct composer *c, int step)
{
    struct complete *list = &c->complete;

    if (!complete_is_open(list))
        return false;
    size_t common = complete_common(list), typed = c->editor.text.len - list->from;
    if (list->n == 1) {
        put_chosen(c, false);
    } else if (!list->held && !list->moved && common > typed) {
        put_word(c, list->offers[0].word, common, false);
    } else {
        if (list->held)
            complete_move(list, step);
        list->moved = true;
        put_chosen(c, true);
    }
    return true;
}

bool composer_choose(struct composer *c)
{
    struct complete *list = &c->complete;
    const struct complete_offer *offer = complete_chosen(list);

    if (!complete_is_open(list) || (list->from > 0 && !list->moved))
        return true;
    size_t n = strlen(offer->word);
    bool folder = list->from > 0 && n > 0 && offer->word[n - 1] == '/';
    put_word(c, offer->word, n, false);
    if (!folder)
        complete_dismiss(list);
    return !folder;
}

void composer_sent(struct composer *c)
{
    recall_add(&c->recall, composer_text(c, NULL));
    editor_end_group(&c->editor);
    composer_set(c, "", 0);
    c->chips.pastes = 0;
    c->top = 0;
    if (c->uses_vi)
        vi_start(&c->vi, &c->editor);
}

bool composer_unsend(struct composer *c, const char *text, size_t len)
{
    size_t n;

    if (c->editor.text.len > 0)
        return false;
    editor_end_group(&c->editor);
    bool back = editor_undo(&c->editor);
    const char *whole = composer_text(c, &n);
    bool same = back && n == len && memcmp(whole, text, len) == 0;
    if (back && !same)
        editor_redo(&c->editor);
    changed(c);
    complete_dismiss(&c->complete);
    return same;
}

/* Moving */

static void go(struct composer *c, size_t pos)
{
    editor_settle(&c->editor);
    c->editor.cursor = pos;
    c->goal = -1;
}

/* Moves the cursor by a row; false: no such row. */
static bool move_row(struct composer *c, int step)
{
    struct editor *e = &c->editor;
    struct rows *r = &c->rows;

    rows_update(r, e, r->width);
    size_t row = rows_at(r, e->cursor);
    if (r->n == 0 || (step < 0 ? row == 0 : row + 1 >= r->n))
        return false;
    if (c->goal < 0)
        c->goal = rows_column(r, e, row, e->cursor);
    e->cursor = rows_fit(r, e, step < 0 ? row - 1 : row + 1, c->goal);
    return true;
}

/* Recalls an earlier or later prompt. The draft keeps its chips meanwhile. */
static void recall(struct composer *c, int step)
{
    bool to_draft = step > 0 && c->recall.at + 1 == c->recall.n;
    const char *text = step < 0 ? recall_older(&c->recall, raw(c)) : recall_newer(&c->recall);

    if (text && to_draft) {
        editor_set(&c->editor, text, strlen(text));
        changed(c);
    } else if (text) {
        composer_set(c, text, strlen(text));
    }
    complete_dismiss(&c->complete);
}

static void vertical(struct composer *c, int step)
{
    int goal = c->goal;
    editor_settle(&c->editor);
    if (complete_is_open(&c->complete)) {
        complete_move(&c->complete, step);
        return;
    }
    c->goal = goal;
    if (!move_row(c, step))
        recall(c, step);
}

/* Searching earlier prompts */

static void end_search(struct composer *c, bool take)
{
    size_t pos;
    const char *found = recall_found(&c->search, &c->recall, &pos);

    recall_search_end(&c->search);
    if (take && found) {
        composer_set(c, found, strlen(found));
        c->editor.cursor = pos;
        complete_dismiss(&c->complete);
    }
}

/* Handles an action during a search; false: the search ended and the action is still pending. */
static bool in_search(struct composer *c, enum keymap_action action)
{
    switch (action) {
    case ACT_SEARCH_PROMPTS: recall_search_again(&c->search, &c->recall, -1); return true;
    case ACT_SEARCH_NEWER: recall_search_again(&c->search, &c->recall, 1); return true;
    case ACT_ERASE: recall_search_erase(&c->search, &c->recall); return true;
    case ACT_TAKE_FOUND: end_search(c, true); return true;
    case ACT_CANCEL: end_search(c, false); return true;
    default: end_search(c, true); return false;
    }
}

/* Actions */

static bool move(struct composer *c, enum keymap_action action)
{
    const struct editor *e = &c->editor;

    switch (action) {
    case ACT_LEFT: go(c, editor_left(e)); break;
    case ACT_RIGHT: go(c, editor_right(e)); break;
    case ACT_WORD_LEFT: go(c, editor_word_left(e)); break;
    case ACT_WORD_RIGHT: go(c, editor_word_right(e)); break;
    case ACT_HOME: go(c, editor_line_start(e, e->cursor)); break;
    case ACT_END: go(c, editor_line_end(e, e->cursor)); break;
    case ACT_TEXT_START: go(c, 0); break;
    case ACT_TEXT_END: go(c, e->text.len); break;
    case ACT_UP: vertical(c, -1); break;
    case ACT_DOWN: vertical(c, 1); break;
    case ACT_PROMPT_BEFORE: recall(c, -1); break;
    case ACT_PROMPT_AFTER: recall(c, 1); break;
    case ACT_SEARCH_PROMPTS: recall_search_begin(&c->search, &c->recall); break;
    case ACT_QUOTE: c->quoting = true; break;
    default: return false;
    }
    return true;
}

static bool cut(struct editor *e, enum keymap_action action)
{
    size_t end = editor_line_end(e, e->cursor);

    switch (action) {
    case ACT_DELETE_LEFT: editor_delete_to(e, editor_left(e), false); break;
    case ACT_DELETE_RIGHT:
    case ACT_EOF: editor_delete_to(e, editor_right(e), false); break;
    case ACT_KILL_WORD_LEFT: editor_delete_to(e, editor_word_left(e), true); break;
    case ACT_KILL_SPACE_LEFT: editor_delete_to(e, editor_space_left(e), true); break;
    case ACT_KILL_WORD_RIGHT: editor_delete_to(e, editor_word_right(e), true); break;
    case ACT_KILL_START: editor_delete_to(e, editor_line_start(e, e->cursor), true); break;
    case ACT_KILL_END: editor_delete_to(e, end > e->cursor ? end : editor_right(e), true); break;
    default: return false;
    }
    return true;
}

/* Changes case from the cursor to the end of the word and moves there. */
static void change_case(struct editor *e, enum editor_case to_case)
{
    size_t from = e->cursor, len = e->text.len, to = editor_word_right(e);
    editor_change_case(e, from, to, to_case);
    e->cursor = to + e->text.len - len;
}

static bool change(struct composer *c, enum keymap_action action)
{
    struct editor *e = &c->editor;

    switch (action) {
    case ACT_NEWLINE: composer_insert(c, "\n", 1); break;
    case ACT_YANK: editor_yank(e); break;
    case ACT_YANK_OLDER: editor_yank_older(e); break;
    case ACT_UNDO: editor_undo(e); break;
    case ACT_REDO: editor_redo(e); break;
    case ACT_SWAP_CHARACTERS: editor_swap_characters(e); break;
    case ACT_SWAP_WORDS: editor_swap_words(e); break;
    case ACT_UPPER: change_case(e, EDITOR_UPPER); break;
    case ACT_LOWER: change_case(e, EDITOR_LOWER); break;
    case ACT_TITLE: change_case(e, EDITOR_TITLE); break;
    case ACT_JOIN_SPACES: editor_join_spaces(e); break;
    case ACT_OPEN_CHIP: open_chip(c); break;
    default: return cut(e, action);
    }
    return true;
}

bool composer_do(struct composer *c, enum keymap_action action)
{
    c->quoting = false;
    if (c->search.active && in_search(c, action))
        return true;
    if (c->uses_vi && c->vi.mode == VI_REPLACE && action == ACT_DELETE_LEFT)
        action = ACT_LEFT; /* what is overwritten is unknown */
    bool done = move(c, action);
    if (!done && change(c, action)) {
        changed(c);
        done = true;
    }
    if (c->uses_vi)
        vi_settle(&c->vi, &c->editor);
    return done;
}

enum vi_request composer_vi(struct composer *c, struct key key)
{
    if (!c->uses_vi || c->search.active || c->quoting)
        return VI_PASS;
    uint64_t revision = c->editor.revision;
    bool was_open = complete_is_open(&c->complete);
    enum vi_request request = vi_key(&c->vi, &c->editor, key);

    if (c->editor.revision != revision)
        changed(c);
    if (was_open && key.code == KEY_ESC)
        complete_dismiss(&c->complete);
    if (request == VI_DONE)
        c->goal = -1;
    return request;
}
