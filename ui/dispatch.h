/*
 * dispatch.h: keys, pastes and reports become changes of the state and queued actions. Nothing here
 * draws.
 */
#ifndef UI_DISPATCH_H
#define UI_DISPATCH_H

#include "state.h"

/* Handles a terminal event. */
void dispatch_event(struct ui *u, const struct input_event *event);

/* Performs an action in a place, as if bound to a key. */
void dispatch_act(struct ui *u, enum keymap_place place, enum keymap_action action);

/*
 * Queues an action; false: the queue is full. Stopping and quitting jump the queue, and its last
 * slots are reserved for them.
 */
bool dispatch_queue(struct ui *u, struct ui_action action);

/* Queues UI_HANGUP, once. */
void dispatch_hangup(struct ui *u);

/* Moves the focus. */
void dispatch_focus(struct ui *u, enum focus to);

/* dispatch_mouse.c: handles a mouse report; false: not one. */
bool dispatch_mouse(struct ui *u, const char *report);

#endif
