/* question.c - see question.h. */
#include "app/question.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/signals.h"

/* More than any context holds, and little enough for any machine. */
enum { MAX_BYTES = 16 * 1024 * 1024, STEP = 64 * 1024 };

bool question_given(const struct options *o, size_t n_words)
{
    return o->prompt || o->files.n > 0 || n_words > 0 || !isatty(STDIN_FILENO);
}

/* Waits for fd and for signals: a slow writer must not hold off Ctrl-C. */
static int wait_for(int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = signals_fd(), .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return 0; /* read() will say */
        int signal = signals_next_ending();
        if (signal != 0)
            return EXIT_SIGNAL + signal;
        if (fds[0].revents)
            return 0;
    }
}

int question_read_stream(int fd, const char *name, struct str *out, char *err, size_t errlen)
{
    char *step = mem_alloc(STEP);
    int status = 0;
    err[0] = '\0';
    while (status == 0 && (status = wait_for(fd)) == 0) {
        ssize_t n = read(fd, step, STEP);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            status = say_to(err, errlen, EXIT_USAGE, "%s: %s", name, strerror(errno));
        if (n > 0)
            str_add(out, step, (size_t)n);
        if (out->len > MAX_BYTES)
            status = say_to(err, errlen, EXIT_FIT, "%s: too large (got more, limit %d bytes)", name,
                            MAX_BYTES);
    }
    free(step);
    return status;
}

int question_check_kind(const char *name, const struct str *in, char *err, size_t errlen)
{
    const char *s = str_get(in);
    if (in->len >= 2 && (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0))
        return say_to(err, errlen, EXIT_USAGE,
                      "%s: UTF-16 text; `iconv -f UTF-16 -t UTF-8` makes it readable", name);
    const char *nul = in->len ? memchr(s, '\0', in->len) : NULL;
    if (nul)
        return say_to(err, errlen, EXIT_USAGE, "%s: binary input at byte %zu", name,
                      (size_t)(nul - s));
    return 0;
}

size_t question_add_part(struct str *out, const char *s, size_t len)
{
    if (len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
        s += 3;
        len -= 3;
    }
    if (out->len > 0) {
        while (out->len > 0 && out->data[out->len - 1] == '\n')
            out->data[--out->len] = '\0';
        str_adds(out, "\n\n");
    }
    return str_add_valid(out, s, len);
}

static int add_stream(int fd, const char *name, struct str *out, size_t *bad, char *err,
                      size_t errlen)
{
    struct str in = {0};
    int status = question_read_stream(fd, name, &in, err, errlen);
    if (status == 0)
        status = question_check_kind(name, &in, err, errlen);
    if (status == 0 && in.len > 0)
        *bad += question_add_part(out, in.data, in.len);
    str_done(&in);
    return status;
}

static int add_file(const char *name, struct str *out, size_t *bad, char *err, size_t errlen)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say_to(err, errlen, EXIT_USAGE, "%s: %s", name, strerror(errno));
    int status = add_stream(fd, name, out, bad, err, errlen);
    close(fd);
    return status;
}

static bool is_stdin(const char *name)
{
    return strcmp(name, "-") == 0;
}

/* Standard input comes where the files name it, else first, unless it is a terminal. */
static int add_files(const struct args_texts *files, struct str *out, size_t *bad, char *err,
                     size_t errlen)
{
    bool named = false;
    for (size_t i = 0; i < files->n; i++)
        named |= is_stdin(files->text[i]);
    int status = 0;
    if (!named && !isatty(STDIN_FILENO))
        status = add_stream(STDIN_FILENO, "stdin", out, bad, err, errlen);
    for (size_t i = 0; i < files->n && status == 0; i++)
        status = is_stdin(files->text[i]) ? add_stream(STDIN_FILENO, "stdin", out, bad, err, errlen)
                                          : add_file(files->text[i], out, bad, err, errlen);
    return status;
}

int question_read(const struct options *o, const char *const *words, size_t n_words,
                  struct str *out, char *err, size_t errlen)
{
    struct str line = {0};
    size_t bad = 0, len;

    int status = add_files(&o->files, out, &bad, err, errlen);
    if (o->prompt)
        str_adds(&line, o->prompt);
    for (size_t i = 0; i < n_words; i++)
        str_addf(&line, "%s%s", line.len ? " " : "", words[i]);
    if (status == 0 && line.len > 0)
        bad += question_add_part(out, line.data, line.len);
    while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]))
        out->data[--out->len] = '\0';
    len = out->len;
    str_trim(str_get(out), &len);
    if (status == 0 && len == 0)
        status = say_to(err, errlen, EXIT_USAGE, "%s",
                        o->prompt || n_words ? "prompt: empty"
                                             : "stdin: no input, and no prompt was given");
    if (status == 0 && bad > 0)
        say_notice(o->quiet, "input: not UTF-8 at %zu place%s, shown as U+FFFD", bad,
                   bad == 1 ? "" : "s");
    str_done(&line);
    return status;
}
