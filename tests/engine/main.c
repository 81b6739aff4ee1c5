/* main.c - runs every group of the engine's tests. */
#include "tests/engine/tests.h"

int main(void)
{
    int failures = 0;

    failures += test_quant();
    failures += test_quantize();
    failures += test_outfile();
    failures += test_convert();
    failures += test_gguf();
    failures += test_gguf_damage();
    failures += test_safemap();
    failures += test_model();
    failures += test_model_refused();
    failures += test_describe();
    failures += test_pretok();
    failures += test_tokenizer();
    failures += test_vectors();
    failures += test_detok();
    failures += test_hf();
    failures += test_memo();
    failures += test_template();
    failures += test_kv();
    failures += test_sampler();
    failures += test_kernels();
    failures += test_cpu();
    failures += test_logits();
    failures += test_queue();
    failures += test_scheduler();
    failures += test_engine();
    failures += test_engine_open();
    failures += test_evaluate();
    failures += test_kv_types();
    failures += test_thinking();
    failures += test_grammar();
    failures += test_schema();
    failures += test_constrain();
    return failures != 0;
}
