/* release.c - see release.h. */
#include "app/models/release.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const struct release releases[N_RELEASES] = {
    {"deepseek", "r1", "DeepSeek-R1-Distill-Qwen-1.5B"},
    {"llama", NULL, "Llama-3.2-1B-Instruct"},
};

/* Types that the engine reads, the preferred first. Those that end in _k have sizes: q4_k_m. */
static const char *const types[] = {"q8_0", "q4_k", "q4_0", "q4_1", "f16", "bf16",
                                    "q6_k", "q5_k", "q5_0", "q5_1", "f32"};
enum { N_TYPES = sizeof types / sizeof *types };

static bool is_size(const char *s)
{
    return *s == '\0' || strcmp(s, "_s") == 0 || strcmp(s, "_m") == 0 || strcmp(s, "_l") == 0 ||
           strcmp(s, "_xl") == 0;
}

int release_rank(const char *type)
{
    for (int i = 0; i < N_TYPES; i++) {
        size_t len = strlen(types[i]);
        if (strncmp(type, types[i], len) == 0 &&
            (type[len] == '\0' || (types[i][len - 1] == 'k' && is_size(type + len))))
            return i;
    }
    return N_TYPES;
}

/* The type after a release's name; false: something else follows. */
static bool read_type(const char *rest, char type[RELEASE_TYPE])
{
    size_t len = strlen(rest);
    if (len > 5 && strcasecmp(rest + len - 5, ".gguf") == 0)
        len -= 5;
    type[0] = '\0';
    if (len == 0 || (len == 5 && strncasecmp(rest, "-gguf", 5) == 0))
        return true;
    if ((rest[0] != '-' && rest[0] != '.') || len > RELEASE_TYPE)
        return false;
    for (size_t i = 1; i < len; i++)
        type[i - 1] = (char)tolower((unsigned char)rest[i]);
    type[len - 1] = '\0';
    if (strcmp(type, "fp16") == 0)
        strcpy(type, "f16");
    return release_rank(type) < N_TYPES;
}

int release_of(const char *name, char type[RELEASE_TYPE])
{
    char unused[RELEASE_TYPE];
    for (int i = 0; i < N_RELEASES; i++) {
        size_t len = strlen(releases[i].full);
        if (strncasecmp(name, releases[i].full, len) == 0 &&
            read_type(name + len, type ? type : unused))
            return i;
    }
    return -1;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return word && strlen(word) == len && strncasecmp(text, word, len) == 0;
}

int release_named(const char *name, const char **type)
{
    size_t len = strcspn(name, ":");
    *type = name[len] ? name + len + 1 : NULL;
    for (int i = 0; i < N_RELEASES; i++)
        if (is_word(name, len, releases[i].name) || is_word(name, len, releases[i].alias))
            return i;
    return -1;
}

bool release_type_is(const char *type, const char *asked)
{
    size_t len = strlen(asked);
    if (strcasecmp(asked, "f16") == 0 && strcmp(type, "bf16") == 0)
        return true;
    return len > 0 && strncasecmp(type, asked, len) == 0 && (type[len] == '\0' || type[len] == '_');
}
