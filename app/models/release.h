/* release.h - the two releases that duet is made for, and their file names. */
#ifndef APP_MODELS_RELEASE_H
#define APP_MODELS_RELEASE_H

#include <stdbool.h>
#include <stddef.h>

enum { RELEASE_DEEPSEEK, RELEASE_LLAMA, N_RELEASES };
enum { RELEASE_TYPE = 16 };

extern const struct release {
    const char *name, *alias; /* alias: or NULL */
    const char *full;
} releases[N_RELEASES];

/* The release that the name of a file or of a repository begins with: "Llama-3.2-1B-Instruct",
 * followed by a number format or GGUF. -1: none, or a format that the engine does not read. type:
 * the format, "q4_k_m", or ""; may be NULL. */
int release_of(const char *name, char type[RELEASE_TYPE]);

/* The release of "llama", "r1:q4"; *type is what follows the colon, or NULL. -1: none. */
int release_named(const char *name, const char **type);

/* Whether a requested type matches this one: "q4" is any 4-bit type of its kind, "f16" also the
 * other 16-bit format. */
bool release_type_is(const char *type, const char *asked);

/* The type with the lower number is the default. */
int release_rank(const char *type);

#endif
