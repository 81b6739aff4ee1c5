/*
 * lookup.h: keys where earlier conversations and texts are looked up: in the sidebar, the search
 * dialog and the find line.
 */
#ifndef UI_LOOKUP_H
#define UI_LOOKUP_H

#include "state.h"

/* An action, and a text typed or pasted. False: not handled here, left to dispatch.c. */
bool lookup_act(struct ui *u, enum keymap_place place, enum keymap_action action);
bool lookup_insert(struct ui *u, enum keymap_place place, const char *text, size_t len);

/* Leaves the text field that has the focus; false: none has it. */
bool lookup_cancel(struct ui *u);
bool lookup_has_field(const struct ui *u);

/* Requests the sidebar's rows. */
void lookup_list(struct ui *u);

/* Moves in the sidebar, and requests more rows near the end of those that it has. */
void lookup_move(struct ui *u, int64_t rows);

/* Opens the sidebar, filtered; opens the search dialog. */
void lookup_open_sidebar(struct ui *u, const char *words, bool archived);
void lookup_search(struct ui *u);

/* Goes on with finding in a long transcript, a bounded piece of work. */
void lookup_step(struct ui *u);

#endif
