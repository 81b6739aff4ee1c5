/* safemap.c - reading, mapping, and surviving SIGBUS; see safemap.h.
 *
 * A signal handler belongs to the process and is called without an argument of ours, so `guard` is
 * the engine's one mutable global. It holds pointers to live mappings in slots, which the handler
 * reads without a lock; a mapping that closes leaves its slot and waits until no handler looks. */
#include "file/safemap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_MAPPINGS = 64, READ_STEP = 64 * 1024 };

static struct {
    pthread_mutex_t lock; /* of the two that follow */
    int n_mappings;
    struct sigaction previous; /* while there are mappings */
    _Atomic(struct safemap *) slots[MAX_MAPPINGS];
    atomic_int readers; /* handlers that are running */
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Called in a signal handler: only system calls and atomics. */
static bool replace_by_zeros(struct safemap *m, const void *address)
{
    uintptr_t start = (uintptr_t)m->bytes + m->map_start;
    if ((uintptr_t)address < start || (uintptr_t)address - start >= m->map_bytes)
        return false;
    atomic_store(&m->lost, true); /* before anyone can read a zero */
    /* The raw system call: a race checker would take the library's for a write to
     * memory that others read. */
    return syscall(SYS_mmap, start, m->map_bytes, PROT_READ,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != -1;
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
    if (guard.previous.sa_flags & SA_SIGINFO) {
        guard.previous.sa_sigaction(signal, info, context);
    } else if (guard.previous.sa_handler != SIG_DFL && guard.previous.sa_handler != SIG_IGN) {
        guard.previous.sa_handler(signal);
    } else if (info->si_code > 0 || guard.previous.sa_handler == SIG_DFL) {
        /* A fault comes again when the handler returns; a signal that was sent
         * must be sent again. */
        struct sigaction fatal = {.sa_handler = SIG_DFL};
        sigaction(signal, &fatal, NULL);
        if (info->si_code <= 0)
            raise(signal);
    }
}

static void on_bus_error(int signal, siginfo_t *info, void *context)
{
    int saved = errno;
    bool ours = false;

    atomic_fetch_add(&guard.readers, 1);
    for (int i = 0; i < MAX_MAPPINGS && !ours && info->si_code > 0; i++) {
        struct safemap *m = atomic_load(&guard.slots[i]);
        ours = m && replace_by_zeros(m, info->si_addr);
    }
    atomic_fetch_sub(&guard.readers, 1);
    errno = saved;
    if (!ours)
        pass_on(signal, info, context);
}

static void install_handler(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, NULL, &guard.previous); /* known before ours can run */
    sigaction(SIGBUS, &action, NULL);
}

static void remove_handler(void)
{
    struct sigaction current;
    sigaction(SIGBUS, NULL, &current);
    if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_bus_error)
        sigaction(SIGBUS, &guard.previous, NULL);
}

static bool enter_guard(struct safemap *m)
{
    int i = 0;

    pthread_mutex_lock(&guard.lock);
    while (i < MAX_MAPPINGS && atomic_load(&guard.slots[i]))
        i++;
    if (i < MAX_MAPPINGS) {
        if (guard.n_mappings++ == 0)
            install_handler();
        atomic_store(&guard.slots[i], m);
    }
    pthread_mutex_unlock(&guard.lock);
    return i < MAX_MAPPINGS;
}

static void leave_guard(struct safemap *m)
{
    pthread_mutex_lock(&guard.lock);
    for (int i = 0; i < MAX_MAPPINGS; i++) {
        if (atomic_load(&guard.slots[i]) != m)
            continue;
        atomic_store(&guard.slots[i], NULL);
        if (--guard.n_mappings == 0)
            remove_handler();
    }
    pthread_mutex_unlock(&guard.lock);
    while (atomic_load(&guard.readers) > 0)
        sched_yield();
}

static int fail(char *err, size_t errlen, const char *what, int error)
{
    snprintf(err, errlen, "%s: %s", what, strerror(error));
    return -1;
}

static const char *kind_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR: return "a directory";
    case S_IFIFO: return "a pipe";
    case S_IFSOCK: return "a socket";
    case S_IFCHR: return "a device";
    case S_IFBLK: return "a disk";
    default: return "a special file";
    }
}

