/* folder.h - a folder of its own for each test of a group. */
#ifndef TESTS_ENGINE_FOLDER_H
#define TESTS_ENGINE_FOLDER_H

/* As setup and teardown of a test. */
int folder_new(void **state);
int folder_remove(void **state);

const char *folder_path(void);

/* How many names are in it, hidden ones too. */
int folder_count(void);

/* A path in it; the last four stay good. */
const char *path_of(const char *name);

#endif
