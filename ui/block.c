/*
 * block.c: text -> styled lines. Paragraphs, headings, lists, quotes, rules and fenced code; in them
 * strong text, code and \boxed{}. A marker whose end is not in sight is shown as it stands.
 */
#include "block.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOOKAHEAD = 1024, /* how far behind its marker the end of a stretch is looked for, in bytes */
    MARKER_MAX = 8,
    TAB_STOP = 4,
    WIDTH_MIN = 4,
    CODE_INDENT = 2,
    FENCE = 3,
};

/* The line being laid, and what it is laid from. */
struct writer {
    struct block *b;
    const char *src;
    size_t len;
    size_t text, span; /* where the line begins */
    size_t source_end; /* of the source line it is laid from; 0: not looked up */
    int col;
    bool failed;
};

void block_init(struct block *b, bool plain)
{
    *b = (struct block){.plain = plain};
}

void block_done(struct block *b)
{
    bytes_free(&b->text);
    free(b->spans);
    free(b->lines);
    block_init(b, b->plain);
}

/* Writing a line */

static bool grow(void **array, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 16;
    void *grown = realloc(*array, more * size);
    if (!grown)
        return false;
    *array = grown;
    *cap = more;
    return true;
}

static void begin_line(struct writer *w)
{
    w->text = w->b->text.len;
    w->span = w->b->n_spans;
    w->col = 0;
}

static void end_line(struct writer *w)
{
    struct block *b = w->b;
    if (!grow((void **)&b->lines, &b->cap_lines, b->n_lines, sizeof *b->lines)) {
        w->failed = true;
        return;
    }
    b->lines[b->n_lines++] = (struct block_line){w->text, w->span};
}

static void put(struct writer *w, const char *s, size_t n, int columns, uint8_t style)
{
    struct block *b = w->b;
    bool same = b->n_spans > w->span && b->spans[b->n_spans - 1].style == style;

    if ((!same && !grow((void **)&b->spans, &b->cap_spans, b->n_spans, sizeof *b->spans)) ||
        !bytes_add(&b->text, s, n)) {
        w->failed = true;
        return;
    }
    if (!same)
        b->spans[b->n_spans++].style = style;
    b->spans[b->n_spans - 1].end = (uint32_t)(b->text.len - w->text);
    w->col += columns;
}

static void put_label(struct writer *w, const char *s, uint8_t style)
{
    put(w, s, strlen(s), text_width(s, strlen(s)), style);
}

static void put_spaces(struct writer *w, int n)
{
    for (int i = 0; i < n; i++)
        put(w, " ", 1, 1, STYLE_TEXT);
}

/* Takes the line back to its first n bytes. */
static void cut_line(struct writer *w, size_t n)
{
    struct block *b = w->b;
    bytes_cut(&b->text, w->text + n);
    while (b->n_spans > w->span + 1 && b->spans[b->n_spans - 2].end >= n)
        b->n_spans--;
    if (b->n_spans > w->span && b->spans[b->n_spans - 1].end > n)
        b->spans[b->n_spans - 1].end = (uint32_t)n;
}

/* Source lines */

static size_t line_end(const struct writer *w, size_t pos)
{
    const char *newline = pos < w->len ? memchr(w->src + pos, '\n', w->len - pos) : NULL;
    return newline ? (size_t)(newline - w->src) : w->len;
}

static size_t skip_spaces(const struct writer *w, size_t pos, size_t end)
{
    while (pos < end && (w->src[pos] == ' ' || w->src[pos] == '\t'))
        pos++;
    return pos;
}

static bool is_fence(const struct writer *w, size_t pos, size_t end)
{
    return end - pos >= FENCE &&
           (memcmp(w->src + pos, "```", FENCE) == 0 || memcmp(w->src + pos, "~~~", FENCE) == 0);
}

