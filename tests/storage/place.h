/*
 * place.h - a private folder for each test, and a history in it.
 */
#ifndef TESTS_STORAGE_PLACE_H
#define TESTS_STORAGE_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "storage/store.h"

struct place {
    char folder[64];
    char path[96]; /* of a history that is not there yet */
};

/* cmocka's set-up and tear-down: *state is a struct place. */
int place_setup(void **state);
int place_teardown(void **state);

#define place_test(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

/* These fail the test when they cannot do what they say. NULL opens a history in memory. */
struct store *must_open(const char *path);
int64_t must_create(struct store *s, const char *title);
int64_t must_add(struct store *s, int64_t conversation, int64_t parent, enum store_role role,
                 const char *text);
int64_t must_begin(struct store *s, int64_t conversation);
void must_append(struct store *s, int64_t id, enum store_kind kind, const char *text);
struct store_messages *must_path(struct store *s, int64_t conversation);

/* The texts of the path, each followed by "|". Static memory. */
const char *path_text(struct store *s, int64_t conversation);

/* What store_open says to a file that it refuses; checks that every byte and who may read them are
 * left as they were, and that no lock is made beside it. */
int refusal(const char *path, char *err, size_t errlen);

/* Behind the store's back: runs SQL, reads one number, reads a file. */
void must_run(const char *path, const char *sql);
int64_t must_number(const char *path, const char *sql);
char *must_read(const char *path, size_t *len); /* the caller's to free */
void must_write(const char *path, const void *data, size_t len);
int files_in(const char *folder);
bool folder_holds(const char *folder, const char *bytes, size_t len); /* in any of its files */

/* Runs `f` in a process of its own; end_child waits for its exit status, or KILLED. */
enum { KILLED = -1 };
pid_t start_child(int (*f)(void *), void *argument);
int end_child(pid_t pid);
int in_child(int (*f)(void *), void *argument);
int die(void); /* as by kill -9 */

/* The groups, each of which returns how many of its tests failed. */
int test_parts(void);
int test_message(void);
int test_conversation(void);
int test_search(void);
int test_schema(void);
int test_file(void);
int test_share(void);
int test_crash(void);
int test_power(void);
int test_damage(void);
int test_recover(void);

#endif
