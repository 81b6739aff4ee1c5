/*
 * screen.c: the only file that uses curses. Curses writes to an in-memory file instead of a
 * terminal and draws the cells of a grid; its output is what the terminal needs to catch up.
 * Curses' handling of terminal modes, signals, input and window size is not used: tty.c, input.c
 * and the caller do that.
 */
#include "terminal/screen.h"
#include "text/ascii.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

enum {
    TERM_NAME_MAX = 255,
    TERM_SHOWN_MAX = 40, /* length of it in a message */
};

enum depth { DEPTH_UNKNOWN, DEPTH_NONE, DEPTH_8, DEPTH_16, DEPTH_256, DEPTH_EXACT, DEPTH_RGB };

/* An attribute of curses that is not used otherwise: see strike_instead(). */
#define STRIKE A_BLINK

/* From here on the 256-colour numbers stand for a style's colour, and then for a background. */
enum { FIRST_EXACT = 64 };

struct curses_screen {
    SCREEN *sp;
    FILE *memory; /* curses' output */
    bool utf8, color, mouse, strikes;
    enum depth depth;
    struct theme theme;
    bool repaint;
    struct grid shown;
    cchar_t *line; /* scratch row for curses, [GRID_COLS_MAX + 1] */
};

/* Modes not in terminfo: bracketed paste, and mouse reporting with unlimited coordinates. */
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";
static const char mouse_on[] = "\033[?1000h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1000l";

static bool has_ansi_sequences(void)
{
    return cursor_address && strncmp(cursor_address, "\033[", 2) == 0;
}

