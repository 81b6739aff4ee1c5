/* marker.h - finds the texts of control and user-defined tokens in a text.
 *
 * Of several markers that begin at one place the longest counts, as in the reference.
 * Private to the tokenizer. */
#ifndef ENGINE_TEXT_MARKER_H
#define ENGINE_TEXT_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct marker {
    const char *text; /* not NUL-terminated */
    size_t len;
    int32_t id;
};

struct markers {
    struct marker *list; /* ordered by their bytes */
    size_t n;
    bool first[256]; /* some marker begins with this byte */
};

/* Takes over the list, a block from malloc. The texts stay the caller's. Of equal texts the lowest
 * id is kept. */
void markers_init(struct markers *m, struct marker *list, size_t n);
void markers_done(struct markers *m);

/* The marker at the beginning of s, or NULL. */
const struct marker *markers_match(const struct markers *m, const char *s, size_t n);

#endif
