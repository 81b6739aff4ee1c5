/* talk.c - see talk.h. */
#include "tests/app/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/commands/commands.h"
#include "tests/app/tests.h"

void talk_open(struct talk *t, const char *db)
{
    char err[256];
    memset(t, 0, sizeof *t);
    options_init(&t->options);
    t->options.db = db ? db : ":memory:";
    t->options.temperature = 0;
    paths_init(&t->paths);
    chat_init(&t->chat, &t->options, &t->paths);
    assert_int_equal(chat_open_history(&t->chat, err, sizeof err), 0);
}

void talk_close(struct talk *t)
{
    chat_done(&t->chat);
    paths_done(&t->paths);
}

int talk_new(void **state)
{
    static struct talk t;
    if (sandbox_new(state) != 0)
        return -1;
    talk_open(&t, NULL);
    *state = &t;
    return 0;
}

int talk_done(void **state)
{
    talk_close(*state);
    return sandbox_remove(state);
}

void talk_use(struct talk *t, const char *model)
{
    char err[256];
    assert_int_equal(chat_use(&t->chat, model, err, sizeof err), 0);
}

size_t talk_n_in_memory(const struct talk *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->chat.pool.n; i++)
        n += t->chat.pool.models[i].engine != NULL;
    return n;
}

void talk_wait(struct talk *t)
{
    struct chat_event ev;
    struct pollfd fds[CHAT_MODELS];
    while (t->chat.answer) {
        poll(fds, chat_poll(&t->chat, fds), 10000);
        while (chat_next_event(&t->chat, &ev))
            assert_int_not_equal(ev.type, CHAT_LOST);
    }
}

void talk_ask(struct talk *t, const char *question)
{
    char err[256];
    assert_int_equal(chat_ask(&t->chat, question, strlen(question), err, sizeof err), 0);
    talk_wait(t);
}

const char *talk_run(struct talk *t, const char *line)
{
    static char said[4096];
    struct command_reply reply;
    command_run(&t->chat, line, strlen(line), &reply);
    if (reply.failed)
        fail_msg("%s: %s", line, str_get(&reply.text));
    assert_true(reply.text.len < sizeof said);
    strcpy(said, str_get(&reply.text));
    str_done(&reply.text);
    talk_wait(t);
    return said;
}

void talk_says(struct talk *t, const char *line, bool refused, const char *part)
{
    struct command_reply reply;
    command_run(&t->chat, line, strlen(line), &reply);
    if (refused)
        assert_int_equal(reply.effect, COMMAND_SAY);
    assert_int_not_equal(reply.effect, COMMAND_ASK);
    if (reply.failed != refused || !strstr(str_get(&reply.text), part))
        fail_msg("%s: %s", line, str_get(&reply.text));
    assert_null(reply.copy.data);
    str_done(&reply.text);
}

void talk_refused(struct talk *t, const char *line, const char *reason)
{
    talk_says(t, line, true, reason);
}

const struct turn *talk_last(const struct talk *t)
{
    return t->chat.history.leaf;
}

int64_t talk_count(const struct talk *t, size_t from, const char *question)
{
    struct str text = {0};
    const struct chat *c = &t->chat;
    char date[32], err[256];
    if (question)
        str_adds(&text, question);
    struct request_span span = {from, c->history.n_turns, question ? &text : NULL};
    char *messages = request_messages(&c->history, &span);
    request_date(c->options, date, sizeof date);
    struct engine_request request = {.messages = messages, .date = date};
    response_format_apply(&c->format, &request);
    request_set_thinking(&request, c->options);
    const struct engine_rendering how = {.generate = question != NULL};
    struct engine_prompt prompt;
    assert_int_equal(engine_render(c->model->engine, &request, &how, &prompt, err, sizeof err), 0);
    int64_t n = (int64_t)prompt.n_ids;
    free(prompt.text);
    free(prompt.ids);
    free(messages);
    str_done(&text);
    return n;
}

int64_t talk_used(const struct talk *t)
{
    struct token_count count = chat_context_used(&t->chat);
    assert_false(count.more);
    return count.n;
}
