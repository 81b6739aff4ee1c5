/* pull_table.c - see pull_table.h. Nothing but the table, so that tests can put their own in its place.
 *
 * A digest stands here only where people who have nothing to do with each other have published the
 * same one for the file. With it goes the commit that has the file, so that what is put in its place
 * upstream one day breaks nothing here. A row without one is as its origin says it is. */
#include "app/pull/pull_table.h"

/* Repositories, and a commit of each. */
#define DEEPSEEK    "bartowski/DeepSeek-R1-Distill-Qwen-1.5B-GGUF"
#define DEEPSEEK_AT "9cc28b17e86fa2415fcb070f8ee5ec27c965aa61"
#define LLAMA       "bartowski/Llama-3.2-1B-Instruct-GGUF"
#define LLAMA_AT    "067b946cf014b7c697f3654f621d577a3e3afd1c"

static const char mit[] = "MIT", community[] = "Llama 3.2 Community License";

/* Of a name the first type is taken where none is asked for. */
const struct pull_entry pull_table[] = {
    {"deepseek", "q8", DEEPSEEK, DEEPSEEK_AT, "DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf", 1894532192,
     "166baa90e6a963de31a7713ff034f82317ff1fa41602f7c3ce583d3f6b551829", mit},
    {"deepseek", "q4", DEEPSEEK, DEEPSEEK_AT, "DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf",
     1117320800, "1741e5b2d062b07acf048bf0d2c514dadf2a48f94e2b4aa0cfe069af3838ee2f", mit},
    {"deepseek", "f16", DEEPSEEK, "main", "DeepSeek-R1-Distill-Qwen-1.5B-f16.gguf", 3560000000,
     NULL, mit},
    {"llama", "q8", LLAMA, LLAMA_AT, "Llama-3.2-1B-Instruct-Q8_0.gguf", 1321083008,
     "432f310a77f4650a88d0fd59ecdd7cebed8d684bafea53cbff0473542964f0c3", community},
    {"llama", "q4", LLAMA, LLAMA_AT, "Llama-3.2-1B-Instruct-Q4_K_M.gguf", 807694464,
     "6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83", community},
    {"llama", "f16", LLAMA, LLAMA_AT, "Llama-3.2-1B-Instruct-f16.gguf", 2479595360,
     "1f33ad43d2b85b908ff06fe7002b69806a57359b9b2617ca27d7bdea428ae146", community},
};
const size_t pull_table_size = sizeof pull_table / sizeof *pull_table;
