/* prompt.h - builds a prompt: its text, and the same in tokens.
 *
 * The template's own words may hold markers, which become their tokens by id; the caller's text is
 * plain whatever it looks like. What stands between two markers is tokenized in one go, as one run
 * of text, because the tokens at a seam depend on both its sides. Private to the templates. */
#ifndef ENGINE_TEXT_PROMPT_H
#define ENGINE_TEXT_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "text/memo.h"
#include "text/tokenizer.h"

struct prompt {
    const struct tokenizer *tokens;
    struct memo *memo;
    char *text;
    size_t len, cap;
    size_t run; /* text from here on is not in ids yet */
    struct tok_ids ids;
    size_t most; /* tokens that anybody wants; 0: any number */
    bool over;   /* there are more, and the rest is not looked at */
    bool failed; /* memory ran out: nothing more is added */
};

void prompt_words(struct prompt *p, const char *words);      /* the template's */
void prompt_text(struct prompt *p, const char *s, size_t n); /* the caller's */
void prompt_token(struct prompt *p, int32_t id);             /* < 0 = none */

/* Tokenizes what is left and ends the text with a NUL. 0, or -1: memory ran out, or `over`. */
int prompt_finish(struct prompt *p);
void prompt_done(struct prompt *p);

#endif
