/*
 * place.c - what the tests of storage/ share.
 */
#include "place.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int place_setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    /* In memory where there is such a folder: kill -9 asks nothing of a disk. */
    bool memory = access("/dev/shm", W_OK | X_OK) == 0;
    strcpy(p->folder, memory ? "/dev/shm/storage-XXXXXX" : "/tmp/storage-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(p->path, sizeof(p->path), "%s/chat.db", p->folder);
    *state = p;
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char child[512];
        snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlink(child) != 0)
            remove_tree(child);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

int place_teardown(void **state)
{
    struct place *p = *state;
    remove_tree(p->folder);
    free(p);
    return 0;
}

struct store *must_open(const char *path)
{
    struct store *s;
    char err[256] = "";
    if (store_open(&s, path, err, sizeof(err)) != STORE_OK)
        fail_msg("%s", err);
    return s;
}

static void must(struct store *s, int rc)
{
    if (rc != STORE_OK)
        fail_msg("%s (%d)", store_error(s), rc);
}

int64_t must_create(struct store *s, const char *title)
{
    int64_t id = 0;
    must(s, store_conversation_create(s, title, NULL, &id));
    return id;
}

int64_t must_add(struct store *s, int64_t conversation, int64_t parent, enum store_role role,
                 const char *text)
{
    int64_t id = 0;
    struct store_draft draft = {.conversation = conversation, .parent = parent, .role = role};
    must(s, store_message_add(s, &draft, text, strlen(text), &id));
    return id;
}

int64_t must_begin(struct store *s, int64_t conversation)
{
    int64_t id = 0;
    struct store_draft draft = {
        .conversation = conversation, .parent = STORE_LEAF, .role = STORE_ASSISTANT};
    must(s, store_message_begin(s, &draft, &id));
    return id;
}

void must_append(struct store *s, int64_t id, enum store_kind kind, const char *text)
{
    must(s, store_message_append(s, id, kind, text, strlen(text)));
}

struct store_messages *must_path(struct store *s, int64_t conversation)
{
    struct store_messages *list = NULL;
    must(s, store_message_path(s, conversation, &list));
    return list;
}

const char *path_text(struct store *s, int64_t conversation)
{
    static char text[4096];
    struct store_messages *list = must_path(s, conversation);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s|",
                                 list->items[i].text[STORE_TEXT]);
    store_messages_free(list);
    return text;
}

int files_in(const char *folder)
{
    int files = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        files++;
    closedir(d);
    return files;
}

int refusal(const char *path, char *err, size_t errlen)
{
    size_t before_len, after_len;
    struct stat st;
    char lock[256];
    snprintf(lock, sizeof(lock), "%s-lock", path);
    int locked = access(lock, F_OK);
    char *before = must_read(path, &before_len);
    struct store *s;
    assert_int_equal(chmod(path, 0644), 0);
    int rc = store_open(&s, path, err, errlen);
    assert_null(s);
    assert_int_equal(access(lock, F_OK), locked);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    char *after = must_read(path, &after_len);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, before_len);
    free(before);
    free(after);
    return rc;
}

void must_run(const char *path, const char *sql)
{
    sqlite3 *db;
    char *error = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    sqlite3_close(db);
}

int64_t must_number(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

char *must_read(const char *path, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    char *data = malloc((size_t)st.st_size + 1);
    assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
    close(fd);
    *len = (size_t)st.st_size;
    return data;
}

void must_write(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

bool folder_holds(const char *folder, const char *bytes, size_t len)
{
    bool found = false;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL && !found;) {
        if (e->d_type != DT_REG)
            continue;
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        size_t size;
        char *data = must_read(path, &size);
        found = memmem(data, size, bytes, len) != NULL;
        free(data);
    }
    closedir(d);
    return found;
}

pid_t start_child(int (*f)(void *), void *argument)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* or it would affect the next test */
        _exit(f(argument));
    }
    return pid;
}

int end_child(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return KILLED;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int in_child(int (*f)(void *), void *argument)
{
    return end_child(start_child(f, argument));
}

int die(void)
{
    return kill(getpid(), SIGKILL);
}
