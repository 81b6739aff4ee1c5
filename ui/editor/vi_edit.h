/*
 * vi_edit.h: vi's changes to the text, for vi.c. An operator is vi->op: d, c, y, or u, U and ~ for
 * case; counts are those typed before the key.
 */
#ifndef UI_EDITOR_VI_EDIT_H
#define UI_EDITOR_VI_EDIT_H

#include "editor/vi.h"

enum { VI_COUNT_MAX = 9999 };

/* The count as typed, 0: none; and the resulting number of repeats. */
int vi_count(const struct vi *vi);
int vi_times(const struct vi *vi);

/* Inserting: at a position; repeated count times; on a new line. Leaving insert mode repeats it. */
void vi_insert(struct vi *vi, struct editor *e, size_t pos);
void vi_insert_at(struct vi *vi, struct editor *e, size_t pos);
void vi_open_line(struct vi *vi, struct editor *e, bool below);
void vi_leave_insert(struct vi *vi, struct editor *e);

/* Applies an operator: to lines, and to a motion, whose key matters for "w". */
struct vi_span vi_whole_lines(const struct editor *e, size_t from, size_t to);
struct vi_span vi_span_of(const struct vi *vi, const struct editor *e, uint32_t key,
                          const struct vi_motion *m);

/* The motion of "cw", which differs from that of "dw"; false: no difference. */
bool vi_change_word(struct vi *vi, const struct editor *e, uint32_t key, struct vi_motion *m);

void vi_operate(struct vi *vi, struct editor *e, const struct vi_span *span);
void vi_on_lines(struct vi *vi, struct editor *e, uint32_t op);
void vi_to_line_end(struct vi *vi, struct editor *e, uint32_t op);

void vi_delete(struct vi *vi, struct editor *e, bool on);
void vi_replace(struct vi *vi, struct editor *e, uint32_t cp);
void vi_other_case(struct vi *vi, struct editor *e);
void vi_join(struct vi *vi, struct editor *e, bool spaced);
void vi_put(struct vi *vi, struct editor *e, bool behind);
void vi_put_over(struct vi *vi, struct editor *e, const size_t span[2]);
void vi_go_back(struct vi *vi, struct editor *e, bool undo);

#endif
