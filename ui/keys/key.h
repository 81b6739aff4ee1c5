/*
 * key.h: keys, and the sequences that terminals send for them.
 */
#ifndef UI_KEYS_KEY_H
#define UI_KEYS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Key codes are Unicode characters, or these. Control-A is 'a' with KEY_CTRL; Shift-A is 'A'. */
enum key_code {
    KEY_ENTER = 0x110000,
    KEY_TAB,
    KEY_ESC,
    KEY_BACKSPACE,
    KEY_INSERT,
    KEY_DELETE,
    KEY_UP,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_F1,
    KEY_F12 = KEY_F1 + 11,
};

enum {
    KEY_SHIFT = 1,
    KEY_ALT = 2,
    KEY_CTRL = 4,
};

struct key {
    uint32_t code;
    uint8_t mods;
};

enum {
    KEY_SEQUENCE_MAX = 32, /* bytes, with the NUL */
    KEY_SEQUENCES_MAX = 32,
};

/* Sequences from terminfo, in addition to the built-in ones. */
struct key_sequences {
    struct {
        char bytes[KEY_SEQUENCE_MAX];
        struct key key;
    } known[KEY_SEQUENCES_MAX];
    size_t n;
};

/* Reads them from terminfo; capability() returns the string of a capability, or NULL. */
void key_learn(struct key_sequences *s, const char *(*capability)(void *ud, const char *name),
               void *ud);

/* Whether it types a character. */
bool key_is_text(struct key key);

/* The key for a single character: '\r' is Enter, 1 is Control-A. */
struct key key_of_character(uint32_t cp, unsigned mods);

/* The key for a complete CSI or SS3 sequence, from ESC on; false: a report, or unknown. */
bool key_of_sequence(const struct key_sequences *s, const char *sequence, struct key *out);

#endif
