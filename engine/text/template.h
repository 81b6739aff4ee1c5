/* template.h - conversations to prompts: the chat templates of the two families, as native code.
 *
 * A file's own template is only looked at, never run: it decides which of the known forms is meant.
 *     DeepSeek R1 distill       opens <think> for the model (since 2025-02)
 *     DeepSeek R1 distill, 2025-01   the same without that
 *     Llama 3.2 instruct
 * Any other template is refused. The text that comes out is the reference's (Jinja's) byte for
 * byte, with its oddities; where the reference raises, this refuses.
 *
 * The markers are inserted by id. What lies between two markers - the template's own words and the
 * caller's text - is tokenized as one plain text, as the reference splits it. So the caller's text
 * can look like a marker, but never be one. */
#ifndef ENGINE_TEXT_TEMPLATE_H
#define ENGINE_TEXT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"

struct gguf;
struct tmpl;
struct tokenizer;

/* What a file says of its template. Without a text the form follows from the architecture and the
 * special tokens there are. */
struct tmpl_source {
    const char *text; /* len bytes; or NULL */
    size_t len;
    const char *architecture;
};

/* The tokenizer must outlive *out. 0, or -1 with err set. */
int tmpl_open(struct tmpl **out, const struct tokenizer *t, const struct tmpl_source *source,
              char *err, size_t errlen);
int tmpl_open_gguf(struct tmpl **out, const struct tokenizer *t, const struct gguf *g, char *err,
                   size_t errlen);
void tmpl_close(struct tmpl *m);

enum engine_family tmpl_family(const struct tmpl *m);
bool tmpl_thinks(const struct tmpl *m); /* the family writes its reasoning first */

/* All JSON is UTF-8 text, nested no deeper than 64. */
struct tmpl_input {
    const char *messages; /* array of {"role", "content", "tool_calls"} */
    const char *tools;    /* array, or NULL: none. In Llama's form an empty array is not none */
    const char *date;     /* "26 Jul 2024", or NULL: options' date_string, else today */
    const char *options;  /* object of further template variables, or NULL: date_string,
                             tools_in_user_message, custom_tools; no_strftime_now: the template's
                             fixed date stands for today. Others change nothing */
    bool generate;        /* the turn of the model is opened */
    enum engine_think think;
    size_t most; /* tokens that are wanted at most; 0: any number */
};

struct tmpl_prompt {
    struct engine_prompt prompt; /* its members are the caller's to free */
    bool reasoning;              /* it ends inside <think> */
    bool reasoned;               /* it ends just behind </think> */
};

/* 0, or ENGINE_EINPUT with one line in err that names the field ("messages[2].content: ..."),
 * ENGINE_EMEMORY, or ENGINE_EFIT: there are more tokens than in->most; how many was not counted.
 * *out is set on success only. Any thread. */
int tmpl_render(const struct tmpl *m, const struct tmpl_input *in, struct tmpl_prompt *out,
                char *err, size_t errlen);

#endif
