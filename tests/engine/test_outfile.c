/* test_outfile.c - files that are there whole or not at all. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/file/outfile.h"
#include "tests/engine/folder.h"
#include "tests/engine/tests.h"

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void assert_text(const char *name, const char *text)
{
    char found[64] = "";
    FILE *f = fopen(path_of(name), "r");
    assert_non_null(f);
    assert_true(fgets(found, sizeof found, f) || !*text);
    fclose(f);
    assert_string_equal(found, text);
}

static int open_out(struct outfile *f, const char *name, bool replace)
{
    char err[256] = "";
    int rc = outfile_open(f, path_of(name), replace, err, sizeof err);
    if (rc == 0)
        assert_int_equal(outfile_write(f, "new", 3, err, sizeof err), 0);
    return rc;
}

static void whole_or_not_at_all(void **state)
{
    struct outfile f;
    struct stat st;
    char err[256];
    (void)state;
    mode_t mask = umask(027);
    assert_int_equal(open_out(&f, "a", false), 0);
    assert_true(stat(path_of("a"), &st) != 0);
    assert_int_equal(outfile_reserve(&f, 3, err, sizeof err), 0);
    assert_int_equal(outfile_commit(&f, err, sizeof err), 0);
    umask(mask);
    assert_text("a", "new");
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(open_out(&f, "b", false), 0);
    outfile_abandon(&f);
    assert_int_equal(folder_count(), 1);
}

/* So does a file that came meanwhile. */
static void the_old_file_stays_until_the_new_is_whole(void **state)
{
    struct outfile f;
    char err[256];
    (void)state;
    write_text("a", "old");
    assert_int_equal(outfile_open(&f, path_of("a"), false, err, sizeof err), -1);
    assert_string_equal(err, "exists already");
    assert_int_equal(open_out(&f, "a", true), 0);
    assert_text("a", "old");
    outfile_abandon(&f);
    assert_text("a", "old");
    assert_int_equal(open_out(&f, "a", true), 0);
    assert_int_equal(outfile_commit(&f, err, sizeof err), 0);
    assert_text("a", "new");

    assert_int_equal(open_out(&f, "b", false), 0);
    write_text("b", "other");
    assert_int_equal(outfile_commit(&f, err, sizeof err), -1);
    assert_string_equal(err, "exists already");
    assert_text("b", "other");
    assert_int_equal(open_out(&f, "c", true), 0); /* in whose place a folder came */
    assert_int_equal(mkdir(path_of("c"), 0700), 0);
    assert_int_equal(outfile_commit(&f, err, sizeof err), -1);
    assert_string_equal(err, "this is a directory");
    assert_int_equal(folder_count(), 3);
}

static void strange_places(void **state)
{
    static const struct {
        const char *name, *why;
        bool replace;
    } rows[] = {
        {"", "no name for a file", true},
        {".", "no name for a file", true},
        {"x/..", "no name for a file", true},
        {"none/a", "its folder cannot be used: No such file", true},
        {"text/a", "its folder cannot be used: Not a directory", true},
        {"sub", "this is a directory", true},
        {"pipe", "exists and is no regular file", true},
        {"pipe", "exists already", false},
        {"dangling", "cannot be written: No such file", true},
        {"dangling", "exists already", false},
        {"to-pipe", "exists and is no regular file", true},
    };
    struct outfile f;
    char err[256], long_name[300];
    (void)state;
    write_text("text", "old");
    assert_int_equal(mkdir(path_of("sub"), 0700), 0);
    assert_int_equal(mkfifo(path_of("pipe"), 0600), 0);
    assert_int_equal(symlink("nowhere", path_of("dangling")), 0);
    assert_int_equal(symlink("pipe", path_of("to-pipe")), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(outfile_open(&f, path_of(rows[i].name), rows[i].replace, err, sizeof err),
                         -1);
        if (!strstr(err, rows[i].why))
            fail_msg("%s: %s", rows[i].name, err);
    }
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(outfile_open(&f, long_name, true, err, sizeof err), -1);
    assert_non_null(strstr(err, "File name too long"));
    assert_int_equal(folder_count(), 5);
}

/* The link stays; the file that it points to is replaced, where that is. */
static void links_are_followed(void **state)
{
    struct outfile f;
    struct stat st;
    char err[256];
    (void)state;
    assert_int_equal(mkdir(path_of("sub"), 0700), 0);
    write_text("sub/real", "old");
    assert_int_equal(symlink("sub/real", path_of("link")), 0);
    assert_int_equal(open_out(&f, "link", true), 0);
    assert_int_equal(outfile_commit(&f, err, sizeof err), 0);
    assert_text("sub/real", "new");
    assert_int_equal(lstat(path_of("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

/* Whether it shows before anything is written, or in a write. In a child, which has the limit. */
static void a_full_disk_leaves_no_file(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct outfile f;
        char err[256] = "", bytes[8192] = "";
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096});
        bool told = outfile_open(&f, path_of("a"), false, err, sizeof err) == 0 &&
                    outfile_write(&f, bytes, sizeof bytes, err, sizeof err) != 0 &&
                    strcmp(err, "write failed: File too large") == 0;
        outfile_abandon(&f);
        _exit(told && folder_count() == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct outfile f;
    char err[256] = "";
    assert_int_equal(outfile_open(&f, path_of("a"), false, err, sizeof err), 0);
    if (outfile_reserve(&f, (uint64_t)1 << 62, err, sizeof err) != 0)
        assert_non_null(strstr(err, "no space for it"));
    outfile_abandon(&f);
    assert_int_equal(folder_count(), 0);
}

int test_outfile(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(whole_or_not_at_all),
        TEST(the_old_file_stays_until_the_new_is_whole),
        TEST(strange_places),
        TEST(links_are_followed),
        TEST(a_full_disk_leaves_no_file),
    };
#undef TEST
    return cmocka_run_group_tests_name("outfile", tests, NULL, NULL);
}
