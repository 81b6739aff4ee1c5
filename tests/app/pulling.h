/* pulling.h - pulling llama:q8 from the hub, and what must come of it. */
#ifndef TESTS_APP_PULLING_H
#define TESTS_APP_PULLING_H

#include <stddef.h>

extern const char pulled_file[];

/* What is in the models folder, names in order with a space behind each; "" where there is none. */
const char *pulled_names(void);

/* That these are the file with each of the endings, "=" for the file itself: "= .json". */
void assert_pulled_names(const char *endings);

/* The file is whole, right, and the owner's alone; nothing else is there but its record. */
void assert_pulled(void);
void remove_pulled(void);

/* Until something of it is here. */
void wait_for_part(void);

/* Pulls from this kind of server: the status, and in the line about it what it must say. */
void assert_pull(const char *kind, int status, const char *says);

struct refusal {
    const char *kind, *says;
};

/* Each fails as it must, and no file gets its name. */
void assert_refused(const struct refusal *rows, size_t n);
#define ASSERT_REFUSED(rows) assert_refused(rows, sizeof rows / sizeof *rows)

#endif