/* A line of three or more of one of -*_ and nothing else. */
static bool is_rule(const struct writer *w, size_t pos, size_t end)
{
    char c = pos < end ? w->src[pos] : 0;
    size_t n = 0;
    if (c != '-' && c != '*' && c != '_')
        return false;
    for (; pos < end; pos++) {
        if (w->src[pos] == c)
            n++;
        else if (w->src[pos] != ' ')
            return false;
    }
    return n >= 3;
}

/* The length of a list marker with its space ("- ", "12. "), 0: none. */
static size_t list_marker(const struct writer *w, size_t pos, size_t end)
{
    size_t i = pos;
    if (i < end && strchr("-*+", w->src[i])) {
        i++;
    } else {
        while (i < end && i - pos < 9 && w->src[i] >= '0' && w->src[i] <= '9')
            i++;
        if (i == pos || i == end || (w->src[i] != '.' && w->src[i] != ')'))
            return 0;
        i++;
    }
    return i < end && w->src[i] == ' ' ? i + 1 - pos : 0;
}

static size_t heading_marker(const struct writer *w, size_t pos, size_t end)
{
    size_t n = 0;
    while (pos + n < end && n <= 6 && w->src[pos + n] == '#')
        n++;
    return n >= 1 && n <= 6 && pos + n < end && w->src[pos + n] == ' ' ? n + 1 : 0;
}

static void next_source_line(struct writer *w, struct block_point *p, size_t end)
{
    p->pos = end < w->len ? end + 1 : end;
    p->kind = BLOCK_START;
    p->indent = 0;
    p->strong_end = p->code_end = p->result_end = 0;
}

/* Inlines */

