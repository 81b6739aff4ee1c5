/* jobs.c - see jobs.h. */
#include "app/batch/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"

void jobs_init(struct jobs *j, struct engine *engine, const char *model)
{
    *j = (struct jobs){.engine = engine, .model = model};
    j->end = &j->first;
}

bool jobs_have_room(const struct jobs *j, size_t ahead)
{
    size_t parallel = (size_t)engine_info(j->engine)->n_parallel;
    return !j->fatal && j->n_running < 2 * parallel && j->n < ahead * parallel;
}

void jobs_add(struct jobs *j, struct job *job)
{
    job->next = NULL;
    *j->end = job;
    j->end = &job->next;
    j->n++;
}

struct job *jobs_take(struct jobs *j, struct job **at)
{
    struct job *job = *at;
    *at = job->next;
    if (!job->next)
        j->end = at;
    j->n--;
    return job;
}

void job_fail(struct job *job, enum engine_error error, const char *why)
{
    job->result.error = error;
    say_to(job->result.error_text, sizeof job->result.error_text, 0, "%s", why);
    job->request = 0;
    job->done = true;
}

void jobs_submit(struct jobs *j, struct job *job, const struct engine_request *request)
{
    char why[256];
    int status = engine_submit(j->engine, request, &job->request, why, sizeof why);
    if (status != 0)
        job_fail(job, (enum engine_error)status, why);
    else
        j->n_running++;
}

static struct job *find_job(struct jobs *j, uint64_t request)
{
    for (struct job *job = j->first; job; job = job->next)
        if (job->request == request)
            return job;
    return NULL;
}

static void on_done(struct jobs *j, struct job *job, const struct engine_event *ev)
{
    job->result.usage = ev->usage;
    job->result.stop = ev->stop;
    job->result.unfinished = ev->unfinished;
    if (ev->tool_calls && !(job->result.tool_calls = strdup(ev->tool_calls)))
        mem_fail();
    if (ev->stop == ENGINE_STOP_ERROR)
        job_fail(job, ev->error, ev->error_text);
    job->request = 0;
    job->done = true;
    j->n_running--;
}

bool jobs_take_events(struct jobs *j)
{
    const struct engine_event *ev;
    bool ready = false;
    while ((ev = engine_next_event(j->engine, 0))) {
        ready = ready || ev->type == ENGINE_READY;
        if (ev->type == ENGINE_FATAL) {
            j->fatal = exit_of_engine(ev->error);
            say_to(j->err, sizeof j->err, 0, "%s: %s", j->model, ev->error_text);
        }
        struct job *job = ev->request ? find_job(j, ev->request) : NULL;
        if (job && ev->type == ENGINE_TEXT)
            str_add(ev->kind == ENGINE_REASONING ? &job->result.reasoning : &job->result.answer,
                    ev->text, ev->len);
        else if (job && ev->type == ENGINE_DONE)
            on_done(j, job, ev);
    }
    return ready;
}

void job_result_done(struct job_result *result)
{
    str_done(&result->answer);
    str_done(&result->reasoning);
    free(result->tool_calls);
    *result = (struct job_result){0};
}

const char *job_error_code(enum engine_error error)
{
    switch (error) {
    case ENGINE_EINPUT: return "input";
    case ENGINE_EFIT: return "context";
    case ENGINE_EMEMORY: return "device";
    case ENGINE_EMODEL: return "model";
    case ENGINE_ERROR:
    case ENGINE_ECANCEL: break;
    }
    return "answer";
}
