/* test_tokens.c - how many tokens a conversation is: what the engine counts, or unknown. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "app/chat/tokens.h"
#include "app/commands/compact.h"
#include "tests/app/talk.h"

static int64_t asked(const struct talk *t, size_t from, const char *question)
{
    struct str text = {0};
    struct tokens k;
    str_adds(&text, question);
    assert_true(tokens_begin(&k, &t->chat, t->chat.model));
    const struct request_span span = {from, t->chat.history.n_turns, &text};
    int64_t n = tokens_of_span(&k, &span, true).n;
    str_done(&text);
    return n;
}

/* However the answer is opened. */
static void what_is_asked_is_counted_with_its_opening(void **state)
{
    static const struct {
        int think;
        int64_t budget;
    } settings[] = {{ENGINE_THINK_AUTO, -1},
                    {ENGINE_THINK_ON, -1},
                    {ENGINE_THINK_OFF, -1},
                    {ENGINE_THINK_AUTO, 0}};
    const char *models[] = {some_model(), thinking_model()};
    (void)state;
    for (size_t which = 0; which < 8; which++) {
        struct talk t;
        char err[256];
        talk_open(&t, NULL);
        talk_use(&t, models[which % 2]);
        t.options.think = settings[which / 2].think;
        t.options.reasoning_budget = settings[which / 2].budget;
        t.options.max_tokens = 1;
        int64_t expected = asked(&t, 0, "What is 17 + 25?");
        assert_int_equal(chat_ask(&t.chat, "What is 17 + 25?", 16, err, sizeof err), 0);
        talk_wait(&t);
        assert_int_equal(t.chat.usage.prompt_tokens, expected);
        talk_close(&t);
    }
}

static void the_draft_is_counted_with_its_opening(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", thinking_model(), "--ctx", "96", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "What is 17 + 25?");
    term_expect(t, "15 / 96 tokens");
    term_type(t, "\024");
    term_expect(t, "no thinking");
    term_type(t, "\033[D"); /* the hint goes */
    term_expect(t, "17 / 96 tokens");
    term_free(t);
}

/* A template refuses these tools. */
static void what_cannot_be_rendered_is_not_counted(void **state)
{
    struct talk t;
    char tools[PATH_MAX], err[256];
    size_t n;
    (void)state;
    sandbox_write("object.json", "{\"a\": 1}");
    sandbox_path("object.json", tools, sizeof tools);
    talk_open(&t, NULL);
    talk_use(&t, some_model());
    for (int i = 0; i < 2; i++) {
        history_add(&t.chat.history, STORE_USER, STORE_COMPLETE, "hello", 5);
        history_add(&t.chat.history, STORE_ASSISTANT, STORE_COMPLETE, "hello", 5);
    }
    t.options.tools = tools;
    assert_int_not_equal(chat_ask(&t.chat, "hi", 2, err, sizeof err), 0);
    assert_int_equal(chat_context_used(&t.chat).n, -1);
    assert_contains(talk_run(&t, "/show"), "context         unknown, of 2048 tokens");
    talk_refused(&t, "/compact", "the tokens cannot be counted");
    talk_refused(&t, "/compact 1", "the tokens cannot be counted");
    assert_null(compact_remains(&t.chat, &n));
    talk_close(&t);
}

static long allocations, allocations_most = LONG_MAX;

static void *allocate(size_t size)
{
    return allocations++ < allocations_most ? malloc(size) : NULL;
}

static long allocations_of(const struct talk *t, const struct turn *turn)
{
    allocations = 0;
    if (turn)
        free(request_message(turn->role, &turn->text[STORE_TEXT]));
    else
        chat_context_used(&t->chat);
    return allocations;
}

