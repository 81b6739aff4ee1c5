/* table.c - the sums as a table in Markdown, whose columns are even on a terminal too, and as
 * JSON. See eval.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/eval/eval.h"
#include "app/mem.h"

static void add_share(struct str *out, double share)
{
    str_addf(out, "%.1f%%", 100 * share);
}

static void add_interval(struct str *out, const struct eval_share *share)
{
    str_addf(out, "%.1f \xe2\x80\x93 %.1f%%", 100 * share->low, 100 * share->high);
}

static void add_duration(struct str *out, double ms)
{
    long s = lround(ms / 1000);
    if (s >= 3600)
        str_addf(out, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else if (s >= 60)
        str_addf(out, "%ld:%02ld", s / 60, s % 60);
    else
        str_addf(out, "%.1f s", ms / 1000);
}

/* Cells */

static struct str *cell(struct eval_cells *t, bool strong)
{
    t->at = mem_realloc(t->at, (t->n + 1) * sizeof *t->at);
    t->at[t->n] = (struct eval_cell){.strong = strong};
    return &t->at[t->n++].text;
}

void eval_cells_done(struct eval_cells *t)
{
    for (size_t i = 0; i < t->n; i++)
        str_done(&t->at[i].text);
    free(t->at);
}

enum row {
    ROW_PROBLEMS,
    ROW_RIGHT,
    ROW_RIGHT_INTERVAL,
    ROW_VOTE,
    ROW_VOTE_INTERVAL,
    ROW_COMPLETE,
    ROW_OPENED,
    ROW_CLOSED,
    ROW_STEPPED,
    ROW_BOXED,
    ROW_UNDECIDED,
    ROW_FAILED,
    ROW_TOKENS,
    ROW_REASONING,
    ROW_SPEED,
    ROW_TIME,
    N_ROWS,
};

static void add_head(const struct eval *e, enum row row, struct str *out)
{
    static const char *const heads[] = {
        [ROW_PROBLEMS] = "problems",
        [ROW_RIGHT] = "accuracy",
        [ROW_RIGHT_INTERVAL] = "95% interval",
        [ROW_VOTE_INTERVAL] = "95% interval of it",
        [ROW_COMPLETE] = "complete chains",
        [ROW_OPENED] = "reasoning opened",
        [ROW_CLOSED] = "and closed",
        [ROW_STEPPED] = "2 steps or more",
        [ROW_BOXED] = "final answer boxed",
        [ROW_UNDECIDED] = "not understood",
        [ROW_FAILED] = "failed",
        [ROW_TOKENS] = "tokens an answer",
        [ROW_REASONING] = "of these reasoning",
        [ROW_SPEED] = "tokens/s, all together",
        [ROW_TIME] = "time",
    };
    if (row == ROW_VOTE)
        str_addf(out, "maj@%d", e->n_samples);
    else if (row == ROW_RIGHT && e->n_samples > 1)
        str_adds(out, "pass@1");
    else if (row == ROW_PROBLEMS && e->n_samples > 1)
        str_addf(out, "problems, %d samples of each", e->n_samples);
    else
        str_adds(out, heads[row]);
}

static void add_value(const struct eval_model *m, const struct eval_sum *s, enum row row,
                      struct str *out)
{
    switch (row) {
    case ROW_PROBLEMS: str_addf(out, "%zu", s->n_problems); break;
    case ROW_RIGHT: add_share(out, s->right.share); break;
    case ROW_RIGHT_INTERVAL: add_interval(out, &s->right); break;
    case ROW_VOTE: add_share(out, s->vote.share); break;
    case ROW_VOTE_INTERVAL: add_interval(out, &s->vote); break;
    case ROW_COMPLETE: add_share(out, s->complete); break;
    case ROW_OPENED: add_share(out, s->opened); break;
    case ROW_CLOSED: add_share(out, s->closed); break;
    case ROW_STEPPED: add_share(out, s->stepped); break;
    case ROW_BOXED: add_share(out, s->boxed); break;
    case ROW_UNDECIDED: str_addf(out, "%zu", s->n_undecided); break;
    case ROW_FAILED: str_addf(out, "%zu", s->n_failed); break;
    case ROW_TOKENS: str_addf(out, "%.0f", s->tokens); break;
    case ROW_REASONING: str_addf(out, "%.0f", s->reasoning_tokens); break;
    case ROW_SPEED:
        str_addf(out, "%.0f", m->wall_ms > 0 ? (double)s->all_tokens * 1e3 / m->wall_ms : 0);
        break;
    case ROW_TIME: add_duration(out, m->wall_ms); break;
    case N_ROWS: break;
    }
}

static bool is_shown(const struct eval *e, const struct eval_sum *sums, enum row row)
{
    size_t undecided = 0, failed = 0;
    for (size_t i = 0; i < e->n_models; i++) {
        undecided += sums[i].n_undecided;
        failed += sums[i].n_failed;
    }
    switch (row) {
    case ROW_VOTE:
    case ROW_VOTE_INTERVAL: return e->n_samples > 1;
    case ROW_UNDECIDED: return undecided > 0;
    case ROW_FAILED: return failed > 0;
    default: return true;
    }
}

