/* answers.h - asking an engine through its one door, and what is heard of the answers. What cannot
 * be fails the test. */
#ifndef TESTS_ENGINE_ANSWERS_H
#define TESTS_ENGINE_ANSWERS_H

#include <stdbool.h>

#include "engine/engine.h"
#include "tests/engine/tiny_model.h"

/* An engine and what it is opened with. */
struct fixture {
    struct tiny_model model;
    struct engine *e;
};

struct engine *answers_open(const char *path, int n_threads, int n_parallel);
struct engine *answers_open_with(const struct engine_options *opt);
void answers_open_tiny(struct fixture *f, const char *architecture);
void answers_close_tiny(struct fixture *f);

struct answer {
    uint64_t id;
    char *text; /* reasoning and answer */
    size_t len;
    int n_prefill, n_text;
    bool done;
    enum engine_stop stop;
    enum engine_error error;
    char error_text[128];
    struct engine_usage usage;
};

void answer_free(struct answer *a);
void answer_ask(struct engine *e, const char *messages, const struct engine_sampling *sampling,
                int max_tokens, struct answer *a);
void answer_note(struct answer *a, const struct engine_event *e);

/* Listens until all are done; at least one must be live. */
void answer_listen(struct engine *e, struct answer *answers, int n);

void answer_get(struct engine *e, const char *messages, const struct engine_sampling *sampling,
                int max_tokens, struct answer *a);
void answer_assert_same(const struct answer *a, const struct answer *b);

#endif
