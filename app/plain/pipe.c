/* pipe.c - one question, one answer, for scripts: the answer and nothing else on standard output,
 * everything else on standard error. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/chat/chat.h"
#include "app/chat/notices.h"
#include "app/chat/request.h"
#include "app/clock.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/grade/boxed.h"
#include "app/numbers.h"
#include "app/plain/answer.h"
#include "app/plain/dry_run.h"
#include "app/plain/envelope.h"
#include "app/question.h"
#include "app/say.h"
#include "ui/ui.h"

/* Output state. */
enum form { FORM_TEXT, FORM_WHOLE, FORM_CODE, FORM_BOXED, FORM_JSON, FORM_STREAM_JSON };

static int choose_form(const struct options *o, enum form *out, char *err, size_t errlen)
{
    const struct {
        bool wanted;
        enum form form;
        const char *name;
    } rows[] = {{o->json, FORM_JSON, "--json"},
                {o->stream_json, FORM_STREAM_JSON, "--stream-json"},
                {o->extract, FORM_CODE, "--extract"},
                {o->boxed, FORM_BOXED, "--boxed"}};
    const char *chosen = NULL;

    *out = o->no_stream ? FORM_WHOLE : FORM_TEXT;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].wanted)
            continue;
        if (chosen)
            return say_to(err, errlen, EXIT_USAGE, "%s: contradicts %s", rows[i].name, chosen);
        chosen = rows[i].name;
        *out = rows[i].form;
    }
    return 0;
}

static void add_piece(void *ud, enum store_kind kind, const char *text, size_t len)
{
    envelope_add_piece(ud, kind, text, len);
}

static void add_line(struct outlet *out, const char *text, size_t len)
{
    outlet_add(out, text, len);
    if (len == 0 || text[len - 1] != '\n')
        outlet_put(out, "\n");
}

/* Output that needs the complete answer. 0 or an exit status, with its reason printed. */
static int add_whole(const struct chat *c, const struct turn *turn, enum form form,
                     struct outlet *out)
{
    const struct str *said = &turn->text[STORE_TEXT];
    const char *part;
    char *code;
    size_t len;

    if (c->tool_calls && form != FORM_JSON && form != FORM_STREAM_JSON) {
        envelope_add_calls(out, c);
        return 0;
    }
    switch (form) {
    case FORM_TEXT: break;
    case FORM_WHOLE: add_line(out, str_get(said), said->len); break;
    case FORM_JSON: envelope_add_answer(out, NULL, c, turn); break;
    case FORM_STREAM_JSON: envelope_add_answer(out, "done", c, turn); break;
    case FORM_CODE:
        if (!(code = ui_code_in(str_get(said), said->len, 0, &len))) {
            say_error("answer: no code block in it");
            return EXIT_CHECK;
        }
        add_line(out, code, len);
        free(code);
        break;
    case FORM_BOXED:
        if (!boxed_find(str_get(said), said->len, &part, &len)) {
            say_error("answer: no \\boxed{} in it");
            return EXIT_CHECK;
        }
        add_line(out, part, len);
        break;
    }
    return 0;
}

/* The exit status for an answer that was shown, with its reason printed. */
static int judge(const struct chat *c, const struct turn *turn, bool timed_out)
{
    const char *model = turn->generation.model;
    const char *limit = request_filled(&turn->generation) ? "context" : "max_tokens";
    if (timed_out) {
        say_error("--timeout: stopped after %g s, the partial answer is kept",
                  c->options->timeout_s);
        return EXIT_TIMEOUT;
    }
    if (turn->state == STORE_FAILED)
        say_error("%s: %s", model, turn->generation.error);
    int status = chat_exit_status(c, turn);
    if (status == EXIT_CHECK && turn->state == STORE_COMPLETE)
        say_error("%s: the answer was cut short of the form asked for (%s)", model,
                  c->stop == ENGINE_STOP_LENGTH ? limit : "stop");
    if (status == EXIT_LENGTH)
        say_error("%s: %s: no answer yet (got %d tokens of reasoning)", model, limit,
                  c->usage.reasoning_tokens);
    return status;
}

