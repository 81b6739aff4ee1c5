/* think.c - answers already begun: continued, thought about further, or cut short. See
 * chat.h. */
#include <stdlib.h>
#include <string.h>

#include "app/chat/chat.h"
#include "app/chat/request.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/str.h"

/* What R1 itself writes before it checks its work. */
static const char nudge[] = "\n\nWait,";

/* The last turn, if the model could continue it; else NULL with the reason. */
static struct turn *last_answer(const struct chat *c, char *err, size_t errlen)
{
    const struct history *h = &c->history;
    struct turn *turn = h->n_turns > 0 ? h->leaf : NULL;
    const char *why = !turn                            ? "there is no answer yet"
                      : turn->role != STORE_ASSISTANT  ? "the last message is not an answer"
                      : turn->state == STORE_STREAMING ? "the answer is being written elsewhere"
                      : turn->damaged                  ? "the answer is damaged in the history file"
                                                       : NULL;
    if (why)
        say_to(err, errlen, 0, "%s", why);
    return why ? NULL : turn;
}

/* Numbers with a space behind each; the caller's to free. */
static int32_t *parse_tokens(const struct str *text, size_t *n_out)
{
    int32_t *tokens = mem_alloc((text->len / 2 + 1) * sizeof *tokens);
    const char *s = str_get(text);
    size_t n = 0;
    for (char *end; *s; s = end + 1) {
        long token = strtol(s, &end, 10);
        if (end == s || *end != ' ' || token < 0 || token > INT32_MAX)
            break;
        tokens[n++] = (int32_t)token;
    }
    *n_out = n;
    return tokens;
}

static bool is_same_model(const struct chat *c, const struct turn *turn)
{
    char fingerprint[17];
    say_to(fingerprint, sizeof fingerprint, 0, "%016llx",
           (unsigned long long)engine_info(c->model->engine)->fingerprint);
    return turn->generated && strcmp(turn->generation.fingerprint, fingerprint) == 0;
}

/* Continuing */

static bool ended_by_length(const struct turn *turn)
{
    return turn->generated && strcmp(turn->generation.stop_reason, "length") == 0;
}

/* With the settings of its beginning, except for a new length limit if it was too short. */
static void prepare_rest(struct chat *c, const struct turn *turn, struct engine_request *request)
{
    int limit = request->max_tokens;
    request->sampling.seed = turn->generation.seed;
    request_read_settings(request, turn->generation.settings, c->date, sizeof c->date);
    if (ended_by_length(turn))
        request->max_tokens = limit;
}

/* The length limit applies to the whole answer, unless it is what ended it. */
static int submit_rest(struct chat *c, const struct turn *turn, struct engine_request request,
                       char *err, size_t errlen)
{
    const struct str *thought = &turn->text[STORE_REASONING], *said = &turn->text[STORE_TEXT];
    struct engine_partial partial = {
        .reasoning = str_get(thought),
        .reasoning_len = thought->len,
        .answer = str_get(said),
        .answer_len = said->len,
    };
    int32_t *tokens = parse_tokens(&turn->text[STORE_TOKENS], &partial.n_tokens);
    partial.tokens = tokens;
    if (!is_same_model(c, turn))
        partial.n_tokens = 0;
    if (!ended_by_length(turn) && request.max_tokens > (int)partial.n_tokens)
        request.max_tokens -= (int)partial.n_tokens;
    const struct request_span span = request_span(&c->history, turn->depth - 1, NULL);
    char *messages = request_messages(&c->history, &span);
    request.messages = messages;
    request.partial = &partial;
    int status = chat_submit(c, c->model, &request, err, errlen);
    free(messages);
    free(tokens);
    return status;
}

/* The reasoning so far is reported from the start, and continues from there. */
static void begin_rest(struct chat *c, struct turn *turn, const struct engine_request *request)
{
    struct request_thought thought = request_thought(turn->generation.settings);
    int64_t tokens = thought.continued_tokens + turn->generation.reasoning_tokens;
    chat_begin(c, c->model, turn, request);
    c->usage.partial_reasoning_tokens = (int)tokens;
    c->thought_ms = c->partial_ms = (double)thought.ms;
}

static bool is_installed(const struct chat *c, const char *name)
{
    struct model_list list;
    models_list(c->paths, &list);
    bool found = models_named(&list, name) != NULL;
    models_list_done(&list);
    return found;
}

/* The model that began it; if it was given as a file, that may have to be named again. */
static int use_writer(struct chat *c, const struct turn *turn, char *err, size_t errlen)
{
    const char *name = turn->generated ? turn->generation.model : NULL;
    if (c->model && (!name || strcmp(c->model->file.name, name) == 0))
        return chat_reopen(c, err, errlen);
    int status = chat_use(c, name, err, errlen);
    if (status == EXIT_MODEL && name && !is_installed(c, name))
        say_to(err, errlen, 0, "%s began this answer and is not installed; /model FILE names it",
               name);
    return status;
}

