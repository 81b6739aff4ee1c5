/*
 * library.h: where earlier conversations and texts are looked for: keys in the sidebar, the search
 * dialog and the find line.
 */
#ifndef UI_LIBRARY_H
#define UI_LIBRARY_H

#include "state.h"

/* An action, and a text typed or pasted. False: not handled here, left to dispatch.c. */
bool library_act(struct ui *u, enum keymap_place place, enum keymap_action action);
bool library_insert(struct ui *u, enum keymap_place place, const char *text, size_t len);

/* Leaves the text field that has the focus; false: none has. */
bool library_cancel(struct ui *u);
bool library_is_field(const struct ui *u);

/* Requests the sidebar's rows. */
void library_list(struct ui *u);

/* Opens the sidebar, filtered; opens the search dialog. */
void library_open_sidebar(struct ui *u, const char *words, bool archived);
void library_search(struct ui *u);

/* Goes on with finding in a long transcript, a bounded piece of work. */
void library_step(struct ui *u);

#endif
