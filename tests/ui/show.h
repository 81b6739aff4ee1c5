/*
 * show.h: see show.c.
 */
#ifndef TESTS_UI_SHOW_H
#define TESTS_UI_SHOW_H

int show_run(void); /* the exit status */

#endif
