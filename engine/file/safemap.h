/* safemap.h - a file as one range of bytes in memory that cannot take the process down.
 *
 * A plain mapping dies with SIGBUS when the file is truncated, or its disk goes away, while it is
 * in use; and what a parser has checked can change under it. Reading everything into private
 * memory would be safe, but holds a second copy beside the page cache, shares nothing with other
 * processes and makes every start read gigabytes. So a file is split at one point:
 *
 *   - the front, which is parsed and trusted afterwards, is read into private memory as far as the
 *     parser asks for it (safemap_read);
 *   - the rest, which is only numbers, is mapped (safemap_map). The first SIGBUS in it replaces the
 *     whole mapping by zeros and marks it lost; the faulting thread goes on, and every result is
 *     worthless from then on, which its owner finds by asking safemap_changed.
 *
 * The signal handler is ours while any file is mapped; a SIGBUS that is not ours goes to the
 * handler that was there before. To have one of your own, install it before the first mapping or
 * after the last. A thread that reads mapped bytes must not block SIGBUS: the kernel then kills
 * the process. Knows nothing of what the bytes mean. */
#ifndef ENGINE_FILE_SAFEMAP_H
#define ENGINE_FILE_SAFEMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Must stay where it is from _open to _close. */
struct safemap {
    const unsigned char *bytes; /* [size], as far as it was read or mapped */
    size_t size;

    /* Private. */
    int fd;
    size_t reserved; /* bytes of address space: size in whole pages */
    size_t n_read;   /* private bytes at the front */
    size_t map_start, map_bytes;
    struct timespec modified;
    atomic_bool lost;
};

/* Opens a regular file that is not empty and reserves address space for it; no byte is readable
 * yet. Anything else (directory, FIFO, terminal, ...) is refused at once. 0, or -1 with err set. */
int safemap_open(struct safemap *m, const char *path, char *err, size_t errlen);

/* Makes the bytes before n readable and ours. n <= size. */
int safemap_read(struct safemap *m, size_t n, char *err, size_t errlen);

/* Makes all the bytes from `from` on readable. Whole pages of them are backed by the file,
 * so what is dropped from memory (MADV_DONTNEED) is read again; nothing more can be read
 * into private memory. */
int safemap_map(struct safemap *m, size_t from, char *err, size_t errlen);

/* True once mapped bytes were lost, or the file's size or time of modification is no longer what it
 * was. A file that was renamed or replaced by another one is still the same file. Any thread. */
bool safemap_changed(const struct safemap *m);

void safemap_close(struct safemap *m);

#endif
