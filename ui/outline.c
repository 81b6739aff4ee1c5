/*
 * outline.c: follows the lines of a text as CommonMark reads them, as far as it takes to know where
 * blocks begin. What is in a block is the parser's business.
 */
#include "outline.h"

#include <stdlib.h>
#include <string.h>

enum {
    CODE_INDENT = 4, /* columns from where on a line is code, not a marker */
    ITEM_SPACES = 4, /* at most, between a marker and its text */
    FENCE_MIN = 3,
    DIGITS_MAX = 9,
    TAB = 4,
    SPACE_WINDOW = 4096, /* how far back a long line looks for a space to be cut at */
};

/* A line being read; tabs count as the columns they reach. */
struct cursor {
    const char *s;
    size_t i, end;
    int col, spare; /* columns of a tab that is not used up */
};

static int indent_of(const struct cursor *c, struct cursor *after)
{
    int columns = c->spare;
    *after = *c;
    after->spare = 0;
    while (after->i < after->end && (after->s[after->i] == ' ' || after->s[after->i] == '\t')) {
        int n = after->s[after->i] == '\t' ? TAB - after->col % TAB : 1;
        after->i++;
        after->col += n;
        columns += n;
    }
    return columns;
}

/* Steps over so many columns of white space that is there. */
static void take_columns(struct cursor *c, int columns)
{
    int n = c->spare < columns ? c->spare : columns;
    c->spare -= n;
    columns -= n;
    while (columns > 0 && c->i < c->end) {
        n = c->s[c->i] == '\t' ? TAB - c->col % TAB : 1;
        c->i++;
        c->col += n;
        c->spare = n > columns ? n - columns : 0;
        columns -= n;
    }
}

static char at(const struct cursor *c)
{
    return c->i < c->end ? c->s[c->i] : '\0';
}

static bool is_empty(const struct cursor *c)
{
    struct cursor after;
    indent_of(c, &after);
    return after.i == after.end;
}

/* Of one character: how many there are. */
static size_t run_of(const struct cursor *c, char ch)
{
    size_t n = 0;
    while (c->i + n < c->end && c->s[c->i + n] == ch)
        n++;
    return n;
}

static bool is_rule(const struct cursor *c)
{
    size_t n = 0;
    char ch = at(c);
    if (ch != '-' && ch != '*' && ch != '_')
        return false;
    for (size_t i = c->i; i < c->end; i++) {
        if (c->s[i] == ch)
            n++;
        else if (c->s[i] != ' ' && c->s[i] != '\t')
            return false;
    }
    return n >= 3;
}

static bool is_heading(const struct cursor *c)
{
    size_t n = run_of(c, '#');
    return n >= 1 && n <= 6 &&
           (c->i + n == c->end || c->s[c->i + n] == ' ' || c->s[c->i + n] == '\t');
}

static bool is_underline(const struct cursor *c)
{
    struct cursor rest = *c;
    char ch = at(c);
    if (ch != '=' && ch != '-')
        return false;
    rest.i += run_of(c, ch);
    return is_empty(&rest);
}

/* The length of a fence; 0: it is none. */
static size_t fence_of(const struct cursor *c)
{
    char ch = at(c);
    size_t n = ch == '`' || ch == '~' ? run_of(c, ch) : 0;
    if (n < FENCE_MIN)
        return 0;
    return ch == '`' && memchr(c->s + c->i + n, '`', c->end - c->i - n) ? 0 : n;
}

/* A row of dashes, colons and bars that makes the line before it a table's header. */
static bool is_delimiter_row(const struct cursor *c)
{
    bool bar = false, dash = false;
    for (size_t i = c->i; i < c->end; i++) {
        char ch = c->s[i];
        bar = bar || ch == '|';
        dash = dash || ch == '-';
        if (!strchr("|-: \t", ch) || ch == '\0')
            return false;
    }
    return bar && dash;
}

/* An item's marker; its length, 0: it is none. */
static size_t marker_of(const struct cursor *c, struct outline_open *out)
{
    size_t n = 0;
    *out = (struct outline_open){0};
    while (c->i + n < c->end && n < DIGITS_MAX && c->s[c->i + n] >= '0' && c->s[c->i + n] <= '9')
        out->number = out->number * 10 + (uint32_t)(c->s[c->i + n++] - '0');
    out->digits = (uint8_t)n;
    if (c->i + n == c->end)
        return 0;
    out->mark = c->s[c->i + n];
    if (out->mark == '\0' || !strchr(n > 0 ? ".)" : "-+*", out->mark))
        return 0;
    n++;
    if (c->i + n < c->end && c->s[c->i + n] != ' ' && c->s[c->i + n] != '\t')
        return 0;
    return n;
}

