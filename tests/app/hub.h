/* hub.h - a server on the loopback that models are pulled from: hub.py, with an authority of its
 * own for certificates. */
#ifndef TESTS_APP_HUB_H
#define TESTS_APP_HUB_H

#include <stdbool.h>

/* Starts it, and lets it be; for a group's setup and teardown. Between them DUET is a program whose
 * table of models is tests/hub/catalog_table.c. */
int hub_start(void **state);
int hub_stop(void **state);

/* A sandbox whose environment lets duet trust the authority; for cmocka's setup. */
int hub_sandbox(void **state);
#define HUB_TEST(f) cmocka_unit_test_setup_teardown(f, hub_sandbox, sandbox_remove)

/* Lets HF_ENDPOINT be a kind of server at a port: "hub", "good". */
void hub_use(const char *port, const char *kind);
int hub_port(const char *name);

/* The requests since the last call of hub_forget, a line each; the caller's to free. */
char *hub_log(void);
void hub_forget(void);

/* What every kind but "demo" has, and its digest. */
extern const char hub_digest[];

#endif
