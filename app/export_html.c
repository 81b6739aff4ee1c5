/* export_html.c - a conversation as one HTML page that needs nothing else: its style is in it, and its
 * own policy forbids to load or run anything. Answers are Markdown, read by md4c without its tags;
 * every byte of text is escaped here, and of links only those of the web remain. */
#include "app/export.h"

#include <md4c.h>
#include <string.h>
#include <strings.h>

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>";
static const char style[] =
    "</title>\n<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, "
    "sans-serif; }\n"
    "h1 { font-size: 1.4rem; } h2 { font-size: 1rem; margin: 2rem 0 0.3rem; }\n"
    "section.user > div { white-space: pre-wrap; font-weight: 600; }\n"
    "details { margin: 0.3rem 0; opacity: 0.75; }\n"
    "details > div { border-left: 3px solid; padding-left: 1rem; white-space: pre-wrap; }\n"
    "pre { overflow-x: auto; padding: 0.7rem 1rem; border: 1px solid; border-radius: 0.4rem; }\n"
    "table { border-collapse: collapse; } td, th { border: 1px solid; padding: 0.2rem 0.6rem; }\n"
    "blockquote { border-left: 3px solid; margin-left: 0; padding-left: 1rem; }\n"
    "footer, .note { opacity: 0.7; font-size: 0.9rem; }\n"
    "</style>\n</head>\n<body>\n";

/* Text */

static void add_text(struct str *out, const char *s, size_t len)
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

static void add_string(struct str *out, const char *s)
{
    add_text(out, s, strlen(s));
}

/* An answer */

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
    struct str *out = user;
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
    struct str *out = user;
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

/* Links that lead elsewhere are text, and so are pictures: one opens what one has read. */
static void enter_link(struct str *out, const MD_ATTRIBUTE *href)
{
    str_adds(out, "<a rel=\"noopener noreferrer\"");
    if (is_web_address(href)) {
        str_adds(out, " href=\"");
        add_text(out, href->text, href->size);
        str_adds(out, "\"");
    }
    str_adds(out, ">");
}

static int enter_span(MD_SPANTYPE type, void *detail, void *user)
{
    struct str *out = user;
    switch (type) {
    case MD_SPAN_EM: str_adds(out, "<em>"); break;
    case MD_SPAN_STRONG: str_adds(out, "<strong>"); break;
    case MD_SPAN_DEL: str_adds(out, "<del>"); break;
    case MD_SPAN_CODE: str_adds(out, "<code>"); break;
    case MD_SPAN_LATEXMATH: str_adds(out, "<code>\\("); break;
    case MD_SPAN_LATEXMATH_DISPLAY: str_adds(out, "<code>\\["); break;
    case MD_SPAN_A: enter_link(out, &((const MD_SPAN_A_DETAIL *)detail)->href); break;
    case MD_SPAN_IMG: str_adds(out, "<em>"); break;
    default: break;
    }
    return 0;
}

static int leave_span(MD_SPANTYPE type, void *detail, void *user)
{
    struct str *out = user;
    (void)detail;
    switch (type) {
    case MD_SPAN_EM:
    case MD_SPAN_IMG: str_adds(out, "</em>"); break;
    case MD_SPAN_STRONG: str_adds(out, "</strong>"); break;
    case MD_SPAN_DEL: str_adds(out, "</del>"); break;
    case MD_SPAN_CODE: str_adds(out, "</code>"); break;
    case MD_SPAN_LATEXMATH: str_adds(out, "\\)</code>"); break;
    case MD_SPAN_LATEXMATH_DISPLAY: str_adds(out, "\\]</code>"); break;
    case MD_SPAN_A: str_adds(out, "</a>"); break;
    default: break;
    }
    return 0;
}

static int add_run(MD_TEXTTYPE type, const MD_CHAR *s, MD_SIZE len, void *user)
{
    struct str *out = user;
    if (type == MD_TEXT_NULLCHAR)
        str_adds(out, "\xef\xbf\xbd");
    else if (type == MD_TEXT_BR)
        str_adds(out, "<br>\n");
    else if (type == MD_TEXT_SOFTBR)
        str_adds(out, "\n");
    else
        add_text(out, s, len); /* entities too are shown as they were written */
    return 0;
}

static void add_answer(struct str *out, const char *s, size_t len)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_LATEXMATHSPANS,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = enter_span,
        .leave_span = leave_span,
        .text = add_run,
    };
    size_t before = out->len;
    if (len < UINT32_MAX && md_parse(s, (MD_SIZE)len, &parser, out) == 0)
        return;
    out->len = before; /* out of memory, or of md4c's limits: the plain text, then */
    str_adds(out, "<pre>");
    add_text(out, s, len);
    str_adds(out, "</pre>\n");
}

/* The page */

static void add_message(struct str *out, const struct store_message *m)
{
    size_t thought = m->len[STORE_REASONING];
    bool answer = m->role == STORE_ASSISTANT;

    str_addf(out, "<section class=\"%s\">\n<h2>", answer ? "assistant" : "user");
    add_string(out, export_speaker(m));
    str_adds(out, "</h2>\n");
    if (thought > 0) {
        str_adds(out, "<details>\n<summary>Reasoning");
        if (m->generation && m->generation->reasoning_tokens > 0)
            str_addf(out, ", %lld tokens", (long long)m->generation->reasoning_tokens);
        str_adds(out, "</summary>\n<div>");
        add_text(out, m->text[STORE_REASONING], thought);
        str_adds(out, "</div>\n</details>\n");
    }
    str_adds(out, "<div>");
    if (answer)
        add_answer(out, m->text[STORE_TEXT], m->len[STORE_TEXT]);
    else
        add_text(out, m->text[STORE_TEXT], m->len[STORE_TEXT]);
    str_adds(out, "</div>\n");
    if (export_remark(m))
        str_addf(out, "<p class=\"note\">%s</p>\n", export_remark(m));
    str_adds(out, "</section>\n");
}

void export_add_html(const struct store_conversation *c, const struct store_messages *path,
                     struct str *out)
{
    const char *title = *c->title ? c->title : "Conversation";

    str_adds(out, head);
    add_string(out, title);
    str_adds(out, style);
    str_adds(out, "<h1>");
    add_string(out, title);
    str_adds(out, "</h1>\n");
    if (*c->system) {
        str_adds(out, "<section class=\"user\">\n<h2>System</h2>\n<div>");
        add_string(out, c->system);
        str_adds(out, "</div>\n</section>\n");
    }
    for (size_t i = 0; i < path->count; i++)
        add_message(out, &path->items[i]);
    if (c->created_ms > 0) {
        str_adds(out, "<footer>");
        export_add_date(c->created_ms, out);
        str_adds(out, "</footer>\n");
    }
    str_adds(out, "</body>\n</html>\n");
}