/* Steps into the containers that go on in this line; how many. */
static int match(const struct outline *o, struct cursor *c)
{
    struct cursor after;
    int depth = 0;

    for (; depth < o->depth; depth++) {
        const struct outline_open *open = &o->open[depth];
        int indent = indent_of(c, &after);
        if (open->mark == '>') {
            if (indent >= CODE_INDENT || at(&after) != '>')
                break;
            after.i++;
            after.col++;
            *c = after;
            if (indent_of(c, &after) > 0)
                take_columns(c, 1);
        } else if (after.i < after.end) {
            if (indent < open->indent + open->content)
                break;
            take_columns(c, open->indent + open->content);
        }
    }
    return depth;
}

/* Whether a marker may begin an item here, in the middle of a paragraph or not. */
static bool may_open(const struct cursor *after, const struct outline_open *item, size_t n,
                     bool in_text)
{
    struct cursor rest = *after;
    rest.i += n;
    if (is_rule(after))
        return false;
    return !in_text || (!is_empty(&rest) && (item->digits == 0 || item->number == 1));
}

/* Steps into the containers that begin in this line; whether there are any. */
static bool open_containers(struct outline *o, struct cursor *c, bool in_text)
{
    bool any = false;

    while (o->depth < OUTLINE_DEPTH) {
        struct cursor after, text;
        struct outline_open item;
        int indent = indent_of(c, &after);
        size_t n = 1;
        if (indent >= CODE_INDENT)
            break;
        if (at(&after) == '>') {
            item = (struct outline_open){.mark = '>'};
        } else {
            n = marker_of(&after, &item);
            if (n == 0 || !may_open(&after, &item, n, in_text && !any))
                break;
        }
        after.i += n;
        after.col += (int)n;
        *c = after;
        int spaces = indent_of(c, &text);
        if (item.mark != '>') {
            bool few = spaces >= 1 && spaces <= ITEM_SPACES && text.i < text.end;
            spaces = few ? spaces : 1;
            item.indent = (uint8_t)indent;
            item.content = (uint8_t)((int)n + spaces);
        }
        take_columns(c, item.mark == '>' && spaces > 1 ? 1 : spaces);
        o->open[o->depth++] = item;
        any = true;
    }
    return any;
}

enum line_kind {
    LINE_EMPTY,
    LINE_GOES_ON, /* of the block before */
    LINE_STARTS,  /* a block */
};

static void read_fence(struct outline *o, const struct cursor *c, size_t n, int indent)
{
    o->leaf = LEAF_FENCE;
    o->fence = at(c);
    o->fence_len = (uint32_t)n;
    o->fence_indent = (uint8_t)indent;
    o->fence_info = c->i + n;
}

/* What begins or goes on in a line's containers; `table`: the next line makes it a table's header. */
static enum line_kind read_leaf(struct outline *o, struct cursor *c, bool same, bool table)
{
    struct cursor after;
    int indent = indent_of(c, &after);
    enum outline_leaf was = same ? o->leaf : LEAF_NONE;
    size_t n;

    o->leaf = LEAF_NONE;
    if (indent >= CODE_INDENT && was == LEAF_NONE)
        return LINE_STARTS;
    if (indent < CODE_INDENT) {
        if (was == LEAF_TEXT && is_underline(&after))
            return LINE_GOES_ON;
        if (is_heading(&after) || is_rule(&after))
            return LINE_STARTS;
        if ((n = fence_of(&after)) > 0) {
            read_fence(o, &after, n, indent);
            return LINE_STARTS;
        }
        if (table && was != LEAF_TABLE) {
            o->leaf = LEAF_TABLE;
            o->table = after.i;
            return LINE_STARTS;
        }
    }
    o->leaf = was == LEAF_TABLE ? LEAF_TABLE : LEAF_TEXT;
    return was == LEAF_NONE ? LINE_STARTS : LINE_GOES_ON;
}

static bool closes_fence(const struct outline *o, const struct cursor *c)
{
    struct cursor after;
    int indent = indent_of(c, &after);
    size_t n = run_of(&after, o->fence);

    if (indent >= CODE_INDENT || n < o->fence_len)
        return false;
    after.i += n;
    return is_empty(&after);
}

