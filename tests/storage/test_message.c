/*
 * test_message.c - what is read equals what was written: texts, trees, generations, states.
 */
#include <string.h>

#include "place.h"

static void a_turn_comes_back_as_it_was(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t c = must_create(s, "sums");
    int64_t question = must_add(s, c, STORE_LEAF, STORE_USER, "What is 17 + 25?");
    struct store_generation first = {.model = "demo-deepseek", .settings = "{}", .seed = 7};
    struct store_draft draft = {
        .conversation = c, .parent = question, .role = STORE_ASSISTANT, .generation = &first};
    int64_t answer;
    assert_int_equal(store_message_begin(s, &draft, &answer), STORE_OK);
    must_append(s, answer, STORE_REASONING, "17 + 25: ");
    must_append(s, answer, STORE_REASONING, "\xe6\x95\xb0 42.");
    must_append(s, answer, STORE_TEXT, "It is ");
    assert_int_equal(store_message_append(s, answer, STORE_TEXT, "4\0002", 3), STORE_OK);
    assert_int_equal(store_message_append(s, answer, STORE_TEXT, "", 0), STORE_OK);
    struct store_generation last = {.model = "demo-deepseek",
                                    .fingerprint = "f00d",
                                    .engine = "0.1.0",
                                    .device = "cpu",
                                    .settings = "{\"temperature\":0.6}",
                                    .stop_reason = "end",
                                    .seed = UINT64_MAX - 1,
                                    .prompt_tokens = 30,
                                    .cached_tokens = 12,
                                    .completion_tokens = 20,
                                    .reasoning_tokens = 15,
                                    .load_ms = 1.5,
                                    .time_to_first_token_ms = 2.25,
                                    .generation_time_ms = 40.125};
    assert_int_equal(store_message_end(s, answer, STORE_COMPLETE, &last), STORE_OK);
    store_close(s);

    s = must_open(p->path);
    struct store_messages *list = must_path(s, c);
    assert_int_equal(list->count, 2);
    const struct store_message *m = &list->items[0];
    assert_int_equal(m->id, question);
    assert_int_equal(m->conversation, c);
    assert_int_equal(m->parent, 0);
    assert_int_equal(m->role, STORE_USER);
    assert_int_equal(m->state, STORE_COMPLETE);
    assert_true(m->created_ms > 0);
    assert_false(m->damaged);
    assert_string_equal(m->text[STORE_TEXT], "What is 17 + 25?");
    assert_string_equal(m->text[STORE_REASONING], "");
    assert_null(m->generation);
    m = &list->items[1];
    assert_int_equal(m->parent, question);
    assert_int_equal(m->role, STORE_ASSISTANT);
    assert_false(m->damaged);
    assert_int_equal(m->len[STORE_TEXT], 9);
    assert_memory_equal(m->text[STORE_TEXT], "It is 4\0002", 10);
    assert_string_equal(m->text[STORE_REASONING], "17 + 25: \xe6\x95\xb0 42.");
    const struct store_generation *g = m->generation;
    assert_string_equal(g->fingerprint, "f00d");
    assert_string_equal(g->engine, "0.1.0");
    assert_string_equal(g->device, "cpu");
    assert_string_equal(g->settings, "{\"temperature\":0.6}");
    assert_string_equal(g->stop_reason, "end");
    assert_string_equal(g->error, "");
    assert_true(g->seed == UINT64_MAX - 1);
    assert_int_equal(g->prompt_tokens, 30);
    assert_int_equal(g->cached_tokens, 12);
    assert_int_equal(g->completion_tokens, 20);
    assert_int_equal(g->reasoning_tokens, 15);
    assert_true(g->load_ms == 1.5 && g->time_to_first_token_ms == 2.25);
    assert_true(g->generation_time_ms == 40.125);
    store_messages_free(list);
    store_close(s);
}

static void reasoning_is_stored_apart(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t id = must_begin(s, must_create(s, ""));
    for (int i = 0; i < 10; i++)
        must_append(s, id, i % 2 ? STORE_TEXT : STORE_REASONING, i % 2 ? "a" : "r");
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM text"), 10);
    assert_int_equal(store_message_end(s, id, STORE_STOPPED, NULL), STORE_OK);
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM text"), 2);
    assert_int_equal(must_number(p->path, "SELECT body = 'aaaaa' FROM text WHERE kind = 0"), 1);
    assert_int_equal(must_number(p->path, "SELECT body = 'rrrrr' FROM text WHERE kind = 1"), 1);
    store_close(s);
}

