/* pull_table.c - what hub.py has, in the place of the program's table: a row of each kind. */
#include "app/pull/pull_table.h"

#define DEEPSEEK "bartowski/DeepSeek-R1-Distill-Qwen-1.5B-GGUF"
#define LLAMA    "bartowski/Llama-3.2-1B-Instruct-GGUF"
#define COMMIT   "00000000000000000000000000000000c0ffee00"

const struct pull_entry pull_table[] = {
    {"deepseek", "q8", DEEPSEEK, "main", "DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf", 1900000000,
     NULL, "MIT"},
    {"llama", "q8", LLAMA, "main", "Llama-3.2-1B-Instruct-Q8_0.gguf", 1300000000, NULL,
     "Llama 3.2 Community License"},
    /* Known: what every kind of hub has but "demo". */
    {"llama", "q4", LLAMA, COMMIT, "Llama-3.2-1B-Instruct-Q4_K_M.gguf", 100000,
     "6ce7db45c8db49e09ecbf655ac03611a501fabd0171b145fcdf71f8c5a836c09", "Llama"},
    /* Known, and not what the hub has: another digest, another size. */
    {"llama", "f16", LLAMA, COMMIT, "Llama-3.2-1B-Instruct-f16.gguf", 100000,
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "Llama"},
    {"deepseek", "f16", DEEPSEEK, COMMIT, "DeepSeek-R1-Distill-Qwen-1.5B-f16.gguf", 200000,
     "6ce7db45c8db49e09ecbf655ac03611a501fabd0171b145fcdf71f8c5a836c09", "MIT"},
};
const size_t pull_table_size = sizeof pull_table / sizeof *pull_table;