/* Whether a line that leaves containers still belongs to the paragraph in them. */
static bool is_lazy(const struct outline *o, const struct cursor *c, int depth)
{
    struct cursor after;

    if (o->leaf != LEAF_TEXT)
        return false;
    if (indent_of(c, &after) >= CODE_INDENT)
        return true;
    struct outline probe = {.depth = depth};
    struct cursor marker = *c;
    return !open_containers(&probe, &marker, false) && !is_heading(&after) && !is_rule(&after) &&
           fence_of(&after) == 0;
}

/* A number that goes on from that of the item before, as its list is counted. */
static void count_on(struct outline *o, int depth, const struct outline_open *sibling)
{
    struct outline_open *item = &o->open[depth];
    if (o->depth > depth && item->digits > 0 && sibling->digits > 0 && item->mark == sibling->mark)
        item->number = sibling->number + 1;
}

/* Reads the line [start, end); *text_out: where what is in its containers begins. */
static enum line_kind read_line(struct outline *o, const char *s, size_t start, size_t end,
                                bool table, size_t *text_out)
{
    struct cursor c = {.s = s, .i = start, .end = end}, after;

    if (end > start && s[end - 1] == '\n')
        c.end--;
    int depth = match(o, &c);
    bool same = depth == o->depth, bare = o->bare;
    o->bare = false;
    if (same && o->leaf == LEAF_FENCE) {
        if (closes_fence(o, &c))
            o->leaf = LEAF_NONE;
        o->blank = false;
        return LINE_GOES_ON;
    }
    if (is_empty(&c)) {
        o->blank = true;
        o->leaf = LEAF_NONE;
        o->depth = depth - (same && bare); /* an item may begin with one empty line, not with two */
        return LINE_EMPTY;
    }
    o->blank = false;
    if (!same && is_lazy(o, &c, depth))
        return LINE_GOES_ON;
    struct outline_open sibling = {0};
    if (!same)
        sibling = o->open[depth];
    o->depth = depth;
    bool opened = open_containers(o, &c, same && o->leaf == LEAF_TEXT);
    if (opened && !same)
        count_on(o, depth, &sibling);
    enum line_kind kind = LINE_STARTS;
    if (is_empty(&c)) {
        o->leaf = LEAF_NONE;
        o->bare = true;
    } else {
        kind = read_leaf(o, &c, same && !opened, table);
    }
    indent_of(&c, &after);
    *text_out = after.i;
    return same && bare ? LINE_GOES_ON : kind;
}

/* Lines */

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

/* How far a formula that begins before `end` can reach: none goes on behind an empty line. */
static size_t span_limit(const struct outline_reader *r, size_t end)
{
    size_t limit = r->len - end > OUTLINE_SPAN ? end + OUTLINE_SPAN : r->len;
    const char *empty = memmem(r->text + end - 1, limit - (end - 1), "\n\n", 2);
    return empty ? (size_t)(empty - r->text) + 2 : limit;
}

/*
 * The first formula that begins in [from, end); false: none does. It is looked for from where the piece
 * or the formula before ended, and only as far as one can reach, so that the result depends on nothing
 * else.
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
    if (r->n_spans == r->cap_spans) {
        size_t cap = r->cap_spans ? 2 * r->cap_spans : 16;
        struct outline_span *spans = realloc(r->spans, cap * sizeof *spans);
        if (!spans) {
            r->failed = true;
            return;
        }
        r->spans = spans;
        r->cap_spans = cap;
    }
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
 * The end of the line from pos, behind its newline; formulas hide theirs. *cut_out: too long, and the
 * end is where it is cut. Fences have no formulas.
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

/* Whether the line from `pos`, of containers `o`, is the delimiter row under a header at `header`. */
static bool makes_table(const struct outline_reader *r, const struct outline *o, size_t header,
                        size_t pos)
{
    size_t most = r->len - pos > OUTLINE_PIECE ? pos + OUTLINE_PIECE : r->len;
    const char *newline = pos < most ? memchr(r->text + pos, '\n', most - pos) : NULL;
    struct cursor c = {.s = r->text, .i = pos, .end = newline ? (size_t)(newline - r->text) : most};

    if (pos >= r->len || !memchr(r->text + header, '|', pos - header))
        return false;
    match(o, &c);
    return is_delimiter_row(&c);
}

/* Whether an empty line begins at the newline at `at`; formulas and code among words end at one. */
static bool is_gap(const struct outline_reader *r, size_t at)
{
    size_t i = at + 1;
    while (i < r->len && (r->text[i] == ' ' || r->text[i] == '\t' || r->text[i] == '\r'))
        i++;
    return i < r->len && r->text[i] == '\n';
}

