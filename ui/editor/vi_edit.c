/*
 * vi_edit.c: vi's changes to the text. vi.c maps the keys to them.
 */
#include "editor/vi_edit.h"
#include "text/text.h"

#include <string.h>

int vi_count(const struct vi *vi)
{
    int64_t n = vi->count, m = vi->op_count;
    n = n > 0 && m > 0 ? n * m : n + m;
    return n < VI_COUNT_MAX ? (int)n : VI_COUNT_MAX;
}

int vi_times(const struct vi *vi)
{
    int n = vi_count(vi);
    return n > 0 ? n : 1;
}

/* Inserting */

void vi_insert(struct vi *vi, struct editor *e, size_t pos)
{
    e->cursor = pos;
    vi->inserted_from = pos;
    vi->insert_times = 1;
    vi->insert_lines = false;
    vi->mode = VI_INSERT;
    if (!e->grouping)
        editor_begin_group(e);
}

static void insert_again(struct vi *vi, struct editor *e)
{
    size_t from = vi->inserted_from;
    struct bytes text = {0};

    if (vi->insert_times < 2 || e->cursor <= from)
        return;
    for (int i = 1; i < vi->insert_times && text.len <= EDITOR_MAX; i++) {
        if (vi->insert_lines)
            bytes_add(&text, "\n", 1);
        bytes_add(&text, e->text.data + from, e->cursor - from);
    }
    editor_insert(e, text.data, text.len, false);
    bytes_free(&text);
}

void vi_leave_insert(struct vi *vi, struct editor *e)
{
    if (vi->mode == VI_INSERT)
        insert_again(vi, e);
    vi->mode = VI_NORMAL;
    vi->insert_times = 1;
    editor_settle(e);
    editor_end_group(e);
    if (e->cursor > editor_line_start(e, e->cursor))
        e->cursor = editor_left_of(e, e->cursor);
}

void vi_open_line(struct vi *vi, struct editor *e, bool below)
{
    size_t at = below ? editor_line_end(e, e->cursor) : editor_line_start(e, e->cursor);
    int n = vi_times(vi);
    editor_begin_group(e);
    editor_replace(e, at, at, "\n", 1);
    vi_insert(vi, e, below ? at + 1 : at);
    vi->insert_times = n;
    vi->insert_lines = true;
}

void vi_insert_at(struct vi *vi, struct editor *e, size_t pos)
{
    int n = vi_times(vi);
    vi_insert(vi, e, pos);
    vi->insert_times = n;
}

/* Operators */

/* Whole lines, with the newline after them or, at the end of the text, the one before. */
static void delete_lines(struct editor *e, size_t from, size_t to)
{
    if (to == e->text.len && from > 0 && (to == from || e->text.data[to - 1] != '\n'))
        from--;
    editor_replace(e, from, to, "", 0);
    e->cursor = vi_first(e, e->cursor < e->text.len ? e->cursor : e->text.len);
}

static void change(struct vi *vi, struct editor *e, const struct vi_span *span)
{
    size_t to = span->to;
    if (span->lines && to > span->from && e->text.data[to - 1] == '\n')
        to--;
    editor_begin_group(e);
    editor_replace(e, span->from, to, "", 0);
    vi_insert(vi, e, span->from);
}

void vi_operate(struct vi *vi, struct editor *e, const struct vi_span *span)
{
    size_t at = e->cursor;
    uint32_t op = vi->op;

    if (op == 'd' || op == 'c' || op == 'y')
        editor_copy(e, span->from, span->to, span->lines);
    switch (op) {
    case 'd':
        if (span->lines)
            delete_lines(e, span->from, span->to);
        else
            editor_replace(e, span->from, span->to, "", 0);
        break;
    case 'c': change(vi, e, span); break;
    case 'y':
        if (!span->lines || editor_line_start(e, at) != span->from)
            e->cursor = span->from;
        break;
    default:
        editor_change_case(e, span->from, span->to,
                           op == 'u'   ? EDITOR_LOWER
                           : op == 'U' ? EDITOR_UPPER
                                       : EDITOR_OTHER);
        e->cursor = span->from;
        break;
    }
}

struct vi_span vi_whole_lines(const struct editor *e, size_t from, size_t to)
{
    size_t end = editor_line_end(e, to);
    return (struct vi_span){editor_line_start(e, from), end + (end < e->text.len), true};
}

/* The range of an operator with a motion. */
struct vi_span vi_span_of(const struct vi *vi, const struct editor *e, uint32_t key,
                          const struct vi_motion *m)
{
    size_t from = m->to < e->cursor ? m->to : e->cursor, to = m->to < e->cursor ? e->cursor : m->to;

    if (m->lines)
        return vi_whole_lines(e, from, to);
    if (m->inclusive)
        return (struct vi_span){from, editor_right_of(e, to), false};
    if ((key == 'w' || key == 'W') && editor_line_end(e, from) < to) {
        /* To the end of the last word, not to the first word of the next line. */
        size_t end = to;
        while (end > from && strchr(" \t\n", e->text.data[end - 1]) &&
               editor_line_start(e, end) > from)
            end--;
        to = end;
    } else if (to > from && editor_line_start(e, to) == to && editor_line_end(e, from) < to) {
        to--; /* nor the newline before it */
        if (from <= vi_first(e, from) && vi->op != 'c' && (key == '{' || key == '}'))
            return vi_whole_lines(e, from, to);
    }
    return (struct vi_span){from, to, false};
}

