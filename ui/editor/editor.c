/*
 * editor.c: editing a text. Every change goes through replace(), which records its inverse for
 * undo.
 */
#include "editor/editor.h"
#include "editor/chip.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

void editor_init(struct editor *e)
{
    *e = (struct editor){.changed_from = 0};
    bytes_reserve(&e->text, 1);
}

/* Undo and redo */

static void free_changes(struct editor *e, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) {
        e->removed -= e->changes[i].removed_len;
        free(e->changes[i].removed);
    }
}

void editor_drop_undone(struct editor *e)
{
    free_changes(e, e->n_changes, e->n_undone);
    e->n_undone = 0;
}

static void forget(struct editor *e, size_t n)
{
    editor_drop_undone(e);
    free_changes(e, 0, n);
    e->n_changes -= n;
    memmove(e->changes, e->changes + n, e->n_changes * sizeof *e->changes);
}

void editor_done(struct editor *e)
{
    forget(e, e->n_changes);
    bytes_free(&e->text);
    for (int i = 0; i < EDITOR_KILLS; i++)
        bytes_free(&e->kills[i]);
}

/* Records a replacement before it is made. If memory is short, only the undo history is lost. */
static void record(struct editor *e, size_t pos, size_t del, size_t n, bool typed)
{
    struct editor_change *last = e->n_changes > 0 ? &e->changes[e->n_changes - 1] : NULL;

    editor_drop_undone(e);
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
    memcpy(removed, bytes_string(&e->text) + pos, del);
    size_t old = e->n_changes == EDITOR_CHANGES_MAX;
    for (size_t kept = e->removed + del; kept > EDITOR_REMOVED_MAX && old < e->n_changes; old++)
        kept -= e->changes[old].removed_len;
    forget(e, old);
    e->step += !e->grouping;
    e->changes[e->n_changes++] = (struct editor_change){pos, n, removed, del, e->step};
    e->removed += del;
}

void editor_begin_group(struct editor *e)
{
    e->step++;
    e->grouping = true;
}

