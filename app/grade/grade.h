/* grade.h - whether an answer is right: two answers compared as mathematics, and the final answer
 * found in what was said.
 *
 * Understood are numbers in every usual spelling (1,234.50, 3/4, \frac{3}{4}, 2\frac{1}{2},
 * 0.\overline{3}, 6\times10^{23}, 5!, 1101_2), roots, powers, pi, e, i, letters and functions of
 * them, percentages, units, degrees, money, equations (x = 5 is 5), inequalities, lists, sets,
 * tuples, intervals, unions, matrices, and words. Comparing is exact: 0.3333 is not 1/3, and
 * (x+1)^2 is x^2+2x+1. A unit counts where both have one; what a text says in another order of the
 * same set is the same set.
 *
 * Time and memory are bounded for any bytes. No state: any number of threads may call. */
#ifndef APP_GRADE_GRADE_H
#define APP_GRADE_GRADE_H

#include <stdbool.h>
#include <stddef.h>

enum { GRADE_LONGEST = 2000 }; /* bytes of an answer; longer ones are only equal to themselves */

enum grade {
    GRADE_DIFFERENT,
    GRADE_EQUAL,
    GRADE_UNDECIDED, /* different texts that are not understood, or too large to work out */
};

/* Symmetric; equal texts are GRADE_EQUAL. */
enum grade grade_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* "different", "equal", "undecided" */
const char *grade_name(enum grade grade);

enum grade_place {
    GRADE_NOWHERE, /* there is no answer */
    GRADE_BOXED,   /* in the last \boxed{} */
    GRADE_MARKED,  /* after ####, as in GSM8K */
    GRADE_TOLD,    /* after "the answer is" */
    GRADE_LAST,    /* the last formula or number, else a short last line */
};

/* The final answer in a text, which *out points into. */
enum grade_place grade_find(const char *text, size_t len, const char **out, size_t *out_len);

#endif
