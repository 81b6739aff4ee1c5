/* background.c - see background.h. */
#include "app/background.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/signals.h"

enum { SLOW_MS = 300 };

struct job {
    int (*work)(void *arg);
    void *arg;
    int status;
    int done[2]; /* a pipe whose writing end is closed when the work is done */
};

static void *run(void *ud)
{
    struct job *job = ud;
    job->status = job->work(job->arg);
    close(job->done[1]);
    return NULL;
}

/* Blocks signals, which the caller handles, except those that a thread raises itself. */
static bool start(pthread_t *thread, struct job *job)
{
    static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT};
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(thread, NULL, run, job) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static bool is_done(const struct job *job)
{
    struct pollfd fd = {.fd = job->done[0], .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

int background_wait(int done_fd, double ms)
{
    struct pollfd fds[2] = {{.fd = done_fd, .events = POLLIN},
                            {.fd = signals_fd(), .events = POLLIN}};
    bool slow = ms >= SLOW_MS;
    poll(fds, slow ? 2 : 1, slow ? -1 : SLOW_MS - (int)ms);
    return slow && !fds[0].revents ? signals_next_ending() : 0;
}

int background_run(const struct background *b, int (*work)(void *arg), void *arg)
{
    struct job job = {.work = work, .arg = arg};
    double start_ms = clock_ms();
    pthread_t thread;
    if (!b->live || pipe2(job.done, O_CLOEXEC) != 0)
        return work(arg);
    if (start(&thread, &job)) {
        do
            b->live(b->ud, job.done[0], clock_ms() - start_ms);
        while (!is_done(&job));
        pthread_join(thread, NULL);
    } else {
        job.status = work(arg);
        close(job.done[1]);
    }
    close(job.done[0]);
    return job.status;
}
