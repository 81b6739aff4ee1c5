/*
 * markdown.c: md4c's callbacks -> runs of styled text -> lines. Text is taken from the source at
 * the position md4c reports, since the text given to md4c has placeholders in place of formulas.
 */
#include "markdown/markdown.h"
#include "markdown/code.h"
#include "markdown/entity.h"
#include "markdown/formula.h"
#include "text/text.h"

#include <limits.h>
#include <md4c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACEHOLDER = 0x1a,
    LISTS_MAX = 64,
    DEFINITION_MAX = 1024, /* maximum length of a label in bytes */
};

enum block_kind {
    BLOCK_TEXT,
    BLOCK_HEADING,
    BLOCK_FENCED,
    BLOCK_INDENTED,
    BLOCK_RULE,
    BLOCK_TABLE
};

struct writer {
    struct lines *l;
    const char *text;
    const struct outline_reader *reader;
    const struct outline_piece *piece;
    int width;
    struct markdown_carry *carry;

    struct bytes source; /* the context and the piece, as parsed by md4c */
    size_t context;
    size_t next_span;

    struct margin margin;
    int entered; /* containers so far; the first belong to the context */
    struct {
        bool ordered;
        unsigned number;
    } lists[LISTS_MAX];
    int n_lists;

    bool began; /* inside a block of the piece itself */
    bool space; /* the piece continues an earlier block */
    struct runs runs;
    int level, strong, em, strike, link; /* nesting depth; level: of the heading */
    bool in_code, in_table, in_header;
    struct bytes address;
    size_t link_text; /* index of the first run of the link's text */
    struct table table;
    enum table_align align;
    struct code code;
    bool failed;
};

/* Whether the current block began in an earlier piece. */
static bool is_continued(const struct writer *w)
{
    return !w->began && w->piece->before.leaf != LEAF_NONE;
}

/* A blank line before a block, if the source has one or the layout calls for one. */
static void begin_block(struct writer *w, enum block_kind kind)
{
    bool roomy = kind == BLOCK_FENCED || kind == BLOCK_INDENTED || kind == BLOCK_TABLE;
    bool same = kind == BLOCK_INDENTED && w->carry->indented;
    bool top = w->margin.n == 0 || w->margin.entries[0].fresh;
    bool gap = !w->began && w->piece->before.blank;

    if (is_continued(w)) {
        w->began = true;
        return;
    }
    if (top && !same)
        gap = gap || roomy || w->carry->roomy || kind == BLOCK_HEADING;
    lines_end(w->l);
    if (gap && w->l->n > 0)
        lines_gap(w->l, &w->margin);
    w->began = true;
    w->carry->roomy = roomy && w->margin.n == 0;
    w->carry->indented = kind == BLOCK_INDENTED;
}

/* Lays out the collected paragraph or heading. */
static void flush(struct writer *w)
{
    struct runs *r = &w->runs;
    size_t at = 0;

    if (r->n == 0 || w->in_table)
        return;
    begin_block(w, w->level > 0 ? BLOCK_HEADING : BLOCK_TEXT);
    while (at < r->n) {
        if (r->runs[at].kind == RUN_BLOCK) {
            if (at > 0)
                lines_gap(w->l, &w->margin);
            formula_layout(w->l, &w->margin, w->width, w->text, &w->reader->spans[r->runs[at].arg]);
            w->carry->open_text = false;
            if (++at < r->n)
                lines_gap(w->l, &w->margin);
        } else {
            at = runs_layout(r, at, w->l, &w->margin, w->width);
            w->carry->open_text = true;
        }
    }
    w->carry->roomy = r->n > 1 && r->runs[r->n - 1].kind == RUN_BLOCK;
    runs_clear(r);
}

/* Inlines */

static uint8_t inline_style(const struct writer *w)
{
    if (w->in_code)
        return STYLE_CODE;
    if (w->level > 0)
        return w->level <= 2 ? STYLE_HEADING : STYLE_SUBHEADING;
    if (w->link > 0)
        return STYLE_LINK;
    if (w->strike > 0)
        return STYLE_DIM;
    if (w->strong > 0 || w->in_header)
        return STYLE_STRONG;
    return w->em > 0 ? STYLE_EMPHASIS : STYLE_TEXT;
}