/* "cw" changes up to the end of the word, without the space. */
bool vi_change_word(struct vi *vi, const struct editor *e, uint32_t key, struct vi_motion *m)
{
    bool known;
    if (vi->op != 'c' || (key != 'w' && key != 'W') || editor_class(e, e->cursor) == EDITOR_SPACE)
        return false;
    int n = vi_times(vi);
    size_t next = editor_right_of(e, e->cursor);
    bool alone = next == e->text.len ||
                 (key == 'w' ? editor_class(e, next) != editor_class(e, e->cursor)
                             : editor_class(e, next) == EDITOR_SPACE);
    if (!alone || n > 1)
        return vi_motion(e, key == 'w' ? 'e' : 'E', n - alone, &vi->find, m, &known);
    *m = (struct vi_motion){.to = e->cursor, .inclusive = true};
    return true;
}

/* Single-key commands */

void vi_delete(struct vi *vi, struct editor *e, bool on)
{
    struct vi_motion m;
    bool known;
    vi_motion(e, on ? 'l' : 'h', vi_times(vi), &vi->find, &m, &known);
    if (m.to == e->cursor)
        return;
    vi->op = 'd';
    vi_operate(vi, e,
               &(struct vi_span){m.to < e->cursor ? m.to : e->cursor,
                                 m.to < e->cursor ? e->cursor : m.to, false});
}

void vi_replace(struct vi *vi, struct editor *e, uint32_t cp)
{
    size_t end = e->cursor, from = end;
    struct bytes text = {0};
    char utf8[4];

    for (int i = 0; i < vi_times(vi); i++) {
        if (end == editor_line_end(e, end)) {
            bytes_free(&text);
            return; /* not that many */
        }
        end = editor_right_of(e, end);
        bytes_add(&text, utf8, text_encode(cp, utf8));
    }
    editor_replace(e, from, end, text.data, text.len);
    e->cursor = editor_left_of(e, e->cursor);
    bytes_free(&text);
}

void vi_other_case(struct vi *vi, struct editor *e)
{
    struct vi_motion m;
    bool known;
    vi_motion(e, 'l', vi_times(vi), &vi->find, &m, &known);
    editor_change_case(e, e->cursor, m.to, EDITOR_OTHER);
    e->cursor = m.to < e->text.len ? m.to : e->text.len;
}

void vi_join(struct vi *vi, struct editor *e, bool spaced)
{
    editor_begin_group(e);
    for (int n = vi_times(vi) > 2 ? vi_times(vi) - 1 : 1; n > 0; n--) {
        size_t end = editor_line_end(e, e->cursor), on = end;
        if (end == e->text.len)
            break;
        on++;
        while (spaced && on < e->text.len && strchr(" \t", e->text.data[on]))
            on++;
        bool space = spaced && on < e->text.len && !strchr(")\n", e->text.data[on]) && end > 0 &&
                     !strchr(" \t\n", e->text.data[end - 1]);
        editor_replace(e, end, on, " ", space);
        e->cursor = end;
    }
    editor_end_group(e);
}

void vi_put(struct vi *vi, struct editor *e, bool behind)
{
    const struct bytes *kill = &e->kills[e->newest];
    size_t at = e->cursor;
    struct bytes text = {0};
    bool lines = e->newest_is_lines;

    if (kill->len == 0)
        return;
    for (int i = 0; i < vi_times(vi) && text.len <= EDITOR_MAX; i++)
        bytes_add(&text, kill->data, kill->len);
    if (lines) {
        at = behind ? editor_line_end(e, at) : editor_line_start(e, at);
        if (behind) { /* the newline is inserted first */
            memmove(text.data + 1, text.data, text.len - 1);
            text.data[0] = '\n';
        }
    } else if (behind && at < editor_line_end(e, at)) {
        at = editor_right_of(e, at);
    }
    if (editor_replace(e, at, at, text.data, text.len))
        e->cursor = lines ? vi_first(e, at + behind) : editor_left_of(e, e->cursor);
    bytes_free(&text);
}

void vi_go_back(struct vi *vi, struct editor *e, bool undo)
{
    vi->no_repeat = true;
    for (int i = 0; i < vi_times(vi); i++)
        if (!(undo ? editor_undo(e) : editor_redo(e)))
            return;
    e->cursor = e->changes[undo ? e->n_changes : e->n_changes - 1].pos;
}

/* "D" is "d$" and so on. */
void vi_to_line_end(struct vi *vi, struct editor *e, uint32_t op)
{
    struct vi_motion m;
    bool known;
    vi->op = op;
    if (vi_motion(e, '$', vi_times(vi), &vi->find, &m, &known))
        vi_operate(vi, e, &(struct vi_span){e->cursor, m.to, false});
}

void vi_on_lines(struct vi *vi, struct editor *e, uint32_t op)
{
    size_t last = e->cursor;
    vi->op = op;
    last = vi_line_down(e, last, vi_times(vi) - 1);
    struct vi_span span = vi_whole_lines(e, e->cursor, last);
    vi_operate(vi, e, &span);
}

void vi_put_over(struct vi *vi, struct editor *e, const size_t span[2])
{
    struct bytes text = {0};
    const struct bytes *kill = &e->kills[e->newest];
    if (kill->len > 0 && bytes_add(&text, kill->data, kill->len)) {
        editor_copy(e, span[0], span[1], vi->mode == VI_VISUAL_LINES);
        editor_replace(e, span[0], span[1], text.data, text.len);
        e->cursor = editor_left_of(e, e->cursor);
    }
    bytes_free(&text);
}
