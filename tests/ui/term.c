/*
 * term.c: see term.h.
 */
#include "term.h"
#include "ui/text/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t now = 1000000;

int64_t term_clock(void)
{
    return now;
}

void term_wait(int ms)
{
    now += ms;
}

/* The terminal */

static int on_move(VTermPos pos, VTermPos old, int visible, void *user)
{
    struct term *t = user;
    (void)old;
    (void)visible;
    t->cursor = pos;
    return 1;
}

static int on_property(VTermProp prop, VTermValue *value, void *user)
{
    struct term *t = user;
    if (prop == VTERM_PROP_CURSORVISIBLE)
        t->cursor_shown = value->boolean;
    if (prop == VTERM_PROP_ALTSCREEN)
        t->alt_screen = value->boolean;
    return 1;
}

static const VTermScreenCallbacks callbacks = {
    .movecursor = on_move,
    .settermprop = on_property,
};

void term_open_bare(struct term *t, int rows, int cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};

    *t = (struct term){.rows = rows, .cols = cols};
    assert_int_equal(openpty(&t->master, &t->slave, NULL, NULL, &size), 0);
    fcntl(t->master, F_SETFL, O_NONBLOCK);
    t->vt = vterm_new(rows > 0 ? rows : 1, cols > 0 ? cols : 1);
    vterm_set_utf8(t->vt, 1);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
}

static const struct ui_command commands[] = {
    {"/help", "", "keys and commands"},
    {"/model", "[NAME]", "switch the model, keep the conversation"},
    {"/new", "", "start a new conversation"},
    {"/quit", "", "leave"},
};
static const char *const history[] = {"first prompt", "second\nprompt"};
static const char *const examples[] = {"What is 15% of 240?", "Solve 3x + 5 = 20"};

static void open_screen(struct term *t, int rows, int cols, struct ui_options options)
{
    char err[256] = "";
    options.commands = commands;
    options.n_commands = sizeof commands / sizeof *commands;
    options.history = history;
    options.n_history = sizeof history / sizeof *history;
    options.examples = examples;
    options.n_examples = sizeof examples / sizeof *examples;
    options.clock_ms = term_clock;

    term_open_bare(t, rows, cols);
    options.in = options.out = t->slave;
    if (ui_open(&t->ui, &options, err, sizeof err) != 0)
        fail_msg("ui_open: %s", err);
    term_turn(t);
}

void term_open(struct term *t, int rows, int cols, const char *type)
{
    term_open_as(t, rows, cols, type, UI_THEME_DARK);
}

void term_open_as(struct term *t, int rows, int cols, const char *type, enum ui_theme theme)
{
    const struct ui_options options = {.term = type ? type : "xterm-256color", .theme = theme};
    open_screen(t, rows, cols, options);
}

void term_open_vi(struct term *t, int rows, int cols)
{
    const struct ui_options options = {
        .term = "xterm-256color", .theme = UI_THEME_DARK, .vi = true};
    open_screen(t, rows, cols, options);
}

void term_close(struct term *t)
{
    ui_close(t->ui);
    term_forget(t);
    bytes_free(&t->raw);
    vterm_free(t->vt);
    close(t->slave);
    close(t->master);
}

void term_drain(struct term *t)
{
    char buf[4096];
    ssize_t n;
    while ((n = read(t->master, buf, sizeof buf)) > 0) {
        bytes_add(&t->raw, buf, (size_t)n);
        vterm_input_write(t->vt, buf, (size_t)n);
    }
}

/* Turns */

static void keep(struct term *t, const struct ui_action *action)
{
    assert_true(t->n_actions < TERM_ACTIONS_MAX);
    t->actions[t->n_actions] = *action;
    if (action->text)
        t->actions[t->n_actions].text = strdup(action->text);
    t->n_actions++;
}

void term_turn(struct term *t)
{
    struct ui_action action;
    struct pollfd fd;
    bool busy = true;

    for (int i = 0; busy && i < 1000; i++) {
        ui_poll(t->ui, &fd);
        busy = poll(&fd, 1, 0) > 0 && (fd.revents & (POLLIN | POLLHUP));
        if (busy)
            ui_feed(t->ui);
        now += 100;
        while (ui_next_action(t->ui, &action))
            keep(t, &action);
        ui_draw(t->ui);
        term_drain(t);
        ui_poll(t->ui, &fd);
        busy = busy || (fd.events & POLLOUT);
    }
}

