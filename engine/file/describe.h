/* describe.h - what a model file says about itself, as JSON for people and scripts. */
#ifndef ENGINE_FILE_DESCRIBE_H
#define ENGINE_FILE_DESCRIBE_H

struct gguf;

/* {"metadata": {KEY: value...}, "tensors": [{"name", "type", "shape", "bytes"}...]} on one line;
 * the caller's to free, NULL when out of memory. An array of more than 16 elements becomes
 * {"length": N, "first": [...]}. Bytes that are not UTF-8 become U+FFFD; numbers that JSON cannot
 * express (NaN, infinities, above 2^63) become strings. */
char *describe_model(const struct gguf *g);

#endif
