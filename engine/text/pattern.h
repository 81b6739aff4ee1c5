/* pattern.h - finds one text in a stream of bytes (Knuth, Morris and Pratt).
 *
 * `state` is how many of the last bytes are a beginning of the text: they must be held back, since
 * the rest may follow. */
#ifndef ENGINE_TEXT_PATTERN_H
#define ENGINE_TEXT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern {
    char *text;
    size_t *back; /* [len]: the state to fall back to from each state */
    size_t len, state;
};

/* text must not be empty; copied. 0, or -1: out of memory. */
int pattern_init(struct pattern *p, const char *text);
void pattern_done(struct pattern *p);

/* True when c completes the text. Not to be called after that. */
bool pattern_step(struct pattern *p, char c);

#endif
