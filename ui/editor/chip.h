/*
 * chip.h: long pieces of text folded to one placeholder in a draft, shown as "[paste 1: 214 lines,
 * 8.1 kB]".
 *
 * A chip's text is kept here; the draft holds a Unicode noncharacter in its place, which text from
 * outside cannot contain. A chip is therefore moved, cut, restored and undone like a character, by
 * code that knows nothing of chips.
 */
#ifndef UI_EDITOR_CHIP_H
#define UI_EDITOR_CHIP_H

#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHIP_FIRST = 0xfdd0,         /* the first placeholder */
    CHIPS_MAX = 32,              /* number of placeholders */
    CHIP_PLACEHOLDER = 3,        /* bytes per placeholder */
    CHIP_LABEL = 64,             /* in bytes, with the NUL */
    CHIP_FROM_LINES = 8,         /* pastes with this many lines are folded, */
    CHIP_FROM_CHARACTERS = 1000, /* or this many characters */
};

struct chip {
    char *text; /* NULL if free */
    size_t len;
    char label[CHIP_LABEL];
};

struct chips {
    struct chip at[CHIPS_MAX];
    unsigned pastes; /* chips numbered so far */
};

void chips_done(struct chips *chips);

/* Whether a paste is long enough to fold. */
bool chip_is_long(const char *text, size_t len);

/*
 * Stores a text and writes its placeholder; name NULL means a paste. Takes ownership of
 * the text on success. False: all placeholders are in use (chips_sweep() may free some).
 */
bool chips_add(struct chips *chips, const char *name, struct bytes *text,
               char placeholder[CHIP_PLACEHOLDER]);

/* The chip whose placeholder begins the text, or NULL. */
const struct chip *chips_find(const struct chips *chips, const char *s, size_t len);

/* Whether a code point is a placeholder. */
bool chip_is_placeholder(uint32_t cp);

/* The text with placeholders expanded; returns its length. False: out of memory. */
size_t chips_expanded_len(const struct chips *chips, const char *s, size_t len);
bool chips_expand(const struct chips *chips, const char *s, size_t len, struct bytes *out);

/* Mark: sets a bit for each chip that occurs in a text. Sweep: frees chips without a mark. */
void chips_mark(const char *s, size_t len, uint32_t *marks);
void chips_sweep(struct chips *chips, uint32_t marks);

#endif
