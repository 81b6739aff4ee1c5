/* pull_table.c - see pull_table.h. A digest that nobody here has checked stays out of the table. */
#include "app/pull_table.h"

#include <string.h>
#include <strings.h>

#include "app/release.h"

#define DEEPSEEK "bartowski/DeepSeek-R1-Distill-Qwen-1.5B-GGUF"
#define LLAMA    "bartowski/Llama-3.2-1B-Instruct-GGUF"

static const char mit[] = "MIT", community[] = "Llama 3.2 Community License";

/* Of a name the first type is taken where none is asked for. */
const struct pull_entry pull_table[] = {
    {"deepseek", "q8", DEEPSEEK, "DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf", "1.9 GB", NULL, mit},
    {"deepseek", "q4", DEEPSEEK, "DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf", "1.1 GB", NULL, mit},
    {"deepseek", "f16", DEEPSEEK, "DeepSeek-R1-Distill-Qwen-1.5B-f16.gguf", "3.6 GB", NULL, mit},
    {"llama", "q8", LLAMA, "Llama-3.2-1B-Instruct-Q8_0.gguf", "1.3 GB", NULL, community},
    {"llama", "q4", LLAMA, "Llama-3.2-1B-Instruct-Q4_K_M.gguf", "810 MB", NULL, community},
    {"llama", "f16", LLAMA, "Llama-3.2-1B-Instruct-f16.gguf", "2.5 GB", NULL, community},
};
const size_t pull_table_size = sizeof pull_table / sizeof *pull_table;

const struct pull_entry *pull_table_find(const char *name)
{
    const char *type;
    int release = release_named(name, &type);
    for (size_t i = 0; release >= 0 && i < pull_table_size; i++)
        if (strcmp(pull_table[i].name, releases[release].name) == 0 &&
            (!type || strcasecmp(type, pull_table[i].type) == 0))
            return &pull_table[i];
    return NULL;
}
