/*
 * background.h: whether the terminal is dark or light. Asks it (OSC 11) together with a question
 * that every terminal answers (DA1), so that one knows when no answer will come.
 */
#ifndef UI_BACKGROUND_H
#define UI_BACKGROUND_H

#include "ui.h"

/* The questions. */
extern const char background_query[];

/* The assumption until it answers: $COLORFGBG, else dark. */
enum ui_theme background_guess(void);

/*
 * Reads what a terminal reports: its background, which goes to *theme_out, or the answer to the
 * other question (then it is UI_THEME_AUTO). False: something else.
 */
bool background_answer(const char *report, enum ui_theme *theme_out);

#endif
