/*
 * tests.h: the groups of this program.
 */
#ifndef TESTS_UI_TESTS_H
#define TESTS_UI_TESTS_H

/* Each runs one group and returns the number of its failures. */
int test_text(void);
int test_input(void);
int test_keymap(void);
int test_composer(void);
int test_vi(void);
int test_writing(void);
int test_block(void);
int test_extract(void);
int test_steps(void);
int test_transcript(void);
int test_list(void);
int test_lookup(void);
int test_door(void);
int test_branch(void);
int test_screen(void);
int test_theme(void);
int test_mouse(void);
int test_hostile(void);
int test_golden(void);
int test_math(void);
int test_math_find(void);
int test_math_golden(void);

/* Writes the golden screens anew, to be looked at before they are kept. */
int golden_write(void);

/* Writes the layouts of the formulas in math/ anew, likewise. */
int math_golden_write(void);

#endif
