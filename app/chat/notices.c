/* notices.c - see notices.h. */
#include "app/chat/notices.h"

#include <string.h>

#include "app/chat/request.h"
#include "app/numbers.h"
#include "app/say.h"

void notice_add_demo(const struct chat *c, const char *pull, struct str *out)
{
    if (c->options->model || !c->model || !c->model->file.demo)
        return;
    str_addf(out, "%s is a small demo model; `%s llama` gets a real one", c->model->file.name,
             pull);
}

void notice_add_history(const struct chat *c, struct str *out)
{
    if (c->history.off[0] && !c->options->no_log)
        str_addf(out, "history off: %s", c->history.off);
    else if (c->options->resume && !c->options->session && c->history.conversation == 0)
        str_adds(out, "no conversation to continue; starting a new one");
}

void notice_add_kv_type(const struct options *o, const struct engine *e, struct str *out)
{
    const struct engine_info *info = e ? engine_info(e) : NULL;
    if (info && o->kv_type >= 0 && (enum engine_kv_type)o->kv_type != info->kv_type)
        str_addf(out, "this model uses a %s KV cache (requested %s)",
                 engine_kv_type_name(info->kv_type),
                 engine_kv_type_name((enum engine_kv_type)o->kv_type));
}

static void say_it(const struct options *o, struct str *line)
{
    if (line->len > 0)
        say_notice(o->quiet, "%s", line->data);
    str_done(line);
}

void notice_kv_type(const struct options *o, const struct engine *e)
{
    struct str line = {0};
    notice_add_kv_type(o, e, &line);
    say_it(o, &line);
}

void notice_demo(const struct chat *c)
{
    struct str line = {0};
    notice_add_demo(c, "duet pull", &line);
    say_it(c->options, &line);
}

void notice_history(const struct chat *c)
{
    struct str line = {0};
    notice_add_history(c, &line);
    say_it(c->options, &line);
}

/* A separator between notices on the same subject, which begin at `start`. */
static void add_dot(struct str *out, size_t start)
{
    if (out->len > start)
        str_adds(out, " \xc2\xb7 ");
}

void notice_add_end(const struct turn *turn, struct str *out)
{
    size_t start = out->len;
    const struct store_generation *g = &turn->generation;
    const struct engine_usage usage = {
        .completion_tokens = (int)g->completion_tokens,
        .time_to_first_token_ms = g->time_to_first_token_ms,
        .generation_time_ms = g->generation_time_ms,
    };
    switch (turn->state) {
    case STORE_STREAMING: str_adds(out, "still being written elsewhere"); return;
    case STORE_INTERRUPTED: str_adds(out, "interrupted"); return;
    case STORE_FAILED: str_addf(out, "failed: %s", turn->generated ? g->error : "unknown"); return;
    case STORE_STOPPED: str_adds(out, "stopped"); break;
    case STORE_COMPLETE: break;
    }
    if (turn->damaged) {
        add_dot(out, start);
        str_adds(out, "damaged in the history file");
    }
    if (!turn->generated || usage.completion_tokens == 0)
        return;
    if (g->stop_reason && strcmp(g->stop_reason, "length") == 0) {
        add_dot(out, start);
        str_adds(out, request_filled(g) ? "the context is full" : "cut at the length limit");
    }
    add_dot(out, start);
    numbers_add_line(out, &usage);
}
