/*
 * editor.c: editing a text. Every change goes through replace(), which records how to take it back.
 */
#include "editor.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

void editor_init(struct editor *e)
{
    *e = (struct editor){.changed_from = 0};
    bytes_reserve(&e->text, 1);
}

static void forget(struct editor *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        e->removed -= e->changes[i].removed_len;
        free(e->changes[i].removed);
    }
    e->n_changes -= n;
    memmove(e->changes, e->changes + n, e->n_changes * sizeof *e->changes);
}

void editor_done(struct editor *e)
{
    forget(e, e->n_changes);
    bytes_free(&e->text);
    bytes_free(&e->cut);
}

/* Records a replacement before it is made. Without memory for it the way back is lost, no more. */
static void record(struct editor *e, size_t pos, size_t del, size_t n, bool typed)
{
    struct editor_change *last = e->n_changes > 0 ? &e->changes[e->n_changes - 1] : NULL;

    if (typed && e->typing && last && del == 0 && last->pos + last->inserted == pos) {
        last->inserted += n;
        return;
    }
    char *removed = malloc(del + 1);
    if (!removed || del > EDITOR_REMOVED_MAX) {
        free(removed);
        forget(e, e->n_changes);
        return;
    }
    memcpy(removed, e->text.data ? e->text.data + pos : "", del);
    size_t old = e->n_changes == EDITOR_CHANGES_MAX;
    for (size_t kept = e->removed + del; kept > EDITOR_REMOVED_MAX && old < e->n_changes; old++)
        kept -= e->changes[old].removed_len;
    forget(e, old);
    e->changes[e->n_changes++] = (struct editor_change){pos, n, removed, del};
    e->removed += del;
}

static void touched(struct editor *e, size_t pos)
{
    e->revision++;
    if (pos < e->changed_from)
        e->changed_from = pos;
}

static bool replace(struct editor *e, size_t pos, size_t del, const char *s, size_t n, bool typed)
{
    if (n > EDITOR_MAX || e->text.len - del > EDITOR_MAX - n || !bytes_reserve(&e->text, n))
        return false;
    record(e, pos, del, n, typed);
    bytes_splice(&e->text, pos, del, s, n);
    e->cursor = pos + n;
    e->typing = typed;
    touched(e, pos);
    return true;
}

bool editor_set(struct editor *e, const char *text, size_t len)
{
    editor_settle(e);
    return replace(e, 0, e->text.len, text, len, false);
}

bool editor_insert(struct editor *e, const char *text, size_t len, bool typed)
{
    e->cutting = false;
    /* A step of undo is a word: a space after letters begins the next. */
    if (typed && len == 1 && *text == ' ' && e->cursor > 0 && e->text.data[e->cursor - 1] != ' ')
        e->typing = false;
    return len == 0 || replace(e, e->cursor, 0, text, len, typed);
}

void editor_delete_to(struct editor *e, size_t pos, bool keep)
{
    size_t from = pos < e->cursor ? pos : e->cursor, to = pos < e->cursor ? e->cursor : pos;

    if (keep && !e->cutting)
        bytes_cut(&e->cut, 0);
    if (keep)
        bytes_splice(&e->cut, pos < e->cursor ? 0 : e->cut.len, 0, e->text.data + from, to - from);
    if (to > from)
        replace(e, from, to - from, "", 0, false);
    e->typing = false;
    e->cutting = keep;
}

void editor_yank(struct editor *e)
{
    editor_settle(e);
    if (e->cut.len > 0)
        replace(e, e->cursor, 0, e->cut.data, e->cut.len, false);
}

void editor_undo(struct editor *e)
{
    editor_settle(e);
    if (e->n_changes == 0)
        return;
    struct editor_change change = e->changes[--e->n_changes];
    e->removed -= change.removed_len;
    if (bytes_splice(&e->text, change.pos, change.inserted, change.removed, change.removed_len)) {
        e->cursor = change.pos + change.removed_len;
        touched(e, change.pos);
    }
    free(change.removed);
}

void editor_settle(struct editor *e)
{
    e->cutting = e->typing = false;
}

/* Places */

static size_t left_of(const struct editor *e, size_t pos)
{
    if (pos == 0)
        return 0;
    return e->text.data[pos - 1] == '\n' ? pos - 1 : text_prev(e->text.data, pos);
}

static size_t right_of(const struct editor *e, size_t pos)
{
    struct text_cluster c;
    if (pos == e->text.len)
        return pos;
    text_next(e->text.data + pos, e->text.len - pos, &c);
    return pos + c.len;
}

size_t editor_left(const struct editor *e)
{
    return left_of(e, e->cursor);
}

size_t editor_right(const struct editor *e)
{
    return right_of(e, e->cursor);
}

static bool is_word(const struct editor *e, size_t pos)
{
    uint32_t cp;
    text_decode(e->text.data + pos, e->text.len - pos, &cp);
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
           (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) || cp == '_';
}

static bool is_not_space(const struct editor *e, size_t pos)
{
    return !strchr(" \t\n", e->text.data[pos]);
}

/* Back over what is not `in`, then over what is. */
static size_t back_over(const struct editor *e, bool (*in)(const struct editor *, size_t))
{
    size_t pos = e->cursor;
    bool met = false;

    while (pos > 0) {
        size_t left = left_of(e, pos);
        bool inside = in(e, left);
        if (met && !inside)
            break;
        met = inside;
        pos = left;
    }
    return pos;
}

size_t editor_word_left(const struct editor *e)
{
    return back_over(e, is_word);
}

size_t editor_space_left(const struct editor *e)
{
    return back_over(e, is_not_space);
}

size_t editor_word_right(const struct editor *e)
{
    size_t pos = e->cursor;
    bool met = false;

    while (pos < e->text.len) {
        bool inside = is_word(e, pos);
        if (met && !inside)
            break;
        met = inside;
        pos = right_of(e, pos);
    }
    return pos;
}

size_t editor_line_start(const struct editor *e, size_t pos)
{
    const char *newline = pos > 0 ? memrchr(e->text.data, '\n', pos) : NULL;
    return newline ? (size_t)(newline - e->text.data) + 1 : 0;
}

size_t editor_line_end(const struct editor *e, size_t pos)
{
    const char *newline = pos < e->text.len ? memchr(e->text.data + pos, '\n', e->text.len - pos)
                                            : NULL;
    return newline ? (size_t)(newline - e->text.data) : e->text.len;
}
