/*
 * input.c: the decoder: splits a stream of bytes into escape sequences, characters and pastes.
 * key.c maps sequences to keys.
 */
#include "terminal/input.h"
#include "text/text.h"

#include <string.h>

static const char paste_begin[] = "\033[200~", paste_end[] = "\033[201~";
enum { MARK_LEN = sizeof paste_end - 1, ESC = 0x1b };

void input_init(struct input *in)
{
    *in = (struct input){.deadline = -1};
}

void input_done(struct input *in)
{
    bytes_free(&in->paste);
}

/* Silence, in ms, that ends a paste. */
static void await_paste(struct input *in, int64_t now)
{
    in->deadline = now + (in->ended ? INPUT_QUIET_MS : INPUT_PASTE_MS);
}

void input_feed(struct input *in, const char *bytes, size_t n, int64_t now)
{
    in->bytes = bytes;
    in->n = n;
    in->pos = 0;
    if (n > 0 && in->state == INPUT_PASTE)
        await_paste(in, now);
}

static void enter(struct input *in, enum input_state state, int64_t deadline)
{
    in->state = state;
    in->deadline = deadline;
}

static bool give(struct input_event *out, struct key key)
{
    *out = (struct input_event){.key = key};
    return true;
}

/* The collected sequence is complete. */
static bool give_sequence(struct input *in, struct input_event *out)
{
    char kind = in->sequence[2];
    *out = (struct input_event){.is_paste = false};
    if (in->overlong)
        return false;
    if (in->sequence[1] == '[' && (kind == '?' || kind == '<')) {
        out->report = in->sequence;
        return true;
    }
    return key_of_sequence(&in->sequences, in->sequence, &out->key);
}

/* A string sequence is complete; all but OSC are ignored. */
static bool give_string(struct input *in, struct input_event *out)
{
    enter(in, INPUT_GROUND, -1);
    in->sequence[in->sequence_len] = '\0';
    *out = (struct input_event){.report = in->sequence};
    return in->sequence[1] == ']' && !in->overlong;
}

/* Pastes */

static void begin_paste(struct input *in, int64_t now)
{
    bytes_free(&in->paste);
    in->mark_len = 0;
    in->ended = in->after_cr = in->cut = false;
    in->state = INPUT_PASTE;
    await_paste(in, now);
}

static void paste_character(struct input *in, uint32_t cp)
{
    char utf8[4];
    bool crlf = cp == '\n' && in->after_cr;

    in->after_cr = cp == '\r';
    if (crlf)
        return;
    if (cp == '\r')
        cp = '\n';
    size_t n = text_encode(cp ? cp : TEXT_REPLACEMENT, utf8);
    if (in->paste.len + n > INPUT_PASTE_MAX || !bytes_add(&in->paste, utf8, n))
        in->cut = true;
}

static void keep_mark(struct input *in)
{
    for (size_t i = 0; i < in->mark_len; i++)
        paste_character(in, (unsigned char)in->mark[i]);
    in->mark_len = 0;
}

static bool give_paste(struct input *in, struct input_event *out)
{
    keep_mark(in);
    in->partial_len = 0;
    enter(in, INPUT_GROUND, -1);
    *out = (struct input_event){
        .is_paste = true,
        .text = bytes_string(&in->paste),
        .len = in->paste.len,
        .cut = in->cut,
    };
    in->paste_given = true;
    return true;
}

/* The state machine */

/*
 * Adds a byte to a UTF-8 character; true when it is complete or proved invalid. A byte that cannot
 * continue it is pushed back.
 */
static bool decode(struct input *in, unsigned char byte, uint32_t *cp_out)
{
    if (in->partial_len == 0) {
        if (byte < 0x80) {
            *cp_out = byte;
            return true;
        }
        in->partial_need = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        if (byte < 0xc2 || byte > 0xf4) {
            *cp_out = TEXT_REPLACEMENT;
            return true;
        }
    } else if ((byte & 0xc0) != 0x80) {
        in->partial_len = 0;
        in->pos--;
        *cp_out = TEXT_REPLACEMENT;
        return true;
    }
    in->partial[in->partial_len++] = (char)byte;
    if (in->partial_len < in->partial_need)
        return false;
    if (text_decode(in->partial, in->partial_len, cp_out) != in->partial_len)
        *cp_out = TEXT_REPLACEMENT;
    in->partial_len = 0;
    return true;
}

