/* build_vocab.h - a small vocabulary for tests that need a tokenizer but no file.
 *
 * Token b < 256 is the byte b; then come the results of a few merges, a whole word that no merge
 * reaches, and the markers of both families. */
#ifndef TESTS_ENGINE_BUILD_VOCAB_H
#define TESTS_ENGINE_BUILD_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "engine/text/tokenizer.h"

enum { BUILD_VOCAB_MAX = 320 };

struct build_vocab {
    struct tok_vocab vocab; /* may be changed before it is opened; points into the rest */
    char text[BUILD_VOCAB_MAX][64];
    struct tok_string tokens[BUILD_VOCAB_MAX];
    int32_t types[BUILD_VOCAB_MAX];
    struct tok_string merges[32];
};

void build_vocab(struct build_vocab *b, const char *pre);

/* One more token, with text as it would stand in a file; returns its id. */
int32_t build_vocab_add(struct build_vocab *b, const char *text, enum tok_type type);

/* The same opened; it fails the test if it does not open. */
struct tokenizer *build_tokenizer(const char *pre);

/* What a byte is in the text of a token, NUL-terminated. */
void build_vocab_letter(unsigned char byte, char out[3]);

#endif
