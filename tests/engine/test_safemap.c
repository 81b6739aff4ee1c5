/* test_safemap.c - opening what is not a file, and files that change while they are mapped.
 *
 * Under valgrind, faults are only resumed right with
 * --vex-iropt-register-updates=allregs-at-mem-access. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/file/gguf.h"
#include "engine/file/safemap.h"
#include "engine/model.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/tests.h"

enum { MIB = 1 << 20 };

struct folder {
    char path[64];
    char file[96]; /* "model.gguf" in it; not there yet */
};

static int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    snprintf(f->path, sizeof f->path, "%s", "/tmp/duet-test-XXXXXX");
    if (!mkdtemp(f->path))
        return -1;
    snprintf(f->file, sizeof f->file, "%s/model.gguf", f->path);
    *state = f;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;
    unlink(f->file);
    rmdir(f->path);
    free(f);
    return 0;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(close(fd), 0);
}

/* A small model whose last tensor, "big", takes four MiB. */
static void write_model(const char *path)
{
    struct build b;

    build_init(&b);
    build_model_keys(&b, "llama");
    build_tensor(&b, "big", QUANT_F32, 2, (const int64_t[]){1024, 1024});
    build_finish(&b);
    write_file(path, b.bytes, b.size);
    build_done(&b);
}

static struct gguf *open_model(const char *path)
{
    struct gguf *g;
    char err[256];
    write_model(path);
    if (gguf_open(&g, path, err, sizeof err) != 0)
        fail_msg("refused: %s", err);
    return g;
}

/* A result that the compiler must compute: every byte is read. */
static uint64_t sum(const void *bytes, size_t n)
{
    const volatile unsigned char *p = bytes;
    uint64_t total = 0;
    for (size_t i = 0; i < n; i += 64)
        total += p[i];
    return total;
}

static void *sum_big(void *arg)
{
    const struct gguf_tensor *t = gguf_find_tensor(arg, "big");
    sum(t->data, t->bytes);
    return NULL;
}

/* Refusals */

static void assert_refused(const char *path, const char *says)
{
    struct gguf *g;
    char err[256] = "";

    alarm(5); /* opening must not wait */
    assert_int_equal(gguf_open(&g, path, err, sizeof err), -1);
    alarm(0);
    assert_null(g);
    if (!strstr(err, says))
        fail_msg("%s: said \"%s\", not \"%s\"", path, err, says);
}

static void refuses_what_is_not_a_file(void **state)
{
    const struct folder *f = *state;

    assert_refused(f->path, "this is a directory, not a model");
    assert_refused("/dev/zero", "this is a device, not a model");
    assert_refused("/dev/null", "this is a device, not a model");
    assert_refused("", "cannot be opened: No such file or directory");
    assert_refused(f->file, "cannot be opened: No such file or directory");

    char longest[5001];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_refused(longest, "cannot be opened: File name too long");

    write_file(f->file, "", 0);
    assert_refused(f->file, "this file is empty, not a model");
    write_file(f->file, "GGUF", 4);
    assert_refused(f->file, "version: truncated at byte 4");
    assert_int_equal(chmod(f->file, 0), 0);
    if (geteuid() != 0)
        assert_refused(f->file, "cannot be opened: Permission denied");
}

static void refuses_pipes_and_sockets(void **state)
{
    const struct folder *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    assert_int_equal(mkfifo(f->file, 0600), 0);
    assert_refused(f->file, "this is a pipe, not a model");
    unlink(f->file);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", f->file);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_refused(f->file, "cannot be opened: ");
    close(fd);
}

static void refuses_links_to_nothing(void **state)
{
    const struct folder *f = *state;

    assert_int_equal(symlink("nowhere", f->file), 0);
    assert_refused(f->file, "cannot be opened: No such file or directory");
    unlink(f->file);
    assert_int_equal(symlink("model.gguf", f->file), 0);
    assert_refused(f->file, "cannot be opened: Too many levels of symbolic links");
}