static void add(struct writer *w, const char *s, size_t n, uint8_t style)
{
    bool ok = n == 0 || !w->space || runs_add(&w->runs, " ", 1, STYLE_TEXT, RUN_TEXT, 0);
    w->space = w->space && n == 0;
    if (!ok || (n > 0 && !runs_add(&w->runs, s, n, style, RUN_TEXT, 0)))
        w->failed = true;
}

static void add_break(struct writer *w)
{
    struct runs *r = &w->runs;
    if (r->n == 0 || r->runs[r->n - 1].kind == RUN_BLOCK || w->in_table)
        return;
    if (!runs_add(r, "", 0, STYLE_TEXT, RUN_BREAK, 0))
        w->failed = true;
}

static void add_formula(struct writer *w, size_t number)
{
    struct runs *r = &w->runs;
    size_t n = r->n;
    bool as_inline = w->in_table || w->level > 0 || w->strike > 0;
    if (!formula_add(r, w->text, &w->reader->spans[number], as_inline, (uint32_t)number))
        w->failed = true;
    if (n > 0 && r->n > n && r->runs[n].kind == RUN_BLOCK && r->runs[n - 1].kind == RUN_BREAK) {
        r->runs[n - 1] = r->runs[n];
        r->n--;
    }
}

/* Text of the piece, n bytes at a source position; placeholders are replaced by formulas. */
static void add_text(struct writer *w, size_t at, size_t n)
{
    const struct outline_reader *reader = w->reader;
    size_t end = at + n;

    while (at < end) {
        while (w->next_span < reader->n_spans && reader->spans[w->next_span].start < at)
            w->next_span++;
        const struct outline_span *span = w->next_span < reader->n_spans
                                              ? &reader->spans[w->next_span]
                                              : NULL;
        if (!span || span->start >= end) {
            add(w, w->text + at, end - at, inline_style(w));
            return;
        }
        add(w, w->text + at, span->start - at, inline_style(w));
        add_formula(w, w->next_span);
        at = span->end;
    }
}

static void add_entity(struct writer *w, const char *s, size_t n)
{
    char utf8[ENTITY_MAX];
    size_t len = entity_decode(s, n, utf8);
    if (len > 0)
        add(w, utf8, len, inline_style(w));
    else
        add(w, s, n, inline_style(w));
}

/*
 * Maps md4c's text to the source; SIZE_MAX: it is md4c's own. The part that belongs to the context
 * is cut off.
 */
static size_t source_of(const struct writer *w, const char *s, MD_SIZE *n)
{
    const char *begin = w->source.data;
    if (s < begin || s >= begin + w->source.len)
        return SIZE_MAX;
    size_t offset = (size_t)(s - begin);
    if (offset < w->context) {
        size_t cut = w->context - offset;
        *n -= cut < *n ? (MD_SIZE)cut : *n;
        offset = w->context;
    }
    return w->piece->start + offset - w->context;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *s, MD_SIZE n, void *ud)
{
    struct writer *w = ud;
    size_t at = source_of(w, s, &n);

    if (n == 0)
        return 0;
    if (w->code.open) {
        code_add(&w->code, type == MD_TEXT_NULLCHAR ? "\0" : at == SIZE_MAX ? s : w->text + at, n);
        return 0;
    }
    switch (type) {
    case MD_TEXT_NULLCHAR: add(w, "\0", 1, inline_style(w)); break;
    case MD_TEXT_BR:
    case MD_TEXT_SOFTBR: add_break(w); break;
    case MD_TEXT_ENTITY: add_entity(w, at == SIZE_MAX ? s : w->text + at, n); break;
    case MD_TEXT_CODE: add(w, at == SIZE_MAX ? s : w->text + at, n, STYLE_CODE); break;
    default:
        if (at == SIZE_MAX)
            add(w, s, n, inline_style(w));
        else
            add_text(w, at, n);
    }
    return w->failed ? -1 : 0;
}

