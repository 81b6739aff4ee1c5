/* typeahead.c - see typeahead.h. */
#include "app/plain/typeahead.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* More than this is left to the terminal. */
enum { MOST = 1 << 20 };

static const char answer[] = "/answer", alt_a[] = "\033a", paste[] = "\033[200~";

bool typeahead_read(struct typeahead *a, int fd)
{
    char step[4096];
    if (a->typed.len >= MOST)
        return false;
    ssize_t n = read(fd, step, sizeof step);
    if (n > 0)
        str_add(&a->typed, step, (size_t)n);
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void cut(struct typeahead *a, size_t from, size_t to)
{
    char *s = a->typed.data;
    memmove(s + from, s + to, a->typed.len - to);
    a->typed.len -= to - from;
}

/* The text of a line after applying its backspaces. */
static bool is_answer(const char *s, size_t len)
{
    char line[64]; /* a longer line is something else */
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '\177' || s[i] == '\b')
            n -= n > 0;
        else if (n == sizeof line)
            return false;
        else
            line[n++] = s[i];
    }
    const char *word = str_trim(line, &n);
    return n == sizeof answer - 1 && memcmp(word, answer, n) == 0;
}

/* A paste is text. */
bool typeahead_take_answer_now(struct typeahead *a)
{
    size_t begin = a->at;
    const char *s = str_get(&a->typed);
    if (memmem(s + a->at, a->typed.len - a->at, paste, sizeof paste - 1))
        return false;
    const char *key = memmem(s + a->at, a->typed.len - a->at, alt_a, sizeof alt_a - 1);
    if (key) {
        cut(a, (size_t)(key - s), (size_t)(key - s) + sizeof alt_a - 1);
        return true;
    }
    for (size_t i = a->at; i < a->typed.len; i++) {
        if (s[i] != '\r' && s[i] != '\n')
            continue;
        if (is_answer(s + begin, i - begin)) {
            cut(a, begin, i + 1);
            return true;
        }
        begin = i + 1;
    }
    return false;
}

int typeahead_next(struct typeahead *a)
{
    if (a->at < a->typed.len)
        return (unsigned char)a->typed.data[a->at++];
    typeahead_drop(a);
    return -1;
}

void typeahead_drop(struct typeahead *a)
{
    str_done(&a->typed);
    a->at = 0;
}