static bool looking_at(const struct writer *w, size_t pos, size_t end, const char *s)
{
    size_t n = strlen(s);
    return end - pos >= n && memcmp(w->src + pos, s, n) == 0;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Where `marker` occurs next on this source line, 0: not in sight. */
static size_t find_marker(const struct writer *w, size_t from, size_t end, const char *marker)
{
    size_t n = strlen(marker);
    if (end > from + LOOKAHEAD)
        end = from + LOOKAHEAD;
    for (size_t i = from; i + n <= end; i++)
        if (memcmp(w->src + i, marker, n) == 0)
            return i;
    return 0;
}

/*
 * Where strong text that begins at pos ends, 0: none begins. Opens after no letter or digit and closes
 * after no space, so that 2**3 is a power.
 */
static size_t find_strong(const struct writer *w, size_t pos, size_t end)
{
    size_t close = pos + 2;

    if (!looking_at(w, pos, end, "**") || pos + 2 == end || strchr(" *", w->src[pos + 2]) ||
        (pos > 0 && is_alnum(w->src[pos - 1])))
        return 0;
    do
        close = find_marker(w, close + 1, end, "**");
    while (close && w->src[close - 1] == ' ' && close - pos < LOOKAHEAD);
    return close && close - pos < LOOKAHEAD ? close : 0;
}

/* Behind the brace that closes the one before `from`, 0: not in sight. */
static size_t find_brace(const struct writer *w, size_t from, size_t end)
{
    int depth = 1;
    if (end > from + LOOKAHEAD)
        end = from + LOOKAHEAD;
    for (size_t i = from; i < end; i++) {
        depth += (w->src[i] == '{') - (w->src[i] == '}');
        if (depth == 0)
            return i + 1;
    }
    return 0;
}

/* Steps over markers at p->pos; false: there is none, it is text. */
static bool take_marker(const struct writer *w, struct block_point *p, size_t end)
{
    static const char boxed[] = "\\boxed{";
    size_t pos = p->pos, close;

    if (p->result_end && pos >= p->result_end)
        p->result_end = 0;
    if (p->code_end) {
        if (pos < p->code_end)
            return false;
        p->code_end = 0;
        p->pos = pos + 1;
        return true;
    }
    if (p->strong_end && pos == p->strong_end) {
        p->strong_end = 0;
        p->pos = pos + 2;
        return true;
    }
    if (w->src[pos] == '`' && (close = find_marker(w, pos + 1, end, "`")) > pos + 1) {
        p->code_end = close;
        p->pos = pos + 1;
        return true;
    }
    if (!p->strong_end && (close = find_strong(w, pos, end)) > 0) {
        p->strong_end = close;
        p->pos = pos + 2;
        return true;
    }
    if (!p->result_end && looking_at(w, pos, end, boxed))
        p->result_end = find_brace(w, pos + strlen(boxed), end);
    return false;
}

static uint8_t inline_style(const struct block_point *p)
{
    if (p->code_end || p->kind == BLOCK_CODE)
        return STYLE_CODE;
    if (p->result_end)
        return STYLE_RESULT;
    if (p->kind == BLOCK_HEADING)
        return STYLE_HEADING;
    return p->strong_end ? STYLE_STRONG : STYLE_TEXT;
}

/* Lines */

/*
 * Fills the line from p with text up to `end`, or up to where it must break; p moves on. Breaking
 * takes back what was written after the last place where a line may end.
 */
static void fill_line(struct writer *w, struct block_point *p, size_t end)
{
    bool code = p->kind == BLOCK_CODE, marked = !w->b->plain && !code;
    struct text_cluster c, prev = {.cp = {'x'}};
    struct block_point best = *p;
    size_t best_len = 0;
    bool any = false;

    while (p->pos < end && !w->failed) {
        struct block_point here = *p;
        if (marked && take_marker(w, p, end))
            continue;
        text_next(w->src + p->pos, end - p->pos, &c);
        bool space = text_is_space(&c);
        int columns = c.cp[0] == '\t' && space ? TAB_STOP - w->col % TAB_STOP : c.width;
        if (any && (code || text_breaks_before(&prev, &c))) {
            best = here;
            best_len = w->b->text.len - w->text;
        }
        if (any && w->col + columns > w->b->width && (code || !space)) {
            if (best_len == 0) {
                best = here;
                best_len = w->b->text.len - w->text;
            }
            *p = best;
            cut_line(w, best_len);
            break;
        }
        if (space)
            put(w, "    ", (size_t)columns, columns, inline_style(p));
        else
            put(w, w->src + p->pos, c.len, columns, inline_style(p));
        p->pos += c.len;
        prev = c;
        any = true;
    }
    if (p->pos >= end)
        next_source_line(w, p, end);
    if (code)
        return;
    size_t n = w->b->text.len; /* spaces at the end would only be drawn over the edge */
    while (n > w->text && w->b->text.data[n - 1] == ' ')
        n--;
    cut_line(w, n - w->text);
}

/* The first line of a source line: sees what it is and writes what stands before its text. */
static void open_line(struct writer *w, struct block_point *p, size_t end)
{
    size_t at = skip_spaces(w, p->pos, end), n;
    int depth = (int)(at - p->pos), most = w->b->width / 2;

    p->kind = BLOCK_PARAGRAPH;
    if (w->b->plain)
        return;
    if ((n = heading_marker(w, at, end)) > 0) {
        p->kind = BLOCK_HEADING;
        p->pos = at + n;
    } else if (looking_at(w, at, end, "> ")) {
        p->kind = BLOCK_QUOTE;
        p->pos = at + 2;
        put_label(w, "│ ", STYLE_RULE);
    } else if ((n = list_marker(w, at, end)) > 0) {
        put_spaces(w, depth < most ? depth : most);
        if (n == 2)
            put_label(w, "• ", STYLE_DIM);
        else
            put(w, w->src + at, n, (int)n, STYLE_TEXT);
        p->indent = w->col < most ? w->col : most;
        p->pos = at + n;
    }
}

/* What stands before the text of the lines after the first. */
static void continue_line(struct writer *w, const struct block_point *p)
{
    if (p->kind == BLOCK_QUOTE)
        put_label(w, "│ ", STYLE_RULE);
    else
        put_spaces(w, p->indent);
}

/* A fence line shows the language it names, or nothing. */
static void lay_fence(struct writer *w, struct block_point *p, size_t end)
{
    size_t at = skip_spaces(w, p->pos, end) + FENCE;

    p->fenced = !p->fenced;
    if (p->fenced && at < end) {
        begin_line(w);
        put_label(w, "── ", STYLE_RULE);
        size_t n = text_fit(w->src + at, end - at, w->b->width - w->col, NULL);
        put(w, w->src + at, n, 0, STYLE_DIM);
        end_line(w);
    }
    next_source_line(w, p, end);
}

/* Lays what comes next from p: a line, or a source line that shows none. */
static void lay_line(struct writer *w, struct block_point *p)
{
    bool start = p->kind == BLOCK_START, plain = w->b->plain;
    if (start || w->source_end == 0)
        w->source_end = line_end(w, p->pos);
    size_t end = w->source_end;
    size_t at = start ? skip_spaces(w, p->pos, end) : p->pos;

    if (start && !p->fenced && at == end && !plain) {
        p->blank_due = w->b->n_lines > 0;
        next_source_line(w, p, end);
        return;
    }
    begin_line(w);
    if (p->blank_due) {
        p->blank_due = false;
        end_line(w);
        return;
    }
    if (start && !plain && is_fence(w, at, end)) {
        lay_fence(w, p, end);
        return;
    }
    if (start && !plain && !p->fenced && is_rule(w, at, end)) {
        for (int i = 0; i < w->b->width; i++)
            put_label(w, "─", STYLE_RULE);
        next_source_line(w, p, end);
        end_line(w);
        return;
    }
    if (p->fenced) {
        p->kind = BLOCK_CODE;
        put_spaces(w, CODE_INDENT);
    } else if (start) {
        open_line(w, p, end);
    } else {
        continue_line(w, p);
    }
    fill_line(w, p, end);
    end_line(w);
}

/* Goes back to the last settled point, or to the start for another width. */
static void rewind_lines(struct block *b, int width)
{
    if (b->width != width) {
        b->width = width;
        b->settled = (struct block_point){0};
        b->settled_lines = 0;
    }
    if (b->settled_lines < b->n_lines) {
        bytes_cut(&b->text, b->lines[b->settled_lines].text);
        b->n_spans = b->lines[b->settled_lines].span;
        b->n_lines = b->settled_lines;
    }
}

bool block_lay(struct block *b, const char *text, size_t len, int width)
{
    if (width < WIDTH_MIN)
        width = WIDTH_MIN;
    if (b->width == width && b->laid == len)
        return true;
    rewind_lines(b, width);
    b->laid = len;

    struct writer w = {.b = b, .src = text, .len = len};
    struct block_point p = b->settled;
    while (p.pos < len && !w.failed) {
        lay_line(&w, &p);
        bool known = p.kind == BLOCK_START ? text[p.pos - 1] == '\n'
                                           : p.pos + MARKER_MAX + LOOKAHEAD <= len;
        if (known && !w.failed) {
            b->settled = p;
            b->settled_lines = b->n_lines;
        }
    }
    if (w.failed)
        b->laid = SIZE_MAX;
    return !w.failed;
}

void block_draw(const struct block *b, size_t line, struct grid *g, int row, int col, uint8_t flags)
{
    const struct block_line *at = &b->lines[line];
    size_t last = line + 1 < b->n_lines ? at[1].span : b->n_spans;
    uint32_t begin = 0;

    for (size_t i = at->span; i < last; i++) {
        const struct block_span *span = &b->spans[i];
        col += grid_text(g, row, col, g->cols - col, b->text.data + at->text + begin,
                         span->end - begin, span->style | flags);
        begin = span->end;
    }
}
