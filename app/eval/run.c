/* run.c - one model answers the problems, many at a time. What an earlier run has answered in
 * the same way is taken from the transcripts; every answer depends on its problem, its number and
 * the seed alone, so that an interrupted run ends as it would have without. See eval.h. */
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "app/batch/jobs.h"
#include "app/batch/progress.h"
#include "app/chat/notices.h"
#include "app/chat/request.h"
#include "app/clock.h"
#include "app/eval/eval.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/models/running.h"
#include "app/numbers.h"
#include "app/say.h"
#include "app/signals.h"
#include "ui/ui.h"

enum { AHEAD = 4 }; /* queued jobs per concurrent answer */

static const char usual_instruction[] =
    "Please reason step by step, and put your final answer within \\boxed{}.";
static const char fixed_date[] = "26 Jul 2024"; /* or answers would change from day to day */

struct eval_job {
    struct job job; /* first */
    size_t problem;
    int sample;
    size_t n_before; /* questions before the last that were asked */
    json_t *messages;
    uint64_t seed;
};

struct run {
    struct eval *e;
    struct eval_model *m;
    struct jobs jobs;
    struct engine_request request; /* shared by all */
    const char *instruction;       /* "" for none */
    json_t *settings;
    uint64_t key;
    size_t next; /* of problem * samples + sample */
    size_t n_wanted;
    struct batch_progress progress;
    struct running running; /* publishes state for `duet ps` */
    double began_ms, earlier_ms;
};

struct eval_answer *eval_answer_at(const struct eval *e, const struct eval_model *m, size_t problem,
                                   int sample)
{
    return &m->answers[problem * (size_t)e->n_samples + (size_t)sample];
}

/* Judging */

bool eval_is_complete(const struct eval_answer *a)
{
    return a->opened && a->closed && a->steps >= 2 && a->place == GRADE_BOXED;
}

void eval_judge(struct eval_answer *a, const struct eval_problem *p, const struct str *reasoning,
                const struct str *answer, bool cut)
{
    const char *final = "";
    size_t len = 0, thought = reasoning->len;
    str_trim(str_get(reasoning), &thought);
    a->opened = thought > 0;
    a->steps = (int)ui_steps_in(str_get(reasoning), reasoning->len);
    a->place = grade_find(str_get(answer), answer->len, &final, &len);
    if (cut && a->place != GRADE_BOXED) { /* a truncated answer has no last number */
        a->place = GRADE_NOWHERE;
        len = 0;
    }
    a->final = mem_alloc(len + 1);
    memcpy(a->final, final, len);
    a->grade = len > 0 ? grade_compare(final, len, p->truth, strlen(p->truth)) : GRADE_DIFFERENT;
}

void eval_answer_done(struct eval_answer *a)
{
    free(a->final);
    *a = (struct eval_answer){0};
}

/* Settings that affect the answers */

static json_t *describe_settings(const struct run *r, const struct engine_info *info)
{
    const struct engine_sampling *s = &r->request.sampling;
    const struct options *o = &r->e->app->options;
    const char *kv_type = info->kv_type == ENGINE_KV_F16 ? NULL
                                                         : engine_kv_type_name(info->kv_type);
    char fingerprint[20];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, info->fingerprint);
    json_t *json = json_pack(
        "{s:s, s:f, s:i, s:f, s:f, s:f, s:I, s:i, s:i, s:i, s:i, s:s, s:s, s:s*}", "fingerprint",
        fingerprint, "temperature", (double)s->temperature, "top_k", s->top_k, "top_p",
        (double)s->top_p, "min_p", (double)s->min_p, "repeat_penalty", (double)s->repeat_penalty,
        "seed", (json_int_t)(o->seed < 0 ? 0 : o->seed), "max_tokens", r->request.max_tokens,
        "n_ctx", info->n_ctx, "think", (int)r->request.think, "reasoning_budget",
        r->request.reasoning_budget, "system", o->system ? o->system : "", "instruction",
        r->instruction, "kv_type", kv_type);
    if (!json)
        mem_fail();
    return json;
}