static void states_come_back(void **state)
{
    (void)state;
    static const enum store_state ends[] = {STORE_COMPLETE, STORE_STOPPED, STORE_FAILED,
                                            STORE_INTERRUPTED};
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    for (size_t i = 0; i < 4; i++) {
        struct store_generation g = {.model = "m", .error = "device lost"};
        int64_t id = must_begin(s, c);
        struct store_messages *list = must_path(s, c);
        assert_int_equal(list->items[i].state, STORE_STREAMING);
        store_messages_free(list);
        assert_int_equal(store_message_end(s, id, ends[i], i == 2 ? &g : NULL), STORE_OK);
    }
    struct store_messages *list = must_path(s, c);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(list->items[i].state, ends[i]);
    assert_string_equal(list->items[2].generation->error, "device lost");
    store_messages_free(list);
    store_close(s);
}

static void an_end_without_generation_keeps_the_drafts(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    struct store_generation g = {.model = "llama"};
    struct store_draft draft = {
        .conversation = must_create(s, ""), .role = STORE_ASSISTANT, .generation = &g};
    int64_t id;
    assert_int_equal(store_message_begin(s, &draft, &id), STORE_OK);
    assert_int_equal(store_message_end(s, id, STORE_STOPPED, NULL), STORE_OK);
    struct store_messages *list = must_path(s, draft.conversation);
    assert_string_equal(list->items[0].generation->model, "llama");
    assert_string_equal(list->items[0].generation->device, "");
    store_messages_free(list);
    store_close(s);
}

static void messages_are_a_tree(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    int64_t q = must_add(s, c, STORE_LEAF, STORE_USER, "q");
    int64_t a = must_add(s, c, STORE_LEAF, STORE_ASSISTANT, "a");
    must_add(s, c, STORE_LEAF, STORE_USER, "more");
    assert_string_equal(path_text(s, c), "q|a|more|");
    int64_t b = must_add(s, c, q, STORE_ASSISTANT, "b"); /* answered again */
    assert_string_equal(path_text(s, c), "q|b|");
    must_add(s, c, 0, STORE_USER, "q2"); /* the first question edited */
    assert_string_equal(path_text(s, c), "q2|");
    assert_int_equal(store_conversation_set_leaf(s, c, a), STORE_OK);
    assert_string_equal(path_text(s, c), "q|a|");
    assert_int_equal(store_conversation_set_leaf(s, c, 0), STORE_OK);
    assert_string_equal(path_text(s, c), "");

    struct store_messages *list;
    assert_int_equal(store_message_children(s, c, q, &list), STORE_OK);
    assert_int_equal(list->count, 2);
    assert_int_equal(list->items[0].id, a);
    assert_int_equal(list->items[1].id, b);
    assert_string_equal(list->items[1].text[STORE_TEXT], "b");
    store_messages_free(list);
    assert_int_equal(store_message_children(s, c, 0, &list), STORE_OK);
    assert_int_equal(list->count, 2);
    assert_string_equal(list->items[1].text[STORE_TEXT], "q2");
    store_messages_free(list);
    assert_int_equal(store_message_children(s, c, b, &list), STORE_OK);
    assert_int_equal(list->count, 0);
    store_messages_free(list);
    store_close(s);
}

static void the_whole_tree_is_read_or_what_is_new_of_it(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    struct store_messages *list;
    int64_t c = must_create(s, ""), other = must_create(s, "");
    int64_t q = must_add(s, c, 0, STORE_USER, "q");
    int64_t a = must_add(s, c, q, STORE_ASSISTANT, "a");
    must_add(s, other, 0, STORE_USER, "not this one");
    int64_t b = must_add(s, c, q, STORE_ASSISTANT, "b");
    assert_int_equal(store_message_tree(s, c, 0, &list), STORE_OK);
    assert_int_equal(list->count, 3);
    const int64_t ids[] = {q, a, b}, parents[] = {0, q, q};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(list->items[i].id, ids[i]);
        assert_int_equal(list->items[i].parent, parents[i]);
    }
    assert_string_equal(list->items[2].text[STORE_TEXT], "b");
    store_messages_free(list);
    assert_int_equal(store_message_tree(s, c, a, &list), STORE_OK);
    assert_int_equal(list->count, 1);
    assert_int_equal(list->items[0].id, b);
    store_messages_free(list);
    assert_int_equal(store_message_tree(s, c, b, &list), STORE_OK);
    assert_int_equal(list->count, 0);
    store_messages_free(list);
    store_close(s);
}

