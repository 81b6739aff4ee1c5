/* compact.c - see compact.h. */
#include "app/commands/compact.h"

#include <stdlib.h>
#include <string.h>

#include "app/chat/tokens.h"
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

static int64_t of_prompt_without_turns(const struct tokens *k, const struct str *question)
{
    return question ? tokens_sum(k, k->head + k->opening, tokens_of_question(k, question))
                    : k->head;
}

/* Works back from the newest turn: what is too old by far is not counted. */
bool compact_plan(const struct chat *c, size_t to, const struct str *question,
                  struct compact_plan *out)
{
    const struct history *h = &c->history;
    struct tokens k;
    *out = (struct compact_plan){.before = {-1, false}, .after = {-1, false}};
    if (!tokens_begin(&k, c, c->model))
        return false;
    out->limit = limit_of(c);
    int64_t goal = out->limit - reserve_of(c), sum = of_prompt_without_turns(&k, question);
    for (size_t i = to, start = history_window(h, to); i > start; i--) {
        if (sum <= k.most)
            sum = tokens_sum(&k, sum, tokens_of_turn(&k, h->turns[i - 1]));
        if (h->turns[i - 1]->role != STORE_USER)
            continue;
        /* The newest may leave less room for an answer. */
        if (out->lost > 0 || (sum > goal && out->kept > 0)) {
            out->lost++;
            continue;
        }
        out->from = i - 1;
        out->kept++;
        out->after = tokens_count(&k, sum);
    }
    out->before = tokens_count(&k, sum);
    return out->before.n >= 0 && out->kept > 0 && out->after.n <= out->limit;
}

struct token_count *compact_remains(const struct chat *c, size_t *n)
{
    const struct history *h = &c->history;
    size_t start = history_window(h, h->n_turns);
    struct tokens k;
    if (!tokens_begin(&k, c, c->model))
        return NULL;
    *n = 0;
    for (size_t i = start; i < h->n_turns; i++)
        *n += h->turns[i]->role == STORE_USER;
    struct token_count *remains = mem_alloc((*n + 1) * sizeof *remains);
    int64_t sum = k.head, before = k.head; /* without the exchange whose turns are being added */
    for (size_t i = h->n_turns, at = *n; i > start; i--) {
        if (sum <= k.most)
            sum = tokens_sum(&k, sum, tokens_of_turn(&k, h->turns[i - 1]));
        if (h->turns[i - 1]->role == STORE_USER) {
            remains[--at] = tokens_count(&k, before);
            before = sum;
        }
    }
    if (sum < 0) {
        free(remains);
        return NULL;
    }
    return remains;
}

bool compact_fits_alone(const struct chat *c, const struct str *question)
{
    struct tokens k;
    return !tokens_begin(&k, c, c->model) || of_prompt_without_turns(&k, question) <= limit_of(c);
}

bool compact_is_needed(const struct chat *c, int64_t used)
{
    return is_open(c) && !c->answer && used > limit_of(c);
}

/* Wording */

void compact_add_lost(const struct compact_plan *plan, struct str *out)
{
    tokens_print((struct token_count){plan->before.n - plan->after.n, plan->before.more}, out);
}

static void add_exchanges(struct str *out, const char *which, size_t n)
{
    if (n == 1)
        str_addf(out, "the %s exchange", which);
    else
        str_addf(out, "the %s %zu exchanges", which, n);
}

void compact_add_warning(const struct chat *c, struct str *out)
{
    struct token_count used = chat_context_used(c);
    if (!compact_is_needed(c, used.n))
        return;
    str_adds(out, used.more ? "; this conversation, " : "; this conversation's ");
    tokens_print(used, out);
    str_addf(out,
             " tokens%s not fit its context (limit %lld): /compact shows what would be left out, "
             "/new and /fork begin another one",
             used.more ? ", does" : " do", (long long)limit_of(c));
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
        str_adds(out, ", ");
        compact_add_lost(&plan, out);
        str_adds(out, " tokens; ");
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
    if (!plan->after.more) {
        str_adds(out, ", ");
        compact_add_lost(plan, out);
        if (!plan->before.more)
            str_addf(out, " of %lld", (long long)plan->before.n);
        str_adds(out, " tokens");
    }
    str_adds(out, ":\n");
    add_lost(c, plan->from, out);
    str_adds(out, "kept are the system prompt and ");
    add_exchanges(out, "newest", plan->kept);
    str_adds(out, ", ");
    tokens_print(plan->after, out);
    str_adds(out, " tokens\n/compact yes does it; nothing is deleted, /compact off undoes it");
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
    struct token_count used = chat_context_used(c);
    str_adds(&reply->text, first ? "the model is given the newest part" : "the model is given all");
    if (used.n >= 0) {
        str_adds(&reply->text, " of the conversation, ");
        tokens_print(used, &reply->text);
        str_adds(&reply->text, " tokens");
    }
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

static void refuse_uncounted(struct command_reply *reply)
{
    command_refuse(reply, "the tokens cannot be counted; the next question will say why");
}

/* Keeps the newest n exchanges. */
static void keep(struct chat *c, size_t n, struct command_reply *reply)
{
    const struct history *h = &c->history;
    struct compact_plan plan = {.limit = limit_of(c), .kept = n, .before = chat_context_used(c)};
    size_t count;
    struct token_count *remains = compact_remains(c, &count);
    if (!remains) {
        refuse_uncounted(reply);
    } else if (n < count) {
        plan.lost = count - n;
        plan.after = remains[plan.lost - 1];
        plan.from = h->n_turns;
        for (size_t kept = 0; kept < n; plan.from--)
            kept += h->turns[plan.from - 1]->role == STORE_USER;
        propose(c, &plan, reply);
    } else {
        command_refuse(reply, "nothing would be left out");
        str_addf(&reply->text, " (got %zu exchanges, there are %zu)", n, count);
    }
    free(remains);
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
                 (long long)plan.before.n, (long long)plan.limit);
    } else if (plan.before.n < 0) {
        refuse_uncounted(reply);
    } else if (c->history.n_turns == 0) {
        command_refuse(reply, "nothing was asked yet");
    } else {
        command_refuse(reply, "not even the newest exchange fits");
        str_adds(&reply->text, " (got ");
        tokens_print(plan.after, &reply->text);
        str_addf(&reply->text, " tokens, limit %lld); /new begins another conversation",
                 (long long)plan.limit);
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