void editor_end_group(struct editor *e)
{
    e->grouping = false;
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

/* Applies a change and turns it into its inverse. */
static bool exchange(struct editor *e, struct editor_change *c)
{
    char *there = malloc(c->inserted + 1);
    if (!there || !bytes_reserve(&e->text, c->removed_len)) {
        free(there);
        return false;
    }
    memcpy(there, e->text.data + c->pos, c->inserted);
    bytes_splice(&e->text, c->pos, c->inserted, c->removed, c->removed_len);
    e->cursor = c->pos + c->removed_len;
    touched(e, c->pos);
    free(c->removed);
    e->removed += c->inserted - c->removed_len;
    *c = (struct editor_change){c->pos, c->removed_len, there, c->inserted, c->step};
    return true;
}

bool editor_undo(struct editor *e)
{
    editor_settle(e);
    uint32_t step = e->n_changes > 0 ? e->changes[e->n_changes - 1].step : 0;
    bool any = false;
    while (e->n_changes > 0 && e->changes[e->n_changes - 1].step == step &&
           exchange(e, &e->changes[e->n_changes - 1])) {
        e->n_changes--;
        e->n_undone++;
        any = true;
    }
    return any;
}

bool editor_redo(struct editor *e)
{
    editor_settle(e);
    uint32_t step = e->n_undone > 0 ? e->changes[e->n_changes].step : 0;
    bool any = false;
    while (e->n_undone > 0 && e->changes[e->n_changes].step == step &&
           exchange(e, &e->changes[e->n_changes])) {
        e->n_changes++;
        e->n_undone--;
        any = true;
    }
    return any;
}

void editor_settle(struct editor *e)
{
    e->killing = e->typing = e->yanking = false;
}

/* Changing */

bool editor_set(struct editor *e, const char *text, size_t len)
{
    editor_settle(e);
    return replace(e, 0, e->text.len, text, len, false);
}

bool editor_replace(struct editor *e, size_t from, size_t to, const char *text, size_t len)
{
    editor_settle(e);
    return replace(e, from, to - from, text, len, false);
}

bool editor_insert(struct editor *e, const char *text, size_t len, bool typed)
{
    e->killing = e->yanking = false;
    /* An undo step is a word: a space after letters begins the next. */
    if (typed && len == 1 && *text == ' ' && e->cursor > 0 && e->text.data[e->cursor - 1] != ' ')
        e->typing = false;
    return len == 0 || replace(e, e->cursor, 0, text, len, typed);
}

/* Begins a kill. The ring is bounded in bytes too: the oldest entries are dropped. */
static void begin_kill(struct editor *e)
{
    size_t kept = 0;

    e->newest = (e->newest + 1) % EDITOR_KILLS;
    bytes_free(&e->kills[e->newest]);
    for (size_t i = 1; i < EDITOR_KILLS; i++) {
        struct bytes *older = &e->kills[(e->newest + EDITOR_KILLS - i) % EDITOR_KILLS];
        kept += older->len;
        if (kept > EDITOR_MAX)
            bytes_free(older);
    }
    e->newest_is_lines = false;
}

void editor_delete_to(struct editor *e, size_t pos, bool keep)
{
    size_t from = pos < e->cursor ? pos : e->cursor, to = pos < e->cursor ? e->cursor : pos;
    bool killing = e->killing;

    editor_settle(e);
    if (to == from) {
        e->killing = keep && killing;
        return;
    }
    if (keep && !killing)
        begin_kill(e);
    if (keep) {
        struct bytes *kill = &e->kills[e->newest];
        bytes_splice(kill, pos < e->cursor ? 0 : kill->len, 0, e->text.data + from, to - from);
    }
    replace(e, from, to - from, "", 0, false);
    e->killing = keep;
}

void editor_copy(struct editor *e, size_t from, size_t to, bool lines)
{
    editor_settle(e);
    begin_kill(e);
    struct bytes *kill = &e->kills[e->newest];
    bytes_add(kill, e->text.data + from, to - from);
    if (lines && (to == from || e->text.data[to - 1] != '\n'))
        bytes_add(kill, "\n", 1);
    e->newest_is_lines = lines;
}

static void yank(struct editor *e, size_t from, size_t to, size_t kill)
{
    struct bytes *b = &e->kills[kill];
    if (b->len == 0 || !editor_replace(e, from, to, b->data, b->len))
        return;
    e->yanking = true;
    e->yanked = kill;
    e->yanked_at = from;
    e->yanked_len = b->len;
}

void editor_yank(struct editor *e)
{
    yank(e, e->cursor, e->cursor, e->newest);
}

void editor_yank_older(struct editor *e)
{
    if (!e->yanking)
        return;
    size_t older = e->yanked;
    do
        older = (older + EDITOR_KILLS - 1) % EDITOR_KILLS;
    while (e->kills[older].len == 0);
    yank(e, e->yanked_at, e->yanked_at + e->yanked_len, older);
}

/* Swaps [a, b) and [c, d); the text between them stays. */
static void swap_parts(struct editor *e, const size_t at[4])
{
    const char *s = e->text.data;
    struct bytes out = {0};

    bool ok = bytes_add(&out, s + at[2], at[3] - at[2]) &&
              bytes_add(&out, s + at[1], at[2] - at[1]) &&
              bytes_add(&out, s + at[0], at[1] - at[0]);
    if (ok)
        editor_replace(e, at[0], at[3], out.data, out.len);
    bytes_free(&out);
}

void editor_swap_characters(struct editor *e)
{
    size_t at = e->cursor;
    if (at == editor_line_end(e, at)) /* at the end: the previous two */
        at = editor_left_of(e, at);
    size_t left = editor_left_of(e, at), right = editor_right_of(e, at);
    if (at == right || at <= editor_line_start(e, e->cursor))
        return;
    swap_parts(e, (size_t[]){left, at, at, right});
}

void editor_swap_words(struct editor *e)
{
    size_t cursor = e->cursor, at[4];

    at[3] = editor_word_right(e);
    e->cursor = at[3];
    at[2] = editor_word_left(e);
    e->cursor = at[2];
    at[0] = editor_word_left(e);
    e->cursor = at[0];
    at[1] = editor_word_right(e);
    e->cursor = cursor;
    if (at[1] <= at[2] && at[0] < at[1] && at[2] < at[3] && editor_class(e, at[0]) == EDITOR_WORD &&
        editor_class(e, at[2]) == EDITOR_WORD)
        swap_parts(e, at);
}

static uint32_t in_case(uint32_t cp, enum editor_case to, bool first)
{
    utf8proc_int32_t c = (utf8proc_int32_t)cp;
    utf8proc_int32_t upper = utf8proc_toupper(c), lower = utf8proc_tolower(c);

    switch (to) {
    case EDITOR_UPPER: return (uint32_t)upper;
    case EDITOR_LOWER: return (uint32_t)lower;
    case EDITOR_TITLE: return (uint32_t)(first ? upper : lower);
    case EDITOR_OTHER: break;
    }
    return (uint32_t)(c == lower ? upper : lower);
}

void editor_change_case(struct editor *e, size_t from, size_t to, enum editor_case to_case)
{
    struct bytes out = {0};
    size_t cursor = e->cursor;
    bool inside = false;
    char utf8[4];

    for (size_t i = from, n; i < to; i += n) {
        uint32_t cp;
        n = text_decode(e->text.data + i, to - i, &cp);
        bool letter = editor_class(e, i) == EDITOR_WORD;
        cp = in_case(cp, to_case, !inside);
        inside = letter;
        if (!bytes_add(&out, utf8, text_encode(cp, utf8)))
            goto done;
    }
    if (out.len > 0 && editor_replace(e, from, to, out.data, out.len))
        e->cursor = cursor < to ? cursor : from + out.len; /* case may change the length */
done:
    bytes_free(&out);
}

void editor_join_spaces(struct editor *e)
{
    size_t from = e->cursor, to = from;
    while (from > 0 && strchr(" \t", e->text.data[from - 1]))
        from--;
    while (to < e->text.len && strchr(" \t", e->text.data[to]))
        to++;
    if (to > from)
        editor_replace(e, from, to, "", 0);
}

/* Positions */

size_t editor_left_of(const struct editor *e, size_t pos)
{
    if (pos == 0)
        return 0;
    return e->text.data[pos - 1] == '\n' ? pos - 1 : text_prev(e->text.data, pos);
}

size_t editor_right_of(const struct editor *e, size_t pos)
{
    struct text_cluster c;
    if (pos == e->text.len)
        return pos;
    text_next(e->text.data + pos, e->text.len - pos, &c);
    return pos + c.len;
}

size_t editor_left(const struct editor *e)
{
    return editor_left_of(e, e->cursor);
}

size_t editor_right(const struct editor *e)
{
    return editor_right_of(e, e->cursor);
}

enum editor_class editor_class(const struct editor *e, size_t pos)
{
    uint32_t cp;

    if (pos >= e->text.len || strchr(" \t\n", e->text.data[pos]))
        return EDITOR_SPACE;
    text_decode(e->text.data + pos, e->text.len - pos, &cp);
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    bool letter = (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
                  (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
    return letter || cp == '_' || chip_is_placeholder(cp) ? EDITOR_WORD : EDITOR_PUNCTUATION;
}

static bool is_word(const struct editor *e, size_t pos)
{
    return editor_class(e, pos) == EDITOR_WORD;
}

static bool is_not_space(const struct editor *e, size_t pos)
{
    return !strchr(" \t\n", e->text.data[pos]);
}

/* Moves back over characters not `in`, then over those that are. */
static size_t back_over(const struct editor *e, bool (*in)(const struct editor *, size_t))
{
    size_t pos = e->cursor;
    bool met = false;

    while (pos > 0) {
        size_t left = editor_left_of(e, pos);
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
        pos = editor_right_of(e, pos);
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
