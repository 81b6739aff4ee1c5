/* monkey.c - somebody who hits keys at random for as long as asked, on the real program.
 *
 * usage: monkey SECONDS [SEED]. What is typed follows from the seed alone: words, commands, every
 * control key, escape sequences whole and broken, pastes, clicks, new window sizes, the window
 * stopped and continued. After each round the program must still show its help within a while, or
 * have ended as a user ends it. A crash, a hang or a sanitizer's report fails, with the seed. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/app/tests.h"

enum { ROUND = 120, ROUNDS_OF_A_RUN = 12, HANG_S = 120 };

static struct {
    uint64_t seed, state;
    double seconds;
    long keys, runs, rounds;
} monkey;

static unsigned draw(unsigned n)
{
    uint64_t z = monkey.state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % n);
}

#define ONE_OF(list) (list)[draw(sizeof(list) / sizeof *(list))]

static const char *const words[] = {
    "17 + 25",
    "What is 15% of 240?",
    "now double it",
    "hello",
    "$x^2$",
    "**a**",
    "```c\nint x;",
    "\xe6\xbc\xa2\xe5\xad\x97",
    "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
    "e\xcc\x81",
    "a",
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
    "word word word word word word word word word",
    "/",
    ".",
};
static const char *const commands[] = {
    "/help",
    "/model",
    "/model demo-llama",
    "/model demo-deepseek",
    "/new",
    "/list",
    "/switch 1",
    "/system be short",
    "/set temperature 1",
    "/set",
    "/show",
    "/stats",
    "/think off",
    "/think on",
    "/nothink",
    "/continue",
    "/regen",
    "/edit",
    "/undo",
    "/redo",
    "/fork",
    "/rename x",
    "/archive",
    "/delete",
    "/undelete",
    "/search 17",
    "/compact",
    "/copy",
    "/copy math",
    "/export md",
    "/export json",
    "/read /etc/hostname",
    "/read /dev/zero",
    "/nonsense",
    "//slash",
    "/more",
    "/history",
    "/branch",
    "/answer",
};
static const char *const sequences[] = {
    "\033[A",
    "\033[B",
    "\033[C",
    "\033[D",
    "\033OP",
    "\033OQ",
    "\033[1;5C",
    "\033[1;3A",
    "\033[5~",
    "\033[6~",
    "\033[3~",
    "\033[H",
    "\033[F",
    "\033[Z",
    "\033[13;2u",
    "\033[27;5;9~",
    "\033[I",
    "\033[O",
    "\033[?1;2c",
    "\033]11;rgb:0000/0000/0000\007",
    "\033[<0;10;5M",
    "\033[<0;10;5m",
    "\033[<64;10;5M",
    "\033[M !!",
    "\033[",
    "\033O",
    "\033]",
    "\033P",
    "\033[200~",
    "\033[201~",
    "\033[999999999999~",
    "\x9b",
    "\xff",
    "\xe6\xbc",
    "\033[97;5u",
    "\033\033",
};

static void type(struct term *t, const char *keys)
{
    monkey.keys += (long)strlen(keys);
    term_type(t, keys);
}

static void type_control(struct term *t)
{
    /* Ctrl-D on an empty draft leaves, and so does Ctrl-C twice: rare, so that runs have a
     * length. */
    char key[2] = {(char)(1 + draw(31)), '\0'};
    if ((key[0] == 3 || key[0] == 4 || key[0] == 28) && draw(20) > 0)
        key[0] = '\r';
    type(t, key);
}

static void paste(struct term *t)
{
    type(t, "\033[200~");
    for (unsigned n = draw(40); n > 0; n--) {
        type(t, ONE_OF(words));
        type(t, draw(3) ? " " : "\n");
    }
    if (draw(5) > 0)
        type(t, "\033[201~");
}

