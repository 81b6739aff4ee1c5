/* numbers.h - the numbers of an answer, under the one name each has everywhere. */
#ifndef APP_NUMBERS_H
#define APP_NUMBERS_H

#include <jansson.h>

#include "app/str.h"
#include "engine/engine.h"

/* {"prompt_tokens": 12, ...}; the caller's. Unknown numbers are left out. */
json_t *numbers_json(const struct engine_usage *usage, double load_ms);

/* The same as text, one `name value` a line. */
void numbers_add_text(struct str *out, const struct engine_usage *usage, double load_ms);

/* "96 tokens · 812 tokens/s · first after 32 ms" */
void numbers_add_line(struct str *out, const struct engine_usage *usage);

/* "3.6 GB" */
void numbers_add_bytes(struct str *out, uint64_t bytes);

/* Of the answer's tokens after the first; negative: not known. */
double numbers_tokens_per_second(const struct engine_usage *usage);

#endif
