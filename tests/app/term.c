/* term.c - duet on a terminal: a pty, with libvterm as the eyes. */
#include "tests/app/tests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include <cmocka.h>
#include <vterm.h>

enum { MAX_ARGS = 32 };

struct term {
    pid_t pid;
    int master, slave; /* slave: kept open, to look at the modes */
    struct termios before;
    VTerm *vt;
    VTermScreen *screen;
    bool alternate;
    bool ended;
    int status;
    char *bytes, *shown;
    size_t n_bytes;
    char **seen; /* the screens since the last act; the first is what the user acted on */
    size_t n_seen, seen_cap;
    size_t acted_at; /* in bytes */
};

static int on_property(VTermProp prop, VTermValue *value, void *user)
{
    struct term *t = user;
    if (prop == VTERM_PROP_ALTSCREEN)
        t->alternate = value->boolean;
    return 1;
}

static void on_output(const char *bytes, size_t len, void *user)
{
    struct term *t = user;
    if (t->master >= 0 && write(t->master, bytes, len) < 0)
        return; /* an answer to a question of the program's; it may be gone */
}

const char *term_screen(struct term *t)
{
    int rows, cols;
    vterm_get_size(t->vt, &rows, &cols);
    size_t cap = (size_t)rows * ((size_t)cols * VTERM_MAX_CHARS_PER_CELL * 4 + 1) + 1;
    t->shown = realloc(t->shown, cap);
    char *at = t->shown;
    for (int row = 0; row < rows; row++) {
        VTermRect rect = {row, row + 1, 0, cols};
        at += vterm_screen_get_text(t->screen, at, cap - (size_t)(at - t->shown) - 2, rect);
        *at++ = '\n';
    }
    *at = '\0';
    return t->shown;
}

static void forget_seen(struct term *t)
{
    while (t->n_seen > 0)
        free(t->seen[--t->n_seen]);
}

/* Keeps the screen as it is now, if it is another one. */
static void see(struct term *t)
{
    const char *now = term_screen(t);
    if (t->n_seen > 0 && strcmp(t->seen[t->n_seen - 1], now) == 0)
        return;
    if (t->n_seen == t->seen_cap) {
        t->seen_cap = t->seen_cap ? 2 * t->seen_cap : 16;
        t->seen = realloc(t->seen, t->seen_cap * sizeof *t->seen);
    }
    t->seen[t->n_seen++] = strdup(now);
}

struct term *term_start(int rows, int cols, ...)
{
    static const VTermScreenCallbacks callbacks = {.settermprop = on_property};
    const char *argv[MAX_ARGS] = {duet_path()};
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    struct term *t = calloc(1, sizeof *t);
    va_list args;

