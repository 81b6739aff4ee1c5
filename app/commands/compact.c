/* compact.c - see compact.h. */
#include "app/commands/compact.h"

#include <stdlib.h>
#include <string.h>

#include "app/commands/branch.h"
#include "app/mem.h"

enum { LISTED = 8 };

/* Planning */

static int64_t limit_of(const struct chat *c)
{
    return engine_info(c->model->engine)->n_ctx - 1; /* one for the answer */
}

static bool is_open(const struct chat *c)
{
    return c->model && c->model->engine;
}

/* Tokens to reserve for an answer. */
static int64_t reserve_of(const struct chat *c)
{
    int64_t wanted = c->options->max_tokens, limit = limit_of(c);
    if (wanted <= 0)
        return limit / 4;
    return wanted < limit / 2 ? wanted : limit / 2;
}

/* The indices of the questions among turns from..to of the path; the caller's. */
static size_t *list_questions(const struct history *h, size_t from, size_t to, size_t *n)
{
    size_t *at = mem_alloc((to - from + 1) * sizeof *at);
    *n = 0;
    for (size_t i = from; i < to; i++)
        if (h->turns[i]->role == STORE_USER)
            at[(*n)++] = i;
    return at;
}

static int64_t count_from(const struct chat *c, size_t from, size_t to, const struct str *question)
{
    return chat_count_prompt(c, &(struct request_span){from, to, question}, question != NULL);
}

/* The first question from which the rest fits in `goal` tokens; n: none. Works back from the
 * newest, so that an overlong conversation is not counted in full. */
