/*
 * input.c: the key decoder. Knows the sequences of ECMA-48, xterm, rxvt, the Linux console and the
 * kitty protocol's CSI u, and those that terminfo names; knows nothing of what keys are for.
 */
#include "input.h"
#include "text.h"

#include <stdlib.h>
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

void input_learn(struct input *in, const char *(*capability)(void *ud, const char *name), void *ud)
{
    static const struct {
        const char *name;
        struct key key;
    } names[] = {
        {"kcuu1", {KEY_UP, 0}},     {"kcud1", {KEY_DOWN, 0}},       {"kcub1", {KEY_LEFT, 0}},
        {"kcuf1", {KEY_RIGHT, 0}},  {"khome", {KEY_HOME, 0}},       {"kend", {KEY_END, 0}},
        {"kpp", {KEY_PAGE_UP, 0}},  {"knp", {KEY_PAGE_DOWN, 0}},    {"kich1", {KEY_INSERT, 0}},
        {"kdch1", {KEY_DELETE, 0}}, {"kcbt", {KEY_TAB, KEY_SHIFT}}, {"kent", {KEY_ENTER, 0}},
        {"kf1", {KEY_F1, 0}},       {"kf2", {KEY_F1 + 1, 0}},       {"kf3", {KEY_F1 + 2, 0}},
        {"kf4", {KEY_F1 + 3, 0}},   {"kf5", {KEY_F1 + 4, 0}},       {"kf6", {KEY_F1 + 5, 0}},
        {"kf7", {KEY_F1 + 6, 0}},   {"kf8", {KEY_F1 + 7, 0}},       {"kf9", {KEY_F1 + 8, 0}},
        {"kf10", {KEY_F1 + 9, 0}},  {"kf11", {KEY_F1 + 10, 0}},     {"kf12", {KEY_F12, 0}},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *sequence = capability(ud, names[i].name);
        /* Only what the machine below collects can be met again. */
        if (!sequence || sequence[0] != ESC || (sequence[1] != '[' && sequence[1] != 'O') ||
            strlen(sequence) >= INPUT_SEQUENCE_MAX || in->n_learned == INPUT_LEARNED_MAX)
            continue;
        struct input_learned *learned = &in->learned[in->n_learned++];
        strcpy(learned->sequence, sequence);
        learned->key = names[i].key;
    }
}

/* How long silence must last to end a paste. */
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

static bool give(struct input_event *out, uint32_t code, unsigned mods)
{
    *out = (struct input_event){.key = {code, (uint8_t)mods}};
    return true;
}

/* A key that came as one character. */
static bool give_character(struct input_event *out, uint32_t cp, unsigned mods)
{
    switch (cp) {
    case '\r': return give(out, KEY_ENTER, mods);
    case '\t': return give(out, KEY_TAB, mods);
    case ESC: return give(out, KEY_ESC, mods);
    case 0x08:
    case 0x7f: return give(out, KEY_BACKSPACE, mods);
    case 0x00: return give(out, ' ', mods | KEY_CTRL);
    default: break;
    }
    if (cp <= 0x1a)
        return give(out, cp + 'a' - 1, mods | KEY_CTRL);
    if (cp < 0x20)
        return give(out, cp + '@', mods | KEY_CTRL);
    return give(out, cp, mods);
}

/* ---- whole sequences ---- */

/* Modifiers as xterm and kitty number them: 1 + a bit set, of which three are known here. */
static unsigned modifiers(int parameter)
{
    return parameter > 1 ? (unsigned)(parameter - 1) & 7 : 0;
}

/* Key of "CSI n ~". */
static uint32_t tilde_key(int n)
{
    switch (n) {
    case 1:
    case 7: return KEY_HOME;
    case 2: return KEY_INSERT;
    case 3: return KEY_DELETE;
    case 4:
    case 8: return KEY_END;
    case 5: return KEY_PAGE_UP;
    case 6: return KEY_PAGE_DOWN;
    default: break;
    }
    if (n >= 11 && n <= 15)
        return KEY_F1 + (uint32_t)n - 11;
    if (n >= 17 && n <= 21)
        return KEY_F1 + (uint32_t)n - 12;
    if (n == 23 || n == 24)
        return KEY_F1 + (uint32_t)n - 13;
    return 0;
}

/* Key of "CSI letter" and "SS3 letter". */
static uint32_t letter_key(char letter)
{
    switch (letter) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return KEY_RIGHT;
    case 'D': return KEY_LEFT;
    case 'F': return KEY_END;
    case 'H': return KEY_HOME;
    case 'P':
    case 'Q':
    case 'R':
    case 'S': return KEY_F1 + (uint32_t)(letter - 'P');
    default: return 0;
    }
}