/*
 * Whether what may be a formula in the piece, or behind it up to `end`, may still become another: it is
 * none yet, or backticks could hide it.
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

/* Whether no more text can change where the piece ends and what it is. */
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
        if (i < end || read_line(&next, r->text, r->pos, end, false, &text) != LINE_EMPTY)
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

        /* A fence has no formulas, not even in the line that opens it. */
        read_line(&probe, r->text, r->pos, end, false, &text);
        bool fence = next.leaf == LEAF_FENCE || probe.leaf == LEAF_FENCE;
        if (!fence)
            end = line_end(r, r->pos, false, &cut);
        bool table = !cut && !fence && makes_table(r, &next, r->pos, end);
        enum line_kind kind = read_line(&next, r->text, r->pos, end, table, &text);
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

/* Writing the state */

static bool put_spaces(struct bytes *out, int n)
{
    static const char spaces[] = "                                ";
    bool ok = true;
    for (; n > 0 && ok; n -= (int)sizeof spaces - 1)
        ok = bytes_add(out, spaces, (size_t)n < sizeof spaces - 1 ? (size_t)n : sizeof spaces - 1);
    return ok;
}

static const char placeholder = 0x1a;

/* What a line begins with to be in the first n containers. */
static bool put_margin(const struct outline *o, int n, struct bytes *out)
{
    bool ok = true;
    for (int i = 0; i < n && ok; i++)
        ok = o->open[i].mark == '>' ? bytes_add(out, "> ", 2)
                                    : put_spaces(out, o->open[i].indent + o->open[i].content);
    return ok;
}

/* An empty line after some text in the first n containers. */
static bool put_empty_line(const struct outline *o, int n, struct bytes *out)
{
    return bytes_add(out, &placeholder, 1) && bytes_add(out, "\n", 1) && put_margin(o, n, out) &&
           bytes_add(out, "\n", 1);
}

/* Opens the containers. One that is indented needs a line of its own, or it would widen the one around. */
static bool put_containers(const struct outline *o, struct bytes *out)
{
    static const char ones[] = "111111111";
    bool ok = true;

    for (int i = 0; i < o->depth && ok; i++) {
        const struct outline_open *open = &o->open[i];
        if (i > 0 && open->indent > 0)
            ok = put_empty_line(o, i, out) && put_margin(o, i, out);
        if (open->mark == '>')
            ok = ok && bytes_add(out, "> ", 2);
        else
            ok = ok && put_spaces(out, open->indent) && bytes_add(out, ones, open->digits) &&
                 bytes_add(out, &open->mark, 1) &&
                 put_spaces(out, open->content - open->digits - 1);
    }
    return ok;
}

/* A line of the text, without its newline. */
static bool put_line(const char *text, size_t len, size_t from, struct bytes *out)
{
    const char *newline = memchr(text + from, '\n', len - from);
    size_t n = newline ? (size_t)(newline - text) - from : len - from;
    return bytes_add(out, text + from, n < OUTLINE_PIECE ? n : OUTLINE_PIECE);
}

static bool put_fence(const struct outline *o, const char *text, size_t len, struct bytes *out)
{
    bool ok = put_spaces(out, o->in_line ? 0 : o->fence_indent);
    for (uint32_t i = 0; i < o->fence_len && ok; i++)
        ok = bytes_add(out, &o->fence, 1);
    ok = ok && put_line(text, len, o->fence_info, out) && bytes_add(out, "\n", 1);
    return ok && (!o->in_line || put_margin(o, o->depth, out));
}

/* The header row and the line under it, which stands in the containers again. */
static bool put_table(const struct outline *o, const char *text, size_t len, struct bytes *out)
{
    const char *newline = memchr(text + o->table, '\n', len - o->table);
    if (!newline)
        return true;
    return put_line(text, len, o->table, out) && bytes_add(out, "\n", 1) &&
           put_line(text, len, (size_t)(newline - text) + 1, out) && bytes_add(out, "\n", 1);
}

bool outline_context(const struct outline *o, const char *text, size_t len, struct bytes *out)
{
    if (o->depth == 0 && o->leaf == LEAF_NONE)
        return true;
    if (!put_containers(o, out))
        return false;
    switch (o->leaf) {
    case LEAF_FENCE: return put_fence(o, text, len, out);
    case LEAF_TABLE: return put_table(o, text, len, out);
    case LEAF_TEXT:
        return bytes_add(out, &placeholder, 1) && (o->in_line || bytes_add(out, "\n", 1));
    case LEAF_NONE: break;
    }
    return put_empty_line(o, o->depth, out);
}