void eval_cells_make(const struct eval *e, struct eval_cells *t)
{
    struct eval_sum *sums = mem_alloc(e->n_models * sizeof *sums);
    *t = (struct eval_cells){.n_columns = e->n_models + 1, .n_kinds = e->problems.n_kinds};
    cell(t, false);
    for (size_t i = 0; i < e->n_models; i++) {
        str_adds(cell(t, false), e->models[i].file.name);
        eval_sum_up(e, &e->models[i], NULL, &sums[i]);
    }
    for (int row = 0; row < N_ROWS; row++) {
        bool strong = row == ROW_RIGHT || row == ROW_COMPLETE;
        if (!is_shown(e, sums, (enum row)row))
            continue;
        add_head(e, (enum row)row, cell(t, strong));
        for (size_t i = 0; i < e->n_models; i++)
            add_value(&e->models[i], &sums[i], (enum row)row, cell(t, strong));
    }
    free(sums);
    for (size_t k = 0; k < e->problems.n_kinds; k++) {
        struct eval_sum sum;
        str_adds(cell(t, false), e->problems.kinds[k]);
        for (size_t i = 0; i < e->n_models; i++) {
            eval_sum_up(e, &e->models[i], e->problems.kinds[k], &sum);
            add_share(cell(t, false), sum.right.share);
        }
    }
}

/* Markdown */

/* A cell as Markdown shows it, in one line. */
static void add_text(struct str *out, const struct eval_cell *c)
{
    struct str visible = {0};
    str_add_visible(&visible, str_get(&c->text), c->text.len, false);
    str_adds(out, c->strong ? "**" : "");
    for (const char *at = str_get(&visible); *at; at++)
        str_addf(out, strchr("|\\`*<", *at) ? "\\%c" : "%c", *at);
    str_adds(out, c->strong ? "**" : "");
    str_done(&visible);
}

/* Approximate terminal width: the number of characters. */
static size_t width(const struct str *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->len; i++)
        n += ((unsigned char)t->data[i] & 0xc0) != 0x80;
    return n;
}

static void add_rule(struct str *out, const size_t *widths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str_adds(out, i == 0 ? "| " : " ");
        for (size_t k = 0; k + (i > 0) < widths[i]; k++)
            str_adds(out, "-");
        str_adds(out, i > 0 ? ": |" : " |");
    }
    str_adds(out, "\n");
}

void eval_add_table(const struct eval *e, struct str *out)
{
    struct eval_cells t;
    eval_cells_make(e, &t);
    struct str *texts = mem_alloc(t.n * sizeof *texts);
    size_t *widths = mem_alloc(t.n_columns * sizeof *widths);
    for (size_t i = 0; i < t.n; i++) {
        size_t *wide = &widths[i % t.n_columns];
        add_text(&texts[i], &t.at[i]);
        *wide = width(&texts[i]) > *wide ? width(&texts[i]) : *wide;
        *wide = *wide < 3 ? 3 : *wide;
    }
    for (size_t i = 0; i < t.n; i++) {
        size_t column = i % t.n_columns;
        int gap = (int)(widths[column] - width(&texts[i]));
        if (column == 0)
            str_addf(out, "| %s%*s |", str_get(&texts[i]), gap, "");
        else
            str_addf(out, " %*s%s |", gap, "", str_get(&texts[i]));
        if (column + 1 == t.n_columns)
            str_adds(out, "\n");
        if (i + 1 == t.n_columns)
            add_rule(out, widths, t.n_columns);
        str_done(&texts[i]);
    }
    free(texts);
    free(widths);
    eval_cells_done(&t);
}

/* JSON */

static json_t *share_json(const struct eval_share *s)
{
    return json_pack("{s:f, s:[f, f]}", "share", s->share, "interval_95", s->low, s->high);
}

static json_t *kinds_json(const struct eval *e, const struct eval_model *m)
{
    json_t *kinds = json_object();
    for (size_t i = 0; i < e->problems.n_kinds; i++) {
        struct eval_sum sum;
        eval_sum_up(e, m, e->problems.kinds[i], &sum);
        json_object_set_new(kinds, e->problems.kinds[i],
                            json_pack("{s:I, s:o}", "problems", (json_int_t)sum.n_problems,
                                      "accuracy", share_json(&sum.right)));
    }
    return kinds;
}

static json_t *model_json(const struct eval *e, const struct eval_model *m)
{
    struct eval_sum s;
    eval_sum_up(e, m, NULL, &s);
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:o, s:o*}", "model", m->file.name, "answers",
                             (json_int_t)s.n_answers, "failed", (json_int_t)s.n_failed, "undecided",
                             (json_int_t)s.n_undecided, "accuracy", share_json(&s.right),
                             "majority", e->n_samples > 1 ? share_json(&s.vote) : NULL);
    if (!json)
        mem_fail();
    json_object_set_new(json, "chains",
                        json_pack("{s:f, s:f, s:f, s:f, s:f}", "complete", s.complete, "opened",
                                  s.opened, "closed", s.closed, "two_steps", s.stepped, "boxed",
                                  s.boxed));
    json_object_update_new(json, json_pack("{s:I, s:f, s:f, s:f, s:o}", "completion_tokens",
                                           (json_int_t)s.all_tokens, "mean_completion_tokens",
                                           s.tokens, "mean_reasoning_tokens", s.reasoning_tokens,
                                           "wall_ms", m->wall_ms, "kinds", kinds_json(e, m)));
    return json;
}

void eval_add_json(const struct eval *e, struct str *out)
{
    json_t *json = json_pack("{s:s, s:I, s:i, s:s, s:[]}", "file", e->set, "problems",
                             (json_int_t)e->problems.n, "samples", e->n_samples, "transcripts",
                             e->store.path, "models");
    json_t *models = json_object_get(json, "models");
    for (size_t i = 0; i < e->n_models; i++)
        json_array_append_new(models, model_json(e, &e->models[i]));
    char *text = json_dumps(json, JSON_REAL_PRECISION(6));
    json_decref(json);
    if (!text)
        mem_fail();
    str_addf(out, "%s\n", text);
    free(text);
}
