/*
 * test_input.c: bytes in, keys and pastes out; however the stream is cut.
 */
#include "tests.h"

#include "ui/terminal/input.h"
#include "ui/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Events as text: "C-a", "Up", "x", "paste(...)". */
static void describe(const struct input_event *event, struct bytes *out)
{
    static const char *const names[] = {"Enter", "Tab",  "Esc",   "BS",   "Ins", "Del",  "Up",
                                        "Down",  "Left", "Right", "Home", "End", "PgUp", "PgDn"};
    char text[64];

    if (event->report)
        return; /* it types nothing */
    if (out->len > 0)
        bytes_add(out, " ", 1);
    if (event->is_paste) {
        bytes_add(out, "paste(", 6);
        bytes_add(out, event->text, event->len);
        bytes_add(out, ")", 1);
        return;
    }
    uint32_t code = event->key.code;
    size_t n = (size_t)snprintf(text, sizeof text, "%s%s%s", event->key.mods & KEY_CTRL ? "C-" : "",
                                event->key.mods & KEY_ALT ? "M-" : "",
                                event->key.mods & KEY_SHIFT ? "S-" : "");
    if (code >= KEY_F1)
        n += (size_t)snprintf(text + n, sizeof text - n, "F%u", (unsigned)(code - KEY_F1 + 1));
    else if (code >= KEY_ENTER)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", names[code - KEY_ENTER]);
    else if (code == ' ')
        n += (size_t)snprintf(text + n, sizeof text - n, "Space");
    else
        n += text_encode(code, text + n);
    bytes_add(out, text, n);
}

static void drain(struct input *in, int64_t now, struct bytes *out)
{
    struct input_event event;
    while (input_next(in, now, &event))
        describe(&event, out);
}

static const char *no_capability(void *ud, const char *name)
{
    (void)ud;
    return strcmp(name, "khome") == 0 ? "\033[77z" : NULL;
}

/* Decodes bytes given in pieces of `piece`, then lets time pass. Free the result. */
static char *decoded(const char *bytes, size_t n, size_t piece)
{
    struct input in;
    struct bytes out = {0};

    input_init(&in);
    key_learn(&in.sequences, no_capability, NULL);
    bytes_add(&out, "", 0);
    for (size_t i = 0; i < n; i += piece) {
        input_feed(&in, bytes + i, n - i < piece ? n - i : piece, 0);
        drain(&in, 0, &out);
    }
    input_feed(&in, NULL, 0, 5000);
    drain(&in, 5000, &out);
    assert_int_equal(in.state, INPUT_GROUND);
    assert_int_equal(in.deadline, -1);
    input_done(&in);
    return out.data;
}