/* A key given by its character and modifiers: "CSI 13;2u", "CSI 27;5;99~". */
static bool give_coded(struct input_event *out, int code, int parameter)
{
    unsigned mods = modifiers(parameter);
    if (code <= 0 || code > 0x10ffff || (code >= 0xe000 && code <= 0xf8ff))
        return false; /* kitty's private numbers: keys that mean nothing here */
    if ((mods & KEY_SHIFT) && code >= 'a' && code <= 'z')
        code -= 'a' - 'A';
    if (code > ' ' && code < 0x7f)
        mods &= ~(unsigned)KEY_SHIFT;
    return give_character(out, (uint32_t)code, mods);
}

enum { PARAMETERS_MAX = 4 };

/* "1;5:1" -> {1, 5}; what follows a colon is left out, but a release (":3") is told apart. */
static int parse_parameters(const char *s, int parameter[PARAMETERS_MAX], bool *released_out)
{
    int n = 0;
    *released_out = false;
    memset(parameter, 0, PARAMETERS_MAX * sizeof *parameter);
    while (n < PARAMETERS_MAX) {
        for (; *s >= '0' && *s <= '9'; s++)
            if (parameter[n] < 0x200000)
                parameter[n] = parameter[n] * 10 + (*s - '0');
        n++;
        while (*s == ':') {
            if (n == 2 && s[1] == '3')
                *released_out = true;
            s++;
            s += strspn(s, "0123456789");
        }
        if (*s != ';')
            break;
        s++;
    }
    return n;
}

static bool give_learned(const struct input *in, struct input_event *out)
{
    for (size_t i = 0; i < in->n_learned; i++)
        if (strcmp(in->learned[i].sequence, in->sequence) == 0) {
            *out = (struct input_event){.key = in->learned[i].key};
            return true;
        }
    return false;
}

/* The sequence in->sequence is complete. */
static bool give_csi(const struct input *in, struct input_event *out)
{
    int parameter[PARAMETERS_MAX];
    bool released;
    char final = in->sequence[in->sequence_len - 1];

    if (give_learned(in, out))
        return true;
    if (in->sequence[2] == '[') /* Linux console: ESC [ [ A to E */
        return final >= 'A' && final <= 'E' && give(out, KEY_F1 + (uint32_t)(final - 'A'), 0);
    if (in->sequence[2] >= '<' && in->sequence[2] <= '?')
        return false; /* a report or a reply */
    int n = parse_parameters(in->sequence + 2, parameter, &released);
    if (released)
        return false;
    switch (final) {
    case '~':
    case '^': /* rxvt: with control */
        if (parameter[0] == 27 && n == 3)
            return give_coded(out, parameter[2], parameter[1]);
        return tilde_key(parameter[0]) && give(out, tilde_key(parameter[0]),
                                               final == '^' ? KEY_CTRL : modifiers(parameter[1]));
    case 'u': return give_coded(out, parameter[0], parameter[1]);
    case 'Z': return give(out, KEY_TAB, KEY_SHIFT);
    case 'R': return false; /* the cursor's position */
    case 'a':
    case 'b':
    case 'c':
    case 'd': /* rxvt: with shift */
        return n == 1 && parameter[0] == 0 &&
               give(out, letter_key((char)(final - 'a' + 'A')), KEY_SHIFT);
    default: return letter_key(final) && give(out, letter_key(final), modifiers(parameter[1]));
    }
}

static bool give_ss3(const struct input *in, struct input_event *out)
{
    static const char keypad_keys[] = "jklmnopqrstuvwxy", keypad[] = "*+,-./0123456789";
    char final = in->sequence[in->sequence_len - 1];
    int parameter = atoi(in->sequence + 2);
    const char *at = strchr(keypad_keys, final);

    if (give_learned(in, out))
        return true;
    if (final == 'M')
        return give(out, KEY_ENTER, modifiers(parameter));
    if (final >= 'a' && final <= 'd') /* rxvt: with control */
        return give(out, letter_key((char)(final - 'a' + 'A')), KEY_CTRL);
    if (at)
        return give(out, (unsigned char)keypad[at - keypad_keys], modifiers(parameter));
    return letter_key(final) && give(out, letter_key(final), modifiers(parameter));
}

