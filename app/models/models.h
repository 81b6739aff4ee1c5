/* models.h - from the name of a model to its file: what is installed, and which model is the
 * default.
 *
 * Looks in $XDG_DATA_HOME/duet/models, in ../share/duet/models beside the program, in app/demo
 * of the clone if the program runs where it was built, and in the caches of other programs
 * (caches.h); the first place that has a name wins. Of several files of a release, the best gets
 * the release's short name and the others add their type: llama, llama:q4. A model is a GGUF
 * file, or a folder as Hugging Face's libraries save it. Opens none. */
#ifndef APP_MODELS_MODELS_H
#define APP_MODELS_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/models/release.h"
#include "app/paths.h"

enum model_place {
    MODEL_OURS,
    MODEL_SHIPPED, /* with duet */
    MODEL_HUGGING_FACE,
    MODEL_OLLAMA,
    MODEL_LLAMA_CPP,
    MODEL_LM_STUDIO,
};

struct model_file {
    char *name; /* what a user calls it */
    char *path;
    uint64_t bytes;
    bool demo;
    enum model_place place;
    int release;             /* index into releases; -1: none of them */
    char type[RELEASE_TYPE]; /* number format, as the file name says; "" if it does not */
};

struct model_list {
    struct model_file *items; /* by folder, then by name */
    size_t count;
};

/* All that are installed. */
void models_list(const struct paths *paths, struct model_list *out);
void models_list_done(struct model_list *list);

/* The program whose folder that is: "ollama". */
const char *models_keeper(enum model_place place);

/* The model with this name, "llama", "r1:q4"; NULL: none. */
const struct model_file *models_named(const struct model_list *list, const char *name);

/* The default model of the list; NULL: none. */
const struct model_file *models_default(const struct model_list *list);

/* The model with this name or at this path; NULL is the default one. 0, or EXIT_MODEL with one line
 * in err. */
int models_find(const struct paths *paths, const char *name, struct model_file *out, char *err,
                size_t errlen);
/* The same for a name typed in a chat: what err advises can be done there. */
int models_find_in_chat(const struct paths *paths, const char *name, struct model_file *out,
                        char *err, size_t errlen);
void model_file_done(struct model_file *file);

#endif
