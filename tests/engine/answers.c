/* answers.c - see answers.h. */
#include "tests/engine/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct engine *answers_open_with(const struct engine_options *opt)
{
    struct engine *e = NULL;
    char err[256] = "";
    if (engine_open(&e, opt, err, sizeof err) != 0)
        fail_msg("%s", err);
    return e;
}

struct engine *answers_open(const char *path, int n_threads, int n_parallel)
{
    return answers_open_with(&(struct engine_options){.model_path = path,
                                                      .device = ENGINE_DEVICE_CPU,
                                                      .n_threads = n_threads,
                                                      .n_parallel = n_parallel});
}

void answers_open_tiny(struct fixture *f, const char *architecture)
{
    tiny_model_write(&f->model, &(struct tiny_model_options){.architecture = architecture});
    f->e = answers_open(f->model.path, 1, 1);
}

void answers_close_tiny(struct fixture *f)
{
    engine_close(f->e);
    tiny_model_remove(&f->model);
}

void answer_free(struct answer *a)
{
    free(a->text);
    a->text = NULL;
}

void answer_ask(struct engine *e, const char *messages, const struct engine_sampling *sampling,
                int max_tokens, struct answer *a)
{
    const struct engine_request req = {
        .messages = messages,
        .date = "26 Jul 2024",
        .sampling = *sampling,
        .max_tokens = max_tokens,
    };
    char err[256] = "";
    *a = (struct answer){.text = calloc(1, 1)};
    if (engine_submit(e, &req, &a->id, err, sizeof err) != 0)
        fail_msg("%s", err);
    assert_int_not_equal(a->id, 0);
}

void answer_note(struct answer *a, const struct engine_event *e)
{
    assert_false(a->done);
    a->usage = e->usage;
    if (e->type == ENGINE_PREFILL) {
        a->n_prefill++;
        assert_int_equal(a->n_text, 0);
    } else if (e->type == ENGINE_TEXT) {
        a->n_text++;
        assert_int_equal(e->text[e->len], '\0');
        a->text = realloc(a->text, a->len + e->len + 1);
        memcpy(a->text + a->len, e->text, e->len + 1);
        a->len += e->len;
    } else {
        assert_int_equal(e->type, ENGINE_DONE);
        a->done = true;
        a->stop = e->stop;
        a->error = e->error;
        snprintf(a->error_text, sizeof a->error_text, "%s", e->error_text ? e->error_text : "");
    }
}

void answer_listen(struct engine *e, struct answer *answers, int n)
{
    for (int done = 0; done < n;) {
        const struct engine_event *ev = engine_next_event(e, 20000);
        assert_non_null(ev);
        for (int i = 0; i < n; i++) {
            if (ev->request == answers[i].id) {
                answer_note(&answers[i], ev);
                done += answers[i].done;
            }
        }
    }
}

void answer_get(struct engine *e, const char *messages, const struct engine_sampling *sampling,
                int max_tokens, struct answer *a)
{
    answer_ask(e, messages, sampling, max_tokens, a);
    answer_listen(e, a, 1);
}

void answer_assert_same(const struct answer *a, const struct answer *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->text, b->text, a->len);
    assert_int_equal(a->stop, b->stop);
    assert_int_equal(a->usage.completion_tokens, b->usage.completion_tokens);
}
