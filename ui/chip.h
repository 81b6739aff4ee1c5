/*
 * chip.h: long pieces of text shown in a draft as one sign, "[paste 1: 214 lines, 8.1 kB]".
 *
 * A chip's text is kept here; the draft holds one of Unicode's noncharacters for it, which no text
 * from outside may contain. So a chip is moved, cut, restored and undone like a character, by code
 * that knows nothing of chips.
 */
#ifndef UI_CHIP_H
#define UI_CHIP_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CHIP_FIRST = 0xfdd0,         /* the first sign */
    CHIPS_MAX = 32,              /* there are so many */
    CHIP_SIGN = 3,               /* bytes of one */
    CHIP_LABEL = 64,             /* bytes, with the NUL */
    CHIP_FROM_LINES = 8,         /* a paste with so many lines is folded, */
    CHIP_FROM_CHARACTERS = 1000, /* or so many characters */
};

struct chip {
    char *text; /* NULL: free */
    size_t len;
    char label[CHIP_LABEL];
};

struct chips {
    struct chip at[CHIPS_MAX];
    unsigned pastes; /* how many were numbered so far */
};

void chips_done(struct chips *chips);

/* Whether a paste is long enough to be folded. */
bool chip_is_worth(const char *text, size_t len);

/*
 * Keeps a text and writes its sign; name NULL: it is a paste. The text becomes the chips' on
 * success. False: all signs are in use (chips_sweep() may free some).
 */
bool chips_add(struct chips *chips, const char *name, struct bytes *text, char sign[CHIP_SIGN]);

/* The chip whose sign begins the text; NULL: none does. */
const struct chip *chips_find(const struct chips *chips, const char *s, size_t len);

/* Whether a code point is one of the signs. */
bool chip_is_sign(uint32_t cp);

/* The text with what the signs stand for; its length, and false: out of memory. */
size_t chips_whole_len(const struct chips *chips, const char *s, size_t len);
bool chips_whole(const struct chips *chips, const char *s, size_t len, struct bytes *out);

/* Marks those that occur in a text, a bit each; frees those without a mark. */
void chips_mark(const char *s, size_t len, uint32_t *marks);
void chips_sweep(struct chips *chips, uint32_t marks);

#endif
