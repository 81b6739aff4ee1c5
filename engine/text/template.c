/* template.c - recognises a file's template, reads the caller's JSON and has the
 * right form render it. */
#include "text/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "file/gguf.h"
#include "text/memo.h"
#include "text/prompt.h"
#include "text/template_form.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

/* A known template: parts of its text that decide what is printed, and the markers it prints. */
struct form {
    enum engine_family family;
    bool opens_think;
    const char
        *architecture; /* architecture whose files without a template get this form; or NULL */
    const char *const *parts;   /* NULL-terminated, all there */
    const char *ending;         /* a marker that tells this form from the family's other one */
    const char *never;          /* a part that only other forms have; or NULL */
    const char *const *markers; /* NULL-terminated */
};

static const char *const deepseek_parts[] = {
    "{% set ns.system_prompt = message['content'] %}",
    "{{bos_token}}{{ns.system_prompt}}",
    "{{'<｜User｜>' + message['content']}}",
    "content.split('</think>')[-1]",
    NULL,
};
static const char *const deepseek_markers[] = {
    "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>", "<think>", "</think>", NULL,
};

static const char *const llama_parts[] = {
    "Cutting Knowledge Date: December 2023\\n",
    "strftime_now(\"%d %b %Y\")",
    "tools_in_user_message",
    NULL,
};
static const char *const llama_markers[] = {
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    NULL,
};

static const struct form forms[] = {
    {
        .family = ENGINE_FAMILY_DEEPSEEK,
        .opens_think = true,
        .architecture = "qwen2",
        .parts = deepseek_parts,
        .ending = "{{'<｜Assistant｜><think>\\n'}}",
        .markers = deepseek_markers,
    },
    {
        .family = ENGINE_FAMILY_DEEPSEEK,
        .parts = deepseek_parts,
        .ending = "{{'<｜Assistant｜>'}}",
        .markers = deepseek_markers,
    },
    {
        .family = ENGINE_FAMILY_LLAMA,
        .architecture = "llama",
        .parts = llama_parts,
        .ending = "{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}",
        .never = "builtin_tools", /* Llama 3.1 */
        .markers = llama_markers,
    },
};

struct tmpl {
    const struct form *form;
    const struct tokenizer *tokens;
    struct memo *memo;
};

static bool contains(const char *s, size_t n, const char *part)
{
    return memmem(s, n, part, strlen(part)) != NULL;
}

static bool has_form(const struct form *f, const char *source, size_t n)
{
    for (size_t i = 0; f->parts[i]; i++)
        if (!contains(source, n, f->parts[i]))
            return false;
    return contains(source, n, f->ending) && !(f->never && contains(source, n, f->never));
}

static const char *missing_marker(const struct form *f, const struct tokenizer *t)
{
    for (size_t i = 0; f->markers[i]; i++)
        if (tok_find(t, f->markers[i]) < 0)
            return f->markers[i];
    return NULL;
}

static const struct form *recognise(const struct tokenizer *t, const struct tmpl_source *source,
                                    char *err, size_t errlen)
{
    const size_t n_forms = sizeof forms / sizeof *forms;
    for (size_t i = 0; source->text && i < n_forms; i++)
        if (has_form(&forms[i], source->text, source->len))
            return &forms[i];
    for (size_t i = 0; !source->text && i < n_forms; i++) {
        const char *name = forms[i].architecture;
        if (name && strcmp(name, source->architecture) == 0 && !missing_marker(&forms[i], t))
            return &forms[i];
    }
    char shown[64];
    if (source->text)
        snprintf(err, errlen, "tokenizer.chat_template: not one of the known (it begins \"%s\")",
                 utf8_escape(shown, sizeof shown, source->text, source->len));
    else
        snprintf(err, errlen, "tokenizer.chat_template: missing, and the tokens fit no known one");
    return NULL;
}

int tmpl_open(struct tmpl **out, const struct tokenizer *t, const struct tmpl_source *source,
              char *err, size_t errlen)
{
    const struct form *form = recognise(t, source, err, errlen);
    if (!form)
        return -1;
    const char *missing = missing_marker(form, t);
    if (missing) {
        snprintf(err, errlen, "tokenizer.ggml.tokens: no %s, which the chat template needs",
                 missing);
        return -1;
    }
    struct tmpl *m = malloc(sizeof *m);
    struct memo *memo = memo_new();
    if (!m || !memo) {
        memo_free(memo);
        free(m);
        snprintf(err, errlen, "tokenizer.chat_template: out of memory");
        return -1;
    }
    *m = (struct tmpl){.form = form, .tokens = t, .memo = memo};
    *out = m;
    return 0;
}

