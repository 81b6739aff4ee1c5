/* wrap.c - see wrap.h. */
#include "app/wrap.h"

#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

enum { TAB = 8 };

int wrap_width(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The last column stays free: some terminals wrap as soon as it is written. */
static int limit_of(const struct wrap *w)
{
    return w->width > 1 ? w->width - 1 : 0;
}

/* The first word of a line decides whether the line may be broken. */
static void begin_line(struct wrap *w)
{
    bool fence = strncmp(w->word.data, "```", 3) == 0 || strncmp(w->word.data, "~~~", 3) == 0;
    w->begun = true;
    w->verbatim = w->fenced || fence || w->word.data[0] == '|';
    w->fenced ^= fence;
}

static void write_spaces(struct wrap *w, struct str *out)
{
    for (; w->spaces > 0; w->spaces--, w->column++)
        str_adds(out, " ");
}

static void write_word(struct wrap *w, struct str *out)
{
    if (w->word.len == 0)
        return;
    if (!w->begun)
        begin_line(w);
    int limit = limit_of(w);
    if (limit > 0 && w->column > 0 && w->column + w->spaces + w->word_width > limit &&
        !w->verbatim && !w->long_one) {
        str_adds(out, "\n");
        w->column = 0;
        w->spaces = 0;
    }
    write_spaces(w, out);
    str_add(out, w->word.data, w->word.len);
    w->column += w->word_width;
    if (limit > 0 && w->column > limit)
        w->column %= w->width;
    str_clear(&w->word);
    w->word_width = 0;
}

static void end_line(struct wrap *w, struct str *out)
{
    write_spaces(w, out);
    str_adds(out, "\n");
    w->column = 0;
    w->begun = w->verbatim = w->long_one = false;
}

static void hold(struct wrap *w, const char *s, size_t n, int width, struct str *out)
{
    if (width > 0 && w->word_width > 0 && (w->wide || width > 1))
        write_word(w, out);
    if (width > 0)
        w->wide = width > 1;
    str_add(&w->word, s, n);
    w->word_width += width;
    if (limit_of(w) > 0 && w->word_width >= limit_of(w)) {
        write_word(w, out);
        w->long_one = true;
    }
}

void wrap_add(struct wrap *w, const char *text, size_t len, struct str *out)
{
    for (size_t i = 0, n; i < len; i += n) {
        int32_t code;
        n = str_next(text + i, len - i, &code);
        int width = code < 0 ? (int)n : wcwidth((wchar_t)code);
        if (code != '\n' && code != ' ' && code != '\t') {
            hold(w, text + i, n, width < 0 ? 1 : width, out);
            continue;
        }
        write_word(w, out);
        w->long_one = false;
        if (code == '\n') {
            end_line(w, out);
        } else if (code == ' ') {
            w->spaces++;
        } else {
            write_spaces(w, out);
            str_adds(out, "\t");
            w->column += TAB - w->column % TAB;
        }
    }
}

/* The length of the colour sequence that s begins with, or 0. */
static size_t sequence(const char *s)
{
    return *s == '\033' ? strcspn(s, "m") + 1 : 0;
}

void wrap_put(struct wrap *w, const char *text, struct str *out)
{
    write_word(w, out);
    write_spaces(w, out);
    for (size_t n; *text; text += n) {
        if (*text == '\n') {
            end_line(w, out);
            n = 1;
        } else if ((n = sequence(text)) > 0) {
            str_add(out, text, n);
        } else {
            n = strcspn(text, "\033\n");
            str_add(out, text, n);
            w->column += (int)n;
        }
    }
}

void wrap_done(struct wrap *w)
{
    str_done(&w->word);
    *w = (struct wrap){0};
}
