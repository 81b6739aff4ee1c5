/* background.h - runs slow work in a thread of its own while the caller's screen stays alive. */
#ifndef APP_BACKGROUND_H
#define APP_BACKGROUND_H

/* live: called in the caller's thread once at least, and while the work goes on, for so many
 * milliseconds by now, to wait for what it cares for and for done_fd, which is readable
 * once the work is done. It must not touch what the work does. NULL: the work is done in
 * the caller's thread. */
struct background {
    void (*live)(void *ud, int done_fd, double ms);
    void *ud;
};

/* For `live` of a program without a screen: waits for done_fd and, once the work takes long, for
 * a signal that ends the program. Its number, or 0 for none. */
int background_wait(int done_fd, double ms);

/* Returns what work(arg) returns. Where no thread can be had, runs it without one. */
int background_run(const struct background *b, int (*work)(void *arg), void *arg);

#endif