static void begin_sequence(struct input *in, int64_t now)
{
    in->alt = false;
    in->sequence[0] = ESC;
    in->sequence_len = 1;
    in->overlong = in->eight = false;
    enter(in, INPUT_ESC, now + INPUT_ESC_MS);
}

/* The state after "ESC byte"; false: none. */
static bool introduce(struct input *in, unsigned char byte, int64_t now)
{
    in->sequence[1] = (char)byte;
    in->sequence_len = 2;
    switch (byte) {
    case '[': enter(in, INPUT_CSI, now + INPUT_ESC_MS); return true;
    case 'O': enter(in, INPUT_SS3, now + INPUT_ESC_MS); return true;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_': enter(in, INPUT_STRING, now + INPUT_ESC_MS); return true;
    default: return false;
    }
}

/* 8-bit terminals send one C1 character for ESC and another: as a byte, or as UTF-8. */
static bool introduce_eight(struct input *in, uint32_t cp, int64_t now)
{
    if (cp < 0x80 || cp > 0x9f || in->alt)
        return false;
    begin_sequence(in, now);
    in->eight = introduce(in, (unsigned char)(cp - 0x40), now);
    if (!in->eight)
        enter(in, INPUT_GROUND, -1);
    return in->eight;
}

static bool in_ground(struct input *in, unsigned char byte, int64_t now, struct input_event *out)
{
    uint32_t cp;

    if (byte == ESC && in->partial_len == 0) {
        begin_sequence(in, now);
        return false;
    }
    if (in->partial_len == 0 && introduce_eight(in, byte, now))
        return false;
    if (!decode(in, byte, &cp) || introduce_eight(in, cp, now))
        return false;
    unsigned mods = in->alt ? KEY_ALT : 0;
    in->alt = false;
    return give(out, key_of_character(cp, mods));
}

static bool in_escape(struct input *in, unsigned char byte, int64_t now, struct input_event *out)
{
    if (introduce(in, byte, now))
        return false;
    if (byte == ESC) {
        in->sequence_len = 1;
        enter(in, INPUT_ESC, now + INPUT_ESC_MS);
        return give(out, (struct key){KEY_ESC, 0});
    }
    enter(in, INPUT_GROUND, -1);
    in->alt = true;
    return in_ground(in, byte, now, out);
}

/* A control character or an invalid byte inside a sequence: drops the sequence, keeps the byte. */
static bool break_off(struct input *in)
{
    enter(in, INPUT_GROUND, -1);
    in->pos--;
    return false;
}

static void collect(struct input *in, unsigned char byte)
{
    if (in->sequence_len + 1 < KEY_SEQUENCE_MAX)
        in->sequence[in->sequence_len++] = (char)byte;
    else
        in->overlong = true;
}

static bool in_csi(struct input *in, unsigned char byte, int64_t now, struct input_event *out)
{
    bool first = in->sequence_len == 2;

    if (byte < 0x20 || byte >= 0x7f)
        return break_off(in);
    collect(in, byte);
    if (byte < 0x40 || (byte == '[' && first)) {
        if (first)
            in->deadline = now + INPUT_SEQUENCE_MS;
        return false;
    }
    if (byte == 'M' && first) { /* followed by a mouse report of three bytes */
        in->skip = 3;
        enter(in, INPUT_SKIP, now + INPUT_SEQUENCE_MS);
        return false;
    }
    in->sequence[in->sequence_len] = '\0';
    enter(in, INPUT_GROUND, -1);
    if (strcmp(in->sequence, paste_begin) == 0) {
        begin_paste(in, now);
        return false;
    }
    return strcmp(in->sequence, paste_end) != 0 && give_sequence(in, out);
}