static int check_file(int fd, struct stat *st, char *err, size_t errlen)
{
    if (fstat(fd, st) != 0)
        return fail(err, errlen, "cannot be examined", errno);
    if (!S_ISREG(st->st_mode)) {
        snprintf(err, errlen, "this is %s, not a model", kind_name(st->st_mode));
        return -1;
    }
    if (st->st_size == 0) {
        snprintf(err, errlen, "this file is empty, not a model");
        return -1;
    }
    return 0;
}

static size_t round_up_to_page(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (n + page - 1) / page * page;
}

int safemap_open(struct safemap *m, const char *path, char *err, size_t errlen)
{
    *m = (struct safemap){.fd = -1};

    /* NONBLOCK: opening a pipe must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fail(err, errlen, "cannot be opened", errno);
    struct stat st;
    if (check_file(fd, &st, err, errlen) != 0)
        goto fail;

    size_t reserved = round_up_to_page((size_t)st.st_size);
    void *bytes = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                       0);
    if (bytes == MAP_FAILED) {
        fail(err, errlen, "cannot be mapped", errno);
        goto fail;
    }
    m->bytes = bytes;
    m->size = (size_t)st.st_size;
    m->fd = fd;
    m->reserved = reserved;
    m->modified = st.st_mtim;
    return 0;

fail:
    close(fd);
    return -1;
}

int safemap_read(struct safemap *m, size_t n, char *err, size_t errlen)
{
    if (n <= m->n_read)
        return 0;
    /* At least doubles what there is, so that reading piece by piece stays linear. */
    size_t step = m->n_read > READ_STEP ? m->n_read : READ_STEP;
    size_t end = n > m->n_read + step ? n : m->n_read + step;
    if (end > m->size)
        end = m->size;

    unsigned char *bytes = (unsigned char *)m->bytes;
    if (mprotect(bytes, round_up_to_page(end), PROT_READ | PROT_WRITE) != 0)
        return fail(err, errlen, "out of memory for the header", errno);
    while (m->n_read < end) {
        ssize_t got = pread(m->fd, bytes + m->n_read, end - m->n_read, (off_t)m->n_read);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(err, errlen, "cannot be read", errno);
        if (got == 0) {
            snprintf(err, errlen, "file became shorter while it was read (got %zu, limit %zu)",
                     m->n_read, m->size);
            return -1;
        }
        m->n_read += (size_t)got;
    }
    return 0;
}

int safemap_map(struct safemap *m, size_t from, char *err, size_t errlen)
{
    if (safemap_read(m, from, err, errlen) != 0)
        return -1;
    size_t start = round_up_to_page(from);
    if (start > m->size)
        start = m->reserved;
    /* The page that holds both the end of the front and the start of the rest is read. */
    if (safemap_read(m, start < m->size ? start : m->size, err, errlen) != 0)
        return -1;
    if (mprotect((void *)m->bytes, start, PROT_READ) != 0)
        return fail(err, errlen, "cannot be protected", errno);
    if (start == m->reserved)
        return 0;

    m->map_start = start;
    m->map_bytes = m->reserved - start;
    if (mmap((void *)(m->bytes + start), m->map_bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, m->fd,
             (off_t)start) == MAP_FAILED)
        return fail(err, errlen, "cannot be mapped", errno);
    if (!enter_guard(m)) {
        snprintf(err, errlen, "too many mapped files (limit %d)", MAX_MAPPINGS);
        return -1;
    }
    return 0;
}

bool safemap_changed(const struct safemap *m)
{
    struct stat st;
    if (atomic_load(&m->lost) || fstat(m->fd, &st) != 0)
        return true;
    return (size_t)st.st_size != m->size || st.st_mtim.tv_sec != m->modified.tv_sec ||
           st.st_mtim.tv_nsec != m->modified.tv_nsec;
}

void safemap_close(struct safemap *m)
{
    if (m->fd < 0)
        return;
    leave_guard(m);
    munmap((void *)m->bytes, m->reserved);
    close(m->fd);
    m->fd = -1;
}
