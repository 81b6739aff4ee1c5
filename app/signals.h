/* signals.h - signals as something to poll for, and the last words of a crash.
 *
 * A handler notes the signal and makes a pipe readable; a loop polls the pipe and asks what came.
 * Writing to a closed pipe or past a file limit is an error of write(), never a signal. */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

struct ui;

/* For every run: failed writes raise no signal, and a crash restores the screen. Call it before the
 * first engine_open(), which puts its own SIGBUS handler in front of ours. */
void signals_init(void);

/* From here on signals that end, stop or continue the program come from signals_next(). 0 or -1. */
int signals_catch(void);

/* Readable while signals wait; -1 before signals_catch(). */
int signals_fd(void);

/* The number of a pending signal, each once; 0: none. Signals that end the program come first. */
int signals_next(void);

/* Makes a signal pending again. */
void signals_put_back(int signal);

/* For programs without a screen: the number of a pending signal that ends them; 0: none. Obeys
 * Ctrl-Z, and drops signals that only matter to a screen. */
int signals_next_ending(void);

/* The screen that a crash must restore; NULL: none. */
void signals_guard_screen(const struct ui *ui);
void signals_restore_screen(void);

/* Stops the process and its group as Ctrl-Z does; returns when it was continued. */
void signals_suspend(void);

#endif
