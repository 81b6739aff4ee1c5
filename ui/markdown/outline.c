/*
 * outline.c: collects lines into pieces, keeps formulas whole, and determines where later text can
 * no longer change the pieces.
 */
#include "markdown/outline.h"
#include "markdown/outline_line.h"
#include "text/array.h"

#include <stdlib.h>
#include <string.h>

enum { SPACE_WINDOW = 4096 }; /* how far back to look for a space to cut a long line at */

/* Whether a formula may begin here. */
static bool may_open_span(const char *s, size_t n, size_t i)
{
    char next = i + 1 < n ? s[i + 1] : '\0';
    return s[i] == '$' || (s[i] == '\\' && (next == '(' || next == '[' || next == 'b'));
}

static bool may_begin(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (may_open_span(s, n, i))
            return true;
    return false;
}

/* The furthest end of a formula that begins before `end`: none crosses a blank line. */
static size_t span_limit(const struct outline_reader *r, size_t end)
{
    size_t limit = r->len - end > OUTLINE_SPAN ? end + OUTLINE_SPAN : r->len;
    const char *empty = memmem(r->text + end - 1, limit - (end - 1), "\n\n", 2);
    return empty ? (size_t)(empty - r->text) + 2 : limit;
}

/*
 * The first formula that begins in [from, end); false: none. The scan starts at the end of the
 * previous piece or formula and goes only as far as a formula can reach, so the result depends on
 * nothing else.
 */
static bool span_in(struct outline_reader *r, size_t from, size_t end, struct outline_span *out)
{
    if (!may_begin(r->text + from, end - from))
        return false;
    if (r->line != end) {
        r->line = end;
        r->limit = span_limit(r, end);
    }
    while (r->find(r->text, r->limit, r->searched, out)) {
        if (out->start >= end || (out->open && r->limit < r->len))
            return false;
        if (out->start >= from)
            return true;
        r->searched = out->end;
    }
    return false;
}

static void keep_span(struct outline_reader *r, const struct outline_span *span)
{
    struct outline_span *spans = array_grow(r->spans, r->n_spans, &r->cap_spans, sizeof *spans);
    if (!spans) {
        r->failed = true;
        return;
    }
    r->spans = spans;
    r->spans[r->n_spans++] = *span;
}

void outline_done(struct outline_reader *r)
{
    free(r->spans);
    r->spans = NULL;
}