/* Memory runs out when the engine reads one message, and is there again afterwards. */
static void a_failed_count_is_not_remembered(void **state)
{
    struct talk t;
    struct compact_plan plan;
    struct token_count *remains = NULL;
    int64_t n = 0;
    bool planned = false;
    size_t exchanges;
    (void)state;
    talk_open(&t, NULL);
    talk_use(&t, some_model());
    talk_ask(&t, "What is 17 + 25?");
    talk_ask(&t, "now double it");
    talk_used(&t);
    struct turn *turn = t.chat.history.turns[1];
    json_set_alloc_funcs(allocate, free);
    long most = allocations_of(&t, NULL) + allocations_of(&t, turn);
    for (int i = 0; i < 3; i++) {
        turn->tokens.engine = 0;
        allocations = 0;
        allocations_most = most;
        if (i == 0)
            n = chat_context_used(&t.chat).n;
        else if (i == 1)
            planned = compact_plan(&t.chat, 4, NULL, &plan);
        else
            remains = compact_remains(&t.chat, &exchanges);
        allocations_most = LONG_MAX;
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(n, -1);
    assert_false(planned);
    assert_int_equal(plan.before.n, -1);
    assert_null(remains);
    assert_int_equal(talk_used(&t), talk_count(&t, 0, NULL));
    talk_close(&t);
}

/* Whatever stands where two messages meet. */
static void the_counts_of_turns_add_up(void **state)
{
    static const char *const texts[] = {"What is 17 + 25?",
                                        "\n\n= 42.\n\n",
                                        "",
                                        " ",
                                        "(x)",
                                        ")\n",
                                        "<|eot_id|>",
                                        "<\xef\xbd\x9c"
                                        "User\xef\xbd\x9c>",
                                        "thought</think>\n\nsaid",
                                        "\xe4\xbd\xa0\xe5\xa5\xbd",
                                        "e\xcc\x81",
                                        "\r\n\ttabs",
                                        "'s"};
    enum { N = sizeof texts / sizeof *texts };
    static const char *const systems[] = {"", "Be brief.\n"};
    const char *models[] = {some_model(), thinking_model()};
    char tools[PATH_MAX];
    (void)state;
    sandbox_write("tools.json", "[{\"type\": \"function\", \"function\": {\"name\": \"add\", "
                                "\"parameters\": {\"type\": \"object\"}}}]");
    sandbox_path("tools.json", tools, sizeof tools);
    for (int which = 0; which < 8; which++) {
        struct talk t;
        char err[256];
        talk_open(&t, NULL);
        talk_use(&t, models[which & 1]);
        history_set_system(&t.chat.history, systems[which >> 1 & 1]);
        t.options.tools = which & 4 ? tools : NULL;
        assert_int_equal(response_format_read(&t.chat.format, &t.options, err, sizeof err), 0);
        for (size_t i = 0; i < 2 * N; i++)
            history_add(&t.chat.history, i % 2 ? STORE_ASSISTANT : STORE_USER, STORE_COMPLETE,
                        texts[i % N], strlen(texts[i % N]));
        assert_int_equal(talk_used(&t), talk_count(&t, 0, NULL));
        for (size_t i = 0; i < 2 * N; i += 2)
            assert_int_equal(asked(&t, i, texts[i % N]), talk_count(&t, i, texts[i % N]));
        talk_close(&t);
    }
}

/* And again for another model, or when it has grown. */
static void a_turn_is_counted_once(void **state)
{
    struct talk t;
    (void)state;
    talk_open(&t, NULL);
    talk_use(&t, some_model());
    talk_ask(&t, "What is 17 + 25?");
    int64_t before = talk_used(&t);
    struct turn *answer = t.chat.history.leaf;
    answer->tokens.n += 1000;
    assert_int_equal(talk_used(&t), before + 1000);
    history_append(&t.chat.history, answer, STORE_TEXT, " Yes.", 5);
    assert_int_equal(talk_used(&t), talk_count(&t, 0, NULL));
    answer->tokens.n += 1000;
    talk_use(&t, thinking_model());
    assert_int_equal(talk_used(&t), talk_count(&t, 0, NULL));
    talk_close(&t);
}

/* Another instance was in the middle of a character, which stood for itself by its length. */
static void a_text_that_was_replaced_is_counted_again(void **state)
{
    struct history writer;
    struct talk t;
    char err[256], db[PATH_MAX];
    (void)state;
    sandbox_path("chat.db", db, sizeof db);
    assert_int_equal(history_open(&writer, db, NULL, err, sizeof err), 0);
    history_new(&writer, NULL);
    history_add(&writer, STORE_USER, STORE_COMPLETE, "q", 1);
    struct turn *written = history_add(&writer, STORE_ASSISTANT, STORE_STREAMING, "", 0);
    history_append(&writer, written, STORE_TEXT, "\xe4", 1);
    assert_int_equal(history_save(&writer), 0);
    talk_open(&t, db);
    talk_use(&t, some_model());
    assert_int_equal(history_load(&t.chat.history, writer.conversation, err, sizeof err), 0);
    struct turn *read = t.chat.history.turns[1];
    assert_string_equal(str_get(&read->text[STORE_TEXT]), "\xef\xbf\xbd");
    talk_used(&t);
    read->tokens.n += 1000;
    history_append(&writer, written, STORE_TEXT, "\xbd\xa0", 2);
    assert_int_equal(history_save(&writer), 0);
    assert_int_equal(history_refresh(&t.chat.history), 0);
    assert_string_equal(str_get(&read->text[STORE_TEXT]), "\xe4\xbd\xa0");
    assert_int_equal(talk_used(&t), talk_count(&t, 0, NULL));
    talk_close(&t);
    history_close(&writer);
}

int test_tokens(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_asked_is_counted_with_its_opening),
        TEST(the_draft_is_counted_with_its_opening),
        TEST(what_cannot_be_rendered_is_not_counted),
        TEST(a_failed_count_is_not_remembered),
        TEST(the_counts_of_turns_add_up),
        TEST(a_turn_is_counted_once),
        TEST(a_text_that_was_replaced_is_counted_again),
    };
    return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
