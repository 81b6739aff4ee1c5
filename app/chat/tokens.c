/* tokens.c - see tokens.h. */
#include "app/chat/tokens.h"

#include <stdlib.h>

enum { BEYOND = 1 << 16 }; /* tokens counted beyond the context, as the engine does */

struct token_count tokens_count(const struct tokens *k, int64_t sum)
{
    return sum > k->most ? (struct token_count){k->most, true} : (struct token_count){sum, false};
}

void tokens_print(struct token_count count, struct str *out)
{
    if (count.n < 0)
        str_adds(out, "unknown");
    else
        str_addf(out, "%s%lld", count.more ? "more than " : "", (long long)count.n);
}

int64_t tokens_sum(const struct tokens *k, int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return -1;
    return a > k->most || b > k->most - a ? k->most + 1 : a + b;
}

/* -1: the engine cannot render it, and will say so when it is asked. */
static int64_t render(const struct tokens *k, const char *messages, bool tools, bool generate)
{
    char date[sizeof k->chat->date], reason[256];
    request_date(k->chat->options, date, sizeof date);
    struct engine_request request = {.messages = messages, .date = date};
    request_set_thinking(&request, k->chat->options);
    if (tools)
        response_format_apply(&k->chat->format, &request);
    const struct engine_rendering how = {.generate = generate, .most = (size_t)k->most};
    struct engine_prompt prompt;
    int status = engine_render(k->model->engine, &request, &how, &prompt, reason, sizeof reason);
    if (status != 0)
        return status == ENGINE_EFIT ? k->most + 1 : -1;
    free(prompt.text);
    free(prompt.ids);
    return (int64_t)prompt.n_ids;
}

/* Not every template renders no message at all, so the head is what one message more than doubles.
 */
bool tokens_begin(struct tokens *k, const struct chat *c, const struct pool_model *model)
{
    static const char one[] = "[{\"role\":\"user\",\"content\":\"x\"}]";
    static const char two[] = "[{\"role\":\"user\",\"content\":\"x\"},"
                              "{\"role\":\"user\",\"content\":\"x\"}]";
    char letter[] = "x";
    const struct str question = {.data = letter, .len = 1};
    *k = (struct tokens){.chat = c, .model = model};
    if (!model || !model->engine)
        return false;
    k->most = engine_info(model->engine)->n_ctx + BEYOND;
    int64_t with_one = render(k, one, false, false);
    int64_t with_two = render(k, two, false, false);
    int64_t opened = render(k, one, false, true);
    char *messages = request_messages(&c->history, &(struct request_span){0, 0, &question});
    int64_t with_system = render(k, messages, true, false);
    free(messages);
    if (with_one < 0 || with_two < 0 || opened < 0 || with_system < 0)
        return false;
    int64_t message = with_two - with_one;
    k->bare = with_one - message;
    k->opening = opened - with_one;
    k->head = with_system > k->most ? with_system : with_system - message;
    return true;
}

static int64_t of_message(const struct tokens *k, enum store_role role, const struct str *text)
{
    char *message = request_message(role, text);
    int64_t n = render(k, message, false, false);
    free(message);
    return n < 0 || n > k->most ? n : n > k->bare ? n - k->bare : 0;
}

int64_t tokens_of_turn(const struct tokens *k, struct turn *turn)
{
    const struct str *text = &turn->text[STORE_TEXT];
    uint64_t engine = pool_model_serial(k->model);
    if (turn->role > STORE_TOOL)
        return 0; /* models are not given it */
    if (turn->tokens.engine != engine || turn->tokens.len != text->len) {
        turn->tokens.n = of_message(k, turn->role, text);
        turn->tokens.len = text->len;
        turn->tokens.engine = turn->tokens.n < 0 ? 0 : engine;
    }
    return turn->tokens.n;
}

int64_t tokens_of_question(const struct tokens *k, const struct str *question)
{
    return of_message(k, STORE_USER, question);
}

/* Whether the counts of the messages add up to that of all. */
static bool adds_up(const struct history *h, const struct request_span *span)
{
    for (size_t i = span->from; i < span->to; i++)
        if (h->turns[i]->role == STORE_SYSTEM || h->turns[i]->role == STORE_TOOL)
            return false;
    return true;
}

struct token_count tokens_of_span(const struct tokens *k, const struct request_span *span,
                                  bool generate)
{
    const struct history *h = &k->chat->history;
    int64_t sum = k->head;

    if (!adds_up(h, span)) {
        char *messages = request_messages(h, span);
        sum = render(k, messages, true, generate);
        free(messages);
        return tokens_count(k, sum);
    }
    if (generate)
        sum = tokens_sum(k, sum, k->opening);
    if (span->question)
        sum = tokens_sum(k, sum, tokens_of_question(k, span->question));
    for (size_t i = span->to; i > span->from && sum <= k->most; i--)
        sum = tokens_sum(k, sum, tokens_of_turn(k, h->turns[i - 1]));
    return tokens_count(k, sum);
}
