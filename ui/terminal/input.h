/*
 * input.h: decodes bytes from the terminal into keys and pastes.
 *
 * The state machine takes one byte at a time, so it does not matter how reads split the stream.
 * Terminal messages that are not keys (replies, mouse and focus reports) are consumed whole: "CSI
 * ?", "CSI <" and OSC are returned as reports, the rest is dropped. A paste is one event whatever
 * it contains: a newline in it is not Enter, and a forged end marker does not end it, since an end
 * marker counts only when silence follows.
 */
#ifndef UI_TERMINAL_INPUT_H
#define UI_TERMINAL_INPUT_H

#include "keys/key.h"
#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input_event {
    bool is_paste;
    const char *report; /* a terminal reply or mouse report, from ESC on; or NULL */
    struct key key;
    const char *text; /* pasted text: valid UTF-8, '\n' newlines, no NUL; until the next call */
    size_t len;
    bool cut; /* the paste was larger than INPUT_PASTE_MAX */
};

enum {
    INPUT_ESC_MS = 50,        /* of silence after Esc: it is the Esc key */
    INPUT_SEQUENCE_MS = 1000, /* an unterminated sequence is dropped */
    INPUT_QUIET_MS = 100,     /* silence after an end marker that ends a paste */
    INPUT_PASTE_MS = 1000,    /* the same without an end marker */
    INPUT_PASTE_MAX = 16 << 20,
};

enum input_state {
    INPUT_GROUND,
    INPUT_ESC,
    INPUT_CSI,
    INPUT_SS3,
    INPUT_STRING,     /* OSC, DCS, SOS, PM, APC */
    INPUT_STRING_ESC, /* the Esc that may terminate one */
    INPUT_SKIP,       /* the three bytes after ESC [ M */
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
    bool eight; /* it began with a C1 character in place of ESC and another */
    int skip;

    char partial[4]; /* of a UTF-8 character */
    size_t partial_len, partial_need;
    bool alt;

    struct bytes paste;
    char mark[8]; /* a possible paste marker, until it is decided */
    size_t mark_len;
    bool ended; /* an end marker was seen */
    bool after_cr, cut, paste_given;

    struct key_sequences sequences; /* from terminfo */
};

void input_init(struct input *in);
void input_done(struct input *in);

/* Hands in bytes read at time `now`; consume them with input_next() before the next call. */
void input_feed(struct input *in, const char *bytes, size_t n, int64_t now);

/* The next event from the bytes or from elapsed time; false: none. */
bool input_next(struct input *in, int64_t now, struct input_event *out);

#endif