/* Appends the address after a link's text, unless they are equal. */
static void end_link(struct writer *w)
{
    const struct bytes *text = &w->runs.text;
    size_t n = text->len - w->link_text;
    const char *shown = text->data + w->link_text, *address = w->address.data;
    static const char mail[] = "mailto:";

    if (w->address.len == 0)
        return;
    if (n == w->address.len && memcmp(shown, address, n) == 0)
        return;
    if (w->address.len == n + strlen(mail) && memcmp(address + strlen(mail), shown, n) == 0)
        return;
    add(w, " (", 2, STYLE_DIM);
    add(w, address, w->address.len, STYLE_DIM);
    add(w, ")", 1, STYLE_DIM);
}

static void begin_link(struct writer *w, const MD_ATTRIBUTE *address)
{
    bytes_cut(&w->address, 0);
    if (!bytes_add(&w->address, address->text, address->size))
        w->failed = true;
    w->link_text = w->runs.text.len;
}

/* A terminal that cannot strike text through shows where that begins and ends. */
static void mark_struck(struct writer *w)
{
    if (w->l->strikes)
        w->runs.flags = w->strike > 0 ? STYLE_STRUCK : 0;
    else
        add(w, "~~", 2, STYLE_DIM);
}

static int on_enter_span(MD_SPANTYPE type, void *detail, void *ud)
{
    struct writer *w = ud;
    switch (type) {
    case MD_SPAN_EM: w->em++; break;
    case MD_SPAN_STRONG: w->strong++; break;
    case MD_SPAN_CODE: w->in_code = true; break;
    case MD_SPAN_DEL:
        w->strike++;
        mark_struck(w);
        break;
    case MD_SPAN_A:
        if (w->link++ == 0)
            begin_link(w, &((MD_SPAN_A_DETAIL *)detail)->href);
        break;
    case MD_SPAN_IMG:
        if (w->link++ == 0)
            begin_link(w, &((MD_SPAN_IMG_DETAIL *)detail)->src);
        break;
    default: break;
    }
    return w->failed ? -1 : 0;
}

static int on_leave_span(MD_SPANTYPE type, void *detail, void *ud)
{
    struct writer *w = ud;
    (void)detail;
    switch (type) {
    case MD_SPAN_EM: w->em--; break;
    case MD_SPAN_STRONG: w->strong--; break;
    case MD_SPAN_CODE: w->in_code = false; break;
    case MD_SPAN_DEL:
        w->strike--;
        mark_struck(w);
        break;
    case MD_SPAN_A:
    case MD_SPAN_IMG:
        if (--w->link == 0)
            end_link(w);
        break;
    default: break;
    }
    return w->failed ? -1 : 0;
}

/* Blocks */

static void enter_quote(struct writer *w)
{
    bool fresh = w->entered++ >= w->piece->before.depth;
    flush(w);
    margin_push(&w->margin, &(struct margin_entry){.columns = 2, .bar = true, .fresh = fresh},
                w->width);
}

static void enter_list(struct writer *w, bool ordered, unsigned start)
{
    flush(w);
    if (w->n_lists < LISTS_MAX) {
        w->lists[w->n_lists].ordered = ordered;
        w->lists[w->n_lists].number = start;
    }
    w->n_lists++;
}

/* The number of the current item: the outline's count, or md4c's if that is lost. */
static unsigned item_number(const struct writer *w, bool context, unsigned number)
{
    const struct outline *o = context ? &w->piece->before : &w->piece->after;
    int depth = w->margin.n;
    return depth < o->depth && o->open[depth].digits > 0 ? o->open[depth].number : number;
}

