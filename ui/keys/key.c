/*
 * key.c: the byte sequences of keys: ECMA-48, xterm, rxvt, the Linux console, the kitty protocol's
 * CSI u, and terminfo. Knows nothing of streams or key bindings.
 */
#include "keys/key.h"

#include <stdlib.h>
#include <string.h>

static struct key key(uint32_t code, unsigned mods)
{
    return (struct key){code, (uint8_t)mods};
}

void key_learn(struct key_sequences *s, const char *(*capability)(void *ud, const char *name),
               void *ud)
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
        /* Only sequences that the decoder collects can be matched. */
        if (!sequence || sequence[0] != 0x1b || (sequence[1] != '[' && sequence[1] != 'O') ||
            strlen(sequence) >= KEY_SEQUENCE_MAX || s->n == KEY_SEQUENCES_MAX)
            continue;
        strcpy(s->known[s->n].bytes, sequence);
        s->known[s->n++].key = names[i].key;
    }
}

bool key_is_text(struct key key)
{
    return key.code >= ' ' && key.code < KEY_ENTER && !(key.mods & (KEY_CTRL | KEY_ALT));
}

struct key key_of_character(uint32_t cp, unsigned mods)
{
    switch (cp) {
    case '\r': return key(KEY_ENTER, mods);
    case '\t': return key(KEY_TAB, mods);
    case 0x1b: return key(KEY_ESC, mods);
    case 0x08:
    case 0x7f: return key(KEY_BACKSPACE, mods);
    case 0x00: return key(' ', mods | KEY_CTRL);
    default: break;
    }
    if (cp <= 0x1a)
        return key(cp + 'a' - 1, mods | KEY_CTRL);
    if (cp < 0x20)
        return key(cp + '@', mods | KEY_CTRL);
    return key(cp, mods);
}

/* Whole sequences */

/* Modifiers as xterm and kitty encode them: 1 + a bit set, of which three bits are used here. */
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

/* A key encoded as character and modifiers: "CSI 13;2u", "CSI 27;5;99~". */
static bool coded(struct key *out, int code, int parameter)
{
    unsigned mods = modifiers(parameter);
    if (code <= 0 || code > 0x10ffff || (code >= 0xe000 && code <= 0xf8ff))
        return false; /* kitty's private-use numbers: keys without a meaning here */
    if ((mods & KEY_SHIFT) && code >= 'a' && code <= 'z')
        code -= 'a' - 'A';
    if (code > ' ' && code < 0x7f)
        mods &= ~(unsigned)KEY_SHIFT;
    *out = key_of_character((uint32_t)code, mods);
    return true;
}

enum { PARAMETERS_MAX = 4 };

/* "1;5:1" -> {1, 5}; subparameters are dropped, except that a release (":3") is recognized. */
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

static bool find_known(const struct key_sequences *s, const char *sequence, struct key *out)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->known[i].bytes, sequence) == 0) {
            *out = s->known[i].key;
            return true;
        }
    return false;
}

/* code 0: no key. */
static bool give(struct key *out, uint32_t code, unsigned mods)
{
    *out = key(code, mods);
    return code != 0;
}

/* s is what follows "ESC [". */
static bool key_of_csi(const char *s, struct key *out)
{
    int parameter[PARAMETERS_MAX];
    bool released;
    char final = s[strlen(s) - 1];

    if (s[0] == '[') /* Linux console: ESC [ [ A to E */
        return final >= 'A' && final <= 'E' && give(out, KEY_F1 + (uint32_t)(final - 'A'), 0);
    if (s[0] >= '<' && s[0] <= '?')
        return false; /* a report or a reply */
    int n = parse_parameters(s, parameter, &released);
    if (released)
        return false;
    switch (final) {
    case '~':
        if (parameter[0] == 27 && n == 3)
            return coded(out, parameter[2], parameter[1]);
        return give(out, tilde_key(parameter[0]), modifiers(parameter[1]));
    case '^': return give(out, tilde_key(parameter[0]), KEY_CTRL); /* rxvt */
    case 'u': return coded(out, parameter[0], parameter[1]);
    case 'Z': return give(out, KEY_TAB, KEY_SHIFT);
    case 'R': return false; /* the cursor position report */
    case 'a':
    case 'b':
    case 'c':
    case 'd': /* rxvt: with shift; with a parameter it means something else */
        return s[1] == '\0' && give(out, letter_key((char)(final - 'a' + 'A')), KEY_SHIFT);
    default: return give(out, letter_key(final), modifiers(parameter[1]));
    }
}

/* s is what follows "ESC O". */
static bool key_of_ss3(const char *s, struct key *out)
{
    static const char keys[] = "jklmnopqrstuvwxy", keypad[] = "*+,-./0123456789";
    char final = s[strlen(s) - 1];
    unsigned mods = modifiers(atoi(s));
    const char *at = strchr(keys, final);

    if (final == 'M')
        return give(out, KEY_ENTER, mods);
    if (final >= 'a' && final <= 'd') /* rxvt: with control */
        return give(out, letter_key((char)(final - 'a' + 'A')), KEY_CTRL);
    if (at)
        return give(out, (unsigned char)keypad[at - keys], mods);
    return give(out, letter_key(final), mods);
}

bool key_of_sequence(const struct key_sequences *s, const char *sequence, struct key *out)
{
    if (find_known(s, sequence, out))
        return true;
    return sequence[1] == '[' ? key_of_csi(sequence + 2, out) : key_of_ss3(sequence + 2, out);
}
