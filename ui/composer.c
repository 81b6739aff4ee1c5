/*
 * composer.c: the draft as rows of the screen, and the actions on it. The text itself is editor.c's.
 */
#include "composer.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

void composer_init(struct composer *c, const struct ui_command *commands, size_t n_commands)
{
    *c = (struct composer){.goal = -1, .width = 1};
    editor_init(&c->editor);
    recall_init(&c->recall);
    complete_init(&c->complete, commands, n_commands);
}

void composer_done(struct composer *c)
{
    editor_done(&c->editor);
    recall_done(&c->recall);
    free(c->rows);
}

const char *composer_text(const struct composer *c, size_t *len_out)
{
    if (len_out)
        *len_out = c->editor.text.len;
    return c->editor.text.data ? c->editor.text.data : "";
}

/* Changing the text */

static void changed(struct composer *c)
{
    c->goal = -1;
    complete_update(&c->complete, c->editor.text.data, c->editor.text.len);
}

/* Text from outside as a draft holds it: valid UTF-8, '\n' for every kind of newline, no NUL. */
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
        size_t m = text_encode(cp == '\r' ? '\n' : cp ? cp : TEXT_REPLACEMENT, utf8);
        if (!bytes_add(out, utf8, m))
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
    changed(c);
    return ok;
}

bool composer_set(struct composer *c, const char *text, size_t len)
{
    struct bytes fit = {0};
    bool ok = clean(text, len, &fit) && editor_set(&c->editor, fit.data, fit.len);
    bytes_free(&fit);
    changed(c);
    return ok;
}

bool composer_type(struct composer *c, uint32_t cp)
{
    char utf8[4];
    bool ok = editor_insert(&c->editor, utf8, text_encode(cp, utf8), true);
    changed(c);
    return ok;
}

void composer_complete(struct composer *c)
{
    const struct ui_command *command = complete_chosen(&c->complete);
    if (!command)
        return;
    composer_set(c, command->name, strlen(command->name));
    if (*command->args)
        composer_insert(c, " ", 1);
    complete_dismiss(&c->complete);
}

void composer_sent(struct composer *c)
{
    recall_add(&c->recall, composer_text(c, NULL));
    composer_set(c, "", 0);
    c->top = 0;
}

/* Rows */

static bool add_row(struct composer *c, size_t start)
{
    if (c->n_rows == c->cap_rows) {
        size_t cap = c->cap_rows ? c->cap_rows * 2 : 16;
        size_t *rows = realloc(c->rows, cap * sizeof *rows);
        if (!rows)
            return false;
        c->rows = rows;
        c->cap_rows = cap;
    }
    c->rows[c->n_rows++] = start;
    return true;
}

