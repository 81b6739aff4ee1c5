/* test_queue.c - what two threads may expect of the queue between them. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/queue.h"
#include "tests/engine/tests.h"

static const struct engine_usage no_usage;

static bool is_readable(const struct queue *q)
{
    struct pollfd p = {.fd = queue_fd(q), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static struct queue *open_queue(void)
{
    struct queue *q;
    assert_int_equal(queue_open(&q), 0);
    assert_false(is_readable(q));
    assert_null(queue_next(q, 0));
    return q;
}

static struct queue_events *submit(struct queue *q, uint64_t *id_out)
{
    void *request;
    struct queue_events *ev;
    assert_int_equal(queue_submit(q, id_out, id_out), 0);
    assert_true(queue_take(q, false, &request, &ev));
    assert_ptr_equal(request, id_out);
    return ev;
}

static void tell(struct queue *q, struct queue_events *ev, enum engine_text kind, const char *text)
{
    const struct queue_text told = {.kind = kind, .text = text, .len = strlen(text)};
    assert_int_equal(queue_emit_text(q, ev, &told, &no_usage), 0);
}

static void assert_text(struct queue *q, uint64_t id, enum engine_text kind, const char *text)
{
    const struct engine_event *e = queue_next(q, 0);
    assert_non_null(e);
    assert_int_equal(e->type, ENGINE_TEXT);
    assert_int_equal(e->request, id);
    assert_int_equal(e->kind, kind);
    assert_int_equal(e->len, strlen(text));
    assert_string_equal(e->text, text);
}

static void assert_event(struct queue *q, uint64_t id, enum engine_event_type type)
{
    const struct engine_event *e = queue_next(q, 0);
    assert_non_null(e);
    assert_int_equal(e->type, type);
    assert_int_equal(e->request, id);
}

static void text_waits_as_one_piece_of_each_kind(void **state)
{
    (void)state;
    struct queue *q = open_queue();
    uint64_t id;
    struct queue_events *ev = submit(q, &id);
    assert_int_not_equal(id, 0);

    tell(q, ev, ENGINE_REASONING, "let ");
    tell(q, ev, ENGINE_REASONING, "me");
    tell(q, ev, ENGINE_ANSWER, "4");
    assert_true(is_readable(q));
    assert_text(q, id, ENGINE_REASONING, "let me");
    assert_true(is_readable(q));
    tell(q, ev, ENGINE_ANSWER, "2");
    assert_text(q, id, ENGINE_ANSWER, "42");
    assert_false(is_readable(q));
    tell(q, ev, ENGINE_ANSWER, "!");
    queue_emit_done(q, ev, &(struct queue_end){.stop = ENGINE_STOP_LENGTH});
    assert_text(q, id, ENGINE_ANSWER, "!");
    const struct engine_event *e = queue_next(q, 0);
    assert_int_equal(e->type, ENGINE_DONE);
    assert_int_equal(e->stop, ENGINE_STOP_LENGTH);
    assert_null(e->error_text);
    assert_false(is_readable(q));
    assert_null(queue_next(q, 0));
    queue_close(q);
}

static void progress_is_the_latest(void **state)
{
    (void)state;
    struct queue *q = open_queue();
    uint64_t id;
    struct queue_events *ev = submit(q, &id);
    queue_emit_prefill(q, ev, 10, &no_usage);
    queue_emit_prefill(q, ev, 20, &(struct engine_usage){.prompt_tokens = 30, .cached_tokens = 5});
    tell(q, ev, ENGINE_ANSWER, "x");
    const struct engine_event *e = queue_next(q, 0);
    assert_int_equal(e->type, ENGINE_PREFILL);
    assert_int_equal(e->prompt_done, 20);
    assert_text(q, id, ENGINE_ANSWER, "x");
    queue_close(q); /* the request is still live: nothing leaks */
}

static void ends_come_before_the_fatal_one(void **state)
{
    (void)state;
    struct queue *q = open_queue();
    uint64_t ids[3];
    struct queue_events *ev[3];
    queue_emit_ready(q, 1.5);
    for (int i = 0; i < 3; i++)
        ev[i] = submit(q, &ids[i]);
    tell(q, ev[1], ENGINE_ANSWER, "half");
    for (int i = 0; i < 3; i++)
        queue_emit_done(q, ev[i],
                        &(struct queue_end){.stop = ENGINE_STOP_ERROR,
                                            .error = ENGINE_EMEMORY,
                                            .error_text = "device: it burns"});
    queue_emit_fatal(q, ENGINE_EMEMORY, "device: it burns");

    const struct engine_event *e = queue_next(q, 0);
    assert_int_equal(e->type, ENGINE_READY);
    assert_true(e->load_ms == 1.5);
    int done = 0, texts = 0;
    while ((e = queue_next(q, 0)) && e->type != ENGINE_FATAL) {
        done += e->type == ENGINE_DONE;
        texts += e->type == ENGINE_TEXT;
        if (e->type == ENGINE_DONE) {
            assert_int_equal(e->error, ENGINE_EMEMORY);
            assert_string_equal(e->error_text, "device: it burns");
        }
    }
    assert_int_equal(done, 3);
    assert_int_equal(texts, 1);
    assert_non_null(e);
    assert_string_equal(e->error_text, "device: it burns");
    assert_null(queue_next(q, 0));
    queue_close(q);
}

