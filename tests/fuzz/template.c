/* template.c - any messages, tools and options, separated by zero bytes, through both families'
 * templates. What must hold: the ids spell the text, and an error is one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/text/template.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/build_vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_spelling(const struct tokenizer *t, const struct engine_prompt *p)
{
    size_t at = 0, len;
    for (size_t i = 0; i < p->n_ids; i++, at += len) {
        const char *bytes = tok_bytes(t, p->ids[i], &len);
        require(bytes && at + len <= p->len && memcmp(bytes, p->text + at, len) == 0);
    }
    require(at == p->len && p->text[at] == '\0');
}

static void render(const struct tokenizer *t, const struct tmpl *m, const struct tmpl_input *in)
{
    struct tmpl_prompt p;
    char err[256] = "";
    if (tmpl_render(m, in, &p, err, sizeof err) != 0) {
        require(*err && !strchr(err, '\n') && !strchr(err, '\x1b'));
        return;
    }
    check_spelling(t, &p.prompt);
    free(p.prompt.text);
    free(p.prompt.ids);
}

/* The text up to the next zero byte; *at moves behind it. */
static const char *next_text(const char **at, const char *end)
{
    const char *text = *at;
    if (text >= end)
        return NULL;
    *at = text + strlen(text) + 1;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tokenizer *t;
    static struct tmpl *forms[2];
    char err[256];
    if (!t) {
        t = build_tokenizer("llama-bpe");
        require(tmpl_open(&forms[0], t, &(struct tmpl_source){NULL, 0, "qwen2"}, err, sizeof err) ==
                0);
        require(tmpl_open(&forms[1], t, &(struct tmpl_source){NULL, 0, "llama"}, err, sizeof err) ==
                0);
    }
    char *copy = malloc(size + 1);
    require(copy != NULL);
    memcpy(copy, data, size);
    copy[size] = '\0';
    const char *at = copy, *end = copy + size;
    const struct tmpl_input in = {
        .messages = next_text(&at, end),
        .tools = next_text(&at, end),
        .options = next_text(&at, end),
        .date = "26 Jul 2024",
        .generate = true,
    };
    for (int i = 0; i < 2; i++)
        render(t, forms[i], &in);
    free(copy);
    return 0;
}