static bool in_ss3(struct input *in, unsigned char byte, struct input_event *out)
{
    if (byte < 0x20 || byte >= 0x7f)
        return break_off(in);
    collect(in, byte);
    if (byte >= '0' && byte <= '9')
        return false;
    in->sequence[in->sequence_len] = '\0';
    enter(in, INPUT_GROUND, -1);
    return give_sequence(in, out);
}

static bool in_string(struct input *in, unsigned char byte, int64_t now, struct input_event *out)
{
    if (in->sequence_len == 2) /* more than Alt-] */
        in->deadline = now + INPUT_SEQUENCE_MS;
    if (byte == 0x03)
        return break_off(in);
    if (byte == 0x07)
        return give_string(in, out);
    if (byte == 0x18 || byte == 0x1a)
        enter(in, INPUT_GROUND, -1);
    else if (byte == ESC)
        in->state = INPUT_STRING_ESC;
    else
        collect(in, byte);
    return false;
}

/* Whether a byte continues a possible paste marker: "\033[200~" or "\033[201~". */
static bool continues_mark(const struct input *in, unsigned char byte)
{
    return byte == (unsigned char)paste_begin[in->mark_len] ||
           byte == (unsigned char)paste_end[in->mark_len];
}

/* Markers are removed from the text; a partial match is text. */
static bool in_paste(struct input *in, unsigned char byte, int64_t now)
{
    uint32_t cp;

    if (in->partial_len == 0 && continues_mark(in, byte)) {
        in->mark[in->mark_len++] = (char)byte;
        if (in->mark_len == MARK_LEN) {
            in->ended = memcmp(in->mark, paste_end, MARK_LEN) == 0;
            in->mark_len = 0;
            await_paste(in, now);
        }
        return false;
    }
    if (in->mark_len > 0) { /* this byte may start a marker itself */
        keep_mark(in);
        in->pos--;
        return false;
    }
    if (decode(in, byte, &cp))
        paste_character(in, cp);
    return false;
}

static bool step(struct input *in, unsigned char byte, int64_t now, struct input_event *out)
{
    switch (in->state) {
    case INPUT_GROUND: return in_ground(in, byte, now, out);
    case INPUT_ESC: return in_escape(in, byte, now, out);
    case INPUT_CSI: return in_csi(in, byte, now, out);
    case INPUT_SS3: return in_ss3(in, byte, out);
    case INPUT_STRING: return in_string(in, byte, now, out);
    case INPUT_STRING_ESC:
        if (byte == '\\')
            return give_string(in, out);
        enter(in, INPUT_ESC, now + INPUT_ESC_MS);
        return in_escape(in, byte, now, out);
    case INPUT_SKIP:
        if (--in->skip == 0)
            enter(in, INPUT_GROUND, -1);
        return false;
    case INPUT_PASTE: return in_paste(in, byte, now);
    }
    return false;
}

/* A timeout in the middle of something. */
static bool expire(struct input *in, struct input_event *out)
{
    enum input_state state = in->state;

    if (state == INPUT_PASTE)
        return give_paste(in, out);
    enter(in, INPUT_GROUND, -1);
    if (state == INPUT_ESC)
        return give(out, (struct key){KEY_ESC, 0});
    /* ESC, one byte, then silence: that key with Alt. */
    bool only = in->sequence_len == 2 && !in->eight;
    if (only && (state == INPUT_CSI || state == INPUT_SS3 || state == INPUT_STRING))
        return give(out, (struct key){(unsigned char)in->sequence[1], KEY_ALT});
    return false;
}

bool input_next(struct input *in, int64_t now, struct input_event *out)
{
    if (in->paste_given) {
        bytes_free(&in->paste);
        in->paste_given = false;
    }
    while (in->pos < in->n)
        if (step(in, (unsigned char)in->bytes[in->pos++], now, out))
            return true;
    return in->deadline >= 0 && now >= in->deadline && expire(in, out);
}
