/*
 * colors.h: the theme in effect. An automatic one follows the terminal's background, which the
 * terminal is asked for when the screen opens, and may report at any time after that.
 */
#ifndef UI_COLORS_H
#define UI_COLORS_H

#include "ui.h"

/* Applies the theme of the options; an automatic one begins with a guess. */
void colors_choose(struct ui *u, const struct ui_options *opt);

/* Asks the terminal for its background, if the theme is automatic and it understands OSC. */
void colors_ask(struct ui *u, const struct ui_options *opt);

/* Handles a report from the terminal, if it is the reply. */
void colors_take_report(struct ui *u, const char *report);

/* Waits up to 0.5 s for a reply that is still to come, lest the shell read it as typed. */
void colors_await_report(struct ui *u);

#endif
