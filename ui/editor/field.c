/*
 * field.c: a one-line text field, built on the composer's editor.
 */
#include "editor/field.h"
#include "text/text.h"

#include <string.h>

void field_init(struct field *f)
{
    editor_init(&f->editor);
    f->replaced = false;
}

void field_done(struct field *f)
{
    editor_done(&f->editor);
}

const char *field_text(const struct field *f)
{
    return bytes_string(&f->editor.text);
}

void field_set(struct field *f, const char *text)
{
    editor_set(&f->editor, "", 0);
    field_insert(f, text, strlen(text));
    f->replaced = false;
}

/* Newlines and other control characters become spaces; invalid UTF-8 is replaced. */
bool field_insert(struct field *f, const char *text, size_t len)
{
    uint64_t before = f->editor.revision;

    if (f->replaced)
        editor_set(&f->editor, "", 0);
    f->replaced = false;
    for (size_t i = 0; i < len;) {
        char utf8[4];
        uint32_t cp;
        i += text_decode(text + i, len - i, &cp);
        size_t n = text_encode(cp < ' ' || cp == 0x7f ? ' ' : cp, utf8);
        if (f->editor.text.len + n > FIELD_MAX || !editor_insert(&f->editor, utf8, n, true))
            break;
    }
    return f->editor.revision != before;
}

static void go(struct editor *e, size_t pos)
{
    editor_settle(e);
    e->cursor = pos;
}

bool field_do(struct field *f, enum keymap_action action)
{
    struct editor *e = &f->editor;
    uint64_t before = e->revision;

    f->replaced = false;
    switch (action) {
    case ACT_LEFT: go(e, editor_left(e)); break;
    case ACT_RIGHT: go(e, editor_right(e)); break;
    case ACT_WORD_LEFT: go(e, editor_word_left(e)); break;
    case ACT_WORD_RIGHT: go(e, editor_word_right(e)); break;
    case ACT_HOME: go(e, 0); break;
    case ACT_END: go(e, e->text.len); break;
    case ACT_DELETE_LEFT: editor_delete_to(e, editor_left(e), false); break;
    case ACT_DELETE_RIGHT: editor_delete_to(e, editor_right(e), false); break;
    case ACT_KILL_SPACE_LEFT: editor_delete_to(e, editor_space_left(e), true); break;
    case ACT_KILL_START: editor_delete_to(e, 0, true); break;
    case ACT_KILL_END: editor_delete_to(e, e->text.len, true); break;
    case ACT_YANK: editor_yank(e); break;
    case ACT_UNDO: editor_undo(e); break;
    default: break;
    }
    return e->revision != before;
}

void field_draw(const struct field *f, struct grid *g, struct area at, uint8_t style)
{
    const char *text = field_text(f);
    size_t cursor = f->editor.cursor, from = 0;
    struct text_cluster c;

    if (at.width < 1)
        return;
    while (text_width(text + from, cursor - from) >= at.width) {
        text_next(text + from, cursor - from, &c);
        from += c.len;
    }
    grid_blank(g, (struct area){at.row, at.col, 1, at.width});
    grid_text(g, at, text + from, strlen(text + from), style);
    g->cursor_row = at.row;
    g->cursor_col = at.col + text_width(text + from, cursor - from);
}
