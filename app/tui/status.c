/* status.c - the status line: model, device, memory and counts. */
#include <string.h>

#include "app/commands/commands.h"
#include "app/numbers.h"
#include "app/tui/tui.h"

static enum ui_state state_of(const struct chat *c)
{
    if (!c->answer)
        return c->model && c->model->engine && !c->model->ready ? UI_LOADING : UI_IDLE;
    if (!c->answering->ready)
        return UI_LOADING;
    if (c->phase != ENGINE_TEXT)
        return UI_PREFILL;
    return c->writes == STORE_REASONING ? UI_THINKING : UI_GENERATING;
}

/* Valid while the status is set. */
struct wordings {
    struct str thinking, device, memory, bytes, beside, others;
};

static void word_memory(const struct engine *engine, struct wordings *w)
{
    const struct engine_info *info = engine_info(engine);
    str_adds(&w->memory, "weights ");
    numbers_add_bytes(&w->memory, info->weight_bytes);
    str_adds(&w->memory, ", KV ");
    numbers_add_bytes(&w->memory, info->kv_bytes);
    str_addf(&w->memory, " (%d tokens), scratch ", engine_cached_tokens(engine));
    numbers_add_bytes(&w->memory, info->scratch_bytes);
    numbers_add_bytes(&w->bytes, info->weight_bytes + info->kv_bytes + info->scratch_bytes);
}

/* The other models in memory. */
static void word_beside(const struct chat *c, const struct pool_model *shown, struct wordings *w)
{
    const struct model_pool *pool = &c->pool;
    const struct pool_model *one = NULL;
    size_t n = 0;
    for (size_t i = 0; i < pool->n; i++) {
        const struct pool_model *m = &pool->models[i];
        if (m == shown || !m->engine)
            continue;
        one = m;
        str_addf(&w->beside, "%s%s (%s)", n++ > 0 ? ", " : "beside ", m->file.name,
                 engine_info(m->engine)->on_gpu ? "GPU" : "CPU");
    }
    if (n == 1)
        str_addf(&w->others, "+ %s", one->file.name);
    else if (n > 1)
        str_addf(&w->others, "+ %zu models", n);
}

void tui_show_status(struct tui *t)
{
    const struct chat *c = &t->chat;
    const struct pool_model *m = c->answering ? c->answering : c->model;
    const struct engine_info *info = m && m->engine ? engine_info(m->engine) : NULL;
    struct wordings w = {0};
    thinking_add(c, &w.thinking);
    if (info) {
        str_add(&w.device, info->device, strcspn(info->device, ","));
        word_memory(m->engine, &w);
    }
    word_beside(c, m, &w);
    struct ui_status status = {
        .thinking = w.thinking.data,
        .model = m ? m->file.name : NULL,
        .device = {info ? info->device : NULL, w.device.data},
        .memory = {w.memory.data, w.bytes.data},
        .beside = {w.beside.data, w.others.data},
        .state = state_of(c),
        .done = c->answer ? c->prompt_done : -1,
        .total = c->answer ? c->usage.prompt_tokens : -1,
        .tokens_per_second = numbers_tokens_per_second(&c->usage),
        .time_to_first_token_ms = c->usage.time_to_first_token_ms > 0
                                      ? c->usage.time_to_first_token_ms
                                      : -1,
        .context_used = c->answer ? chat_context_used(c).n : t->context_used,
        .context_more = !c->answer && t->context_more,
        .context_limit = info ? info->n_ctx : -1,
        .draft_tokens = t->draft_tokens,
    };
    if (!c->answer && t->draft_tokens > 0 && t->asking >= 0)
        status.context_used = t->asking + t->draft_tokens;
    ui_status_set(t->ui, &status);
    struct str *const all[] = {&w.thinking, &w.device, &w.memory, &w.bytes, &w.beside, &w.others};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        str_done(all[i]);
}
