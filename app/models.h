/* models.h - names of models to files: what is installed, and which one is taken by default.
 *
 * Looks in $XDG_DATA_HOME/duet/models, in ../share/duet/models beside the program, and, for a
 * program that runs where it was built, in app/demo of its clone; the first that has a name wins.
 * A model is a GGUF file, or a folder as Hugging Face's libraries save it. Opens none. */
#ifndef APP_MODELS_H
#define APP_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/paths.h"

struct model_file {
    char *name; /* what a user calls it */
    char *path;
    uint64_t bytes;
    bool demo;
};

struct model_list {
    struct model_file *items; /* by folder, then by name */
    size_t count;
};

/* All that are installed. */
void models_list(const struct paths *paths, struct model_list *out);
void models_list_done(struct model_list *list);

/* Of the list the one that is used when none is named; NULL: none. */
const struct model_file *models_default(const struct model_list *list);

/* The model with this name or at this path; NULL is the default one. 0, or EXIT_MODEL with one line
 * in err. */
int models_find(const struct paths *paths, const char *name, struct model_file *out, char *err,
                size_t errlen);
void model_file_done(struct model_file *file);

#endif
