/*
 * input.h: bytes from the terminal, decoded into keys and pastes.
 *
 * A machine that takes one byte at a time, so that it does not matter how reads cut the stream.
 * What a terminal sends beside keys (replies, mouse and focus reports) is taken whole, never as
 * keys: "CSI ?", "CSI <" and OSC are handed out as reports, the rest is swallowed. A pasted text is
 * one event, whatever is in it: a newline in it is no Enter, and a forged end mark does not end it,
 * since an end mark counts only when silence follows.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include "bytes.h"
#include "key.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input_event {
    bool is_paste;
    const char *report; /* a reply or mouse report of the terminal, from ESC on; or NULL */
    struct key key;
    const char *text; /* of a paste: valid UTF-8, newlines as '\n', no NUL; until the next call */
    size_t len;
    bool cut; /* the paste was larger than INPUT_PASTE_MAX */
};

enum {
    INPUT_ESC_MS = 50,        /* of silence: an Esc that nothing follows is the key */
    INPUT_SEQUENCE_MS = 1000, /* a sequence that does not end is given up */
    INPUT_QUIET_MS = 100,     /* a paste ends where this much follows its end mark */
    INPUT_PASTE_MS = 1000,    /* and without an end mark after this much */
    INPUT_PASTE_MAX = 16 << 20,
};

enum input_state {
    INPUT_GROUND,
    INPUT_ESC,
    INPUT_CSI,
    INPUT_SS3,
    INPUT_STRING,     /* OSC, DCS, SOS, PM, APC */
    INPUT_STRING_ESC, /* the Esc that may end one */
    INPUT_SKIP,       /* the bytes after ESC [ M */
    INPUT_PASTE,
};

struct input {
    enum input_state state;
    int64_t deadline; /* -1: none */
    const char *bytes;
    size_t n, pos;

    char sequence[KEY_SEQUENCE_MAX]; /* from ESC on */
    size_t sequence_len;
    bool overlong;
    bool eight; /* it began with one character of C1, "CSI" and such, in place of two */
    int skip;

    char partial[4]; /* of a UTF-8 character */
    size_t partial_len, partial_need;
    bool alt;

    struct bytes paste;
    char mark[8]; /* what may be a paste's mark, until it is known */
    size_t mark_len;
    bool ended; /* an end mark was met */
    bool after_cr, cut, paste_given;

    struct key_sequences sequences; /* of the terminal's own description */
};

void input_init(struct input *in);
void input_done(struct input *in);

/* Hands in bytes read at time `now`, to be used up by input_next() before the next call. */
void input_feed(struct input *in, const char *bytes, size_t n, int64_t now);

/* The next event of the bytes, or of the time that has passed; false: none. */
bool input_next(struct input *in, int64_t now, struct input_event *out);

#endif
