/* export_text.c - conversations for people: Markdown and a page of HTML. */
#include "app/export.h"

#include <string.h>
#include <time.h>

static void add_date(int64_t ms, struct str *out)
{
    time_t when = (time_t)(ms / 1000);
    struct tm local;
    char date[64];
    if (localtime_r(&when, &local) && strftime(date, sizeof date, "%Y-%m-%d %H:%M", &local) > 0)
        str_adds(out, date);
}

static const char *speaker(const struct store_message *m)
{
    switch (m->role) {
    case STORE_USER: return "You";
    case STORE_SYSTEM: return "System";
    case STORE_TOOL: return "Tool";
    case STORE_ASSISTANT: return m->generation ? m->generation->model : "Assistant";
    case STORE_UNKNOWN_ROLE: break;
    }
    return "Unknown";
}

/* How a message ended, where that is worth a word. */
static const char *remark(const struct store_message *m)
{
    switch (m->state) {
    case STORE_STREAMING: return "being written";
    case STORE_STOPPED: return "stopped";
    case STORE_INTERRUPTED: return "interrupted";
    case STORE_FAILED: return "failed";
    case STORE_COMPLETE: break;
    }
    return m->damaged ? "damaged" : NULL;
}

/* Markdown */

/* A heading's text: one line, nothing that marks up. */
static void add_heading(const char *text, struct str *out)
{
    for (const char *s = text; *s; s++) {
        if (strchr("\\`*_[]<>#&|", *s))
            str_adds(out, "\\");
        str_add(out, (unsigned char)*s < ' ' ? " " : s, 1);
    }
}

static void add_quoted(const char *text, size_t len, struct str *out)
{
    for (size_t at = 0; at < len;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - text) : len;
        str_adds(out, end > at ? "> " : ">");
        str_add(out, text + at, end - at);
        str_adds(out, "\n");
        at = end + 1;
    }
}

/* The fence that a line begins, as CommonMark has it: its length, its character in *c, and whether
 * nothing follows it. 0: none. */
static size_t fence_of(const char *line, size_t len, char *c, bool *bare)
{
    size_t at = strspn(line, " "), n = 0;
    if (at > 3 || at >= len || (line[at] != '`' && line[at] != '~'))
        return 0;
    *c = line[at];
    while (at + n < len && line[at + n] == *c)
        n++;
    *bare = true;
    for (size_t i = at + n; i < len; i++)
        *bare = *bare && strchr(" \t\r", line[i]);
    return n >= 3 ? n : 0;
}

/* Adds the text, and ends a code block that it leaves open. */
static void add_closed(const char *text, size_t len, struct str *out)
{
    size_t open = 0;
    char open_char = 0;

    for (size_t at = 0; at < len;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - text) : len;
        char c = 0;
        bool bare = false;
        size_t n = fence_of(text + at, end - at, &c, &bare);
        if (open == 0 && n > 0) {
            open = n;
            open_char = c;
        } else if (open > 0 && n >= open && c == open_char && bare) {
            open = 0;
        }
        at = end + 1;
    }
    str_add(out, text, len);
    if (len > 0 && text[len - 1] != '\n')
        str_adds(out, "\n");
    for (size_t i = 0; i < open; i++)
        str_add(out, &open_char, 1);
    str_adds(out, open ? "\n" : "");
}

static void add_md_message(const struct store_message *m, struct str *out)
{
    str_adds(out, "\n## ");
    add_heading(speaker(m), out);
    str_adds(out, "\n\n");
    if (m->len[STORE_REASONING] > 0) {
        add_quoted(m->text[STORE_REASONING], m->len[STORE_REASONING], out);
        str_adds(out, "\n");
    }
    if (m->len[STORE_TEXT] > 0)
        add_closed(m->text[STORE_TEXT], m->len[STORE_TEXT], out);
    if (remark(m))
        str_addf(out, "\n*(%s)*\n", remark(m));
}

void export_add_md(const struct store_conversation *c, const struct store_messages *path,
                   struct str *out)
{
    str_adds(out, "# ");
    add_heading(c->title, out);
    str_adds(out, "\n\n*");
    add_date(c->created_ms, out);
    str_adds(out, "*\n");
    if (c->system[0]) {
        str_adds(out, "\n## System\n\n");
        add_closed(c->system, strlen(c->system), out);
    }
    for (size_t i = 0; i < path->count; i++)
        add_md_message(&path->items[i], out);
}

/* HTML */

static void add_escaped(const char *text, size_t len, struct str *out)
{
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '&': str_adds(out, "&amp;"); break;
        case '<': str_adds(out, "&lt;"); break;
        case '>': str_adds(out, "&gt;"); break;
        case '"': str_adds(out, "&quot;"); break;
        case '\'': str_adds(out, "&#39;"); break;
        case '\t':
        case '\n': str_add(out, text + i, 1); break;
        default:
            if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
                str_adds(out, "\xef\xbf\xbd");
            else
                str_add(out, text + i, 1);
        }
    }
}

static void add_html_message(const struct store_message *m, struct str *out)
{
    const struct store_generation *g = m->generation;
    str_addf(out, "<section class=\"%s\">\n<h2>", m->role == STORE_USER ? "asked" : "answered");
    add_escaped(speaker(m), strlen(speaker(m)), out);
    str_adds(out, "</h2>\n");
    if (m->len[STORE_REASONING] > 0) {
        str_adds(out, "<details><summary>Reasoning");
        if (g && g->reasoning_tokens > 0)
            str_addf(out, ", %lld tokens", (long long)g->reasoning_tokens);
        str_adds(out, "</summary>\n<p>");
        add_escaped(m->text[STORE_REASONING], m->len[STORE_REASONING], out);
        str_adds(out, "</p></details>\n");
    }
    str_adds(out, "<p>");
    add_escaped(m->text[STORE_TEXT] ? m->text[STORE_TEXT] : "", m->len[STORE_TEXT], out);
    str_adds(out, "</p>\n");
    if (remark(m))
        str_addf(out, "<p class=\"remark\">%s</p>\n", remark(m));
    str_adds(out, "</section>\n");
}

void export_add_html(const struct store_conversation *c, const struct store_messages *path,
                     struct str *out)
{
    static const char style[] =
        "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em;color:#222;"
        "background:#fff}p{white-space:pre-wrap;overflow-wrap:anywhere}h2{font-size:1em;"
        "margin:1.5em 0 0}.asked p{background:#f0f4f8;padding:.5em 1em;border-radius:.5em}"
        "details{color:#666}.remark,.date{color:#666;font-style:italic}";
    str_addf(out,
             "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src 'unsafe-inline'\">\n<style>%s</style>\n<title>",
             style);
    add_escaped(c->title, strlen(c->title), out);
    str_adds(out, "</title>\n</head>\n<body>\n<h1>");
    add_escaped(c->title, strlen(c->title), out);
    str_adds(out, "</h1>\n<p class=\"date\">");
    add_date(c->created_ms, out);
    str_adds(out, "</p>\n");
    if (c->system[0]) {
        str_adds(out, "<section class=\"system\">\n<h2>System</h2>\n<p>");
        add_escaped(c->system, strlen(c->system), out);
        str_adds(out, "</p>\n</section>\n");
    }
    for (size_t i = 0; i < path->count; i++)
        add_html_message(&path->items[i], out);
    str_adds(out, "</body>\n</html>\n");
}
