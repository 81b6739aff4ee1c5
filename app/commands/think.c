/* think.c - commands on thinking, and on answers already begun. */
#include <stdlib.h>
#include <string.h>

#include "app/args.h"
#include "app/commands/commands.h"
#include "app/numbers.h"
#include "app/options.h"

void thinking_add(const struct chat *c, struct str *out)
{
    const struct options *o = c->options;
    if (!c->model || !c->model->engine || !engine_info(c->model->engine)->thinks)
        return;
    if (o->think == ENGINE_THINK_OFF || o->reasoning_budget == 0)
        str_adds(out, "no thinking");
    else if (o->reasoning_budget > 0)
        str_addf(out, "thinks %lld tokens at most", (long long)o->reasoning_budget);
}

static void describe(const struct chat *c, struct command_reply *reply)
{
    if (c->model && c->model->engine && !engine_info(c->model->engine)->thinks)
        str_addf(&reply->text, "%s does not think before it answers", c->model->file.name);
    else
        thinking_add(c, &reply->text);
    if (reply->text.len == 0)
        str_adds(&reply->text, "the model thinks before it answers");
}

/* Set like the options of the same names. */
static bool set(struct chat *c, const char *option, const char *value, struct command_reply *reply)
{
    char err[256];
    if (args_set(args_find(&options_table, option), option, value, c->options, err, sizeof err) ==
        0)
        return true;
    reply->failed = true;
    str_addf(&reply->text, "thinking is on, off, auto or a number of tokens (got %s)", value);
    return false;
}

void run_think(struct chat *c, const char *arg, struct command_reply *reply)
{
    bool number = *arg && arg[strspn(arg, "0123456789")] == '\0';
    bool done = true;
    if (number)
        done = set(c, "--reasoning-budget", arg, reply);
    else if (*arg)
        done = set(c, "--think", arg, reply);
    if (!done)
        return;
    if (number)
        c->options->think = ENGINE_THINK_AUTO;
    else if (*arg)
        c->options->reasoning_budget = -1;
    describe(c, reply);
}

void run_nothink(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)arg;
    run_think(c, "off", reply);
}

void command_toggle_thinking(struct chat *c, struct command_reply *reply)
{
    bool off = c->options->think == ENGINE_THINK_OFF || c->options->reasoning_budget == 0;
    run_think(c, off ? "auto" : "off", reply);
}

static void begun(struct chat *c, int status, const char *err, struct command_reply *reply)
{
    if (status != 0) {
        command_refuse(reply, err);
        return;
    }
    if (reply->effect != COMMAND_SHOW)
        reply->effect = COMMAND_ANSWER;
    reply->from = c->answer->depth - 1;
}

/* The offer made at the start may refer to another conversation than the current one. */
void run_continue(struct chat *c, const char *arg, struct command_reply *reply)
{
    char err[512] = "";
    (void)arg;
    if (!command_may_change(c, reply))
        return;
    if (c->offered > 0 && c->offered != c->history.conversation) {
        int64_t offered = c->offered;
        c->offered = 0;
        command_open(c, offered, reply);
        if (reply->failed)
            return;
    }
    int status = chat_continue(c, err, sizeof err);
    begun(c, status, err, reply);
}

void run_more(struct chat *c, const char *arg, struct command_reply *reply)
{
    char err[512] = "";
    (void)arg;
    if (!command_may_change(c, reply))
        return;
    int status = chat_think_more(c, err, sizeof err);
    begun(c, status, err, reply);
}

void run_answer(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)arg;
    chat_answer_now(c);
    if (c->answer)
        return;
    command_refuse(reply, "the model is not thinking");
}
