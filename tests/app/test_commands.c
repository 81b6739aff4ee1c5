/* test_commands.c - what is a command, what is a question, and what neither. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/commands/commands.h"
#include "tests/app/talk.h"

static enum command_effect run(struct talk *p, const char *typed, struct command_reply *reply)
{
    command_run(&p->chat, typed, strlen(typed), reply);
    return reply->effect;
}

static void assert_asks(struct talk *p, const char *typed, const char *question)
{
    struct command_reply reply;
    assert_int_equal(run(p, typed, &reply), COMMAND_ASK);
    assert_int_equal(reply.ask_len, strlen(question));
    assert_memory_equal(reply.ask, question, reply.ask_len);
}

static void each_command_fits_a_line_of_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];
        assert_true(strlen(c->help) <= 46);
        assert_true(strlen(c->name) + strlen(c->args) + strlen(c->help) + 3 <= 80);
    }
}

static void questions_are_not_taken_for_commands(void **state)
{
    assert_asks(*state, "17 + 25", "17 + 25");
    assert_asks(*state, "what is /model?", "what is /model?");
    assert_asks(*state, "//etc/passwd", "/etc/passwd");
    assert_asks(*state, "quit smoking", "quit smoking");
}

/* The token count of the draft follows this. */
static void commands_are_told_from_questions(void **state)
{
    static const char *const ours[] = {"/", "/mo", " /model x", "quit", "exit ", "/nothing"};
    static const char *const questions[] = {"", "17 + 25", "a / b", "//etc", "quit smoking"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(command_is(ours[i], strlen(ours[i])));
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        assert_false(command_is(questions[i], strlen(questions[i])));
}

static void an_unknown_command_is_not_sent(void **state)
{
    talk_says(*state, "/nothing here", true, "no command /nothing");
    talk_says(*state, "/ctx 8192", true, "no command /ctx; the context is set when duet starts");
    talk_says(*state, "/save x", true, "/export writes a file");
    talk_says(*state, "/modle x", true, "did you mean /model?");
    talk_says(*state, "/etc/passwd\nplease read it", true, "// sends it as a question");
    talk_says(*state, "/\033[2J", true, "\\x1b[2J");
}

static void commands_have_their_effects(void **state)
{
    static const struct {
        const char *typed;
        enum command_effect effect;
    } rows[] = {
        {"/help", COMMAND_HELP},
        {"/?", COMMAND_HELP},
        {"/quit", COMMAND_QUIT},
        {"/exit", COMMAND_QUIT},
        {" /bye ", COMMAND_QUIT},
        {"exit", COMMAND_QUIT},
        {"quit", COMMAND_QUIT},
        {"/new", COMMAND_SHOW},
        {"/clear", COMMAND_SHOW},
        {"/model", COMMAND_PICK_MODEL},
        {"/list", COMMAND_PICK_CONVERSATION},
        {"/switch", COMMAND_PICK_CONVERSATION},
    };
    struct command_reply reply;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(run(*state, rows[i].typed, &reply), rows[i].effect);
}

static void parameters_are_set_and_shown(void **state)
{
    struct talk *p = *state;
    talk_says(p, "/set parameter temperature 0.25", false, "temperature is 0.25");
    assert_true(p->options.temperature == 0.25);
    talk_says(p, "/set top_k 40", false, "top_k is 40");
    assert_int_equal(p->options.top_k, 40);
    talk_says(p, "/set seed 7", false, "seed is 7");
    talk_says(p, "/set", false, "seed            7");
    talk_says(p, "/set top_k many", true, "top_k: not a whole number (got many");

    talk_says(p, "/set num_predict 9", false, "num_predict is 9");
    assert_int_equal(p->options.max_tokens, 9);
    talk_says(p, "/set num_ctx 100", true, "num_ctx: is set when duet starts: --ctx");
    talk_says(p, "/set mirostat 1", true, "no parameter mirostat");
    talk_says(p, "/set list_keys 1", true, "no parameter list_keys");
    talk_says(p, "/set system Be brief.", false, "system prompt: Be brief.");
    talk_says(p, "/set nothink", false, "");
    assert_int_equal(p->options.think, ENGINE_THINK_OFF);
    talk_says(p, "/set top_p", true, "needs a value");
    assert_int_equal(p->options.n_ctx, 0);
}

static void the_system_prompt_is_set_and_shown(void **state)
{
    struct talk *p = *state;
    talk_says(p, "/system", false, "no system prompt");
    talk_says(p, "/system be brief", false, "be brief");
    assert_string_equal(p->chat.history.system, "be brief");
}

static void what_is_not_there_is_refused(void **state)
{
    talk_says(*state, "/switch 99", true, "no conversation 99");
    talk_says(*state, "/model nowhere", true, "nowhere: no such model (`/model` lists them)");
    talk_says(*state, "/model llama:q4", true, "llama:q4: not installed; `/pull llama:q4` gets it");
    talk_says(*state, "/stats", false, "no answer yet");
}

int test_commands(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(questions_are_not_taken_for_commands),
        TALK_TEST(an_unknown_command_is_not_sent),
        TALK_TEST(commands_have_their_effects),
        TALK_TEST(parameters_are_set_and_shown),
        TALK_TEST(the_system_prompt_is_set_and_shown),
        TALK_TEST(what_is_not_there_is_refused),
        TALK_TEST(each_command_fits_a_line_of_help),
        TALK_TEST(commands_are_told_from_questions),
    };
    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