    va_start(args, cols);
    for (int i = 1; i < MAX_ARGS - 1 && (argv[i] = va_arg(args, const char *)); i++)
        continue;
    va_end(args);
    assert_int_equal(openpty(&t->master, &t->slave, NULL, NULL, &size), 0);
    fcntl(t->master, F_SETFD, FD_CLOEXEC);
    tcgetattr(t->slave, &t->before);
    t->vt = vterm_new(rows, cols);
    vterm_set_utf8(t->vt, 1);
    vterm_output_set_callback(t->vt, on_output, t);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
    t->pid = fork();
    if (t->pid == 0) {
        login_tty(t->slave);
        for (int s = 1; s < 32; s++)
            signal(s, SIG_DFL);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    see(t);
    return t;
}

struct term *term_start_answer(void)
{
    struct term *t = term_start(24, 80, "-m", endless_model(), "--temp", "0", "--ctx", "100000",
                                NULL);
    term_expect(t, "Ctrl");
    term_type(t, "go\r");
    term_expect(t, "answering");
    term_expect(t, "tok/s");
    return t;
}

static void collect(struct term *t, bool wait)
{
    int status;
    if (!t->ended && waitpid(t->pid, &status, wait ? 0 : WNOHANG) == t->pid) {
        t->ended = true;
        t->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
}

void term_free(struct term *t)
{
    if (!t->ended)
        kill(t->pid, SIGKILL);
    collect(t, true);
    if (t->master >= 0)
        close(t->master);
    close(t->slave);
    vterm_free(t->vt);
    forget_seen(t);
    free(t->seen);
    free(t->bytes);
    free(t->shown);
    free(t);
}

static double now_ms(void)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    return (double)when.tv_sec * 1e3 + (double)when.tv_nsec / 1e6;
}

/* true when something came. */
static bool read_once(struct term *t, int ms)
{
    char step[65536];
    struct pollfd fd = {t->master, POLLIN, 0};
    if (poll(&fd, 1, ms) <= 0) /* one that was hung up is waited for all the same */
        return false;
    ssize_t n = read(t->master, step, sizeof step);
    if (n <= 0)
        return false;
    vterm_input_write(t->vt, step, (size_t)n);
    t->bytes = realloc(t->bytes, t->n_bytes + (size_t)n + 1);
    memcpy(t->bytes + t->n_bytes, step, (size_t)n);
    t->n_bytes += (size_t)n;
    t->bytes[t->n_bytes] = '\0';
    see(t);
    return true;
}

void term_read(struct term *t, int ms)
{
    double end = now_ms() + ms;
    for (double left; (left = end - now_ms()) > 0;)
        read_once(t, (int)left + 1);
}

const char *term_bytes(const struct term *t, size_t *len)
{
    *len = t->n_bytes;
    return t->bytes ? t->bytes : "";
}

static size_t count(const char *screen, const char *text)
{
    size_t n = 0;
    for (const char *at = screen; (at = strstr(at, text)); at += strlen(text))
        n++;
    return n;
}

/* What a test can wait for. The screen that was seen last is the one that counts. */

static bool is_shown(const struct term *t, const char *text)
{
    return count(t->seen[t->n_seen - 1], text) > 0;
}

static bool is_absent(const struct term *t, const char *text)
{
    return !is_shown(t, text);
}

/* There are more of it than there were on a screen before. */
static bool is_news(const struct term *t, const char *text)
{
    size_t now = count(t->seen[t->n_seen - 1], text);
    bool news = false;
    for (size_t i = 0; i + 1 < t->n_seen; i++)
        news = news || count(t->seen[i], text) < now;
    return news;
}

static bool is_gone(const struct term *t, const char *text)
{
    bool was_there = false;
    for (size_t i = 0; i + 1 < t->n_seen; i++)
        was_there = was_there || count(t->seen[i], text) > 0;
    return was_there && !is_shown(t, text);
}

typedef bool condition(const struct term *t, const char *text);

static bool wait_until(struct term *t, condition *holds, const char *text, int ms)
{
    double end = now_ms() + ms;
    while (!holds(t, text)) {
        collect(t, false);
        if (now_ms() > end || (!read_once(t, 20) && t->ended))
            return holds(t, text);
    }
    return true;
}

bool term_wait(struct term *t, const char *text, int ms)
{
    return wait_until(t, is_shown, text, ms);
}

/* cmocka cuts a message to less than a screen. */
static void fail_with_screens(struct term *t, const char *text, const char *fault)
{
    fprintf(stderr, "What the user acted on:\n%s\nWhat there is now:\n%s\n", t->seen[0],
            term_screen(t));
    fail_msg("\"%s\" %s", text, fault);
}

static void expect(struct term *t, condition *holds, const char *text, const char *fault)
{
    if (!wait_until(t, holds, text, PATIENCE_MS))
        fail_with_screens(t, text, fault);
}

void term_expect(struct term *t, const char *text)
{
    expect(t, is_news, text, "does not come");
}

void term_expect_gone(struct term *t, const char *text)
{
    expect(t, is_gone, text, "does not go");
}

void term_expect_bytes(struct term *t, const char *bytes)
{
    double end = now_ms() + PATIENCE_MS;
    while (t->acted_at == t->n_bytes || !strstr(t->bytes + t->acted_at, bytes)) {
        read_once(t, 20);
        if (now_ms() > end)
            fail_with_screens(t, bytes + (*bytes == '\033'), "is not written");
    }
}

void term_shows(struct term *t, const char *text)
{
    expect(t, is_shown, text, "is not there");
}

void term_lacks(struct term *t, const char *text)
{
    expect(t, is_absent, text, "is there");
}

/* What is expected from here on is to come after what was written up to now. */
static void act(struct term *t)
{
    while (read_once(t, 0))
        continue;
    forget_seen(t);
    see(t);
    t->acted_at = t->n_bytes;
}

void term_type(struct term *t, const char *keys)
{
    size_t len = strlen(keys);
    act(t);
    assert_int_equal(write(t->master, keys, len), len);
}

void term_signal(struct term *t, int signal)
{
    act(t);
    assert_int_equal(kill(t->pid, signal), 0);
}

void term_resize(struct term *t, int rows, int cols)
{
    act(t);
    vterm_set_size(t->vt, rows, cols);
    term_claim_size(t, rows, cols);
}

void term_claim_size(struct term *t, int rows, int cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    ioctl(t->master, TIOCSWINSZ, &size);
}

bool term_ended(struct term *t)
{
    collect(t, false);
    return t->ended;
}

pid_t term_pid(const struct term *t)
{
    return t->pid;
}

int term_end(struct term *t)
{
    double end = now_ms() + PATIENCE_MS;
    while (!t->ended && now_ms() < end) {
        read_once(t, 20);
        collect(t, false);
    }
    while (read_once(t, 20))
        continue;
    if (!t->ended)
        fail_with_screens(t, "duet", "does not end");
    return t->status;
}

void term_leave(struct term *t)
{
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    assert_restored(t);
    term_free(t);
}

void term_hang_up(struct term *t)
{
    close(t->master);
    t->master = -1;
}

/* By what was written last: libvterm's own flag also follows the saved cursor of another screen. */
static bool is_cursor_shown(const struct term *t)
{
    static const char show[] = "\033[?25h", hide[] = "\033[?25l";
    const size_t len = sizeof show - 1;
    for (size_t at = t->n_bytes; at-- > len;) {
        if (memcmp(t->bytes + at - len + 1, show, len) == 0)
            return true;
        if (memcmp(t->bytes + at - len + 1, hide, len) == 0)
            return false;
    }
    return true;
}

void assert_restored(struct term *t)
{
    struct termios after;
    assert_int_equal(tcgetattr(t->slave, &after), 0);
    assert_int_equal(after.c_lflag, t->before.c_lflag);
    assert_int_equal(after.c_iflag, t->before.c_iflag);
    assert_int_equal(after.c_oflag, t->before.c_oflag);
    assert_false(t->alternate);
    assert_true(is_cursor_shown(t));
}
