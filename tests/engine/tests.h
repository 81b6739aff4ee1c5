/* tests.h - the groups of this program, and what they share. */
#ifndef TESTS_ENGINE_TESTS_H
#define TESTS_ENGINE_TESTS_H

#include <stddef.h>

/* Each runs one group and returns the number of its failures. */
int test_quant(void);
int test_quantize(void);
int test_outfile(void);
int test_convert(void);
int test_gguf(void);
int test_gguf_damage(void);
int test_safemap(void);
int test_model(void);
int test_model_refused(void);
int test_describe(void);
int test_pretok(void);
int test_tokenizer(void);
int test_vectors(void);
int test_detok(void);
int test_memo(void);
int test_template(void);
int test_hf(void);
int test_kv(void);
int test_sampler(void);
int test_queue(void);
int test_cpu(void);
int test_kernels(void);
int test_logits(void);
int test_scheduler(void);
int test_engine(void);
int test_engine_open(void);
int test_evaluate(void);
int test_kv_types(void);
int test_thinking(void);
int test_grammar(void);
int test_schema(void);
int test_constrain(void);

/* A file of the outside fixtures, whole, with a zero byte after its end; the caller's to free.
 * Skips the test where DUET_FIXTURES names no folder. */
void *fixture_read(const char *name, size_t *len_out);

/* Its path, in a buffer of the caller's. Skips as above. */
void fixture_path(const char *name, char *out, size_t outlen);

#endif