static void resize(struct term *t)
{
    static const int sizes[][2] = {{24, 80}, {10, 40},  {60, 200}, {5, 20},  {1, 1},    {3, 2},
                                   {24, 80}, {50, 132}, {8, 30},   {24, 80}, {200, 500}};
    const int *size = ONE_OF(sizes);
    for (unsigned n = draw(3); n > 0; n--)
        term_claim_size(t, 2 + (int)draw(60), 2 + (int)draw(150));
    term_claim_size(t, size[0], size[1]);
}

static void stop_and_go(struct term *t)
{
    kill(term_pid(t), SIGSTOP);
    kill(term_pid(t), SIGCONT);
}

static void hit(struct term *t)
{
    unsigned what = draw(100);
    if (what < 30)
        type(t, ONE_OF(words));
    else if (what < 42)
        type(t, "\r");
    else if (what < 56) {
        type(t, ONE_OF(commands));
        type(t, "\r");
    } else if (what < 74)
        type(t, ONE_OF(sequences));
    else if (what < 90)
        type_control(t);
    else if (what < 93)
        paste(t);
    else if (what < 96)
        resize(t);
    else if (what < 97)
        stop_and_go(t);
    else
        term_read(t, (int)draw(200));
}

static bool is_running(struct term *t)
{
    return kill(term_pid(t), 0) == 0 && !term_ended(t);
}

/* Out of whatever it is in: pastes that were never closed, dialogs, drafts, answers. */
static void come_home(struct term *t)
{
    term_claim_size(t, 24, 80);
    term_type(t, "\033[201~");
    term_read(t, 1500); /* an open paste ends by itself when nothing more comes */
    for (int i = 0; i < 4; i++) {
        term_type(t, "\033");
        term_read(t, 150);
    }
}

/* The help screen comes when it is asked for, or the program ended as one ends it. */
static void check(struct term *t)
{
    for (int try = 0; try < 6 && is_running(t); try++) {
        come_home(t);
        term_type(t, "\033OP");
        if (term_wait(t, "Everywhere", 10000)) {
            term_type(t, "\033");
            term_read(t, 100);
            return;
        }
    }
    if (is_running(t))
        fail_msg("no answer to F1; the screen:\n%s", term_screen(t));
}

static void on_alarm(int signal)
{
    static const char text[] = "monkey: the program takes no keys\n";
    (void)signal;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    _exit(1);
}

static void end(struct term *t)
{
    if (is_running(t)) {
        come_home(t);
        term_type(t, "\003\003\003");
        term_read(t, 500);
    }
    if (is_running(t))
        term_type(t, "\003\003");
    int status = term_end(t);
    if (status != 0 && status != 130)
        fail_msg("seed %llu: ended with %d; the screen:\n%s", (unsigned long long)monkey.seed,
                 status, term_screen(t));
    assert_restored(t);
}

static void play(void **state)
{
    double until = (double)time(NULL) + monkey.seconds;
    (void)state;
    signal(SIGALRM, on_alarm);
    setenv("EDITOR", "true", 1);
    if (chdir(getenv("HOME")) != 0)
        fail();
    while ((double)time(NULL) < until) {
        struct term *t = term_start(24, 80, "-m", draw(2) ? "demo-llama" : "demo-deepseek",
                                    draw(2) ? "-c" : "-q", NULL);
        term_wait(t, "demo-", 20000);
        monkey.runs++;
        for (int round = 0; round < ROUNDS_OF_A_RUN && is_running(t); round++) {
            alarm(HANG_S);
            for (int i = 0; i < ROUND && is_running(t); i++) {
                hit(t);
                term_read(t, 4);
            }
            check(t);
            monkey.rounds++;
            if ((double)time(NULL) >= until)
                break;
        }
        end(t);
        term_free(t);
    }
    alarm(0);
    printf("monkey: %ld keys in %ld rounds of %ld runs, seed %llu\n", monkey.keys, monkey.rounds,
           monkey.runs, (unsigned long long)monkey.seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(play, sandbox_new, sandbox_remove)};
    monkey.seconds = argc > 1 ? atof(argv[1]) : 60;
    monkey.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
    monkey.state = monkey.seed;
    return cmocka_run_group_tests_name("monkey", tests, NULL, NULL);
}