static void a_message_may_open_the_window(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t c = must_create(s, "");
    int64_t q = must_add(s, c, 0, STORE_USER, "q");
    must_add(s, c, q, STORE_ASSISTANT, "a");
    assert_int_equal(store_message_set_window_start(s, q, true), STORE_OK);
    assert_int_equal(store_message_set_window_start(s, 999, true), STORE_ENOTFOUND);
    store_close(s);
    s = must_open(p->path);
    struct store_messages *list = must_path(s, c);
    assert_true(list->items[0].window_start);
    assert_false(list->items[1].window_start);
    assert_false(list->items[0].damaged);
    store_messages_free(list);
    assert_int_equal(store_message_set_window_start(s, q, false), STORE_OK);
    list = must_path(s, c);
    assert_false(list->items[0].window_start);
    store_messages_free(list);
    store_close(s);
}

static size_t count_hits(struct store *s, const char *words)
{
    struct store_hits *hits;
    assert_int_equal(store_search(s, words, 0, 9, &hits), STORE_OK);
    size_t n = hits->count;
    store_hits_free(hits);
    return n;
}

/* Ended messages can be continued, in another process too; those with a live writer cannot. */
static void an_ended_message_goes_on(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t c = must_create(s, "");
    int64_t q = must_add(s, c, 0, STORE_USER, "question");
    const struct store_draft draft = {.conversation = c, .parent = q, .role = STORE_ASSISTANT};
    int64_t id;
    assert_int_equal(store_message_begin(s, &draft, &id), STORE_OK);
    assert_int_equal(store_message_append(s, id, STORE_REASONING, "thinking of ele", 15), STORE_OK);
    assert_int_equal(store_message_append(s, id, STORE_TOKENS, "1 22 333 ", 9), STORE_OK);
    assert_int_equal(store_message_resume(s, id), STORE_EBUSY);
    struct store *other = must_open(p->path);
    assert_int_equal(store_message_resume(other, id), STORE_EBUSY);
    assert_int_equal(store_message_end(s, id, STORE_STOPPED, NULL), STORE_OK);

    assert_int_equal(store_message_resume(other, id), STORE_OK);
    assert_int_equal(store_message_append(s, id, STORE_TEXT, "x", 1), STORE_ENOTFOUND);
    assert_int_equal(store_message_append(other, id, STORE_REASONING, "phants", 6), STORE_OK);
    assert_int_equal(store_message_append(other, id, STORE_TOKENS, "4 ", 2), STORE_OK);
    store_close(other); /* and its writer dies */
    assert_int_equal(store_message_resume(s, id), STORE_OK);
    assert_int_equal(store_message_append(s, id, STORE_TEXT, "Dumbo", 5), STORE_OK);
    assert_int_equal(store_message_end(s, id, STORE_COMPLETE, NULL), STORE_OK);

    struct store_messages *list;
    assert_int_equal(store_message_path(s, c, &list), STORE_OK);
    assert_int_equal(list->count, 2);
    assert_false(list->items[1].damaged);
    assert_int_equal(list->items[1].state, STORE_COMPLETE);
    assert_string_equal(list->items[1].text[STORE_REASONING], "thinking of elephants");
    assert_string_equal(list->items[1].text[STORE_TEXT], "Dumbo");
    assert_string_equal(list->items[1].text[STORE_TOKENS], "1 22 333 4 ");
    store_messages_free(list);
    static const struct {
        const char *words;
        size_t n;
    } found[] = {{"elephants", 1}, {"Dumbo", 1}, {"333", 0}};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        assert_int_equal(count_hits(s, found[i].words), found[i].n);
    assert_int_equal(store_message_resume(s, 999), STORE_ENOTFOUND);
    store_close(s);
}

