/* branch.c - see branch.h. */
#include "app/commands/branch.h"

#include <stdlib.h>
#include <string.h>

#include "app/args.h"

enum { QUOTE_BYTES = 60 };

/* Words */

void command_add_version(const struct turn *turn, struct str *out)
{
    size_t at = 0, n = turn_versions(turn, &at);
    if (n > 1)
        str_addf(out, "%zu of %zu", at, n);
}

void command_add_quote(const struct turn *turn, struct str *out)
{
    size_t len = turn->text[STORE_TEXT].len;
    const char *s = str_trim(str_get(&turn->text[STORE_TEXT]), &len);
    size_t line = strcspn(s, "\r\n");
    size_t cut = str_cut(s, line < len ? line : len, QUOTE_BYTES);
    str_adds(out, "\xe2\x80\x9c");
    str_add_visible(out, s, cut, false);
    str_adds(out, cut < len ? "\xe2\x80\xa6\xe2\x80\x9d" : "\xe2\x80\x9d");
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

bool command_take_number(const char **arg, size_t *out, struct command_reply *reply)
{
    size_t len;
    const char *word = args_next_word(arg, &len);
    char *end;
    unsigned long n = word ? strtoul(word, &end, 10) : 0;
    if (word && n > 0 && *word != '-' && end == word + len) {
        *out = n;
        return true;
    }
    command_refuse(reply, "not a number from 1 on: ");
    str_add_visible(&reply->text, word ? word : "", word ? len : 0, false);
    return false;
}

/* The question meant by the user, by default the last. NULL: refused. */
static struct turn *find_question(const struct chat *c, const char *arg,
                                  struct command_reply *reply)
{
    size_t n = history_questions(&c->history), wanted = n;
    if (n == 0) {
        command_refuse(reply, "nothing was asked yet");
        return NULL;
    }
    if (*arg && !command_take_number(&arg, &wanted, reply))
        return NULL;
    struct turn *turn = history_question(&c->history, wanted);
    if (!turn) {
        command_refuse(reply, "no such question");
        str_addf(&reply->text, " (got %zu, there %s %zu)", wanted, n == 1 ? "is" : "are", n);
    }
    return turn;
}

/* Another question, another answer */

void command_edit(struct chat *c, struct turn *turn, struct command_reply *reply)
{
    if (!command_may_change(c, reply))
        return;
    reply->turn = turn_question(turn);
    if (reply->turn)
        reply->effect = COMMAND_EDIT;
    else
        command_refuse(reply, "there is no question to it");
}

void run_edit(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct turn *turn = find_question(c, arg, reply);
    if (turn)
        command_edit(c, turn, reply);
}

void command_regenerate(struct chat *c, struct turn *turn, const char *model,
                        struct command_reply *reply)
{
    char err[512];
    if (!command_may_change(c, reply))
        return;
    if (!turn_question(turn)) {
        command_refuse(reply, "there is no question to it");
    } else if (chat_regenerate(c, turn, model, err, sizeof err) != 0) {
        command_refuse(reply, err);
    } else {
        reply->effect = COMMAND_ANSWER;
        reply->from = c->answer->depth - 1;
    }
}

void run_regen(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct turn *turn = find_question(c, "", reply);
    if (turn)
        command_regenerate(c, turn, *arg ? arg : NULL, reply);
}

/* Versions */

static void go_to(struct chat *c, struct turn *turn, struct command_reply *reply)
{
    reply->effect = COMMAND_PATH;
    reply->from = turn->depth - 1;
    history_checkout(&c->history, turn);
}

void command_switch_version(struct chat *c, struct turn *turn, int step,
                            struct command_reply *reply)
{
    size_t at, n;
    if (!command_may_change(c, reply))
        return;
    history_refresh(&c->history);
    n = turn_versions(turn, &at);
    struct turn *other = step < 0 && at == 1 ? NULL : turn_version(turn, at + (size_t)step);
    if (other)
        go_to(c, other, reply);
    else if (n == 1)
        command_refuse(reply, "there is only one version of this");
    else
        command_refuse(reply,
                       step < 0 ? "this is the oldest version" : "this is the newest version");
}

static bool is_branched(const struct turn *turn)
{
    size_t at;
    return turn_versions(turn, &at) > 1;
}

/* The message whose versions are meant: in this exchange, or the last one with several. */
static struct turn *find_branched(const struct chat *c, const char *arg,
                                  struct command_reply *reply)
{
    const struct history *h = &c->history;
    const struct turn *question = *arg ? find_question(c, arg, reply) : NULL;
    if (*arg && !question)
        return NULL;
    for (size_t i = h->n_turns; i-- > 0;)
        if (is_branched(h->turns[i]) && (!question || turn_question(h->turns[i]) == question))
            return h->turns[i];
    command_refuse(reply, "there is only one version; /regen and /edit make others");
    return NULL;
}

static void list_versions(const struct turn *turn, struct str *out)
{
    size_t at, n = turn_versions(turn, &at);
    for (size_t i = 1; i <= n; i++) {
        const struct turn *other = turn_version(turn, i);
        str_addf(out, "%s %zu  ", i == at ? "*" : " ", i);
        if (other->generated)
            str_addf(out, "%s: ", other->generation.model);
        command_add_quote(other, out);
        str_adds(out, "\n");
    }
    str_addf(out, "/version N goes to one of them, < and > step");
}

void run_version(struct chat *c, const char *arg, struct command_reply *reply)
{
    size_t len, wanted;
    const char *rest = arg, *word = args_next_word(&rest, &len);
    bool steps = word && len == 1 && (*word == '<' || *word == '>');
    if (!command_may_change(c, reply))
        return;
    if (word && !steps && !command_take_number(&arg, &wanted, reply))
        return;
    history_refresh(&c->history);
    struct turn *turn = find_branched(c, word ? rest + strspn(rest, " ") : "", reply);
    if (!turn)
        return;
    struct turn *other = word && !steps ? turn_version(turn, wanted) : NULL;
    if (steps)
        command_switch_version(c, turn, *word == '<' ? -1 : 1, reply);
    else if (!word)
        list_versions(turn, &reply->text);
    else if (other)
        go_to(c, other, reply);
    else
        command_refuse(reply, "there is no such version; /version lists them");
}

/* Undo and redo */

void run_undo(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct history *h = &c->history;
    (void)arg;
    if (!command_may_change(c, reply))
        return;
    struct turn *question = history_question(h, history_questions(h));
    if (!history_undo(h)) {
        command_refuse(reply, "nothing was asked yet");
        return;
    }
    reply->effect = COMMAND_PATH;
    reply->from = h->n_turns;
    str_adds(&reply->text, "took back ");
    command_add_quote(question, &reply->text);
    str_adds(&reply->text, "; /redo brings it back");
}

void run_redo(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct history *h = &c->history;
    size_t from = h->n_turns;
    (void)arg;
    if (!command_may_change(c, reply))
        return;
    history_refresh(h);
    if (!history_redo(h)) {
        command_refuse(reply, "nothing was taken back");
        return;
    }
    reply->effect = COMMAND_PATH;
    reply->from = from;
    size_t n = history_n_undone(h);
    if (n > 0)
        str_addf(&reply->text, "%zu more exchange%s to bring back", n, plural(n));
}

void command_fork(struct chat *c, const struct turn *last, struct command_reply *reply)
{
    struct history *h = &c->history;
    if (!command_may_leave(c, reply))
        return;
    int64_t from = h->conversation;
    history_fork(h, last);
    reply->effect = COMMAND_SHOW;
    size_t n = history_questions(h);
    str_addf(&reply->text, "a copy of %zu exchange%s; the original is conversation %lld", n,
             plural(n), (long long)from);
}

void run_fork(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct history *h = &c->history;
    struct turn *question = find_question(c, arg, reply);
    if (!question)
        return;
    size_t end = question->depth;
    while (end < h->n_turns && h->turns[end]->role != STORE_USER)
        end++;
    command_fork(c, h->turns[end - 1], reply);
}
