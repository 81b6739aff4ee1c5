/* html.c - see html.h. md4c reads the Markdown, without its raw HTML; of links only those to the
 * web remain. */
#include "app/html.h"

#include <md4c.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ui/ui.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n";

/* Formulas are drawn in characters, so they need a monospaced font. */
static const char math_style[] =
    ".math, .formula { font-family: ui-monospace, \"DejaVu Sans Mono\", monospace; }\n"
    ".math { white-space: pre-wrap; } .formula { display: block; white-space: pre;\n"
    "  margin: 0.6rem 0; line-height: 1.2; overflow-x: auto; }\n";

void html_begin(struct str *out, const char *title, const char *meta, const char *style)
{
    str_adds(out, head);
    str_addf(out, "%s<title>", meta);
    html_add(out, title);
    str_addf(out, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n", math_style, style);
}

/* Text */

void html_add_text(struct str *out, const char *s, size_t len)
{
    struct str visible = {0};
    str_add_visible(&visible, s, len, true);
    for (const char *at = str_get(&visible); *at; at++)
        switch (*at) {
        case '&': str_adds(out, "&amp;"); break;
        case '<': str_adds(out, "&lt;"); break;
        case '>': str_adds(out, "&gt;"); break;
        case '"': str_adds(out, "&quot;"); break;
        case '\'': str_adds(out, "&#39;"); break;
        default: str_add(out, at, 1);
        }
    str_done(&visible);
}

void html_add(struct str *out, const char *s)
{
    html_add_text(out, s, strlen(s));
}

/* Formulas, drawn in characters */

/* A formula with its delimiters; what cannot be drawn is shown as it was written. */
static void add_formula(struct str *out, const char *s, size_t len)
{
    bool display;
    char *rows = ui_formula_rows(s, len, &display);
    size_t n = rows ? strlen(rows) : 0;
    str_adds(out, !rows     ? "<code>"
                  : display ? "<span class=\"formula\">"
                            : "<span class=\"math\">");
    html_add_text(out, rows ? rows : s, rows ? n - (n > 0) : len);
    str_adds(out, rows ? "</span>" : "</code>");
    free(rows);
}

void html_add_formula(struct str *out, const char *tex)
{
    struct str whole = {0};
    str_addf(&whole, "\\(%s\\)", tex);
    struct ui_formula found = {0};
    if (ui_formula_in(whole.data, whole.len, 0, &found) && found.start == 0 &&
        found.end == whole.len) {
        add_formula(out, whole.data, whole.len);
    } else {
        str_adds(out, "<code>");
        html_add(out, tex);
        str_adds(out, "</code>");
    }
    free(found.words);
    str_done(&whole);
}

/* Splits a text at its formulas: `formula` is called with each, `between` with the text between
 * them. */
static void part(const char *s, size_t len, struct str *out,
                 void (*between)(struct str *, const char *, size_t),
                 void (*formula)(struct str *, const char *, size_t))
{
    struct ui_formula f;
    size_t at = 0;
    while (ui_formula_in(s, len, at, &f)) {
        free(f.words);
        if (f.open)
            break;
        between(out, s + at, f.start - at);
        formula(out, s + f.start, f.end - f.start);
        at = f.end;
    }
    between(out, s + at, len - at);
}

void html_add_mixed(struct str *out, const char *s, size_t len)
{
    part(s, len, out, html_add_text, add_formula);
}

/* While the Markdown is read, each formula is replaced by one byte that no visible text has. */
enum { MARK = 0x02 };

static void add_mark(struct str *out, const char *s, size_t len)
{
    (void)s;
    (void)len;
    str_add(out, &(char){MARK}, 1);
}

/* An answer */

/* What is being written, and where in the text the next formula is looked for. */
struct page {
    struct str *out;
    const char *text;
    size_t len, at;
};

static void add_next_formula(struct page *p)
{
    struct ui_formula f;
    if (!ui_formula_in(p->text, p->len, p->at, &f))
        return;
    free(f.words);
    add_formula(p->out, p->text + f.start, f.end - f.start);
    p->at = f.end;
}

/* Text of the Markdown, with the formulas back in their places. */
static void add_words(struct page *p, const char *s, size_t len)
{
    for (const char *mark; (mark = memchr(s, MARK, len)); s = mark + 1) {
        html_add_text(p->out, s, (size_t)(mark - s));
        add_next_formula(p);
        len -= (size_t)(mark - s) + 1;
    }
    html_add_text(p->out, s, len);
}

static const char *open_tag(MD_BLOCKTYPE type)
{
    switch (type) {
    case MD_BLOCK_QUOTE: return "<blockquote>\n";
    case MD_BLOCK_UL: return "<ul>\n";
    case MD_BLOCK_LI: return "<li>";
    case MD_BLOCK_HR: return "<hr>\n";
    case MD_BLOCK_CODE: return "<pre><code>";
    case MD_BLOCK_P: return "<p>";
    case MD_BLOCK_TABLE: return "<table>\n";
    case MD_BLOCK_THEAD: return "<thead>\n";
    case MD_BLOCK_TBODY: return "<tbody>\n";
    case MD_BLOCK_TR: return "<tr>";
    case MD_BLOCK_TH: return "<th>";
    case MD_BLOCK_TD: return "<td>";
    default: return "";
    }
}

static const char *close_tag(MD_BLOCKTYPE type)
{
    switch (type) {
    case MD_BLOCK_QUOTE: return "</blockquote>\n";
    case MD_BLOCK_UL: return "</ul>\n";
    case MD_BLOCK_OL: return "</ol>\n";
    case MD_BLOCK_LI: return "</li>\n";
    case MD_BLOCK_CODE: return "</code></pre>\n";
    case MD_BLOCK_P: return "</p>\n";
    case MD_BLOCK_TABLE: return "</table>\n";
    case MD_BLOCK_THEAD: return "</thead>\n";
    case MD_BLOCK_TBODY: return "</tbody>\n";
    case MD_BLOCK_TR: return "</tr>\n";
    case MD_BLOCK_TH: return "</th>";
    case MD_BLOCK_TD: return "</td>";
    default: return "";
    }
}

/* A model's headings stand below those of the page. */
static unsigned heading_level(const void *detail)
{
    unsigned level = ((const MD_BLOCK_H_DETAIL *)detail)->level + 2;
    return level > 6 ? 6 : level;
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *user)
{
    struct str *out = ((const struct page *)user)->out;
    if (type == MD_BLOCK_H)
        str_addf(out, "<h%u>", heading_level(detail));
    else if (type == MD_BLOCK_OL)
        str_addf(out, "<ol start=\"%u\">\n", ((const MD_BLOCK_OL_DETAIL *)detail)->start);
    else
        str_adds(out, open_tag(type));
    return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *user)
{
    struct str *out = ((const struct page *)user)->out;
    if (type == MD_BLOCK_H)
        str_addf(out, "</h%u>\n", heading_level(detail));
    else
        str_adds(out, close_tag(type));
    return 0;
}

static bool is_web_address(const MD_ATTRIBUTE *a)
{
    static const char *const schemes[] = {"https://", "http://", "mailto:"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (a->size > strlen(schemes[i]) &&
            strncasecmp(a->text, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* Other links become text, and so do pictures: a page loads nothing by itself. */
static void enter_link(struct str *out, const MD_ATTRIBUTE *href)
{
    str_adds(out, "<a rel=\"noopener noreferrer\"");
    if (is_web_address(href)) {
        str_adds(out, " href=\"");
        html_add_text(out, href->text, href->size);
        str_adds(out, "\"");
    }
    str_adds(out, ">");
}

static int enter_span(MD_SPANTYPE type, void *detail, void *user)
{
    struct str *out = ((const struct page *)user)->out;
    switch (type) {
    case MD_SPAN_EM: str_adds(out, "<em>"); break;
    case MD_SPAN_STRONG: str_adds(out, "<strong>"); break;
    case MD_SPAN_DEL: str_adds(out, "<del>"); break;
    case MD_SPAN_CODE: str_adds(out, "<code>"); break;
    case MD_SPAN_A: enter_link(out, &((const MD_SPAN_A_DETAIL *)detail)->href); break;
    case MD_SPAN_IMG: str_adds(out, "<em>"); break;
    default: break;
    }
    return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *user)
{
    struct str *out = ((const struct page *)user)->out;
    (void)detail;
    switch (type) {
    case MD_SPAN_EM:
    case MD_SPAN_IMG: str_adds(out, "</em>"); break;
    case MD_SPAN_STRONG: str_adds(out, "</strong>"); break;
    case MD_SPAN_DEL: str_adds(out, "</del>"); break;
    case MD_SPAN_CODE: str_adds(out, "</code>"); break;
    case MD_SPAN_A: str_adds(out, "</a>"); break;
    default: break;
    }
    return 0;
}

static int add_run(MD_TEXTTYPE type, const MD_CHAR *s, MD_SIZE len, void *user)
{
    struct str *out = ((const struct page *)user)->out;
    if (type == MD_TEXT_NULLCHAR)
        str_adds(out, "\xef\xbf\xbd");
    else if (type == MD_TEXT_BR)
        str_adds(out, "<br>\n");
    else if (type == MD_TEXT_SOFTBR)
        str_adds(out, "\n");
    else
        add_words(user, s, len); /* entities too are shown as they were written */
    return 0;
}

void html_add_markdown(struct str *out, const char *s, size_t len)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = enter_span,
        .leave_span = leave_span,
        .text = add_run,
    };
    struct str visible = {0}, marked = {0};
    size_t before = out->len;
    str_add_visible(&visible, s, len, true);
    part(str_get(&visible), visible.len, &marked, str_add, add_mark);
    struct page page = {out, str_get(&visible), visible.len, 0};
    if (marked.len >= UINT32_MAX ||
        md_parse(str_get(&marked), (MD_SIZE)marked.len, &parser, &page) != 0) {
        out->len = before; /* md4c ran out of memory or into its limits: show the plain text */
        str_adds(out, "<pre>");
        html_add_text(out, s, len);
        str_adds(out, "</pre>\n");
    }
    str_done(&visible);
    str_done(&marked);
}
