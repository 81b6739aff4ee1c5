/* exit.h - what the program's exit status says to scripts. */
#ifndef APP_EXIT_H
#define APP_EXIT_H

/* EXIT_SUCCESS is 0. */
enum exit_status {
    EXIT_ANSWER = 1,  /* the answer failed, what there is of it is kept; or output could not be
                         written */
    EXIT_USAGE = 2,   /* the command line or the input is wrong */
    EXIT_MODEL = 3,   /* a model is missing or cannot be loaded */
    EXIT_HISTORY = 4, /* the history database cannot be used, and was asked for */
    EXIT_NETWORK = 5, /* a download failed, or a file is not what it must be */
    EXIT_DEVICE = 6,  /* memory or device */
    EXIT_FIT = 7,     /* the input does not fit the context */
    EXIT_CHECK = 8,   /* the answer lacks its form: cut short, no code block, no box */
    EXIT_LENGTH = 9,  /* the length limit came before any answer */
    EXIT_TIMEOUT = 124,
    EXIT_SIGNAL = 128 /* plus the signal's number */
};

/* The status for an enum engine_error. */
int exit_of_engine(int error);

#endif
