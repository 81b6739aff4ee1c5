/*
 * background.h: detects whether the terminal is dark or light. Sends OSC 11 followed by DA1, which
 * every terminal answers, so that the DA1 reply shows when no OSC 11 reply will come.
 */
#ifndef UI_TERMINAL_BACKGROUND_H
#define UI_TERMINAL_BACKGROUND_H

#include "ui.h"

/* The queries to send. */
extern const char background_query[];

/* Assumed until the terminal answers: $COLORFGBG, else dark. */
enum ui_theme background_guess(void);

/*
 * Parses a terminal report. *theme_out receives the background, or UI_THEME_AUTO if this is the DA1
 * reply. False: not one of these reports.
 */
bool background_answer(const char *report, enum ui_theme *theme_out);

#endif