static void set_up(struct run *r, struct engine *engine)
{
    const struct options *o = &r->e->app->options;
    const struct engine_info *info = engine_info(engine);
    jobs_init(&r->jobs, engine, r->m->file.name);
    r->instruction = o->instruction    ? o->instruction
                     : r->m->file.demo ? "" /* they know problems and no more */
                                       : usual_instruction;
    r->request = (struct engine_request){
        .date = fixed_date,
        .sampling = request_sampling(o, info),
        .max_tokens = (int)o->max_tokens,
    };
    request_set_thinking(&r->request, o);
    r->m->thinks = info->thinks;
    r->settings = describe_settings(r, info);
    char *text = json_dumps(r->settings, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        mem_fail();
    r->key = eval_hash(0xcbf29ce484222325u, text, strlen(text));
    free(text);
}

static uint64_t seed_of(const struct run *r, size_t problem, int sample)
{
    const struct options *o = &r->e->app->options;
    uint64_t z = r->e->problems.at[problem].identity + (uint64_t)(o->seed < 0 ? 0 : o->seed);
    z += ((uint64_t)sample + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) >> 11; /* exact in any JSON */
}

/* Earlier runs */

static struct str text_of(const json_t *line, const char *key)
{
    struct str text = {0};
    json_t *value = json_object_get(line, key);
    if (value)
        str_add(&text, json_string_value(value) ? json_string_value(value) : "",
                json_string_length(value));
    return text;
}

static void take_transcript(struct eval_model *m, const struct eval_problem *p,
                            struct eval_answer *a, const json_t *line)
{
    struct str reasoning = text_of(line, "reasoning"), answer = text_of(line, "answer");
    json_t *usage = json_object_get(line, "usage");
    const char *finish = json_string_value(json_object_get(line, "finish_reason"));
    double wall = json_number_value(json_object_get(line, "wall_ms"));

    a->there = true;
    a->closed = json_is_true(json_object_get(line, "closed"));
    a->tokens = (int)json_integer_value(json_object_get(usage, "completion_tokens"));
    a->reasoning_tokens = (int)json_integer_value(json_object_get(usage, "reasoning_tokens"));
    eval_judge(a, p, &reasoning, &answer, finish && strcmp(finish, "length") == 0);
    m->wall_ms = wall > m->wall_ms ? wall : m->wall_ms;
    str_done(&reasoning);
    str_done(&answer);
}

static void take_earlier(struct run *r)
{
    struct eval *e = r->e;
    for (size_t i = 0; i < e->problems.n; i++)
        for (int sample = 0; sample < e->n_samples; sample++) {
            struct eval_answer *a = eval_answer_at(e, r->m, i, sample);
            struct eval_key key = {r->key, e->problems.at[i].identity, sample};
            json_t *line = eval_store_find(&e->store, &key, &a->at);
            if (line && !json_object_get(line, "error"))
                take_transcript(r->m, &e->problems.at[i], a, line);
            r->progress.n_skipped += a->there;
            json_decref(line);
        }
    r->earlier_ms = r->m->wall_ms;
    r->n_wanted = e->problems.n * (size_t)e->n_samples - (size_t)r->progress.n_skipped;
}

/* Asking */

static void add_message(json_t *messages, const char *role, const char *text)
{
    json_t *message = json_pack("{s:s, s:s}", "role", role, "content", text);
    if (!message || json_array_append_new(messages, message) != 0)
        mem_fail();
}

/* The job's next question: a preceding one, or the problem itself. */
static void ask(struct run *r, struct eval_job *job)
{
    const struct eval_problem *p = &r->e->problems.at[job->problem];
    struct str text = {0};
    if (job->n_before < json_array_size(p->before)) {
        str_adds(&text, json_string_value(json_array_get(p->before, job->n_before)));
    } else {
        str_adds(&text, p->text);
        if (*r->instruction)
            str_addf(&text, "\n\n%s", r->instruction);
    }
    add_message(job->messages, "user", text.data);
    str_done(&text);
    char *messages = json_dumps(job->messages, JSON_COMPACT);
    if (!messages)
        mem_fail();
    struct engine_request request = r->request;
    request.messages = messages;
    request.sampling.seed = job->seed;
    jobs_submit(&r->jobs, &job->job, &request);
    free(messages);
}

static void begin_job(struct run *r, size_t problem, int sample)
{
    struct eval_job *job = mem_alloc(sizeof *job);
    const char *system = r->e->app->options.system;
    job->problem = problem;
    job->sample = sample;
    job->seed = seed_of(r, problem, sample);
    job->messages = json_array();
    if (system)
        add_message(job->messages, "system", system);
    jobs_add(&r->jobs, &job->job);
    ask(r, job);
}

static void begin_jobs(struct run *r)
{
    struct eval *e = r->e;
    size_t all = e->problems.n * (size_t)e->n_samples;
    while (r->next < all && jobs_have_room(&r->jobs, AHEAD)) {
        size_t problem = r->next / (size_t)e->n_samples;
        int sample = (int)(r->next % (size_t)e->n_samples);
        r->next++;
        if (!eval_answer_at(e, r->m, problem, sample)->there)
            begin_job(r, problem, sample);
    }
}

static void free_job(struct eval_job *job)
{
    json_decref(job->messages);
    job_result_done(&job->job.result);
    free(job);
}

/* Keeping */

static json_t *transcript(const struct run *r, const struct eval_job *job,
                          const struct eval_answer *a)
{
    const struct eval_problem *p = &r->e->problems.at[job->problem];
    const struct job_result *result = &job->job.result;
    char run[20], identity[20];
    snprintf(run, sizeof run, "%016" PRIx64, r->key);
    snprintf(identity, sizeof identity, "%016" PRIx64, p->identity);
    json_t *line = json_pack("{s:i, s:s, s:s, s:i, s:s, s:O, s:s*, s:s, s:s, s:O}", "eval", 1,
                             "run", run, "identity", identity, "sample", job->sample, "model",
                             r->m->file.name, "id", p->id, "kind", p->kind, "problem", p->text,
                             "truth", p->truth, "messages", job->messages);
    if (!line)
        mem_fail();
    if (result->error_text[0])
        json_object_set_new(line, "error",
                            json_pack("{s:s, s:s}", "code", job_error_code(result->error),
                                      "message", result->error_text));
    else
        json_object_update_new(
            line,
            json_pack("{s:o, s:o, s:s, s:s, s:b, s:i, s:b, s:b, s:s, s:o}", "reasoning",
                      json_stringn(str_get(&result->reasoning), result->reasoning.len), "answer",
                      json_stringn(str_get(&result->answer), result->answer.len), "final", a->final,
                      "grade", grade_name(a->grade), "opened", a->opened, "steps", a->steps,
                      "closed", a->closed, "boxed", a->place == GRADE_BOXED, "finish_reason",
                      request_stop_name(result->stop), "usage", numbers_json(&result->usage, -1)));
    json_object_update_new(line, json_pack("{s:I, s:O, s:f}", "seed", (json_int_t)job->seed,
                                           "settings", r->settings, "wall_ms", r->m->wall_ms));
    return line;
}

static int keep(struct run *r, struct eval_job *job)
{
    struct eval *e = r->e;
    const struct job_result *result = &job->job.result;
    struct eval_answer *a = eval_answer_at(e, r->m, job->problem, job->sample);

    a->there = true;
    a->failed = result->error_text[0] != '\0';
    a->tokens = result->usage.completion_tokens;
    a->reasoning_tokens = result->usage.reasoning_tokens;
    a->closed = result->answer.len > 0 ||
                (a->reasoning_tokens > 0 && a->reasoning_tokens < a->tokens);
    eval_judge(a, &e->problems.at[job->problem], &result->reasoning, &result->answer,
               result->stop == ENGINE_STOP_LENGTH);
    r->m->wall_ms = floor(r->earlier_ms + clock_ms() - r->began_ms); /* as it is kept */
    r->progress.n_done++;
    r->progress.n_failed += a->failed;
    r->progress.tokens += a->tokens;
    json_t *line = transcript(r, job, a);
    int status = eval_store_add(&e->store, line, &a->at, e->err, sizeof e->err);
    json_decref(line);
    return status;
}

static void tell(struct run *r, enum running_state state)
{
    struct running_model row = running_model_of(r->jobs.engine, r->m->file.name, state);
    running_publish(&r->running, &r->e->app->paths, "eval", &row, 1);
}

/* Continues jobs with more questions, stores finished ones. 0 or an exit status. */
static int move_jobs(struct run *r)
{
    int status = 0;
    if (jobs_take_events(&r->jobs))
        tell(r, RUNNING_ANSWERING);
    for (struct job **at = &r->jobs.first; *at && status == 0;) {
        struct eval_job *job = (struct eval_job *)*at;
        const json_t *before = r->e->problems.at[job->problem].before;
        if (!job->job.done) {
            at = &job->job.next;
        } else if (!job->job.result.error_text[0] && job->n_before < json_array_size(before)) {
            add_message(job->messages, "assistant", str_get(&job->job.result.answer));
            job_result_done(&job->job.result);
            job->job.done = false;
            job->n_before++;
            ask(r, job);
        } else {
            jobs_take(&r->jobs, at);
            status = keep(r, job);
            free_job(job);
        }
    }
    return status;
}

/* Refused jobs are done before there is anything to wait for. */
static bool any_done(const struct run *r)
{
    for (const struct job *job = r->jobs.first; job; job = job->next)
        if (job->done)
            return true;
    return false;
}

static bool is_over(const struct run *r)
{
    size_t all = r->e->problems.n * (size_t)r->e->n_samples;
    return r->jobs.fatal ? r->jobs.n_running == 0 : r->jobs.n == 0 && r->next == all;
}

static int loop(struct run *r)
{
    for (;;) {
        int status = move_jobs(r), signal;
        if (status != 0)
            return status;
        begin_jobs(r);
        batch_progress_show(&r->progress, (double)r->progress.n_done / (double)r->n_wanted);
        if (is_over(r))
            break;
        struct pollfd fds[] = {{.fd = engine_wake_fd(r->jobs.engine), .events = POLLIN},
                               {.fd = signals_fd(), .events = POLLIN}};
        poll(fds, 2, any_done(r) ? 0 : batch_progress_due_ms(&r->progress));
        if ((signal = signals_next_ending()) != 0) {
            status = move_jobs(r);
            return status != 0 ? status : EXIT_SIGNAL + signal;
        }
    }
    if (r->jobs.fatal)
        memcpy(r->e->err, r->jobs.err, sizeof r->e->err);
    return r->jobs.fatal;
}

int eval_run(struct eval *e, struct eval_model *m)
{
    const struct options *o = &e->app->options;
    struct run r = {.e = e, .m = m, .running.fd = -1};
    struct engine *engine = NULL;
    struct engine_options options = options_engine(o, m->file.path);

    options.n_parallel = o->n_parallel > 0 ? (int)o->n_parallel : ENGINE_PARALLEL_BEST;
    int status = engine_open(&engine, &options, e->err, sizeof e->err);
    if (status != 0)
        return exit_of_engine(status);
    notice_kv_type(o, engine);
    set_up(&r, engine);
    batch_progress_begin(&r.progress, "eval", m->file.name, o->quiet);
    take_earlier(&r);
    r.began_ms = clock_ms();
    if (r.n_wanted > 0) {
        tell(&r, RUNNING_LOADING);
        status = loop(&r);
        batch_progress_end(&r.progress);
    } else {
        say_notice(o->quiet, "eval: %s: all %lld answers are there already", m->file.name,
                   (long long)r.progress.n_skipped);
    }
    running_done(&r.running);
    while (r.jobs.first)
        free_job((struct eval_job *)jobs_take(&r.jobs, &r.jobs.first));
    engine_close(engine);
    json_decref(r.settings);
    return status;
}
