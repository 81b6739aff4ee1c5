/* catalog_table.c - the rows of catalog.h, and nothing else, so that tests can put their own in
 * their place.
 *
 * A digest is listed only if independent people have published the same one for the file. It comes
 * with the commit that has the file, so that a later replacement upstream breaks nothing here.
 *
 * No such digest is known for a 16-bit GGUF file of deepseek, but several are for the files in
 * which its makers published the model. So deepseek:f16 is their folder: in BF16, which is as wide.
 */
#include "app/models/catalog.h"

/* A repository, a commit of it, the licence. */
#define DEEPSEEK                                                                                   \
    "bartowski/DeepSeek-R1-Distill-Qwen-1.5B-GGUF", "9cc28b17e86fa2415fcb070f8ee5ec27c965aa61", mit
#define DEEPSEEK_HF                                                                                \
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "ad9f0ae0864d7fbcd1cd905e3c6c5b069cc8b562", mit
#define LLAMA                                                                                      \
    "bartowski/Llama-3.2-1B-Instruct-GGUF", "067b946cf014b7c697f3654f621d577a3e3afd1c", community

static const char mit[] = "MIT", community[] = "Llama 3.2 Community License";

/* The first row of a name is its default. A folder becomes a model with its config.json, so that
 * comes last. */
/* clang-format off */
const struct catalog_entry catalog[] = {
    {"deepseek", "q8", DEEPSEEK, NULL, {
        {"DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf", 1894532192,
         "166baa90e6a963de31a7713ff034f82317ff1fa41602f7c3ce583d3f6b551829"}}},
    {"deepseek", "q4", DEEPSEEK, NULL, {
        {"DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf", 1117320800,
         "1741e5b2d062b07acf048bf0d2c514dadf2a48f94e2b4aa0cfe069af3838ee2f"}}},
    {"deepseek", "f16", DEEPSEEK_HF, "DeepSeek-R1-Distill-Qwen-1.5B-BF16", {
        {"model.safetensors", 3554214621,
         "58858233513d76b8703e72eed6ce16807b523328188e13329257fb9594462945"},
        {"tokenizer.json", 7031660,
         "88145e3c3249adc2546ede277e9819d6e405e19072456e4b521cbc724bd60773"},
        {"tokenizer_config.json", 3071,
         "8ac8c85fb242563c2260baec0909debd69d718af6a0b3d90e6cab62b4d341cd5"},
        {"generation_config.json", 181,
         "72cbec1015da9ed03ad025483005cbf6481403abf947adfd54e504d1a66a2126"},
        {"config.json", 679,
         "37bd455e9679d2959536270fed49d25cc7c290a64f6e52abb97c71345a9cee41"}}},
    {"llama", "q8", LLAMA, NULL, {
        {"Llama-3.2-1B-Instruct-Q8_0.gguf", 1321083008,
         "432f310a77f4650a88d0fd59ecdd7cebed8d684bafea53cbff0473542964f0c3"}}},
    {"llama", "q4", LLAMA, NULL, {
        {"Llama-3.2-1B-Instruct-Q4_K_M.gguf", 807694464,
         "6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83"}}},
    {"llama", "f16", LLAMA, NULL, {
        {"Llama-3.2-1B-Instruct-f16.gguf", 2479595360,
         "1f33ad43d2b85b908ff06fe7002b69806a57359b9b2617ca27d7bdea428ae146"}}},
};
/* clang-format on */
const size_t catalog_size = sizeof catalog / sizeof *catalog;