static const struct {
    const char *bytes, *events;
} rows[] = {
    {"aä你", "a ä 你"},
    {"\001\032\034\037", "C-a C-z C-\\ C-_"},
    {"\r\t\x7f\b\n", "Enter Tab BS BS C-j"},
    {"\033", "Esc"},
    {"\033\033", "Esc Esc"},
    {"\033x\033B\033\r\033\x7f", "M-x M-B M-Enter M-BS"},
    {"\033ä", "M-ä"},
    {"\033[A\033[B\033[C\033[D", "Up Down Right Left"},
    {"\033OA\033OB\033OH\033OF", "Up Down Home End"},
    {"\033[1;5C\033[1;3D\033[1;2A", "C-Right M-Left S-Up"},
    {"\033[H\033[F\033[1~\033[4~\033[7~\033[8~", "Home End Home End Home End"},
    {"\033[2~\033[3~\033[5~\033[6~\033[3;5~", "Ins Del PgUp PgDn C-Del"},
    {"\033OP\033OQ\033[11~\033[15~\033[17~\033[24~", "F1 F2 F1 F5 F6 F12"},
    {"\033[[A\033[[E", "F1 F5"},
    {"\033[Z", "S-Tab"},
    {"\033[77z", "Home"}, /* as the terminal's description says */
    {"\033[a\033Oc\033[3^", "S-Up C-Right C-Del"},
    {"\033[13;2u\033[99;5u\033[27u\033[97;3u", "S-Enter C-c Esc M-a"},
    {"\033[97:65;2u\033[97;5:3u\033[57358u", "A"}, /* a release, a lock key: nothing */
    {"\033[27;5;99~\033[27;2;13~", "C-c S-Enter"},
    {"\033OM\033Oq\033Ok", "Enter 1 +"},
    /* swallowed whole */
    {"\033[?1;2cx", "x"},
    {"\033[>41;330;0cx", "x"},
    {"\033]11;rgb:1e1e/1e1e/1e1e\033\\x", "x"},
    {"\033]11;rgb:1e1e/1e1e/1e1e\ax", "x"},
    {"\033P1$r0m\033\\x", "x"},
    {"\033_Gi=1;OK\033\\x", "x"},
    {"\033[I\033[Ox", "x"},
    {"\033[<0;10;5M\033[<0;10;5mx", "x"},
    {"\033[M !!x", "x"},
    {"\033[12;40Rx", "x"},
    {"\033[?2026;2$yx", "x"},
    {"\033[8;24;80tx", "x"},
    {"\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20zx", "x"},
    /* cut off by time or by other bytes */
    {"\033[", "M-["},
    {"\033O", "M-O"},
    {"\033]", "M-]"},
    {"\033[1;", ""},
    {"\033]0;abc", ""},
    {"\033[1\003x", "C-c x"},
    {"\033]0;ab\003x", "C-c x"},
    {"\033]0;\033[A", "Up"},
    {"\033[\033[A", "Up"},
    /* invalid UTF-8 */
    {"\x80x\xff\xc0", "\ufffd x \ufffd \ufffd"},
    {"\xe2\x82x", "\ufffd x"},
    {"\xe2\x82\033[A", "\ufffd Up"},
    /* eight bits: one character for ESC and another, as a byte or as UTF-8 */
    {"\x9b", ""},
    {"\x9b[Ax", "F1 x"},
    {"\x9b"
     "1;5C\x8f"
     "P\xc2\x9b"
     "Ax",
     "C-Right F1 Up x"},
    {"\x9d"
     "11;rgb:1/2/3\ax\x90"
     "1$r\033\\y\x9b?1;2cz",
     "x y z"},
    {"\033[200~\x9b"
     "A\033[201~",
     "paste(\ufffdA)"},
    /* pastes */
    {"\033[200~hi\033[201~", "paste(hi)"},
    {"\033[200~a\rb\r\nc\nd\033[201~", "paste(a\nb\nc\nd)"},
    {"\033[200~\033[201~", "paste()"},
    {"\033[200~no end", "paste(no end)"},
    {"\033[201~x", "x"},
    {"\033[200~a\033[201~\r/quit\r\033[201~", "paste(a\n/quit\n)"}, /* a forged end */
    {"\033[200~a\033[200~b\033[201~", "paste(ab)"},
    {"\033[200~a\033[20b\033[2\033[201~", "paste(a\033[20b\033[2)"},
    {"\033[200~a\033[20", "paste(a\033[20)"},
    {"\033[200~\033[200x\033[201y\033[201~", "paste(\033[200x\033[201y)"},
    {"\033[200~\x9b"
     "201~\xc2\x9b"
     "201~\003\033[201~",
     "paste(\ufffd201~\xc2\x9b"
     "201~\003)"},
    {"\033[200~\xe4\xbd\033[201~", "paste(\ufffd)"},
};

static void every_sequence_has_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *got = decoded(rows[i].bytes, strlen(rows[i].bytes), SIZE_MAX);
        if (strcmp(got, rows[i].events) != 0)
            fail_msg("row %zu: got \"%s\", expected \"%s\"", i, got, rows[i].events);
        free(got);
    }
}

static void reports_are_handed_out(void **state)
{
    static const char *const reports[] = {"\033[?1;2c", "\033[<0;10;20M", "\033[<65;1;1m"};
    static const char *const strings[] = {"\033]11;rgb:ffff/ffff/ffff\033\\", "\033]11;x\a"};
    struct input in;
    struct input_event event;
    (void)state;
    input_init(&in);
    for (int i = 0; i < 3; i++) {
        input_feed(&in, reports[i], strlen(reports[i]), 0);
        assert_true(input_next(&in, 0, &event));
        assert_string_equal(event.report, reports[i]);
        assert_false(input_next(&in, 0, &event));
    }
    for (int i = 0; i < 2; i++) {
        size_t n = strcspn(strings[i] + 1, "\033\a") + 1;
        input_feed(&in, strings[i], strlen(strings[i]), 0);
        assert_true(input_next(&in, 0, &event));
        assert_int_equal(strlen(event.report), n);
        assert_memory_equal(event.report, strings[i], n);
    }
    input_done(&in);
}

