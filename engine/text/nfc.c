/* nfc.c - works on one segment at a time: a character and what may compose with it. Segments that
 * cannot change are skipped; the others are decomposed, their marks put in order and composed. */
#include "text/nfc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "text/utf8.h"

struct nfc {
    char *out; /* NULL until something changed */
    size_t len, cap;
    int32_t *segment, *sorted; /* of one segment, decomposed; [room] each */
    size_t room;
};

enum { MAX_DECOMPOSED = 4 }; /* of one character, canonically */

/* May compose with the character before it: marks, and the later letters of a Hangul syllable. */
static bool is_joining(int32_t c)
{
    if (c < 0x300)
        return false;
    if (c >= 0x1161 && c <= 0x11C2)
        return true;
    utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

static size_t decompose(int32_t c, int32_t out[MAX_DECOMPOSED])
{
    utf8proc_ssize_t n = utf8proc_decompose_char(c, out, MAX_DECOMPOSED,
                                                 UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, NULL);
    if (n >= 1 && n <= MAX_DECOMPOSED)
        return (size_t)n;
    out[0] = c; /* not in utf8proc's tables */
    return 1;
}

/* Composed form of c alone is c. */
static bool is_stable(int32_t c)
{
    int32_t parts[MAX_DECOMPOSED];
    if (c < 0xC0)
        return true;
    size_t n = decompose(c, parts);
    if (n > 1)
        n = (size_t)utf8proc_normalize_utf32(parts, (utf8proc_ssize_t)n,
                                             UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    return n == 1 && parts[0] == c;
}

/* Length of the segment at s; *plain_out: it is one character that normalisation leaves alone. */
static size_t segment_length(const char *s, size_t n, bool *plain_out)
{
    size_t len;
    int32_t c = utf8_decode(s, n, &len);
    *plain_out = is_stable(c);
    if (c < 0)
        return len;
    for (size_t at = len, step; at < n; at += step) {
        int32_t next = utf8_decode(s + at, n - at, &step);
        if (!is_joining(next))
            return at;
        *plain_out = false;
    }
    return n;
}

static int combining_class(int32_t c)
{
    return utf8proc_get_property(c)->combining_class;
}

/* Sorts a run of marks by combining class and keeps equal ones in their order. */
static void order_run(int32_t *run, int32_t *sorted, size_t n)
{
    size_t start[257] = {0};
    for (size_t i = 0; i < n; i++)
        start[(combining_class(run[i]) & 0xFF) + 1]++;
    for (int c = 1; c < 257; c++)
        start[c] += start[c - 1];
    for (size_t i = 0; i < n; i++)
        sorted[start[combining_class(run[i]) & 0xFF]++] = run[i];
    memcpy(run, sorted, n * sizeof *run);
}

static void order_marks(struct nfc *w, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        bool ordered = true;
        int last = combining_class(w->segment[i]);
        end = i + 1;
        while (last > 0 && end < n && combining_class(w->segment[end]) > 0) {
            int next = combining_class(w->segment[end++]);
            ordered = ordered && next >= last;
            last = next;
        }
        if (!ordered)
            order_run(w->segment + i, w->sorted, end - i);
    }
}

static int reserve_segment(struct nfc *w, size_t n)
{
    if (n <= w->room)
        return 0;
    free(w->segment);
    free(w->sorted);
    w->room = n + 64;
    w->segment = malloc(w->room * sizeof *w->segment);
    w->sorted = malloc(w->room * sizeof *w->sorted);
    return w->segment && w->sorted ? 0 : -1;
}

static int append(struct nfc *w, const char *s, size_t n)
{
    if (n == 0)
        return 0;
    if (n > w->cap - w->len) {
        size_t cap = 2 * (w->len + n) + 64;
        char *grown = realloc(w->out, cap);
        if (!grown)
            return -1;
        w->out = grown;
        w->cap = cap;
    }
    memcpy(w->out + w->len, s, n);
    w->len += n;
    return 0;
}

static int append_composed(struct nfc *w, const char *s, size_t n)
{
    if (reserve_segment(w, n * MAX_DECOMPOSED) != 0)
        return -1;
    size_t parts = 0;
    for (size_t at = 0, len; at < n; at += len)
        parts += decompose(utf8_decode(s + at, n - at, &len), w->segment + parts);
    order_marks(w, parts);
    utf8proc_ssize_t left = utf8proc_normalize_utf32(w->segment, (utf8proc_ssize_t)parts,
                                                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    for (utf8proc_ssize_t i = 0; i < left; i++) {
        char bytes[4];
        if (append(w, bytes, utf8_encode(w->segment[i], bytes)) != 0)
            return -1;
    }
    return 0;
}

/* Bytes at the beginning that no normalisation can change. */
static size_t ascii_prefix(const char *s, size_t n)
{
    size_t at = 0;
    while (at < n && (unsigned char)s[at] < 0x80)
        at++;
    return at == n || at == 0 ? at : at - 1; /* the last may carry a mark */
}

int nfc_compose(const char *s, size_t n, char **out, size_t *len_out)
{
    struct nfc w = {0};
    size_t copied = 0; /* bytes of s that stand in w.out already */
    size_t at = ascii_prefix(s, n);
    bool failed = false;
    for (size_t len; at < n && !failed; at += len) {
        bool plain;
        len = segment_length(s + at, n - at, &plain);
        if (plain)
            continue;
        failed = append(&w, s + copied, at - copied) != 0 || append_composed(&w, s + at, len) != 0;
        copied = at + len;
    }
    if (!failed && w.out)
        failed = append(&w, s + copied, n - copied) != 0;
    free(w.segment);
    free(w.sorted);
    if (failed) {
        free(w.out);
        return -1;
    }
    *out = w.out;
    *len_out = w.len;
    return 0;
}