void chat_add_full(const struct chat *c, struct str *out)
{
    const struct engine_info *info = c->model && c->model->engine ? engine_info(c->model->engine)
                                                                  : NULL;
    bool older = c->history.n_turns > 2, larger = info && info->n_ctx < info->n_ctx_train;
    str_adds(out, "the context ");
    if (info)
        str_addf(out, "of %d tokens ", info->n_ctx);
    str_adds(out, "is full");
    if (older || larger)
        str_addf(out, "; %s%s%s makes room", older ? "/compact" : "", older && larger ? " or " : "",
                 larger ? "a larger --ctx" : "");
}

/* No question was too long, as the engine has it. */
static int refuse_full(const struct chat *c, char *err, size_t errlen)
{
    struct str line = {0};
    chat_add_full(c, &line);
    say_to(err, errlen, 0, "%s", line.data);
    str_done(&line);
    return EXIT_FIT;
}

int chat_continue(struct chat *c, char *err, size_t errlen)
{
    struct engine_request request;
    struct turn *turn = last_answer(c, err, errlen);
    if (!turn)
        return EXIT_USAGE;
    if (turn->state == STORE_COMPLETE && !ended_by_length(turn))
        return say_to(err, errlen, EXIT_USAGE, "the answer is complete; /more continues thinking");
    int status = use_writer(c, turn, err, errlen);
    if (status != 0)
        return status;

    enum store_state before = turn->state;
    if (history_resume(&c->history, err, errlen) != 0)
        return EXIT_HISTORY;
    chat_prepare(c, c->model, &request);
    if (is_same_model(c, turn))
        prepare_rest(c, turn, &request);
    status = submit_rest(c, turn, request, err, errlen);
    if (status == 0) {
        begin_rest(c, turn, &request);
        return 0;
    }
    history_end(&c->history, turn, before);
    return status == EXIT_FIT ? refuse_full(c, err, errlen) : status;
}

/* Thinking further */

int chat_think_more(struct chat *c, char *err, size_t errlen)
{
    struct history *h = &c->history;
    struct str thought = {0};
    struct engine_request request;
    struct turn *turn = last_answer(c, err, errlen);
    if (!turn)
        return EXIT_USAGE;
    int status = chat_reopen(c, err, errlen);
    if (status != 0)
        return status;
    if (!engine_info(c->model->engine)->thinks)
        return say_to(err, errlen, EXIT_USAGE, "%s does not think before it answers",
                      c->model->file.name);

    struct engine_partial partial = {.state = ENGINE_PARTIAL_OPEN};
    size_t len = turn->text[STORE_REASONING].len;
    const char *s = str_trim(str_get(&turn->text[STORE_REASONING]), &len);
    str_add(&thought, s, len);
    if (len > 0)
        str_adds(&thought, nudge);
    int32_t *tokens = parse_tokens(&turn->text[STORE_TOKENS], &partial.n_tokens);
    partial.reasoning = str_get(&thought);
    partial.reasoning_len = thought.len;
    partial.tokens = tokens;
    if (!is_same_model(c, turn))
        partial.n_tokens = 0;
    const struct request_span span = request_span(h, turn->depth - 1, NULL);
    char *messages = request_messages(h, &span);
    chat_prepare(c, c->model, &request);
    request.messages = messages;
    request.partial = &partial;
    request.think = ENGINE_THINK_ON;
    status = chat_submit(c, c->model, &request, err, errlen);
    if (status == 0) {
        history_set_leaf(h, turn->parent);
        turn = history_add(h, STORE_ASSISTANT, STORE_STREAMING, "", 0);
        history_append(h, turn, STORE_REASONING, str_get(&thought), thought.len);
        chat_begin(c, c->model, turn, &request);
    }
    free(messages);
    free(tokens);
    str_done(&thought);
    return status;
}

/* Hurrying */

void chat_answer_now(struct chat *c)
{
    if (c->answer)
        engine_answer_now(c->answering->engine, c->request);
}

/* Offering */

bool chat_find_offer(struct chat *c, struct str *out)
{
    enum { SHOWN = 48 };
    struct str question = {0};
    c->offered = history_interrupted(&c->history, &question);
    size_t len = question.len;
    const char *s = str_trim(str_get(&question), &len);
    size_t line = strcspn(s, "\r\n");
    size_t shown = str_cut(s, line < len ? line : len, SHOWN);
    if (c->offered > 0) {
        str_add(out, s, shown);
        str_adds(out, shown < len ? "\xe2\x80\xa6" : "");
    }
    str_done(&question);
    return c->offered > 0;
}

void chat_decline(struct chat *c)
{
    if (c->offered > 0)
        history_decline(&c->history, c->offered);
    c->offered = 0;
}