void term_type_bytes(struct term *t, const char *keys, size_t n)
{
    struct ui_action action;
    while (n > 0) {
        ssize_t done = write(t->master, keys, n);
        if (done < 0 && errno != EAGAIN)
            fail_msg("write: %s", strerror(errno));
        if (done > 0) {
            keys += done;
            n -= (size_t)done;
        }
        ui_feed(t->ui);
        while (ui_next_action(t->ui, &action))
            keep(t, &action);
    }
    term_turn(t);
}

void term_type(struct term *t, const char *keys)
{
    term_type_bytes(t, keys, strlen(keys));
}

void term_resize(struct term *t, int rows, int cols)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
    ioctl(t->master, TIOCSWINSZ, &size);
    t->rows = rows;
    t->cols = cols;
    if (rows > 0 && cols > 0)
        vterm_set_size(t->vt, rows, cols);
    ui_resize(t->ui);
}

void term_forget(struct term *t)
{
    for (size_t i = 0; i < t->n_actions; i++)
        free((char *)t->actions[i].text);
    t->n_actions = 0;
    bytes_cut(&t->raw, 0);
}

int term_last_action(const struct term *t)
{
    return t->n_actions ? (int)t->actions[t->n_actions - 1].kind : -1;
}

/* Looking */

static void add_char(struct bytes *out, uint32_t cp)
{
    char utf8[5] = "";
    int n = 0;
    if (cp < 0x80) {
        utf8[n++] = (char)cp;
    } else if (cp < 0x800) {
        utf8[n++] = (char)(0xc0 | cp >> 6);
        utf8[n++] = (char)(0x80 | (cp & 0x3f));
    } else if (cp < 0x10000) {
        utf8[n++] = (char)(0xe0 | cp >> 12);
        utf8[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
        utf8[n++] = (char)(0x80 | (cp & 0x3f));
    } else {
        utf8[n++] = (char)(0xf0 | cp >> 18);
        utf8[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
        utf8[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
        utf8[n++] = (char)(0x80 | (cp & 0x3f));
    }
    bytes_add(out, utf8, (size_t)n);
}

static void end_row(struct bytes *out, char blank)
{
    while (out->len > 0 && out->data[out->len - 1] == blank)
        bytes_cut(out, out->len - 1);
    bytes_add(out, "\n", 1);
}

char *term_text(const struct term *t)
{
    struct bytes out = {0};
    VTermPos pos;
    for (pos.row = 0; pos.row < t->rows; pos.row++) {
        for (pos.col = 0; pos.col < t->cols;) {
            VTermScreenCell cell;
            vterm_screen_get_cell(t->screen, pos, &cell);
            if (!cell.chars[0])
                add_char(&out, ' ');
            for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
                add_char(&out, cell.chars[i]);
            pos.col += cell.width > 0 ? cell.width : 1;
        }
        end_row(&out, ' ');
    }
    return out.data;
}

/* A letter for a colour of the palette, in upper case when bold; '#' when reversed. */
static char style_letter(const VTermScreenCell *cell)
{
    static const char letters[] = {
        [80] = 'n',  [111] = 'p', [114] = 'r', [179] = 'w',
        [182] = 'c', [210] = 'f', [242] = 'l', [246] = 'd',
    };
    char letter = 't';
    if (cell->attrs.reverse)
        return '#';
    if (VTERM_COLOR_IS_INDEXED(&cell->fg) && !VTERM_COLOR_IS_DEFAULT_FG(&cell->fg))
        letter = cell->fg.indexed.idx < sizeof letters ? letters[cell->fg.indexed.idx] : '?';
    if (cell->attrs.bold)
        letter = (char)(letter - 'a' + 'A');
    return cell->chars[0] && cell->chars[0] != ' ' ? letter : ' ';
}

char *term_styles(const struct term *t)
{
    struct bytes out = {0};
    VTermPos pos;
    for (pos.row = 0; pos.row < t->rows; pos.row++) {
        for (pos.col = 0; pos.col < t->cols;) {
            VTermScreenCell cell;
            vterm_screen_get_cell(t->screen, pos, &cell);
            char letter = style_letter(&cell);
            for (int i = 0; i < (cell.width > 0 ? cell.width : 1); i++, pos.col++)
                bytes_add(&out, &letter, 1);
        }
        end_row(&out, ' ');
    }
    return out.data;
}

static void describe_color(const VTermColor *color, const char *before, struct bytes *out)
{
    char text[32];
    int n = VTERM_COLOR_IS_INDEXED(color)
                ? snprintf(text, sizeof text, "%s%d", before, color->indexed.idx)
                : snprintf(text, sizeof text, "%s#%02x%02x%02x", before, color->rgb.red,
                           color->rgb.green, color->rgb.blue);
    bytes_add(out, text, (size_t)n);
}

/* What a cell is painted with: "80 bold on 16". */
static void describe_paint(const VTermScreenCell *cell, struct bytes *out)
{
    if (!VTERM_COLOR_IS_DEFAULT_FG(&cell->fg))
        describe_color(&cell->fg, "", out);
    if (cell->attrs.bold)
        bytes_add(out, out->len ? " bold" : "bold", 4 + (out->len > 0));
    if (cell->attrs.underline)
        bytes_add(out, out->len ? " underline" : "underline", 9 + (out->len > 0));
    if (cell->attrs.reverse)
        bytes_add(out, out->len ? " reverse" : "reverse", 7 + (out->len > 0));
    if (!VTERM_COLOR_IS_DEFAULT_BG(&cell->bg))
        describe_color(&cell->bg, out->len ? " on " : "on ", out);
}

char *term_painted(const struct term *t)
{
    struct bytes out = {0}, last = {0};
    VTermPos pos;
    bytes_add(&last, "", 0);
    for (pos.row = 0; pos.row < t->rows; pos.row++) {
        for (pos.col = 0; pos.col < t->cols;) {
            struct bytes paint = {0};
            VTermScreenCell cell;
            char utf8[4];
            vterm_screen_get_cell(t->screen, pos, &cell);
            bytes_add(&paint, "", 0);
            describe_paint(&cell, &paint);
            if (strcmp(paint.data, last.data) != 0) {
                bytes_add(&out, "{", 1);
                bytes_add(&out, paint.data, paint.len);
                bytes_add(&out, "}", 1);
            }
            bytes_free(&last);
            last = paint;
            for (int i = 0; cell.chars[i]; i++)
                bytes_add(&out, utf8, text_encode(cell.chars[i], utf8));
            if (!cell.chars[0])
                bytes_add(&out, " ", 1);
            pos.col += cell.width > 0 ? cell.width : 1;
        }
        end_row(&out, ' ');
    }
    bytes_free(&last);
    return out.data;
}

bool term_shows(const struct term *t, const char *part)
{
    char *text = term_text(t);
    bool shown = strstr(text, part) != NULL;
    free(text);
    return shown;
}

/* What may be sent */

/* The length of the sequence at the front, 0: it is none of ours. */
static size_t sequence(const char *s, size_t n)
{
    static const char *const plain[] = {
        "\0337", "\0338", "\033(B", "\033)0", "\033=", "\033>", "\033M", "\r", "\n", "\b"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (n >= strlen(plain[i]) && memcmp(s, plain[i], strlen(plain[i])) == 0)
            return strlen(plain[i]);
    if (n < 3 || s[0] != '\033' || s[1] != '[')
        return 0;
    size_t i = 2;
    while (i < n && strchr("?0123456789;", s[i]))
        i++;
    /* Movement, erasing, insertion and deletion, style, modes, scroll region, the title stack. */
    return i < n && strchr("ABCDHGJKLMPSTXbdmhlrt@", s[i]) ? i + 1 : 0;
}

void term_check_grammar(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)bytes[i];
        size_t used = sequence(bytes + i, n - i);
        if (used == 0 && c >= 0x20 && c < 0x7f)
            used = 1;
        if (used == 0 && c >= 0xc2) { /* UTF-8, but not of a C1 or an invisible character */
            used = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
            const unsigned char *p = (const unsigned char *)bytes + i;
            if (c == 0xc2 && p[1] < 0xa0)
                used = 0;
            if (c == 0xe2 && p[1] == 0x80 && (p[2] < 0x90 || (p[2] >= 0xa8 && p[2] <= 0xae)))
                used = 0;
            if (c == 0xe2 && p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf)
                used = 0;
            if (c == 0xf3 && p[1] == 0xa0 && p[2] < 0x88)
                used = 0;
        }
        if (used == 0)
            fail_msg("byte %zu: 0x%02x is not ours (after \"%.20s\")", i, c,
                     bytes + (i > 20 ? i - 20 : 0));
        i += used;
    }
}
