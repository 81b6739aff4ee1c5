/* catalog_table.c - what hub.py has, in the place of the program's table: a row of each kind. */
#include "app/models/catalog.h"

#define DEEPSEEK    "bartowski/DeepSeek-R1-Distill-Qwen-1.5B-GGUF"
#define DEEPSEEK_HF "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"
#define LLAMA       "bartowski/Llama-3.2-1B-Instruct-GGUF"
#define COMMIT      "00000000000000000000000000000000c0ffee00"

#define ALL    "6ce7db45c8db49e09ecbf655ac03611a501fabd0171b145fcdf71f8c5a836c09"
#define OTHER  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SOME   "72dcbb0cdc9017678bffbe44e12e916796e533b1c7d2253b0ff22448ac8876e4"
#define LITTLE "a387721ebc7a817469dc7ee2e5467c8e1dd9407f02dd2772c7493ff19e14027c"

static const char qwen[] = "MIT", meta[] = "Llama 3.2 Community License";

/* clang-format off */
const struct catalog_entry catalog[] = {
    {"deepseek", "q8", DEEPSEEK, "main", qwen, NULL, {
        {"DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf", 1900000000, NULL}}},
    {"llama", "q8", LLAMA, "main", meta, NULL, {
        {"Llama-3.2-1B-Instruct-Q8_0.gguf", 1300000000, NULL}}},
    /* Known: what every kind of hub has but "demo". */
    {"llama", "q4", LLAMA, COMMIT, meta, NULL, {
        {"Llama-3.2-1B-Instruct-Q4_K_M.gguf", 100000, ALL}}},
    /* Known, and not what the hub has: another digest, another size. */
    {"llama", "f16", LLAMA, COMMIT, meta, NULL, {
        {"Llama-3.2-1B-Instruct-f16.gguf", 100000, OTHER}}},
    {"deepseek", "q4", DEEPSEEK, COMMIT, qwen, NULL, {
        {"DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf", 200000, ALL}}},
    /* Several files. */
    {"deepseek", "f16", DEEPSEEK_HF, COMMIT, qwen, "DeepSeek-R1-Distill-Qwen-1.5B-BF16", {
        {"model.safetensors", 100000, ALL},
        {"tokenizer.json", 5000, SOME},
        {"config.json", 300, LITTLE}}},
};
/* clang-format on */
const size_t catalog_size = sizeof catalog / sizeof *catalog;