int tmpl_open_gguf(struct tmpl **out, const struct tokenizer *t, const struct gguf *g, char *err,
                   size_t errlen)
{
    struct gguf_string text = {0}, name = {0};
    if (gguf_get_string(g, "tokenizer.chat_template", &text, err, errlen) < 0 ||
        gguf_get_string(g, "general.architecture", &name, err, errlen) < 0)
        return -1;
    char architecture[64];
    utf8_escape(architecture, sizeof architecture, name.data, name.len);
    const struct tmpl_source source = {text.data, text.len, architecture};
    return tmpl_open(out, t, &source, err, errlen);
}

void tmpl_close(struct tmpl *m)
{
    if (m)
        memo_free(m->memo);
    free(m);
}

enum engine_family tmpl_family(const struct tmpl *m)
{
    return m->form->family;
}

bool tmpl_thinks(const struct tmpl *m)
{
    return m->form->family == ENGINE_FAMILY_DEEPSEEK;
}

static int check_messages(struct render *r)
{
    if (!r->messages)
        return refuse(r, "messages: must be an array (got nothing)");
    for (size_t i = 0; i < json_array_size(r->messages); i++) {
        const json_t *message = json_array_get(r->messages, i);
        if (!json_is_object(message))
            return refuse(r, "messages[%zu]: must be an object (got %s)", i,
                          json_type_name(message));
        if (!message_string(r, i, "role"))
            return -1;
    }
    return 0;
}

/* The template's own variable overrides the request's tools. */
static int choose_tools(struct render *r, const json_t *tools)
{
    const json_t *custom = json_object_get(r->options, "custom_tools");
    if (custom && !json_is_array(custom) && !json_is_null(custom))
        return refuse(r, "custom_tools: must be an array (got %s)", json_type_name(custom));
    r->tools = custom ? (json_is_array(custom) ? custom : NULL) : tools;
    return 0;
}

static int print_form(const struct tmpl *m, struct render *r)
{
    return m->form->family == ENGINE_FAMILY_LLAMA ? form_llama(r)
                                                  : form_deepseek(r, m->form->opens_think);
}

int tmpl_render(const struct tmpl *m, const struct tmpl_input *in, struct tmpl_prompt *out,
                char *err, size_t errlen)
{
    struct prompt p = {.tokens = m->tokens, .memo = m->memo, .most = in->most};
    struct render r = {
        .prompt = &p,
        .date = in->date,
        .generate = in->generate,
        .think = in->think,
        .err = err,
        .errlen = errlen,
    };
    json_t *messages = NULL, *tools = NULL, *options = NULL;
    int status = read_json(&r, "messages", in->messages, JSON_ARRAY, &messages);
    if (status == 0)
        status = read_json(&r, "tools", in->tools, JSON_ARRAY, &tools);
    if (status == 0)
        status = read_json(&r, "options", in->options, JSON_OBJECT, &options);
    if (status != 0)
        goto out;
    r.messages = messages;
    r.options = options;
    status = ENGINE_EINPUT;
    if (check_messages(&r) != 0 || choose_tools(&r, tools) != 0 || print_form(m, &r) != 0)
        goto out;
    if (prompt_finish(&p) != 0) {
        status = p.over ? ENGINE_EFIT : ENGINE_EMEMORY;
        if (p.over)
            refuse(&r, "messages: more than %zu tokens", in->most);
        else
            refuse(&r, "messages: out of memory");
        goto out;
    }
    *out = (struct tmpl_prompt){
        .prompt = {.text = p.text, .ids = p.ids.ids, .len = p.len, .n_ids = p.ids.n},
        .reasoning = r.reasoning,
        .reasoned = r.reasoned,
    };
    p = (struct prompt){0}; /* the caller's now */
    status = 0;
out:
    json_decref(messages);
    json_decref(tools);
    json_decref(options);
    prompt_done(&p);
    return status;
}