static size_t row_of(const struct composer *c, size_t pos)
{
    size_t low = 0, high = c->n_rows;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        if (c->rows[middle] <= pos)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Where a row ends, without its newline. */
static size_t row_end(const struct composer *c, size_t row)
{
    const struct bytes *text = &c->editor.text;
    if (row + 1 >= c->n_rows)
        return text->len;
    size_t end = c->rows[row + 1];
    return text->data[end - 1] == '\n' ? end - 1 : end;
}

/*
 * Makes the rows anew from the one before the first change on: a word that got shorter may move up to
 * the row before it. Typing at the end of a long draft thus costs a row or two.
 */
static void wrap(struct composer *c, int width)
{
    struct editor *e = &c->editor;
    bool other_width = c->width != width;
    size_t pos = 0;

    if (!other_width && e->changed_from == SIZE_MAX)
        return;
    if (other_width || c->n_rows == 0) {
        c->n_rows = 0;
    } else {
        size_t row = row_of(c, e->changed_from);
        c->n_rows = row > 0 ? row - 1 : 0;
        if (c->n_rows > 0 || row > 0)
            pos = c->rows[c->n_rows];
    }
    c->width = width;
    e->changed_from = SIZE_MAX;
    for (size_t end = editor_line_end(e, pos); add_row(c, pos);) {
        pos += text_wrap(e->text.data + pos, end - pos, width);
        if (pos == e->text.len)
            break;
        if (pos == end)
            end = editor_line_end(e, ++pos);
    }
}

int composer_rows(struct composer *c, int width)
{
    int room = width - COMPOSER_MARGIN - 1;
    wrap(c, room > 1 ? room : 1);
    return c->n_rows < GRID_ROWS_MAX ? (int)c->n_rows : GRID_ROWS_MAX;
}

static int cursor_column(const struct composer *c, size_t row)
{
    size_t start = c->rows[row];
    return text_width(c->editor.text.data + start, c->editor.cursor - start);
}

/* Moves the cursor a row; false: there is none. */
static bool move_row(struct composer *c, int step)
{
    struct editor *e = &c->editor;
    size_t row = row_of(c, e->cursor);
    if (c->n_rows == 0 || (step < 0 ? row == 0 : row + 1 >= c->n_rows))
        return false;
    if (c->goal < 0)
        c->goal = cursor_column(c, row);
    row = step < 0 ? row - 1 : row + 1;
    size_t start = c->rows[row], end = row_end(c, row);
    size_t n = text_fit(e->text.data + start, end - start, c->goal, NULL);
    /* The end of a wrapped row is the start of the next. */
    if (n > 0 && start + n == end && row + 1 < c->n_rows && c->rows[row + 1] == end)
        n = text_prev(e->text.data + start, n);
    e->cursor = start + n;
    return true;
}

/* Actions */

static void go(struct composer *c, size_t pos)
{
    editor_settle(&c->editor);
    c->editor.cursor = pos;
    c->goal = -1;
}

static void recall(struct composer *c, const char *text)
{
    if (text)
        composer_set(c, text, strlen(text));
    complete_dismiss(&c->complete);
}

static bool vertical(struct composer *c, int step)
{
    int goal = c->goal;
    editor_settle(&c->editor);
    if (complete_is_open(&c->complete)) {
        complete_move(&c->complete, step);
        return true;
    }
    c->goal = goal;
    wrap(c, c->width);
    if (!move_row(c, step))
        recall(c,
               step < 0 ? recall_back(&c->recall, composer_text(c, NULL)) : recall_on(&c->recall));
    return true;
}

static void remove_to(struct composer *c, size_t pos, bool keep)
{
    editor_delete_to(&c->editor, pos, keep);
    changed(c);
}

bool composer_do(struct composer *c, enum keymap_action action)
{
    struct editor *e = &c->editor;
    size_t start = editor_line_start(e, e->cursor), end = editor_line_end(e, e->cursor);

    switch (action) {
    case ACT_LEFT: go(c, editor_left(e)); break;
    case ACT_RIGHT: go(c, editor_right(e)); break;
    case ACT_WORD_LEFT: go(c, editor_word_left(e)); break;
    case ACT_WORD_RIGHT: go(c, editor_word_right(e)); break;
    case ACT_HOME: go(c, start); break;
    case ACT_END: go(c, end); break;
    case ACT_TEXT_START: go(c, 0); break;
    case ACT_TEXT_END: go(c, e->text.len); break;
    case ACT_UP: return vertical(c, -1);
    case ACT_DOWN: return vertical(c, 1);
    case ACT_NEWLINE: return composer_insert(c, "\n", 1);
    case ACT_DELETE_LEFT: remove_to(c, editor_left(e), false); break;
    case ACT_DELETE_RIGHT:
    case ACT_EOF: remove_to(c, editor_right(e), false); break;
    case ACT_KILL_WORD_LEFT: remove_to(c, editor_word_left(e), true); break;
    case ACT_KILL_SPACE_LEFT: remove_to(c, editor_space_left(e), true); break;
    case ACT_KILL_WORD_RIGHT: remove_to(c, editor_word_right(e), true); break;
    case ACT_KILL_START: remove_to(c, start, true); break;
    case ACT_KILL_END: remove_to(c, end > e->cursor ? end : editor_right(e), true); break;
    case ACT_YANK:
        editor_yank(e);
        changed(c);
        break;
    case ACT_UNDO:
        editor_undo(e);
        changed(c);
        break;
    default: return false;
    }
    return true;
}

/* Drawing */

/* A command stands out from what is said. */
static void draw_command(const struct composer *c, struct grid *g, int row, int col)
{
    const char *text = composer_text(c, NULL);
    size_t n = strcspn(text, " \n");
    if (text[0] == '/' && text[1] != '/')
        grid_restyle(g, row, col, text_width(text, n), STYLE_KEY);
}

void composer_draw(struct composer *c, struct grid *g, int row, int col, int height, int width,
                   bool active)
{
    int room = width - COMPOSER_MARGIN, body = col + COMPOSER_MARGIN;
    int rows = composer_rows(c, width);
    const char *text = composer_text(c, NULL);

    grid_label(g, row, col, 1, "›", STYLE_PROMPT);
    if (c->editor.text.len == 0)
        grid_label(g, row, body, room, "Ask anything", STYLE_DIM);
    if (rows == 0)
        return;
    size_t at = row_of(c, c->editor.cursor);
    if (at < c->top)
        c->top = at;
    if (at >= c->top + (size_t)height)
        c->top = at + 1 - (size_t)height;
    if (c->top + (size_t)height > c->n_rows)
        c->top = c->n_rows > (size_t)height ? c->n_rows - (size_t)height : 0;
    for (int i = 0; i < height && c->top + (size_t)i < c->n_rows; i++) {
        size_t start = c->rows[c->top + (size_t)i], end = row_end(c, c->top + (size_t)i);
        grid_text(g, row + i, body, room, text + start, end - start, STYLE_TEXT);
    }
    if (c->top == 0)
        draw_command(c, g, row, body);
    if (c->top > 0)
        grid_label(g, row, col, 1, "↑", STYLE_DIM);
    if (c->top + (size_t)height < c->n_rows)
        grid_label(g, row + height - 1, col, 1, "↓", STYLE_DIM);
    if (active) {
        int column = cursor_column(c, at);
        g->cursor_row = row + (int)(at - c->top);
        g->cursor_col = body + (column < room ? column : room - 1);
    }
}
