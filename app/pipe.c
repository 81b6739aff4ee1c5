/* pipe.c - one question, one answer, for scripts: the answer and nothing else on standard output,
 * everything else on standard error. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/answer.h"
#include "app/chat.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/question.h"
#include "app/mem.h"
#include "app/notices.h"
#include "app/numbers.h"
#include "app/request.h"
#include "app/say.h"

static json_t *string_or_null(const struct str *t)
{
    return json_stringn(str_get(t), t->len);
}

static void add_json(struct outlet *out, const struct chat *c, const struct turn *turn)
{
    const struct store_generation *g = &turn->generation;
    json_t *object = json_pack("{s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:o}", "answer",
                               string_or_null(&turn->text[STORE_TEXT]), "reasoning",
                               string_or_null(&turn->text[STORE_REASONING]), "model", g->model,
                               "finish_reason", g->stop_reason, "seed", (json_int_t)g->seed,
                               "conversation", (json_int_t)c->history.conversation, "message",
                               (json_int_t)turn->saved.id, "usage",
                               numbers_json(&c->usage, g->load_ms));
    if (!object)
        mem_fail();
    if (g->error[0])
        json_object_set_new(object, "error", json_string(g->error));
    char *line = json_dumps(object, JSON_REAL_PRECISION(12));
    json_decref(object);
    if (!line)
        mem_fail();
    str_adds(&out->pending, line);
    str_adds(&out->pending, "\n");
    free(line);
}

/* The answer goes out as it comes; with --json, as one object when it is there. */
static int show(struct chat *c, struct outlet *out, struct outlet *side, char *err, size_t errlen)
{
    const struct options *o = c->options;
    bool colour = side->terminal && options_color(o, side->fd);
    struct answer_view view = {
        .answer = o->json ? NULL : out,
        .reasoning = o->json || o->hide_reasoning ? NULL : side,
        .before_reasoning = colour           ? "\033[2m"
                            : side->terminal ? "thinking: "
                                             : "",
        .after_reasoning = colour           ? "\033[0m\n"
                           : side->terminal ? "\nanswer: "
                                            : "",
    };
    struct turn *turn;
    int status = answer_show(c, &view, &turn, err, errlen);
    if (status != 0)
        return status;
    history_save(&c->history);
    if (o->json)
        add_json(out, c, turn);
    status = outlet_finish(out, err, errlen);
    if (status == 0 && turn->state == STORE_FAILED)
        say_error("%s: %s", turn->generation.model, turn->generation.error);
    if (status == 0)
        status = chat_exit_status(c, turn);
    if (status == EXIT_LENGTH)
        say_error("%s: max_tokens: no answer yet (got %d tokens of reasoning)",
                  turn->generation.model, c->usage.reasoning_tokens);
    return status;
}

static int ask(struct chat *c, const struct str *question, char *err, size_t errlen)
{
    int status = chat_use(c, NULL, err, errlen);
    if (status == 0)
        status = chat_open_history(c, err, errlen);
    if (status != 0)
        return status;
    notice_demo(c);
    notice_history(c);
    return chat_ask(c, question->data, question->len, err, errlen);
}

int pipe_run(struct app *app)
{
    struct chat c;
    struct str question = {0};
    struct outlet out, side;
    char err[512] = "";

    chat_init(&c, &app->options, &app->paths);
    outlet_init(&out, STDOUT_FILENO);
    outlet_init(&side, STDERR_FILENO);
    int status = question_read(&app->options, app->words, app->n_words, &question, err, sizeof err);
    if (status == 0)
        status = ask(&c, &question, err, sizeof err);
    if (status == 0)
        status = show(&c, &out, &side, err, sizeof err);
    if (err[0])
        say_error("%s", err);
    if (status == 0 && app->options.verbose) {
        struct str numbers = {0};
        numbers_add_text(&numbers, &c.usage, c.model->load_ms);
        outlet_add(&side, numbers.data, numbers.len);
        str_done(&numbers);
        outlet_finish(&side, err, sizeof err);
    }
    chat_done(&c);
    outlet_done(&out);
    outlet_done(&side);
    str_done(&question);
    return status;
}
