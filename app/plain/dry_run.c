/* dry_run.c - see dry_run.h. */
#include "app/plain/dry_run.h"

#include <jansson.h>
#include <stdlib.h>

#include "app/chat/chat.h"
#include "app/chat/request.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/models/models.h"
#include "app/say.h"

static void add_prompt(const struct options *o, const struct engine_prompt *prompt,
                       struct outlet *out)
{
    if (!o->json) {
        outlet_add(out, prompt->text, prompt->len);
        if (prompt->len > 0 && prompt->text[prompt->len - 1] != '\n')
            str_adds(&out->pending, "\n");
        say_notice(o->quiet, "prompt: %zu tokens", prompt->n_ids);
        return;
    }
    json_t *ids = json_array();
    for (size_t i = 0; i < prompt->n_ids; i++)
        json_array_append_new(ids, json_integer(prompt->ids[i]));
    json_t *object = json_pack("{s:s%, s:I, s:o}", "prompt", prompt->text, prompt->len,
                               "prompt_tokens", (json_int_t)prompt->n_ids, "ids", ids);
    char *line = object ? json_dumps(object, out->terminal ? JSON_ENSURE_ASCII : 0) : NULL;
    json_decref(object);
    if (!line)
        mem_fail();
    str_addf(&out->pending, "%s\n", line);
    free(line);
}

static int render(struct chat *c, const char *path, const struct str *question, struct outlet *out,
                  char *err, size_t errlen)
{
    struct engine_options options = options_engine(c->options, path);
    struct engine *engine;
    struct engine_prompt prompt;

    options.vocab_only = true;
    int status = engine_open(&engine, &options, err, errlen);
    if (status != 0)
        return exit_of_engine(status);
    const struct request_span span = request_span(&c->history, c->history.n_turns, question);
    char *messages = request_messages(&c->history, &span);
    request_date(c->options, c->date, sizeof c->date);
    struct engine_request request = {.messages = messages, .date = c->date};
    response_format_apply(&c->format, &request);
    request_set_thinking(&request, c->options);
    status = engine_render(engine, &request, &(struct engine_rendering){.generate = true}, &prompt,
                           err, errlen);
    if (status == 0) {
        add_prompt(c->options, &prompt, out);
        free(prompt.text);
        free(prompt.ids);
    }
    free(messages);
    engine_close(engine);
    return status ? exit_of_engine(status) : 0;
}

int dry_run(struct app *app, const struct str *question, struct outlet *out, char *err,
            size_t errlen)
{
    struct chat c;
    struct model_file file;
    int status = models_find(&app->paths, app->options.model, &file, err, errlen);
    if (status != 0)
        return status;
    chat_init(&c, &app->options, &app->paths);
    status = chat_open_history(&c, err, errlen);
    if (status == 0)
        status = response_format_read(&c.format, c.options, err, errlen);
    if (status == 0)
        status = render(&c, file.path, question, out, err, errlen);
    chat_done(&c);
    model_file_done(&file);
    return status;
}