static void senseless_calls_are_refused(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, ""), other = must_create(s, "");
    int64_t foreign = must_add(s, other, 0, STORE_USER, "x");
    int64_t id = -7;
    struct store_draft draft = {.conversation = 999, .role = STORE_USER};
    assert_int_equal(store_message_add(s, &draft, "x", 1, &id), STORE_ENOTFOUND);
    draft = (struct store_draft){.conversation = c, .parent = 999, .role = STORE_USER};
    assert_int_equal(store_message_add(s, &draft, "x", 1, &id), STORE_ENOTFOUND);
    draft.parent = foreign;
    assert_int_equal(store_message_begin(s, &draft, &id), STORE_ENOTFOUND);
    draft = (struct store_draft){.conversation = c, .role = STORE_UNKNOWN_ROLE};
    assert_int_equal(store_message_begin(s, &draft, &id), STORE_EINVAL);
    assert_int_equal(id, -7);
    assert_string_equal(path_text(s, c), "");

    assert_int_equal(store_message_append(s, foreign, STORE_TEXT, "y", 1), STORE_ENOTFOUND);
    assert_int_equal(store_message_append(s, 999, STORE_TEXT, "y", 1), STORE_ENOTFOUND);
    assert_int_equal(store_message_append(s, foreign, STORE_KINDS, "y", 1), STORE_EINVAL);
    assert_int_equal(store_message_end(s, foreign, STORE_COMPLETE, NULL), STORE_ENOTFOUND);
    assert_int_equal(store_message_end(s, foreign, STORE_STREAMING, NULL), STORE_EINVAL);
    assert_int_equal(store_conversation_set_leaf(s, c, foreign), STORE_ENOTFOUND);
    struct store_messages *list;
    assert_int_equal(store_message_path(s, 999, &list), STORE_ENOTFOUND);
    assert_null(list);
    assert_true(store_error(s)[0] != '\0');
    assert_null(strchr(store_error(s), '\n'));
    assert_string_equal(path_text(s, other), "x|");
    store_close(s);
}

static void a_group_happens_whole_or_not_at_all(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    assert_int_equal(store_commit(s), STORE_EINVAL);
    assert_int_equal(store_begin(s), STORE_OK);
    assert_int_equal(store_begin(s), STORE_EINVAL);
    int64_t c = must_create(s, "kept");
    must_add(s, c, STORE_LEAF, STORE_USER, "q");
    assert_string_equal(path_text(s, c), "q|");
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM message"), 0);
    assert_int_equal(store_commit(s), STORE_OK);
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM message"), 1);

    assert_int_equal(store_begin(s), STORE_OK);
    must_add(s, c, STORE_LEAF, STORE_USER, "undone");
    assert_int_equal(store_conversation_rename(s, 999, "x"), STORE_ENOTFOUND);
    assert_int_equal(store_commit(s), STORE_ENOTFOUND);
    assert_string_equal(path_text(s, c), "q|");

    assert_int_equal(store_begin(s), STORE_OK);
    must_add(s, c, STORE_LEAF, STORE_USER, "undone");
    store_rollback(s);
    assert_string_equal(path_text(s, c), "q|");

    assert_int_equal(store_begin(s), STORE_OK);
    must_add(s, c, STORE_LEAF, STORE_USER, "undone");
    store_close(s);
    s = must_open(p->path);
    assert_string_equal(path_text(s, c), "q|");
    store_close(s);
}

static void order_needs_no_clock(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    /* The last two are no times, as of a clock that was never set. */
    static const int64_t clocks[] = {4102444800000, 1, 1700000000000, -5, INT64_MAX};
    enum { CLOCKS = sizeof clocks / sizeof *clocks };
    for (size_t i = 0; i < CLOCKS; i++) {
        struct store_draft draft = {
            .conversation = c, .parent = STORE_LEAF, .role = STORE_USER, .created_ms = clocks[i]};
        int64_t id;
        assert_int_equal(store_message_add(s, &draft, (char[]){(char)('a' + i)}, 1, &id), STORE_OK);
    }
    struct store_messages *list = must_path(s, c);
    for (size_t i = 0; i < CLOCKS; i++) {
        assert_int_equal(list->items[i].created_ms, i < 3 ? clocks[i] : 0);
        assert_false(list->items[i].damaged);
    }
    store_messages_free(list);
    assert_string_equal(path_text(s, c), "a|b|c|d|e|");
    store_close(s);
}

int test_message(void)
{
    const struct CMUnitTest tests[] = {
        place_test(a_turn_comes_back_as_it_was),
        place_test(reasoning_is_stored_apart),
        cmocka_unit_test(states_come_back),
        cmocka_unit_test(an_end_without_generation_keeps_the_drafts),
        cmocka_unit_test(messages_are_a_tree),
        cmocka_unit_test(the_whole_tree_is_read_or_what_is_new_of_it),
        place_test(a_message_may_open_the_window),
        place_test(an_ended_message_goes_on),
        cmocka_unit_test(senseless_calls_are_refused),
        place_test(a_group_happens_whole_or_not_at_all),
        cmocka_unit_test(order_needs_no_clock),
    };
    return cmocka_run_group_tests_name("storage message", tests, NULL, NULL);
}
