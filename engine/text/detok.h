/* detok.h - sampled tokens to text for people: whole characters, reasoning apart from the answer.
 *
 * One struct detok per sequence is fed each sampled token and gives back text that is ready to be
 * shown. It holds back what may still change its meaning: the beginning of a character, of a stop
 * text, of a </think>. U+FFFD appears only for bytes that can become no character.
 *
 * Reasoning: the stream begins in it if the template opened <think>, or if the first thing the
 * model writes is <think>; </think>, as a token or spelt out, ends it for good, but a <think> token
 * that follows at once opens it again. These two tags and the white space just behind them are not
 * text. Stop texts are looked for in the answer only. Control tokens are never text.
 *
 * Nothing is allocated after detok_open, and what is held is never longer than the longest stop
 * text and one token. One thread at a time. */
#ifndef ENGINE_TEXT_DETOK_H
#define ENGINE_TEXT_DETOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

struct detok;
struct tokenizer;

enum detok_stage {
    DETOK_OPENING,         /* nothing written yet: does the model open <think> itself? */
    DETOK_REASONING_START, /* just behind <think>: white space is dropped */
    DETOK_REASONING,
    DETOK_ANSWER_START, /* just behind </think>: likewise */
    DETOK_ANSWER,
    DETOK_STOPPED,
};

struct detok_options {
    bool thinks;             /* <think> and </think> have a meaning in this family */
    enum detok_stage stage;  /* where the prompt ends, in such a family */
    const char *const *stop; /* NULL-terminated, or NULL; copied; empty ones are ignored */
};

struct detok_piece {
    enum engine_text kind;
    const char *text; /* whole characters, not NUL-terminated */
    size_t len;       /* never 0 */
};

/* What one call gave: pieces in order, valid until the next call. */
struct detok_out {
    int n;
    struct detok_piece piece[2];
    bool stopped; /* a stop text was met: the answer is over, nothing more will come */
};

/* The tokenizer must outlive *out. 0, or -1: out of memory. */
int detok_open(struct detok **out, const struct tokenizer *t, const struct detok_options *opt);
void detok_close(struct detok *d);

void detok_feed(struct detok *d, int32_t id, struct detok_out *out);

/* The sequence is over: gives what was held. */
void detok_end(struct detok *d, struct detok_out *out);

/* Where the stream is: a token fed now counts as this. */
enum engine_text detok_kind(const struct detok *d);
enum detok_stage detok_stage(const struct detok *d);
bool detok_holds(const struct detok *d); /* something that was fed and not given yet */

#endif