static int show(struct chat *c, enum form form, struct outlet *out, struct outlet *side, char *err,
                size_t errlen)
{
    const struct options *o = c->options;
    bool json = form == FORM_JSON || form == FORM_STREAM_JSON;
    bool colour = options_color(o, side->fd);
    struct answer_view view = {
        .answer = form == FORM_TEXT || form == FORM_STREAM_JSON ? out : NULL,
        .reasoning = json || o->hide_reasoning ? NULL : side,
        .before_reasoning = colour           ? "\033[2m"
                            : side->terminal ? "thinking: "
                                             : "",
        .after_reasoning = colour           ? "\033[0m\n"
                           : side->terminal ? "\nanswer: "
                                            : "",
        .broken_off = colour ? "\033[0m\n" : "\n",
        .deadline_ms = o->timeout_s > 0 ? clock_ms() + o->timeout_s * 1e3 : 0,
        .on_text = form == FORM_STREAM_JSON ? add_piece : NULL,
        .ud = out,
    };
    struct turn *turn;
    int shown = answer_show(c, &view, &turn, err, errlen);
    if (shown != 0 && shown != EXIT_TIMEOUT)
        return shown;
    history_save(&c->history);
    int status = judge(c, turn, shown == EXIT_TIMEOUT);
    int whole = 0;
    if (status == 0 || (form != FORM_CODE && form != FORM_BOXED))
        whole = add_whole(c, turn, form, out);
    int sent = outlet_finish(out, err, errlen);
    return sent ? sent : status ? status : whole;
}

/* Saving is not awaited on a hanging disk once the user has interrupted. */
static void wait_for_model(void *ud, int done_fd, double ms)
{
    int signal = background_wait(done_fd, ms);
    (void)ud;
    if (signal != 0)
        _exit(EXIT_SIGNAL + signal);
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
    notice_kv_type(c->options, c->model->engine);
    return chat_ask(c, question->data, question->len, err, errlen);
}

/* Counts on standard error: a line for -u, all of them for --verbose. */
static void add_numbers(const struct chat *c, struct outlet *side)
{
    struct str numbers = {0};
    const struct engine_usage *u = &c->usage;
    if (c->options->verbose)
        numbers_add_text(&numbers, u, c->load_ms);
    else if (c->options->usage)
        str_addf(&numbers, "prompt_tokens %d, completion_tokens %d, reasoning_tokens %d\n",
                 u->prompt_tokens, u->completion_tokens, u->reasoning_tokens);
    outlet_add(side, str_get(&numbers), numbers.len);
    str_done(&numbers);
}

static int answer(struct app *app, const struct str *question, enum form form, struct outlet *out,
                  char *err, size_t errlen)
{
    struct chat c;
    struct outlet side;
    char ignored[256];

    chat_init(&c, &app->options, &app->paths);
    c.pool.background = (struct background){wait_for_model, NULL};
    outlet_init(&side, STDERR_FILENO);
    side.wraps = side.terminal && !c.options->raw;
    out->wraps = out->terminal && !c.options->raw && (form == FORM_TEXT || form == FORM_WHOLE);
    int status = ask(&c, question, err, errlen);
    if (status == 0) {
        status = show(&c, form, out, &side, err, errlen);
        add_numbers(&c, &side);
        outlet_finish(&side, ignored, sizeof ignored);
    }
    chat_done(&c);
    outlet_done(&side);
    return status;
}

int pipe_run(struct app *app)
{
    struct str question = {0};
    struct outlet out;
    enum form form;
    char err[512] = "";

    outlet_init(&out, STDOUT_FILENO);
    int status = choose_form(&app->options, &form, err, sizeof err);
    if (status == 0)
        status = question_read(&app->options, app->words, app->n_words, &question, err, sizeof err);
    if (status == 0 && app->options.dry_run) {
        status = dry_run(app, &question, &out, err, sizeof err);
        if (status == 0)
            status = outlet_finish(&out, err, sizeof err);
    } else if (status == 0) {
        status = answer(app, &question, form, &out, err, sizeof err);
    }
    if (err[0])
        say_error("%s", err);
    outlet_done(&out);
    str_done(&question);
    return status;
}