static void enter_item(struct writer *w, const MD_BLOCK_LI_DETAIL *detail)
{
    static const char *const bullets[] = {"• ", "◦ ", "▪ "};
    bool context = w->entered++ < w->piece->before.depth;
    int list = w->n_lists < LISTS_MAX ? w->n_lists - 1 : LISTS_MAX - 1, nested = 0;
    struct margin_entry entry = {.columns = 2, .fresh = !context, .label_style = STYLE_DIM};

    flush(w);
    for (int i = 0; i < list; i++)
        nested += !w->lists[i].ordered;
    snprintf(entry.label, sizeof entry.label, "%s", bullets[nested % 3]);
    if (detail->is_task) {
        snprintf(entry.label, sizeof entry.label, "%s", detail->task_mark == ' ' ? "☐ " : "☑ ");
    } else if (w->lists[list].ordered) {
        unsigned number = item_number(w, context, w->lists[list].number);
        entry.columns = snprintf(entry.label, sizeof entry.label, "%u. ", number);
        entry.label_style = STYLE_TEXT;
        w->lists[list].number = number + 1;
    }
    if (context)
        entry.label[0] = '\0';
    margin_push(&w->margin, &entry, w->width);
}

/* An empty item or quote still shows its marker. */
static void leave_container(struct writer *w)
{
    flush(w);
    if (margin_is_fresh(&w->margin)) {
        begin_block(w, BLOCK_TEXT);
        lines_begin(w->l, &w->margin);
        lines_end(w->l);
    }
    margin_pop(&w->margin);
}

static void enter_code(struct writer *w, const MD_BLOCK_CODE_DETAIL *detail)
{
    bool continues = is_continued(w);
    flush(w);
    begin_block(w, detail->fence_char ? BLOCK_FENCED : BLOCK_INDENTED);
    if (!continues)
        w->carry->code_state = 0;
    code_begin(&w->code, detail->info.text, detail->info.size, w->carry->code_state);
    if (!continues && detail->info.size > 0)
        code_header(&w->code, detail->info.text, detail->info.size);
}

static void leave_code(struct writer *w)
{
    code_end(&w->code);
    w->carry->code_state = w->code.state;
    w->carry->open_text = true;
}

static void layout_rule(struct writer *w)
{
    flush(w);
    begin_block(w, BLOCK_RULE);
    lines_begin(w->l, &w->margin);
    while (w->l->col < w->width && !w->l->failed)
        lines_put(w->l, "─", strlen("─"), 1, STYLE_RULE);
    lines_end(w->l);
    w->carry->open_text = false;
}

static void leave_table(struct writer *w)
{
    bool continues = is_continued(w);
    w->in_table = false;
    begin_block(w, BLOCK_TABLE);
    table_layout(&w->table, w->l, &w->margin, w->width, continues, &w->carry->columns);
    table_free(&w->table);
    w->carry->open_text = false;
}

static void end_cell(struct writer *w)
{
    int columns = w->table.columns;
    if (columns > 0 && !table_add(&w->table, &w->runs, w->align))
        w->failed = true;
    runs_clear(&w->runs);
}

static void enter_cell(struct writer *w, const MD_BLOCK_TD_DETAIL *detail)
{
    w->align = detail->align == MD_ALIGN_RIGHT    ? TABLE_RIGHT
               : detail->align == MD_ALIGN_CENTER ? TABLE_CENTER
                                                  : TABLE_LEFT;
}

static int on_enter_block(MD_BLOCKTYPE type, void *detail, void *ud)
{
    struct writer *w = ud;
    switch (type) {
    case MD_BLOCK_QUOTE: enter_quote(w); break;
    case MD_BLOCK_UL: enter_list(w, false, 0); break;
    case MD_BLOCK_OL: enter_list(w, true, ((MD_BLOCK_OL_DETAIL *)detail)->start); break;
    case MD_BLOCK_LI: enter_item(w, detail); break;
    case MD_BLOCK_HR: layout_rule(w); break;
    case MD_BLOCK_H:
        flush(w);
        w->level = (int)((MD_BLOCK_H_DETAIL *)detail)->level;
        break;
    case MD_BLOCK_CODE: enter_code(w, detail); break;
    case MD_BLOCK_P: flush(w); break;
    case MD_BLOCK_TABLE:
        flush(w);
        w->in_table = true;
        w->table.columns = (int)((MD_BLOCK_TABLE_DETAIL *)detail)->col_count;
        break;
    case MD_BLOCK_THEAD: w->in_header = true; break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD: enter_cell(w, detail); break;
    default: break;
    }
    return w->failed ? -1 : 0;
}

