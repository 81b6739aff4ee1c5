/*
 * vi_motion.h: the targets of vi's motions and the extent of its text objects. They only read the
 * text and the cursor.
 */
#ifndef UI_EDITOR_VI_MOTION_H
#define UI_EDITOR_VI_MOTION_H

#include "editor/editor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VI_G = 0x200000 }; /* added to the key after g; no character is that large */

struct vi_motion {
    size_t to;
    bool inclusive; /* inclusive: an operator includes the character there */
    bool lines;     /* linewise: an operator takes whole lines */
};

/* A search in the line: f F t T and their target; ';' and ',' repeat it. */
struct vi_find {
    uint32_t how, what;
};

/*
 * Performs the motion of a key n times; n = 0: no count. `find` is the last search. False: not a
 * motion, or no target (*known_out tells).
 */
bool vi_motion(const struct editor *e, uint32_t key, int n, const struct vi_find *find,
               struct vi_motion *out, bool *known_out);

/* The target of a search in the line; again: when repeated, skips an adjacent match. */
bool vi_search_line(const struct editor *e, const struct vi_find *find, int n, bool again,
                    struct vi_motion *out);

struct vi_span {
    size_t from, to;
    bool lines;
};

/* The text object of a key, "w" or "(", at the cursor; around: "aw", else "iw". */
bool vi_object(const struct editor *e, uint32_t key, bool around, int n, struct vi_span *out);

/* The first non-space position of a line; the same column `lines` further down. */
size_t vi_first(const struct editor *e, size_t pos);
size_t vi_line_down(const struct editor *e, size_t pos, int lines);

#endif