/* ---- pastes ---- */

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
        .text = in->paste.data ? in->paste.data : "",
        .len = in->paste.len,
        .cut = in->cut,
    };
    in->paste_given = true;
    return true;
}

/* ---- the machine ---- */

/*
 * Adds a byte to a UTF-8 character; true when it is complete or proved invalid. A byte that cannot
 * belong to it is put back.
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

static bool in_ground(struct input *in, unsigned char byte, int64_t now, struct input_event *out)
{
    uint32_t cp;

    if (byte == ESC && in->partial_len == 0) {
        in->alt = false;
        in->sequence[0] = ESC;
        in->sequence_len = 1;
        in->overlong = false;
        enter(in, INPUT_ESC, now + INPUT_ESC_MS);
        return false;
    }
    if (!decode(in, byte, &cp))
        return false;
    unsigned mods = in->alt ? KEY_ALT : 0;
    in->alt = false;
    return give_character(out, cp, mods);
}

static bool in_escape(struct input *in, unsigned char byte, int64_t now, struct input_event *out)
{
    in->sequence[1] = (char)byte;
    in->sequence_len = 2;
    switch (byte) {
    case '[': enter(in, INPUT_CSI, now + INPUT_ESC_MS); return false;
    case 'O': enter(in, INPUT_SS3, now + INPUT_ESC_MS); return false;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_': enter(in, INPUT_STRING, now + INPUT_ESC_MS); return false;
    case ESC:
        in->sequence_len = 1;
        enter(in, INPUT_ESC, now + INPUT_ESC_MS);
        return give(out, KEY_ESC, 0);
    default:
        enter(in, INPUT_GROUND, -1);
        in->alt = true;
        return in_ground(in, byte, now, out);
    }
}

/* A control character or a foreign byte in a sequence: the sequence is dropped, the byte is not. */
static bool break_off(struct input *in)
{
    enter(in, INPUT_GROUND, -1);
    in->pos--;
    return false;
}

static void collect(struct input *in, unsigned char byte)
{
    if (in->sequence_len + 1 < INPUT_SEQUENCE_MAX)
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
    if (byte == 'M' && first) { /* a mouse report in three more bytes */
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
    return !in->overlong && strcmp(in->sequence, paste_end) != 0 && give_csi(in, out);
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
    return !in->overlong && give_ss3(in, out);
}

static bool in_string(struct input *in, unsigned char byte, int64_t now)
{
    if (in->sequence_len == 2) { /* more than Alt-] */
        in->sequence_len++;
        in->deadline = now + INPUT_SEQUENCE_MS;
    }
    if (byte == ESC)
        in->state = INPUT_STRING_ESC;
    else if (byte == 0x07 || byte == 0x18 || byte == 0x1a)
        enter(in, INPUT_GROUND, -1);
    else if (byte == 0x03)
        return break_off(in);
    return false;
}

/* Whether a byte goes on with what may be a paste's mark: "\033[200~" or "\033[201~". */
static bool goes_on(const struct input *in, unsigned char byte)
{
    return byte == (unsigned char)paste_begin[in->mark_len] ||
           byte == (unsigned char)paste_end[in->mark_len];
}

/* Marks are left out of the text; what only began like one is text. */
static bool in_paste(struct input *in, unsigned char byte, int64_t now)
{
    uint32_t cp;

    if (in->partial_len == 0 && goes_on(in, byte)) {
        in->mark[in->mark_len++] = (char)byte;
        if (in->mark_len == MARK_LEN) {
            in->ended = memcmp(in->mark, paste_end, MARK_LEN) == 0;
            in->mark_len = 0;
            await_paste(in, now);
        }
        return false;
    }
    if (in->mark_len > 0) { /* this byte may begin a mark itself */
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
    case INPUT_STRING: return in_string(in, byte, now);
    case INPUT_STRING_ESC:
        if (byte == '\\') {
            enter(in, INPUT_GROUND, -1);
            return false;
        }
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

/* Time has passed in the middle of something. */
static bool expire(struct input *in, struct input_event *out)
{
    enum input_state state = in->state;

    if (state == INPUT_PASTE)
        return give_paste(in, out);
    enter(in, INPUT_GROUND, -1);
    if (state == INPUT_ESC)
        return give(out, KEY_ESC, 0);
    /* ESC and one byte, and then nothing: that key with Alt. */
    bool only = in->sequence_len == 2;
    if (only && (state == INPUT_CSI || state == INPUT_SS3 || state == INPUT_STRING))
        return give(out, (unsigned char)in->sequence[1], KEY_ALT);
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
