/*
 * vi_motion.h: where vi's motions lead and what its text objects hold. They read the text and the
 * cursor, and change nothing.
 */
#ifndef UI_VI_MOTION_H
#define UI_VI_MOTION_H

#include "editor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vi_motion {
    size_t to;
    bool inclusive; /* an operator takes what stands there as well */
    bool lines;     /* an operator takes whole lines */
};

/* A search in the line: f F t T and what for; ';' and ',' repeat it. */
struct vi_find {
    uint32_t how, what;
};

/*
 * The motion that a key names, done n times, n = 0: no count was given. `find` is the latest
 * search. False: the key names no motion, or it leads nowhere (*known_out tells).
 */
bool vi_motion(const struct editor *e, uint32_t key, int n, const struct vi_find *find,
               struct vi_motion *out, bool *known_out);

/* Where a search in the line leads; again: it was repeated, so what is next to the cursor is
 * passed. */
bool vi_search_line(const struct editor *e, const struct vi_find *find, int n, bool again,
                    struct vi_motion *out);

struct vi_span {
    size_t from, to;
    bool lines;
};

/* The text object of a key, "w" or "(", around the cursor; around: "aw", else "iw". */
bool vi_object(const struct editor *e, uint32_t key, bool around, int n, struct vi_span *out);

/* The first position of a line that is no space; the same column `lines` further down. */
size_t vi_first(const struct editor *e, size_t pos);
size_t vi_line_down(const struct editor *e, size_t pos, int lines);

#endif