static int on_leave_block(MD_BLOCKTYPE type, void *detail, void *ud)
{
    struct writer *w = ud;
    (void)detail;
    switch (type) {
    case MD_BLOCK_QUOTE:
    case MD_BLOCK_LI: leave_container(w); break;
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
        flush(w);
        w->n_lists--;
        break;
    case MD_BLOCK_H:
        flush(w);
        w->level = 0;
        w->carry->open_text = false;
        break;
    case MD_BLOCK_CODE: leave_code(w); break;
    case MD_BLOCK_P: flush(w); break;
    case MD_BLOCK_TABLE: leave_table(w); break;
    case MD_BLOCK_THEAD: w->in_header = false; break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD: end_cell(w); break;
    default: break;
    }
    return w->failed ? -1 : 0;
}

/* Preparing the input of md4c */

/*
 * Markdown hides `[label]: address`; here it is shown, since no text may be lost.
 */
static void keep_definition(struct writer *w)
{
    const struct outline_piece *piece = w->piece;
    size_t at = piece->text,
           most = piece->end - at < DEFINITION_MAX ? piece->end - at : DEFINITION_MAX;

    if (at >= piece->end || w->text[at] != '[')
        return;
    const char *end = memmem(w->text + at, most, "]:", 2);
    if (end)
        w->source.data[w->context + at - piece->start] = PLACEHOLDER;
}

static bool prepare(struct writer *w)
{
    const struct outline_piece *piece = w->piece;
    const struct outline_reader *reader = w->reader;

    if (!outline_context(&piece->before, w->text, reader->len, &w->source))
        return false;
    w->context = w->source.len;
    if (!bytes_add(&w->source, w->text + piece->start, piece->end - piece->start))
        return false;
    char *copy = w->source.data + w->context;
    for (size_t i = 0; i < reader->n_spans; i++) {
        const struct outline_span *span = &reader->spans[i];
        if (span->start >= piece->start && span->end <= piece->end)
            memset(copy + span->start - piece->start, PLACEHOLDER, span->end - span->start);
    }
    for (char *at = copy; (at = memchr(at, '\r', (size_t)(w->source.data + w->source.len - at)));)
        *at = at[1] == '\n' ? ' ' : PLACEHOLDER; /* a lone one ends no line */
    keep_definition(w);
    w->space = piece->before.in_line && piece->before.leaf == LEAF_TEXT &&
               w->text[piece->start - 1] == ' ';
    return true;
}

/* Leaves the line open for the next piece to continue. */
static void leave_open(struct writer *w)
{
    if (w->piece->after.in_line && w->carry->open_text)
        lines_reopen(w->l);
}

bool markdown_layout(struct lines *l, const char *text, const struct outline_reader *reader,
                     const struct outline_piece *piece, int width, struct markdown_carry *carry)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS |
                 MD_FLAG_PERMISSIVEURLAUTOLINKS,
        .enter_block = on_enter_block,
        .leave_block = on_leave_block,
        .enter_span = on_enter_span,
        .leave_span = on_leave_span,
        .text = on_text,
    };
    struct writer w = {
        .l = l,
        .text = text,
        .reader = reader,
        .piece = piece,
        .width = width,
        .carry = carry,
        .code = {.l = l, .margin = &w.margin, .width = width},
    };

    bool ok = prepare(&w) && w.source.len <= UINT_MAX &&
              md_parse(w.source.data, (MD_SIZE)w.source.len, &parser, &w) == 0;
    if (ok)
        leave_open(&w);
    bytes_free(&w.source);
    bytes_free(&w.address);
    runs_free(&w.runs);
    table_free(&w.table);
    code_done(&w.code);
    return ok && !w.failed && !l->failed;
}
