/* test_rewrite.c - files that are written anew: whole or not at all, through links, and only where
 * that was announced to be possible. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/eval/eval.h"
#include "app/rewrite.h"

static char text[] = "new\n";
static const struct str new_text = {text, sizeof text - 1, sizeof text};

static void shell_says(const char *line, const char *expected)
{
    struct run r;
    run_shell(&r, line);
    assert_string_equal(r.err, "");
    assert_string_equal(r.out, expected);
    run_done(&r);
}

static int rewrite(const char *name, const struct stat *was, char *err, size_t errlen)
{
    char path[PATH_MAX];
    sandbox_path(name, path, sizeof path);
    int fd = rewrite_file(path, &new_text, was, err, errlen);
    return fd < 0 ? -1 : close(fd);
}

static void a_file_keeps_its_permissions(void **state)
{
    char err[256];
    (void)state;
    shell_says("cd $HOME; echo old >a; chmod 644 a; echo old >b; chmod 640 b; ln -s b link", "");
    assert_int_equal(rewrite("a", NULL, err, sizeof err), 0);
    assert_int_equal(rewrite("link", NULL, err, sizeof err), 0);
    assert_int_equal(rewrite("c", NULL, err, sizeof err), 0);
    shell_says("cd $HOME; stat -c '%n %a' *; cat a b c; readlink link",
               "a 644\nb 640\nc 600\nlink 777\nnew\nnew\nnew\nb\n");
}

/* Under its name nothing is there before all of it is. */
static void a_link_to_no_file_makes_it_whole(void **state)
{
    _Alignas(struct inotify_event) char events[4096];
    char err[256], far[PATH_MAX];
    (void)state;
    shell_says("cd $HOME; mkdir far near; ln -s ../far/second near/first; ln -s r far/second", "");
    sandbox_path("far", far, sizeof far);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(watch >= 0);
    assert_true(inotify_add_watch(watch, far, IN_CREATE | IN_DELETE | IN_MOVED_TO) >= 0);
    assert_int_equal(rewrite("near/first", NULL, err, sizeof err), 0);
    ssize_t n = read(watch, events, sizeof events);
    close(watch);
    int moved = 0;
    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *e = (const void *)(events + at);
        if (strcmp(e->name, "r") == 0) {
            assert_int_equal(e->mask, IN_MOVED_TO);
            moved++;
        }
        at += (ssize_t)(sizeof *e + e->len);
    }
    assert_int_equal(moved, 1);
    shell_says("cd $HOME; ls far near; cat near/first", "far:\nr\nsecond\n\nnear:\nfirst\nnew\n");
}

static void another_file_than_the_one_read_is_left(void **state)
{
    char err[256], path[PATH_MAX];
    struct stat was;
    (void)state;
    shell_says("cd $HOME; echo read >a; echo theirs >b; ln -s a link", "");
    sandbox_path("link", path, sizeof path);
    assert_int_equal(stat(path, &was), 0);
    shell_says("cd $HOME; ln -sfn b link", "");
    assert_int_equal(rewrite("link", &was, err, sizeof err), -1);
    assert_contains(err, "/b: was replaced meanwhile");
    shell_says("cd $HOME; rm b", "");
    assert_int_equal(rewrite("link", &was, err, sizeof err), -1);
    assert_contains(err, "/b: No such file");
    shell_says("cd $HOME; ls; cat a", "a\nlink\nread\n");
}

static void what_cannot_be_followed_is_refused(void **state)
{
    static const struct {
        const char *name, *err;
    } rows[] = {
        {"loop", "/loop: Too many levels"},
        {"nowhere", "/no/such/dir/r.html: No such file"},
        {"none/r.html", "/none/r.html: No such file"},
        {"file/r.html", "/file/r.html: Not a directory"},
    };
    (void)state;
    shell_says("cd $HOME; ln -s loop loop; ln -s /no/such/dir/r.html nowhere; touch file", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char err[256] = "", path[PATH_MAX];
        sandbox_path(rows[i].name, path, sizeof path);
        assert_int_equal(rewrite_check(path, err, sizeof err), -1);
        assert_contains(err, rows[i].err);
        assert_int_equal(rewrite(rows[i].name, NULL, err, sizeof err), -1);
    }
    char err[256];
    assert_int_equal(rewrite_check("", err, sizeof err), -1);
    assert_int_equal(rewrite_check("r.html", err, sizeof err), 0);
}

/* In a child, for which root becomes somebody else: how many are not refused. */
static int count_accepted(void)
{
    static const char *const names[] = {"shut/r.html", "link.html", "new.html"};
    int n = 0;
    if (geteuid() == 0 && (setregid(12345, 12345) != 0 || setreuid(12345, 12345) != 0))
        return 99;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char err[256] = "", path[PATH_MAX];
        sandbox_path(names[i], path, sizeof path);
        n += eval_report_check(path, err, sizeof err) == 0 || !strstr(err, ": Permission denied");
    }
    return n;
}

/* An old report there, that may itself be written, is no help. */
static void a_report_needs_a_folder_that_can_be_written(void **state)
{
    int status = 0;
    (void)state;
    shell_says("cd $HOME; chmod 755 .; mkdir shut; ln -s shut/r.html link.html; "
               "ln -s shut/new.html new.html; "
               "echo '<meta name=\"generator\" content=\"duet eval\">' >shut/r.html; "
               "chmod 666 shut/r.html; chmod 555 shut",
               "");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(count_accepted());
    assert_int_equal(waitpid(child, &status, 0), child);
    shell_says("chmod 755 $HOME/shut", "");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* It may have come while the models worked. */
static void a_report_replaces_nothing_but_a_report(void **state)
{
    char err[256], path[PATH_MAX];
    (void)state;
    sandbox_path("r.html", path, sizeof path);
    assert_int_equal(eval_report_check(path, err, sizeof err), 0);
    sandbox_write("r.html", "mine");
    assert_int_not_equal(eval_report_write(path, &new_text, err, sizeof err), 0);
    assert_contains(err, "r.html: exists and is no report of duet eval");
    shell_says("cat $HOME/r.html", "mine");
}

int test_rewrite(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_keeps_its_permissions),
        TEST(a_link_to_no_file_makes_it_whole),
        TEST(another_file_than_the_one_read_is_left),
        TEST(what_cannot_be_followed_is_refused),
        TEST(a_report_needs_a_folder_that_can_be_written),
        TEST(a_report_replaces_nothing_but_a_report),
    };
    return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}