static size_t first_that_fits(const struct chat *c, const size_t *at, size_t n, int64_t goal,
                              const struct request_span *span)
{
    size_t low = 0, high = n;
    for (size_t step = 1; low == 0 && high > 0; step *= 2) {
        size_t probe = high > step ? high - step : 0;
        if (count_from(c, at[probe], span->to, span->question) <= goal)
            high = probe;
        else
            low = probe + 1;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (count_from(c, at[middle], span->to, span->question) <= goal)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool compact_find(const struct chat *c, size_t to, const struct str *question,
                  struct compact_plan *out)
{
    if (!is_open(c))
        return false;
    const struct request_span span = request_span(&c->history, to, question);
    size_t n, k, *at = list_questions(&c->history, span.from, to, &n);
    *out = (struct compact_plan){.limit = limit_of(c)};
    k = first_that_fits(c, at, n, out->limit - reserve_of(c), &span);
    if (k == n && n > 0) /* then with less room for an answer */
        k = n - 1;
    bool found = k < n;
    if (found) {
        out->from = at[k];
        out->lost = k;
        out->kept = n - k;
        out->after = count_from(c, at[k], to, question);
        found = out->after <= out->limit;
    }
    free(at);
    return found;
}

bool compact_plan(const struct chat *c, size_t to, const struct str *question,
                  struct compact_plan *out)
{
    if (!compact_find(c, to, question, out))
        return false;
    out->before = count_from(c, request_span(&c->history, to, question).from, to, question);
    return true;
}

/* A template adds a fixed head and then message by message: n exchanges rendered separately have n
 * heads, together they have one. */
int64_t *compact_counts(const struct chat *c, size_t *n)
{
    const struct history *h = &c->history;
    if (!is_open(c))
        return NULL;
    size_t start = history_window(h, h->n_turns), *at = list_questions(h, start, h->n_turns, n);
    int64_t *counts = mem_alloc((*n + 1) * sizeof *counts), sum = 0, head = 0;
    for (size_t i = 0; i < *n; i++) {
        counts[i] = count_from(c, at[i], i + 1 < *n ? at[i + 1] : h->n_turns, NULL);
        sum += counts[i];
    }
    if (*n > 1)
        head = (sum - count_from(c, start, h->n_turns, NULL)) / (int64_t)(*n - 1);
    for (size_t i = 0; i < *n; i++)
        counts[i] -= head;
    free(at);
    return counts;
}

bool compact_fits_alone(const struct chat *c, const struct str *question)
{
    return !is_open(c) || count_from(c, 0, 0, question) <= limit_of(c);
}

bool compact_is_needed(const struct chat *c, int64_t used)
{
    return is_open(c) && !c->answer && used > limit_of(c);
}

/* Wording */

static void add_exchanges(struct str *out, const char *which, size_t n)
{
    if (n == 1)
        str_addf(out, "the %s exchange", which);
    else
        str_addf(out, "the %s %zu exchanges", which, n);
}

void compact_add_warning(const struct chat *c, struct str *out)
{
    int64_t used = chat_context_used(c);
    if (compact_is_needed(c, used))
        str_addf(out,
                 "; this conversation's %lld tokens do not fit its context (limit %lld): /compact "
                 "shows what would be left out, /new and /fork begin another one",
                 (long long)used, (long long)limit_of(c));
}

void compact_add_advice(const struct chat *c, const struct str *question, struct str *out)
{
    struct compact_plan plan;
    if (!compact_fits_alone(c, question)) {
        const struct engine_info *info = engine_info(c->model->engine);
        str_adds(out, "the question alone is too long; a shorter one fits");
        if (info->n_ctx < info->n_ctx_train)
            str_addf(out, ", and duet --ctx makes room for up to %d tokens", info->n_ctx_train);
        return;
    }
    if (compact_plan(c, c->history.n_turns, question, &plan) && plan.lost > 0) {
        str_adds(out, "/compact would leave out ");
        add_exchanges(out, "oldest", plan.lost);
        str_addf(out, ", %lld tokens; ", (long long)(plan.before - plan.after));
    }
    str_adds(out, "/new begins a conversation with an empty context");
}

/* The exchanges that would be left out, with their numbers in the path. */
static void add_lost(const struct chat *c, size_t from, struct str *out)
{
    const struct history *h = &c->history;
    size_t start = history_window(h, h->n_turns), number = 0, listed = 0, more = 0;
    for (size_t i = 0; i < from; i++) {
        if (h->turns[i]->role != STORE_USER)
            continue;
        number++;
        if (i < start)
            continue;
        if (listed++ >= LISTED) {
            more++;
            continue;
        }
        str_addf(out, "%4zu  ", number);
        command_add_quote(h->turns[i], out);
        str_adds(out, "\n");
    }
    if (more > 0)
        str_addf(out, "      and %zu more\n", more);
}

static void propose(struct chat *c, const struct compact_plan *plan, struct command_reply *reply)
{
    struct str *out = &reply->text;
    str_adds(out, "the model would no longer be given ");
    add_exchanges(out, "oldest", plan->lost);
    str_addf(out, ", %lld of %lld tokens:\n", (long long)(plan->before - plan->after),
             (long long)plan->before);
    add_lost(c, plan->from, out);
    str_adds(out, "kept are the system prompt and ");
    add_exchanges(out, "newest", plan->kept);
    str_addf(out, ", %lld tokens\n/compact yes does it; nothing is deleted, /compact off undoes it",
             (long long)plan->after);
    reply->effect = COMMAND_COMPACT;
    reply->turn = c->history.turns[plan->from];
    c->history.proposed = reply->turn->number;
}

/* The command */

void command_compact(struct chat *c, struct turn *first, struct command_reply *reply)
{
    if (!command_may_change(c, reply))
        return;
    history_set_window(&c->history, first);
    c->history.proposed = 0;
    int64_t used = chat_context_used(c);
    str_adds(&reply->text, first ? "the model is given the newest part" : "the model is given all");
    if (used >= 0)
        str_addf(&reply->text, " of the conversation, %lld tokens", (long long)used);
    if (first)
        str_adds(&reply->text, "; /compact off gives it all again");
    else
        compact_add_warning(c, &reply->text);
}

/* The last proposal, if it still applies. */
static void accept(struct chat *c, struct command_reply *reply)
{
    struct turn *turn = history_turn(&c->history, c->history.proposed);
    if (turn && history_is_on_path(&c->history, turn))
        command_compact(c, turn, reply);
    else
        command_refuse(reply, "run /compact first to see what would be left out");
}

/* Keeps the newest n exchanges. */
static void keep(struct chat *c, size_t n, struct command_reply *reply)
{
    const struct history *h = &c->history;
    struct compact_plan plan = {.limit = limit_of(c), .kept = n};
    size_t start = history_window(h, h->n_turns), count, *at;
    at = list_questions(h, start, h->n_turns, &count);
    if (n < count) {
        plan.lost = count - n;
        plan.from = at[plan.lost];
        plan.before = count_from(c, start, h->n_turns, NULL);
        plan.after = count_from(c, plan.from, h->n_turns, NULL);
        propose(c, &plan, reply);
    } else {
        command_refuse(reply, "nothing would be left out");
        str_addf(&reply->text, " (got %zu exchanges, there are %zu)", n, count);
    }
    free(at);
}

static void plan_by_size(struct chat *c, struct command_reply *reply)
{
    struct compact_plan plan;
    bool found = compact_plan(c, c->history.n_turns, NULL, &plan);
    if (found && plan.lost > 0) {
        propose(c, &plan, reply);
    } else if (found) {
        str_addf(&reply->text,
                 "everything fits: %lld of %lld tokens; /compact N keeps the newest N exchanges",
                 (long long)plan.before, (long long)plan.limit);
    } else if (c->history.n_turns == 0) {
        command_refuse(reply, "nothing was asked yet");
    } else {
        command_refuse(reply, "not even the newest exchange fits");
        str_addf(&reply->text, " (got %lld tokens, limit %lld); /new begins another conversation",
                 (long long)plan.after, (long long)plan.limit);
    }
}

void run_compact(struct chat *c, const char *arg, struct command_reply *reply)
{
    size_t n;
    if (!command_may_change(c, reply))
        return;
    if (!is_open(c))
        command_refuse(reply, "no model is open to count the tokens");
    else if (!*arg)
        plan_by_size(c, reply);
    else if (strcmp(arg, "yes") == 0)
        accept(c, reply);
    else if (strcmp(arg, "off") == 0)
        command_compact(c, NULL, reply);
    else if (command_take_number(&arg, &n, reply))
        keep(c, n, reply);
}
