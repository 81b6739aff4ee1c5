/* args.h - command lines from tables.
 *
 * A table of options says how each is spelt, what value it takes, where the value goes and what
 * the manual says of it: parsing, --help and the list for completions come from the same rows.
 * Knows no option itself; duet's are in options.c. */
#ifndef APP_ARGS_H
#define APP_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum args_type {
    ARGS_FLAG,   /* bool, set to true; "=off" sets it to false */
    ARGS_SET,    /* int, set to `set` */
    ARGS_CHOICE, /* int, the place of the value among `choices` */
    ARGS_INT,    /* int64_t within min and max */
    ARGS_TOKENS, /* the same; 4k is 4096 */
    ARGS_ZERO,   /* a whole number within min and max; 0 sets an int to `set`, others do nothing */
    ARGS_REAL,   /* double within min and max */
    ARGS_DAY,    /* int64_t: 20240726 of 2024-07-26 */
    ARGS_TEXT,   /* const char *, into argv */
    ARGS_TEXTS,  /* struct args_texts: of each time that it is given, one */
    ARGS_REFUSE, /* what other programs have: an error, and help says what there is here */
};

enum { ARGS_TEXTS_MAX = 64 };

struct args_texts {
    const char *text[ARGS_TEXTS_MAX]; /* into argv, in the order given */
    size_t n;
};

struct args_option {
    const char *section; /* heading in help; options of one section stand together */
    const char *names;   /* "-m --model": as help shows them, the short one first */
    const char *others;  /* further spellings that are understood, or NULL */
    const char *value;   /* "NAME"; NULL for what takes none */
    const char *help;
    enum args_type type;
    size_t offset; /* of the member in the values */
    double min, max;
    int set;
    const char *choices; /* "auto cpu cuda" */
    const char *same;    /* as many words, which other programs have for them; or NULL */
    const char *implied; /* the value where none is given, which then takes `=`; or NULL */
    const char *sized;   /* of a flag with one letter: why a number after it, of `min` or more, is
                          * refused, for other programs take it as a value; or NULL */
    unsigned where;      /* where it is valid: bits that the table's owner defines */
};

struct args_table {
    const struct args_option *options;
    size_t n_options;
    unsigned where;   /* which of two options with one spelling is meant; 0: the first */
    const char *help; /* "duet ps --help": lists them; NULL: other words may be a prompt */
};

/* The rest of a command line. */
struct args_rest {
    const char **words; /* into argv; the array is the caller's to free */
    size_t n_words;
    size_t n_plain;  /* of these, so many stood before `--` */
    bool *used;      /* [n_options] which of the table were given; the caller's to free */
    char error[512]; /* one line, where it could not be read */
};

/* Reads argv[1..argc) into values. Options and words may mix; `--` ends the options; the value of
 * an option may be its own argument or follow `=`; of an option given twice the last counts, but
 * ARGS_TEXTS collects them. 0, or -1 with rest->error. rest is set in both cases. values NULL:
 * looks only at what was given, not at whether it is known or its value possible. */
int args_parse(const struct args_table *table, int argc, char **argv, void *values,
               struct args_rest *rest);

/* Sets one option; value NULL is for those that take none. name is what err calls it. 0 or -1. */
int args_set(const struct args_option *o, const char *name, const char *value, void *values,
             char *err, size_t errlen);

/* The option that is spelt so, or NULL. */
const struct args_option *args_find(const struct args_table *table, const char *name);

/* What messages call it: the last of its names. */
const char *args_name(const struct args_option *o);

/* The one of n words that `typed` probably meant, or NULL. */
const char *args_nearest(const char *typed, const char *const *words, size_t n);

/* The next of the words in *list, which spaces separate: returns its start, and its length in *len;
 * NULL at the end. */
const char *args_next_word(const char **list, size_t *len);

#endif