/* Reading and mapping */

static void reads_the_file_whole(void **state)
{
    const struct folder *f = *state;
    static const size_t sizes[] = {1, 4095, 4096, 4097, 65536, 300000};
    unsigned char *bytes = malloc(300000);
    char err[256];

    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        const size_t splits[] = {0, 1, size / 2, size - 1, size};
        write_file(f->file, bytes, size);
        for (size_t k = 0; k < sizeof splits / sizeof splits[0]; k++) {
            struct safemap m;
            assert_int_equal(safemap_open(&m, f->file, err, sizeof err), 0);
            assert_int_equal(m.size, size);
            assert_int_equal(safemap_read(&m, splits[k], err, sizeof err), 0);
            assert_memory_equal(m.bytes, bytes, splits[k]);
            assert_int_equal(safemap_map(&m, splits[k], err, sizeof err), 0);
            assert_memory_equal(m.bytes, bytes, size);
            assert_false(safemap_changed(&m));
            safemap_close(&m);
        }
    }
    free(bytes);
}

/* A header that is overwritten after it was checked stays what was checked. */
static void keeps_the_header(void **state)
{
    const struct folder *f = *state;
    struct gguf *g = open_model(f->file);
    size_t size;
    const unsigned char *bytes = gguf_span(g, 0, &size);
    char *zeros = calloc(1, size);
    uint64_t before = sum(bytes, gguf_data_start(g));

    int fd = open(f->file, O_WRONLY);
    assert_int_equal(write(fd, zeros, size), size);
    close(fd);
    assert_true(sum(bytes, gguf_data_start(g)) == before);
    assert_true(gguf_changed(g));
    gguf_close(g);
    free(zeros);
}

static void survives_truncation(void **state)
{
    const struct folder *f = *state;
    static const off_t lengths[] = {0, 5000, 3 * MIB};

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct gguf *g = open_model(f->file);
        const struct gguf_tensor *t = gguf_find_tensor(g, "big");
        assert_true(sum(t->data, t->bytes) == 0); /* the low bytes of 1.0f */
        assert_false(gguf_changed(g));

        assert_int_equal(truncate(f->file, lengths[i]), 0);
        sum(t->data, t->bytes);
        assert_true(gguf_changed(g));
        gguf_close(g);
    }
}

/* Where several threads meet the hole at once, each must come out of the signal's handler. */
static void survives_truncation_in_threads(void **state)
{
    const struct folder *f = *state;
    struct gguf *g = open_model(f->file);
    pthread_t threads[4];

    assert_int_equal(truncate(f->file, 4096), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sum_big, g), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(gguf_changed(g));
    gguf_close(g);
}

static void truncation_spares_other_models(void **state)
{
    const struct folder *f = *state;
    struct gguf *lost = open_model(f->file);
    char other[128];

    snprintf(other, sizeof other, "%s/other.gguf", f->path);
    struct gguf *kept = open_model(other);
    const struct gguf_tensor *t = gguf_find_tensor(kept, "big");
    const float *values = t->data;

    assert_int_equal(truncate(f->file, 0), 0);
    sum_big(lost);
    assert_true(gguf_changed(lost));
    assert_false(gguf_changed(kept));
    assert_true(values[1024 * 1024 - 1] == 1.0f);
    gguf_close(lost);
    gguf_close(kept);
    unlink(other);
}

/* Another file renamed over it leaves the old one to those who have it open. */
static void replacement_is_no_change(void **state)
{
    const struct folder *f = *state;
    struct gguf *g = open_model(f->file);
    const float *values = gguf_find_tensor(g, "big")->data;
    char other[128];

    snprintf(other, sizeof other, "%s/other.gguf", f->path);
    write_file(other, "x", 1);
    assert_int_equal(rename(other, f->file), 0);
    assert_true(values[1000000] == 1.0f);
    assert_false(gguf_changed(g));
    gguf_close(g);
}

