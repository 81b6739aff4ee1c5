/* config.h - the configuration file: options under their long names, and sections for keys.
 *
 * Reads what it can: a bad line is reported with its file, line and key, and all others count.
 * Unknown or doubtful settings are warnings; a wrong value is an error, which stops whatever needs
 * the settings and nothing else (`--help` does not). */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "app/options.h"
#include "app/say.h"
#include "app/str.h"
#include "ui/ui.h"

enum { CONFIG_WARNINGS = 5, CONFIG_MAX = 64 * 1024, CONFIG_LINE_MAX = 196 };

struct config {
    struct ui_settings *ui;
    int status; /* 0, or EXIT_USAGE with the first error */
    char error[SAY_MAX];
    char *warnings[CONFIG_WARNINGS];
    int n_warnings; /* those beyond CONFIG_WARNINGS are only counted */

    /* Private. */
    char *path;  /* NULL: there is no folder for it */
    char **kept; /* strings that options point to */
    int n_kept;
    int64_t size, changed_ns; /* of the file as it was read; -1: there was none */
};

/* Reads the file, which need not exist, into the options and c->ui. path is copied; NULL: none. */
void config_read(struct config *c, const char *path, struct options *o);
void config_done(struct config *c);

/* The warnings as lines on standard error. */
void config_warn(const struct config *c, bool quiet);

/* Adds the n-th warning as a line, n < n_warnings; false: it was only counted, and the line says
 * so. */
bool config_add_warning(const struct config *c, int n, struct str *out);

/* Whether the file has changed since it was read, or since the last call. */
bool config_changed(struct config *c);

#endif
