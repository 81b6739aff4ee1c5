/* jsonl.h - the rows of an outside fixture that has one JSON object a line. */
#ifndef TESTS_ENGINE_JSONL_H
#define TESTS_ENGINE_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "engine/text/tokenizer.h"

/* Calls row for each object of the file; skips the test without fixtures. Returns how many. */
size_t jsonl_each(const char *name, void (*row)(const json_t *row, void *ud), void *ud);

/* The bytes of a hex string, the caller's to free. */
char *jsonl_hex(const json_t *hex, size_t *len_out);

/* Does a list of ids equal an array of numbers? */
bool jsonl_same_ids(const json_t *array, const int32_t *ids, size_t n);

/* The tokenizer of an outside vocabulary: "llama" or "deepseek". Skips without fixtures. */
struct tokenizer *jsonl_tokenizer(const char *model);
struct tokenizer *jsonl_open_tokenizer(const char *fixture); /* a file, or a release's folder */

#endif