/* Changes the file's size, with the time of modification left as it was. */
static void resize_secretly(const char *path, off_t size)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, size), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
}

/* A change of the size, of the time or by loss of data: each is found by itself. */
static void secret_changes_are_found(void **state)
{
    const struct folder *f = *state;
    struct gguf *g = open_model(f->file);
    size_t size;

    gguf_span(g, 0, &size);
    resize_secretly(f->file, 8192);
    assert_true(gguf_changed(g));
    resize_secretly(f->file, (off_t)size);
    assert_false(gguf_changed(g)); /* as nothing was read in between */
    resize_secretly(f->file, 8192);
    sum_big(g);
    resize_secretly(f->file, (off_t)size);
    assert_true(gguf_changed(g));
    gguf_close(g);

    g = open_model(f->file);
    struct stat st;
    assert_int_equal(stat(f->file, &st), 0);
    st.st_mtim.tv_sec -= 10;
    assert_int_equal(utimensat(AT_FDCWD, f->file, (struct timespec[]){st.st_atim, st.st_mtim}, 0),
                     0);
    assert_true(gguf_changed(g));
    gguf_close(g);
}

static void growing_is_a_change(void **state)
{
    const struct folder *f = *state;
    struct gguf *g = open_model(f->file);

    FILE *file = fopen(f->file, "a");
    fputc('x', file);
    fclose(file);
    assert_true(gguf_changed(g));
    gguf_close(g);
}

/* SIGBUS of somebody else */

/* Touches a page past the end of a truncated file that no safemap knows. */
static void touch_lost_page(const char *path)
{
    static const char page[4096] = "x";
    write_file(path, page, sizeof page);
    int fd = open(path, O_RDWR);
    const volatile char *bytes = mmap(NULL, sizeof page, PROT_READ, MAP_SHARED, fd, 0);
    if (ftruncate(fd, 0) == 0)
        (void)bytes[0];
}

static void exit_with_7(int signal)
{
    (void)signal;
    _exit(7);
}

static void exit_with_8(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    _exit(info->si_code > 0 ? 8 : 9);
}

/* In a child: a model is mapped while `before` is the handler, then a foreign page is lost. */
static int status_of_foreign_fault(const struct folder *f, const struct sigaction *before)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sigaction(SIGBUS, before, NULL);
        open_model(f->file);
        touch_lost_page(f->file);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void foreign_faults_are_fatal(void **state)
{
    int status = status_of_foreign_fault(*state, &(struct sigaction){.sa_handler = SIG_DFL});
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

static void foreign_faults_reach_the_handler_before(void **state)
{
    int status = status_of_foreign_fault(*state, &(struct sigaction){.sa_handler = exit_with_7});
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);

    status = status_of_foreign_fault(
        *state, &(struct sigaction){.sa_sigaction = exit_with_8, .sa_flags = SA_SIGINFO});
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 8);
}

static void the_handler_goes_with_the_last_mapping(void **state)
{
    const struct folder *f = *state;
    struct sigaction before, during, after;

    sigaction(SIGBUS, NULL, &before);
    struct gguf *one = open_model(f->file), *two = open_model(f->file);
    gguf_close(one);
    sigaction(SIGBUS, NULL, &during);
    gguf_close(two);
    sigaction(SIGBUS, NULL, &after);
    assert_true(during.sa_handler != before.sa_handler);
    assert_true(after.sa_handler == before.sa_handler);
}

int test_safemap(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(foreign_faults_are_fatal, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(foreign_faults_reach_the_handler_before, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(refuses_what_is_not_a_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_pipes_and_sockets, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_links_to_nothing, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(reads_the_file_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(keeps_the_header, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(survives_truncation, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(survives_truncation_in_threads, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(truncation_spares_other_models, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(replacement_is_no_change, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(secret_changes_are_found, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_handler_goes_with_the_last_mapping, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(growing_is_a_change, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("safemap", tests, NULL, NULL);
}
