/* background.h - runs slow work in a thread of its own while the caller's screen stays alive. */
#ifndef APP_BACKGROUND_H
#define APP_BACKGROUND_H

/* live: called in the caller's thread again and again, at least once, while the work goes on. It
 * waits for events of its own and for done_fd, which becomes readable when the work is done; ms is
 * the time since the start. It must not touch what the work uses. NULL: the work is done in the
 * caller's thread. */
struct background {
    void (*live)(void *ud, int done_fd, double ms);
    void *ud;
};

/* `live` for a program without a screen: waits for done_fd and, once the work takes long, for a
 * signal that ends the program. Its number, or 0. */
int background_wait(int done_fd, double ms);

/* Returns what work(arg) returns. If no thread can be started, runs it without one. */
int background_run(const struct background *b, int (*work)(void *arg), void *arg);

#endif
