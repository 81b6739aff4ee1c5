/* signals.c - see signals.h. Handlers have no argument but the signal: `self` is the app's one
 * mutable global. */
#include "app/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "ui/ui.h"

static struct {
    int wake[2];
    atomic_uint pending; /* a bit for each signal */
    _Atomic(const struct ui *) screen;
} self = {.wake = {-1, -1}};

/* If the pipe is full it is readable, which is enough. */
static void wake(void)
{
    ssize_t written = write(self.wake[1], "", 1);
    (void)written;
}

void signals_put_back(int signal)
{
    atomic_fetch_or(&self.pending, 1u << signal);
    wake();
}

static void note(int signal)
{
    int saved = errno;
    signals_put_back(signal);
    errno = saved;
}

void signals_restore_screen(void)
{
    const struct ui *ui = atomic_exchange(&self.screen, NULL);
    if (ui)
        ui_restore(ui);
}

void signals_guard_screen(const struct ui *ui)
{
    atomic_store(&self.screen, ui);
}

/* SA_RESETHAND has restored the default handler: a fault happens again when this returns, and ends
 * the program. A signal that was sent does not, so it is raised again. */
static void crash(int signal, siginfo_t *info, void *context)
{
    (void)context;
    signals_restore_screen();
    if (info->si_code <= 0)
        raise(signal);
}

/* Ignored signals (nohup) stay ignored, and a sanitizer keeps the handlers it has. */
static void install(int signal, struct sigaction action)
{
    struct sigaction old;
    if (sigaction(signal, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        sigaction(signal, &action, NULL);
}

void signals_init(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction action = {.sa_sigaction = crash, .sa_flags = SA_SIGINFO | SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        install(deadly[i], action);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

int signals_catch(void)
{
    static const int noted[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH, SIGTSTP, SIGCONT};
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};

    if (self.wake[0] < 0 && pipe2(self.wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof noted / sizeof *noted; i++)
        install(noted[i], action);
    return 0;
}

int signals_fd(void)
{
    return self.wake[0];
}

int signals_next(void)
{
    static const int order[] = {SIGHUP, SIGTERM, SIGQUIT, SIGINT, SIGTSTP, SIGCONT, SIGWINCH};
    char drain[64];

    while (read(self.wake[0], drain, sizeof drain) > 0)
        continue;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        unsigned bit = 1u << order[i];
        if (atomic_fetch_and(&self.pending, ~bit) & bit) {
            if (atomic_load(&self.pending) != 0)
                wake();
            return order[i];
        }
    }
    return 0;
}

/* Stops the whole process group, so that a shell above `make run` gets its terminal back. The
 * kernel does not stop a group without a shell: then the wait ends by itself. */
void signals_suspend(void)
{
    struct sigaction stop = {.sa_handler = SIG_DFL}, ours;
    sigemptyset(&stop.sa_mask);
    sigaction(SIGTSTP, &stop, &ours);
    kill(0, SIGTSTP);
    struct pollfd continued = {.fd = self.wake[0], .events = POLLIN};
    while (poll(&continued, 1, 100) < 0 && errno == EINTR)
        continue;
    sigaction(SIGTSTP, &ours, NULL);
}

int signals_next_ending(void)
{
    int signal;
    while ((signal = signals_next()) != 0) {
        if (signal == SIGTSTP)
            signals_suspend();
        else if (signal != SIGWINCH && signal != SIGCONT)
            return signal;
    }
    return 0;
}