size_t outline_cut(const char *text, size_t start, size_t end)
{
    for (size_t i = end; i > start && i + SPACE_WINDOW > end; i--)
        if (text[i - 1] == ' ')
            return i;
    while (end > start + 1 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/*
 * The end of the line at pos, after its newline; newlines inside formulas do not count. *cut_out:
 * the line is too long, and the end is a cut. Fences have no formulas.
 */
static size_t line_end(struct outline_reader *r, size_t pos, bool fence, bool *cut_out)
{
    size_t most = r->len - pos > OUTLINE_PIECE ? pos + OUTLINE_PIECE : r->len, from = pos;

    *cut_out = false;
    for (;;) {
        struct outline_span span;
        const char *newline = from < most ? memchr(r->text + from, '\n', most - from) : NULL;
        size_t end = newline ? (size_t)(newline - r->text) + 1 : most;
        if (!fence && span_in(r, from, end, &span)) {
            keep_span(r, &span);
            from = r->searched = span.end;
            most = from > most ? from : most;
            if (from < r->len && from >= pos + OUTLINE_PIECE) {
                *cut_out = true;
                return from;
            }
            continue;
        }
        if (newline || end == r->len)
            return end;
        *cut_out = true;
        return outline_cut(r->text, from, end);
    }
}

/*
 * Whether the line at `pos`, in containers `o`, is the delimiter row of a table with its header at
 * `header`.
 */
static bool makes_table(const struct outline_reader *r, const struct outline *o, size_t header,
                        size_t pos)
{
    size_t most = r->len - pos > OUTLINE_PIECE ? pos + OUTLINE_PIECE : r->len;
    const char *newline = pos < most ? memchr(r->text + pos, '\n', most - pos) : NULL;

    if (pos >= r->len || !memchr(r->text + header, '|', pos - header))
        return false;
    return outline_is_delimiter(o, r->text, pos, newline ? (size_t)(newline - r->text) : most);
}

/* Whether the newline at `at` is followed by a blank line, which ends formulas and inline code. */
static bool is_gap(const struct outline_reader *r, size_t at)
{
    size_t i = at + 1;
    while (i < r->len && (r->text[i] == ' ' || r->text[i] == '\t' || r->text[i] == '\r'))
        i++;
    return i < r->len && r->text[i] == '\n';
}

/*
 * Whether a possible formula in the piece, or after it up to `end`, may still change: it is
 * incomplete, or backticks could hide it.
 */
static bool is_undecided(const struct outline_reader *r, const struct outline_piece *piece,
                         size_t end)
{
    bool open = false;
    size_t span = 0;

    if (r->len - piece->start > OUTLINE_SPAN + OUTLINE_PIECE)
        return false;
    for (size_t i = piece->start; i < r->len && (i < end || open); i++) {
        while (span < r->n_spans && r->spans[span].end <= i)
            span++;
        bool inside = span < r->n_spans && r->spans[span].start <= i && !r->spans[span].open;
        if (inside)
            i = r->spans[span].end - 1;
        else if (i < end &&
                 (may_open_span(r->text, r->len, i) || (r->n_spans > 0 && r->text[i] == '`')))
            open = true;
        else if (r->text[i] == '\n' && is_gap(r, i))
            open = false;
    }
    return open;
}

/* Whether later text can no longer change the piece or its end. */
static bool is_certain(const struct outline_reader *r, const struct outline_piece *piece)
{
    size_t pos = piece->end;

    for (int i = 0; i < 2; i++) {
        size_t left = r->len - pos;
        if (left > OUTLINE_PIECE)
            break;
        const char *newline = left ? memchr(r->text + pos, '\n', left) : NULL;
        if (!newline)
            return false;
        pos = (size_t)(newline - r->text) + 1;
    }
    return !is_undecided(r, piece, pos);
}

static void skip_empty_lines(struct outline_reader *r)
{
    while (!r->now.in_line && r->now.leaf != LEAF_FENCE && r->pos < r->len) {
        struct outline next = r->now;
        const char *newline = memchr(r->text + r->pos, '\n', r->len - r->pos);
        size_t end = newline ? (size_t)(newline - r->text) + 1 : r->len, i = r->pos, text;
        while (i < end && i - r->pos < OUTLINE_PIECE && strchr(" \t>\n", r->text[i]) && r->text[i])
            i++;
        if (i < end || outline_line(&next, r->text, r->pos, end, false, &text) != LINE_EMPTY)
            return;
        r->now = next;
        r->pos = end;
    }
}

/* The rest of a line that was cut. */
static void read_rest(struct outline_reader *r)
{
    bool cut;
    r->pos = line_end(r, r->pos, r->now.leaf == LEAF_FENCE, &cut);
    r->now.in_line = cut;
}

/* Reads lines up to the end of the piece. */
static void read_lines(struct outline_reader *r, struct outline_piece *piece)
{
    while (r->pos < r->len && !r->now.in_line) {
        struct outline next = r->now, probe = next;
        bool cut, first = r->pos == piece->start;
        size_t n_spans = r->n_spans, searched = r->searched, end = line_end(r, r->pos, true, &cut),
               text = r->pos;

        /* Fences have no formulas, not even in their info string. */
        outline_line(&probe, r->text, r->pos, end, false, &text);
        bool fence = next.leaf == LEAF_FENCE || probe.leaf == LEAF_FENCE;
        if (!fence)
            end = line_end(r, r->pos, false, &cut);
        bool table = !cut && !fence && makes_table(r, &next, r->pos, end);
        enum line_kind kind = outline_line(&next, r->text, r->pos, end, table, &text);
        if (kind == LINE_STARTS && !first) {
            r->searched = searched;
            r->n_spans = n_spans;
            return;
        }
        if (kind == LINE_STARTS) {
            piece->before.leaf = LEAF_NONE;
            if (next.leaf == LEAF_TEXT)
                piece->text = text;
        }
        if (cut && next.leaf != LEAF_FENCE)
            next.leaf = LEAF_TEXT;
        next.in_line = cut;
        r->now = next;
        r->pos = end;
        if ((next.leaf == LEAF_NONE && !next.bare) || r->pos - piece->start >= OUTLINE_PIECE)
            return;
    }
}

bool outline_next(struct outline_reader *r, struct outline_piece *piece)
{
    skip_empty_lines(r);
    if (r->pos >= r->len)
        return false;
    r->n_spans = 0;
    r->searched = r->pos;
    *piece = (struct outline_piece){.before = r->now, .start = r->pos, .text = SIZE_MAX};
    if (r->now.in_line)
        read_rest(r);
    if (r->pos - piece->start < OUTLINE_PIECE)
        read_lines(r, piece);
    piece->end = r->pos;
    piece->after = r->now;
    piece->certain = is_certain(r, piece);
    return true;
}
