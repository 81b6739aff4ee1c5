/* export_html.c - a conversation as one HTML page that needs nothing else. */
#include "app/records/export.h"

#include <string.h>

#include "app/html.h"

static const char style[] =
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
    "footer, .note { opacity: 0.7; font-size: 0.9rem; }\n";

/* The page */

static void add_message(struct str *out, const struct store_message *m)
{
    size_t thought = m->len[STORE_REASONING];
    bool answer = m->role == STORE_ASSISTANT;

    str_addf(out, "<section class=\"%s\">\n<h2>", answer ? "assistant" : "user");
    html_add(out, export_speaker(m));
    str_adds(out, "</h2>\n");
    if (thought > 0) {
        str_adds(out, "<details>\n<summary>Reasoning");
        if (m->generation && m->generation->reasoning_tokens > 0)
            str_addf(out, ", %lld tokens", (long long)m->generation->reasoning_tokens);
        str_adds(out, "</summary>\n<div>");
        html_add_text(out, m->text[STORE_REASONING], thought);
        str_adds(out, "</div>\n</details>\n");
    }
    str_adds(out, "<div>");
    if (answer)
        html_add_markdown(out, m->text[STORE_TEXT], m->len[STORE_TEXT]);
    else
        html_add_text(out, m->text[STORE_TEXT], m->len[STORE_TEXT]);
    str_adds(out, "</div>\n");
    if (export_remark(m))
        str_addf(out, "<p class=\"note\">%s</p>\n", export_remark(m));
    str_adds(out, "</section>\n");
}

void export_add_html(const struct store_conversation *c, const struct store_messages *path,
                     struct str *out)
{
    const char *title = *c->title ? c->title : "Conversation";

    html_begin(out, title, "", style);
    str_adds(out, "<h1>");
    html_add(out, title);
    str_adds(out, "</h1>\n");
    if (*c->system) {
        str_adds(out, "<section class=\"user\">\n<h2>System</h2>\n<div>");
        html_add(out, c->system);
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