static void a_nul_is_control_space_or_replaced_in_a_paste(void **state)
{
    (void)state;
    char *got = decoded("\0x\033[200~a\0b\033[201~", 17, SIZE_MAX);
    assert_string_equal(got, "C-Space x paste(a\ufffdb)");
    free(got);
}

static void it_does_not_matter_how_the_stream_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 8; piece++) {
            char *got = decoded(rows[i].bytes, strlen(rows[i].bytes), piece);
            assert_string_equal(got, rows[i].events);
            free(got);
        }
}

static void random_bytes_do_no_harm(void **state)
{
    static const char likely[] = "\033\033\033[[]OP0123456789;:~<?MmuRABZ\\\a\r\n\x80\xe2\x9b x";
    unsigned seed = 3;
    char bytes[64];
    (void)state;
    for (int round = 0; round < 100000; round++) {
        size_t n = (unsigned)rand_r(&seed) % sizeof bytes;
        for (size_t i = 0; i < n; i++) {
            unsigned r = (unsigned)rand_r(&seed);
            bytes[i] = r % 4 ? likely[r / 4 % (sizeof likely - 1)] : (char)(r / 4);
        }
        if (round % 16 == 0 && n >= 6)
            memcpy(bytes, "\033[200~", 6);
        char *whole = decoded(bytes, n, SIZE_MAX);
        char *pieces = decoded(bytes, n, 1);
        assert_string_equal(whole, pieces);
        free(whole);
        free(pieces);
    }
}

static void an_escape_waits_for_what_may_follow(void **state)
{
    struct input in;
    struct bytes out = {0};
    (void)state;
    input_init(&in);
    input_feed(&in, "\033", 1, 100);
    drain(&in, 100, &out);
    drain(&in, 100 + INPUT_ESC_MS - 1, &out);
    assert_int_equal(out.len, 0);
    assert_int_equal(in.deadline, 100 + INPUT_ESC_MS);
    input_feed(&in, "[A", 2, 140);
    drain(&in, 140, &out);
    assert_string_equal(out.data, "Up");
    input_done(&in);
    bytes_free(&out);
}

static void a_paste_ends_in_silence(void **state)
{
    struct input in;
    struct bytes out = {0};
    (void)state;
    input_init(&in);
    input_feed(&in, "\033[200~one\033[201~", 15, 0);
    drain(&in, INPUT_QUIET_MS - 1, &out);
    assert_int_equal(out.len, 0);
    input_feed(&in, "\rtwo", 4, INPUT_QUIET_MS - 1); /* too soon to have been typed */
    drain(&in, INPUT_QUIET_MS - 1, &out);
    input_feed(&in, "\033[201~", 6, 100);
    drain(&in, 100, &out);
    input_feed(&in, "", 0, 100 + INPUT_QUIET_MS);
    drain(&in, 100 + INPUT_QUIET_MS, &out);
    input_feed(&in, "\r", 1, 300);
    drain(&in, 300, &out);
    assert_string_equal(out.data, "paste(one\ntwo) Enter");
    input_done(&in);
    bytes_free(&out);
}

static void a_large_paste_is_cut_at_its_limit(void **state)
{
    struct input in;
    struct input_event event;
    size_t n = INPUT_PASTE_MAX + 1000;
    char *text = malloc(n);
    (void)state;
    memset(text, 'a', n);
    input_init(&in);
    input_feed(&in, "\033[200~", 6, 0);
    assert_false(input_next(&in, 0, &event));
    input_feed(&in, text, n, 0);
    assert_false(input_next(&in, 0, &event));
    input_feed(&in, "\033[201~", 6, 0);
    assert_false(input_next(&in, 0, &event));
    input_feed(&in, NULL, 0, INPUT_QUIET_MS);
    assert_true(input_next(&in, INPUT_QUIET_MS, &event));
    assert_true(event.is_paste && event.cut);
    assert_int_equal(event.len, INPUT_PASTE_MAX);
    free(text);
    input_done(&in);
}

int test_input(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_has_its_meaning),
        cmocka_unit_test(reports_are_handed_out),
        cmocka_unit_test(a_nul_is_control_space_or_replaced_in_a_paste),
        cmocka_unit_test(it_does_not_matter_how_the_stream_is_cut),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(an_escape_waits_for_what_may_follow),
        cmocka_unit_test(a_paste_ends_in_silence),
        cmocka_unit_test(a_large_paste_is_cut_at_its_limit),
    };
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
