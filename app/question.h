/* question.h - the question of one run: standard input, files and the command
 * line put together. */
#ifndef APP_QUESTION_H
#define APP_QUESTION_H

#include <stddef.h>

#include "app/options.h"
#include "app/str.h"

/* Whether there is a question without asking the terminal for one. */
bool question_given(const struct options *o, size_t n_words);

/* The text of standard input (unless that is a terminal), then of the files, then of -p and the
 * words, with a blank line between them; a file `-` moves standard input to its place. Bad bytes
 * become U+FFFD, with one notice. 0, or an exit status with one line in err. */
int question_read(const struct options *o, const char *const *words, size_t n_words,
                  struct str *out, char *err, size_t errlen);

/* 0 for text, or an exit status with one line in err: it is binary, or UTF-16. */
int question_check_kind(const char *name, const struct str *in, char *err, size_t errlen);

/* Adds a part behind a blank line, valid and without a byte order mark. The number of bad bytes. */
size_t question_add_part(struct str *out, const char *s, size_t len);

/* Adds all that fd gives to out. 0, or an exit status; `name` stands in err. */
int question_read_stream(int fd, const char *name, struct str *out, char *err, size_t errlen);

#endif