/* Curses installs handlers for these; signals belong to the caller. */
static const int handled[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
enum { N_HANDLED = sizeof handled / sizeof *handled };

static SCREEN *new_term(const char *term, FILE *memory)
{
    struct sigaction before[N_HANDLED];

    for (int i = 0; i < N_HANDLED; i++)
        sigaction(handled[i], NULL, &before[i]);
    /* Ignores LINES and COLUMNS; without tioctl there is no other fallback. */
    use_env(FALSE);
    use_extended_names(TRUE);
    use_tioctl(TRUE);
    SCREEN *sp = newterm(term, memory, memory);
    for (int i = 0; i < N_HANDLED; i++)
        sigaction(handled[i], &before[i], NULL);
    return sp;
}

/*
 * Why a terminal type is unusable; NULL: it is usable. Checked first, since newterm() leaks when it
 * fails.
 */
static const char *why_unfit(const char *term, int fd)
{
    const char *reason = NULL;
    TERMINAL *before = cur_term;
    int found;

    if (!term || !*term || strlen(term) > TERM_NAME_MAX || setupterm(term, fd, &found) != OK)
        return "unknown terminal type";
    if (!cursor_address || !clear_screen)
        reason = "the terminal cannot move its cursor";
    del_curterm(set_curterm(before));
    return reason;
}

/* Colours */

/*
 * The number of colours. If COLORTERM announces exact colours that terminfo lacks, they replace
 * placeholder numbers in the frame: see use_exact_colors().
 */
static enum depth find_depth(void)
{
    const char *says = getenv("COLORTERM"), *set = set_a_foreground;

    if (start_color() != OK || COLORS < 8 || COLOR_PAIRS <= STYLE_COUNT)
        return DEPTH_NONE;
    if (COLORS >= 1 << 24)
        return DEPTH_RGB;
    if (COLORS < 256)
        return COLORS < 16 ? DEPTH_8 : DEPTH_16;
    bool exact = says && (strcmp(says, "truecolor") == 0 || strcmp(says, "24bit") == 0);
    return exact && set && strcmp(tparm(set, 100), "\033[38;5;100m") == 0 ? DEPTH_EXACT : DEPTH_256;
}

static int number_of(const struct curses_screen *s, const struct shade *shade, int ours)
{
    bool named = shade->of256 < 16; /* from the terminal's own palette, or none */
    switch (s->depth) {
    case DEPTH_RGB: return named && shade->of256 < 8 ? shade->of256 : shade->rgb;
    case DEPTH_EXACT: return named ? shade->of256 : ours;
    case DEPTH_256: return shade->of256;
    case DEPTH_16: return shade->of16;
    default: return shade->of8;
    }
}

/* Pair 1 + style for each style; muted styles use the one of STYLE_DIM. */
static void init_pairs(struct curses_screen *s)
{
    bool own = use_default_colors() == OK; /* the terminal's default colours are available */

    for (int style = 0; style < STYLE_COUNT; style++) {
        struct paint p = theme_paint(&s->theme, (uint8_t)style);
        int color = number_of(s, &p.color, FIRST_EXACT + style);
        int background = number_of(s, &p.background, FIRST_EXACT + STYLE_COUNT);
        if (!own && color == PAINT_DEFAULT)
            color = COLOR_WHITE;
        if (!own && background == PAINT_DEFAULT)
            background = COLOR_BLACK;
        init_extended_pair(1 + style, color, background);
    }
}

void screen_set_theme(struct curses_screen *s, const struct theme *theme)
{
    set_term(s->sp);
    if (theme && s->depth == DEPTH_UNKNOWN)
        s->depth = find_depth(); /* not earlier: curses then always sends colours */
    s->color = theme && s->depth != DEPTH_NONE;
    if (theme)
        s->theme = *theme;
    if (s->color)
        init_pairs(s);
    s->repaint = true;
}

/* Clears curses' output. */
static bool discard(struct curses_screen *s)
{
    int fd = fileno(s->memory);
    return lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0;
}

/* The error for an unusable terminal type; its name is untrusted. */
static void explain(const char *term, const char *reason, char *err, size_t errlen)
{
    char name[4 * TERM_SHOWN_MAX + 1];
    size_t n = 0;

    for (int i = 0; i < TERM_SHOWN_MAX && term[i]; i++)
        n += (size_t)snprintf(name + n, sizeof name - n,
                              term[i] >= ' ' && term[i] < 0x7f ? "%c" : "\\x%02x",
                              (unsigned char)term[i]);
    name[n] = '\0';
    snprintf(err, errlen, "terminal: TERM: %s (got \"%s\")", reason, name);
}

int screen_open(struct curses_screen **out, const char *term, int rows, int cols, char *err,
                size_t errlen)
{
    const char *reason = "out of memory", *unfit;
    struct curses_screen *s = calloc(1, sizeof *s);
    int fd = -1;

    if (!s || !(s->line = malloc((GRID_COLS_MAX + 1) * sizeof *s->line)))
        goto fail;
    fd = memfd_create("screen", MFD_CLOEXEC);
    if (fd < 0 || !(s->memory = fdopen(fd, "r+"))) {
        reason = strerror(errno);
        goto fail;
    }
    if ((unfit = why_unfit(term, fd)) != NULL) {
        reason = unfit;
        goto fail;
    }
    if (!(s->sp = new_term(term, s->memory)))
        goto fail;
    s->strikes = screen_strikes(s);
    s->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    theme_init(&s->theme, UI_THEME_NONE, NULL);
    idlok(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    typeahead(-1);
    if (!grid_resize(&s->shown, rows, cols))
        goto fail;
    /*
     * newterm() wrote for the size in terminfo: leave, and let the first frame enter again.
     */
    resize_term(s->shown.rows, s->shown.cols);
    endwin();
    discard(s);
    s->repaint = true;
    *out = s;
    return 0;
fail:
    explain(term ? term : "", reason, err, errlen);
    if (fd >= 0 && s && !s->memory)
        close(fd);
    screen_close(s);
    return -1;
}

void screen_close(struct curses_screen *s)
{
    if (!s)
        return;
    if (s->sp) {
        set_term(s->sp);
        endwin();
        delscreen(s->sp);
    }
    if (s->memory)
        fclose(s->memory);
    grid_free(&s->shown);
    free(s->line);
    free(s);
}

const char *screen_capability(struct curses_screen *s, const char *name)
{
    set_term(s->sp);
    const char *value = tigetstr(name);
    return value == (const char *)-1 ? NULL : value;
}

enum { NCV_BLINK = 8 }; /* terminfo(5): attributes that do not go with colours */

/* It can be told to, and curses tells it to blink in the way that strike_instead() expects, in
 * coloured cells too. */
bool screen_strikes(struct curses_screen *s)
{
    const char *strike = screen_capability(s, "smxx");
    const char *blink = set_attributes ? tparm(set_attributes, 0, 0, 0, 1, 0, 0, 0, 0, 0) : NULL;
    bool in_color = no_color_video < 0 || !(no_color_video & NCV_BLINK);
    return in_color && strike && strcmp(strike, "\033[9m") == 0 && blink &&
           strstr(blink, "\033[0;5m");
}

bool screen_takes_osc(struct curses_screen *s)
{
    set_term(s->sp);
    static const char *const others[] = {"tmux", "screen", "rxvt"};
    const char *name = termname();
    bool known = tigetflag("XT") > 0; /* titles are set as in xterm */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        known = known || strncmp(name, others[i], strlen(others[i])) == 0;
    return has_ansi_sequences() && known;
}

/* Removes padding such as $<20> from a capability. */
static bool add_capability(struct bytes *out, const char *value)
{
    while (value && *value) {
        size_t n = strcspn(value, "$");
        if (value[n] == '$' && value[n + 1] != '<')
            n++;
        if (!bytes_add(out, value, n))
            return false;
        value += n;
        if (*value == '$') {
            const char *end = strchr(value, '>');
            value = end ? end + 1 : value + strlen(value);
        }
    }
    return true;
}

void screen_listen_to_mouse(struct curses_screen *s)
{
    s->mouse = true;
}

static bool add_modes(const struct curses_screen *s, struct bytes *out, const char *paste,
                      const char *mouse)
{
    if (!has_ansi_sequences())
        return true;
    return bytes_add(out, paste, strlen(paste)) &&
           (!s->mouse || bytes_add(out, mouse, strlen(mouse)));
}

bool screen_restore_bytes(struct curses_screen *s, struct bytes *out)
{
    set_term(s->sp);
    if (!add_modes(s, out, paste_off, mouse_off))
        return false;
    return add_capability(out, exit_attribute_mode) && add_capability(out, orig_pair) &&
           add_capability(out, cursor_normal) && add_capability(out, keypad_local) &&
           add_capability(out, exit_ca_mode) &&
           bytes_add(out, "\r\n", exit_ca_mode ? 1 : 2); /* below the remaining lines */
}

void screen_repaint(struct curses_screen *s)
{
    s->repaint = true;
}

/* Cells */

static attr_t attributes(const struct curses_screen *s, uint8_t style)
{
    struct paint p = theme_paint(&s->theme, style);
    unsigned bits = !s->color ? p.attr_plain : s->depth < DEPTH_256 ? p.attr_few : p.attr;
    return (bits & PAINT_BOLD ? A_BOLD : 0) | (bits & PAINT_DIM ? A_DIM : 0) |
           (bits & PAINT_UNDERLINE ? A_UNDERLINE : 0) | (bits & PAINT_REVERSE ? A_REVERSE : 0) |
           (bits & PAINT_ITALIC ? (enter_italics_mode ? A_ITALIC : A_UNDERLINE) : 0) |
           (bits & PAINT_STRIKE && s->strikes ? STRIKE : 0);
}

/*
 * Curses measures with wcwidth(). A character that it measures differently than text.c would
 * desynchronize curses' cursor, so a replacement of the right width is drawn.
 */
static int characters(const struct curses_screen *s, const struct cell *cell, wchar_t *out)
{
    uint32_t cp = cell->cp[0];
    int n = 0, width = text_columns(cp);

    if (!s->utf8) {
        out[n++] = cp < 0x80 ? (wchar_t)cp : ascii_form(cp);
    } else if (wcwidth((wchar_t)cp) == width) {
        out[n++] = (wchar_t)cp;
        for (int i = 1; i <= TEXT_MARKS && cell->cp[i]; i++)
            if (wcwidth((wchar_t)cell->cp[i]) == 0)
                out[n++] = (wchar_t)cell->cp[i];
    } else {
        out[n++] = width == 2 ? 0xff1f /* ？ */ : TEXT_REPLACEMENT;
    }
    out[n] = L'\0';
    return n;
}

static void paint_row(struct curses_screen *s, const struct grid *g, int row)
{
    cchar_t *at = s->line;

    for (int col = 0; col < g->cols; col++) {
        const struct cell *cell = grid_at(g, row, col);
        wchar_t wide[2 + TEXT_MARKS];
        short pair = 0;

        if (cell->cp[0] == 0) {
            if (s->utf8)
                continue;
            wide[0] = '?', wide[1] = L'\0';
        } else {
            characters(s, cell, wide);
        }
        if (s->color)
            pair = 1 + (short)(cell->style & STYLE_MUTED ? STYLE_DIM : cell->style & ~STYLE_FLAGS);
        setcchar(at++, wide, attributes(s, cell->style), pair, NULL);
    }
    mvadd_wchnstr(row, 0, s->line, (int)(at - s->line));
}

/* Frames */

/* Moves curses' output to *out. */
static bool collect(struct curses_screen *s, struct bytes *out)
{
    int fd = fileno(s->memory);
    off_t size = lseek(fd, 0, SEEK_CUR);
    bool ok = size >= 0 && bytes_reserve(out, (size_t)size);

    for (off_t done = 0; ok && done < size;) {
        ssize_t n = pread(fd, out->data + out->len, (size_t)(size - done), done);
        if (n <= 0) {
            ok = false;
            break;
        }
        out->len += (size_t)n;
        done += n;
    }
    if (ok && size > 0)
        out->data[out->len] = '\0';
    return discard(s) && ok;
}

/* Length of "38;5;" or "48;5;" with a placeholder number and 'm', 0: none; and its colour. */
static size_t read_placeholder(const struct curses_screen *s, const char *at, int *rgb_out)
{
    char *end;
    if (strncmp(at, "38;5;", 5) != 0 && strncmp(at, "48;5;", 5) != 0)
        return 0;
    long number = strtol(at + 5, &end, 10) - FIRST_EXACT;
    if (*end != 'm' || number < 0 || number > STYLE_COUNT)
        return 0;
    *rgb_out = number < STYLE_COUNT ? s->theme.paint[number].color.rgb
                                    : s->theme.paint[STYLE_TEXT].background.rgb;
    return (size_t)(end - at);
}

/* Substitutes exact colours for placeholder numbers: "38;5;N" becomes "38;2;R;G;B". */
static bool use_exact_colors(const struct curses_screen *s, struct bytes *out, size_t from)
{
    static const char mark[] = "\033[";
    char exact[32];
    int rgb;

    while (from < out->len) {
        char *at = memmem(out->data + from, out->len - from, mark, sizeof mark - 1);
        if (!at)
            break;
        from = (size_t)(at - out->data) + sizeof mark - 1;
        size_t n = read_placeholder(s, out->data + from, &rgb);
        if (n == 0)
            continue;
        int len = snprintf(exact, sizeof exact, "%c8;2;%d;%d;%d", out->data[from], rgb >> 16 & 255,
                           rgb >> 8 & 255, rgb & 255);
        if (!bytes_splice(out, from, n, exact, (size_t)len))
            return false;
    }
    return true;
}

/*
 * Curses has no attribute for it, so struck text blinks until here: "\033[0;...;5m" becomes
 * "\033[0;...;9m". Colours come in sequences of their own.
 */
static void strike_instead(struct bytes *out, size_t from)
{
    static const char mark[] = "\033[0;";

    while (from < out->len) {
        char *at = memmem(out->data + from, out->len - from, mark, sizeof mark - 1);
        if (!at)
            break;
        for (at += sizeof mark - 1; *at == ';' || (*at >= '0' && *at <= '9'); at++)
            if (at[-1] == ';' && *at == '5' && (at[1] == ';' || at[1] == 'm'))
                *at = '9';
        from = (size_t)(at - out->data);
    }
}

/* On resume curses resets the palette with an OSC; nothing changed it, and no OSC is sent here. */
static void drop_palette_reset(struct bytes *out, size_t from)
{
    size_t n = orig_colors ? strlen(orig_colors) : 0;
    char *at = n > 0 ? memmem(out->data + from, out->len - from, orig_colors, n) : NULL;
    if (at)
        bytes_splice(out, (size_t)(at - out->data), n, "", 0);
}

static bool same_size(const struct grid *a, const struct grid *b)
{
    return a->rows == b->rows && a->cols == b->cols;
}

bool screen_paint(struct curses_screen *s, const struct grid *g, struct bytes *out)
{
    size_t before = out->len;

    set_term(s->sp);
    if (!same_size(g, &s->shown)) {
        if (!grid_resize(&s->shown, g->rows, g->cols))
            return false;
        resize_term(g->rows, g->cols);
        if (change_scroll_region &&
            !add_capability(out, tparm(change_scroll_region, 0, g->rows - 1)))
            return false;
        s->repaint = true;
    }
    for (int row = 0; row < g->rows; row++) {
        struct cell *is = grid_at(&s->shown, row, 0), *be = grid_at(g, row, 0);
        size_t size = (size_t)g->cols * sizeof *is;
        if (s->repaint || memcmp(is, be, size) != 0) {
            paint_row(s, g, row);
            memcpy(is, be, size);
        }
    }
    if (s->repaint)
        clearok(curscr, TRUE);
    if (g->cursor_row >= 0)
        move(g->cursor_row, g->cursor_col);
    curs_set(g->cursor_row >= 0);
    bool entering = isendwin();
    wnoutrefresh(stdscr);
    doupdate();
    s->repaint = false;
    bool complete = collect(s, out);
    if (complete && s->depth == DEPTH_EXACT)
        complete = use_exact_colors(s, out, before);
    if (complete && s->strikes)
        strike_instead(out, before);
    if (entering)
        drop_palette_reset(out, before);
    if (entering)
        complete = add_modes(s, out, paste_on, mouse_on) && complete;
    if (!complete) {
        bytes_cut(out, before);
        s->repaint = true;
    }
    return complete;
}

bool screen_leave(struct curses_screen *s, struct bytes *out)
{
    size_t before = out->len;

    set_term(s->sp);
    endwin();
    s->repaint = true;
    if (!add_modes(s, out, paste_off, mouse_off) || !collect(s, out)) {
        bytes_cut(out, before);
        return false;
    }
    return true;
}
