/* prompt.c - text and ids grow side by side; a failure sticks until prompt_finish reports it. */
#include "text/prompt.h"

#include <stdlib.h>
#include <string.h>

enum { COMPOSED_MOST = 3 };

void prompt_text(struct prompt *p, const char *s, size_t n)
{
    if (p->failed || p->over)
        return;
    if (n >= p->cap - p->len) {
        size_t cap = 2 * (p->len + n) + 256;
        char *grown = realloc(p->text, cap);
        if (!grown) {
            p->failed = true;
            return;
        }
        p->text = grown;
        p->cap = cap;
    }
    memcpy(p->text + p->len, s, n);
    p->len += n;
}

/* Whether a text must make more than so many tokens. No token has more bytes than the longest one,
 * and composing (NFC) leaves a third of the bytes at least: three of nine of a Hangul syllable. */
static bool is_longer(const struct tokenizer *t, size_t bytes, size_t tokens)
{
    return bytes / COMPOSED_MOST > tokens * tok_info(t)->max_bytes;
}

static void look_for_end(struct prompt *p, size_t bytes)
{
    if (p->most > 0 && (p->ids.n > p->most || is_longer(p->tokens, bytes, p->most)))
        p->over = true;
}

static void end_run(struct prompt *p)
{
    look_for_end(p, p->len - p->run);
    if (!p->failed && !p->over)
        p->failed = memo_encode(p->memo, p->tokens, p->text + p->run, p->len - p->run, &p->ids) !=
                    0;
    p->run = p->len;
}

void prompt_token(struct prompt *p, int32_t id)
{
    size_t len;
    const char *bytes = tok_bytes(p->tokens, id, &len);
    if (!bytes)
        return;
    if (p->run < p->len)
        end_run(p);
    prompt_text(p, bytes, len);
    p->run = p->len;
    if (!p->failed)
        p->failed = tok_push(&p->ids, id) != 0;
}

void prompt_words(struct prompt *p, const char *words)
{
    size_t left = strlen(words);
    while (left > 0) {
        size_t plain = left, marker = 0;
        int32_t id = tok_find_first(p->tokens, words, left, &plain, &marker);
        prompt_text(p, words, plain);
        prompt_token(p, id);
        words += plain + marker;
        left -= plain + marker;
    }
}

int prompt_finish(struct prompt *p)
{
    prompt_text(p, "", 1);
    if (p->failed || p->over)
        return -1;
    p->len--;
    if (p->run < p->len)
        end_run(p);
    look_for_end(p, 0);
    return p->failed || p->over ? -1 : 0;
}

void prompt_done(struct prompt *p)
{
    free(p->text);
    free(p->ids.ids);
    *p = (struct prompt){0};
}