static void cancelling_marks_one_and_interrupts_once(void **state)
{
    (void)state;
    struct queue *q = open_queue();
    uint64_t a_id, b_id;
    struct queue_events *a = submit(q, &a_id), *b = submit(q, &b_id);
    const atomic_bool *interrupt = queue_interrupt_flag(q);

    queue_cancel(q, 12345);
    assert_false(*interrupt);
    queue_cancel(q, a_id);
    assert_true(*interrupt);
    assert_true(queue_is_cancelled(a));
    assert_false(queue_is_cancelled(b));
    queue_begin_step(q);
    assert_false(*interrupt);
    queue_cancel(q, a_id);
    assert_false(*interrupt);
    queue_emit_done(q, b, &(struct queue_end){.stop = ENGINE_STOP_END});
    assert_event(q, b_id, ENGINE_DONE);
    queue_cancel(q, b_id);
    assert_false(*interrupt);
    queue_shut(q);
    queue_begin_step(q);
    assert_true(*interrupt);
    queue_close(q);
}

/* Nobody has to wait for an engine that is loading. */
static void what_was_not_taken_comes_back(void **state)
{
    (void)state;
    struct queue *q = open_queue();
    int requests[3];
    uint64_t ids[3];
    for (int i = 0; i < 3; i++)
        queue_submit(q, &requests[i], &ids[i]);
    assert_ptr_equal(queue_cancel(q, ids[2]), &requests[2]);
    assert_ptr_equal(queue_cancel(q, ids[0]), &requests[0]);
    assert_null(queue_cancel(q, ids[0]));
    assert_false(*queue_interrupt_flag(q));
    const struct engine_event *e = queue_next(q, 0);
    assert_int_equal(e->request, ids[2]);
    assert_int_equal(e->stop, ENGINE_STOP_CANCEL);
    assert_event(q, ids[0], ENGINE_DONE);
    queue_submit(q, &requests[2], &ids[2]);

    void *request;
    struct queue_events *ev;
    assert_true(queue_take(q, false, &request, &ev));
    assert_ptr_equal(request, &requests[1]);
    assert_true(queue_take(q, false, &request, &ev));
    assert_ptr_equal(request, &requests[2]);
    assert_false(queue_take(q, false, &request, &ev));
    queue_close(q);
}

static void waiting_ends_with_the_time(void **state)
{
    (void)state;
    struct queue *q = open_queue();
    assert_null(queue_next(q, 20));
    assert_null(queue_next(q, 1));
    queue_close(q);
}

/* An engine that answers each request with its number, and calls in between. */
static void *echo(void *arg)
{
    struct queue *q = arg;
    while (!queue_is_shut(q)) {
        void *request;
        struct queue_events *ev;
        if (!queue_take(q, true, &request, &ev))
            continue;
        queue_begin_step(q);
        for (int i = 0; i < 200 && !queue_is_cancelled(ev); i++)
            queue_emit_text(
                q, ev, &(struct queue_text){.kind = ENGINE_ANSWER, .text = "0123456789", .len = 10},
                &no_usage);
        queue_emit_done(q, ev, &(struct queue_end){.stop = ENGINE_STOP_END});
    }
    return NULL;
}

static void count(void *ud)
{
    ++*(int *)ud;
}

struct caller {
    struct queue *q;
    pthread_t thread;
    int calls;
};

static void *ask(void *arg)
{
    struct caller *c = arg;
    for (int i = 0; i < 100; i++) {
        uint64_t id;
        queue_submit(c->q, c, &id);
        if (i % 3 == 0)
            queue_cancel(c->q, id);
        if (i % 10 == 0)
            queue_call(c->q, count, &c->calls);
    }
    return NULL;
}

static void many_threads_lose_nothing(void **state)
{
    (void)state;
    struct queue *q = open_queue();
    pthread_t engine;
    pthread_create(&engine, NULL, echo, q);
    struct caller callers[3];
    enum { N = sizeof callers / sizeof callers[0] };
    for (int i = 0; i < N; i++) {
        callers[i] = (struct caller){.q = q};
        pthread_create(&callers[i].thread, NULL, ask, &callers[i]);
    }
    for (int done = 0; done < 100 * N;) {
        struct pollfd p = {.fd = queue_fd(q), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 10000), 1);
        const struct engine_event *e;
        while ((e = queue_next(q, 0))) {
            if (e->type == ENGINE_TEXT)
                assert_int_equal(e->len % 10, 0);
            done += e->type == ENGINE_DONE;
        }
    }
    for (int i = 0; i < N; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].calls, 10);
    }
    assert_null(queue_next(q, 0));
    queue_shut(q);
    pthread_join(engine, NULL);
    queue_close(q);
}

int test_queue(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_waits_as_one_piece_of_each_kind),
        cmocka_unit_test(progress_is_the_latest),
        cmocka_unit_test(ends_come_before_the_fatal_one),
        cmocka_unit_test(cancelling_marks_one_and_interrupts_once),
        cmocka_unit_test(what_was_not_taken_comes_back),
        cmocka_unit_test(waiting_ends_with_the_time),
        cmocka_unit_test(many_threads_lose_nothing),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
