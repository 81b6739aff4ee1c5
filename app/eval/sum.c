/* sum.c - statistics over the answers: shares, means, majority votes. See eval.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/eval/eval.h"

/* Wilson's interval: accurate near 0 and 1 and for few problems, too. */
struct eval_share eval_wilson(double right, double n)
{
    const double z = 1.959963984540054; /* 95 % */
    if (n <= 0)
        return (struct eval_share){NAN, NAN, NAN};
    double p = right / n, zz = z * z / n;
    double middle = (p + zz / 2) / (1 + zz);
    double half = z * sqrt(p * (1 - p) / n + zz / (4 * n)) / (1 + zz);
    return (struct eval_share){p, fmax(0, middle - half), fmin(1, middle + half)};
}

int eval_vote(const struct eval *e, const struct eval_model *m, size_t problem)
{
    int best = -1, best_votes = 0;
    for (int i = 0; i < e->n_samples; i++) {
        const struct eval_answer *a = eval_answer_at(e, m, problem, i);
        int votes = 0;
        if (!a->there || a->failed || !*a->final)
            continue;
        for (int k = 0; k < e->n_samples; k++) {
            const struct eval_answer *b = eval_answer_at(e, m, problem, k);
            votes += b->there && !b->failed && *b->final &&
                     grade_compare(a->final, strlen(a->final), b->final, strlen(b->final)) ==
                         GRADE_EQUAL;
        }
        if (votes > best_votes) { /* on a tie the earlier answer wins */
            best = i;
            best_votes = votes;
        }
    }
    return best;
}

static void count_answer(const struct eval_answer *a, struct eval_sum *out, double *right)
{
    if (!a->there)
        return;
    out->n_answers++;
    out->n_failed += a->failed;
    *right += a->grade == GRADE_EQUAL;
    out->n_undecided += a->grade == GRADE_UNDECIDED;
    out->opened += a->opened;
    out->closed += a->opened && a->closed;
    out->stepped += a->steps >= 2;
    out->boxed += a->place == GRADE_BOXED;
    out->complete += eval_is_complete(a);
    out->all_tokens += a->tokens;
    out->reasoning_tokens += a->reasoning_tokens;
}

void eval_sum_up(const struct eval *e, const struct eval_model *m, const char *kind,
                 struct eval_sum *out)
{
    double right = 0, voted = 0;
    *out = (struct eval_sum){0};
    for (size_t i = 0; i < e->problems.n; i++) {
        const char *its = e->problems.at[i].kind;
        if (kind && (!its || strcmp(kind, its) != 0))
            continue;
        out->n_problems++;
        for (int sample = 0; sample < e->n_samples; sample++)
            count_answer(eval_answer_at(e, m, i, sample), out, &right);
        int vote = e->n_samples > 1 ? eval_vote(e, m, i) : -1;
        voted += vote >= 0 && eval_answer_at(e, m, i, vote)->grade == GRADE_EQUAL;
    }
    double n = (double)out->n_answers;
    if (n == 0)
        return;
    out->opened /= n;
    out->closed /= n;
    out->stepped /= n;
    out->boxed /= n;
    out->complete /= n;
    out->reasoning_tokens /= n;
    out->tokens = (double)out->all_tokens / n;
    /* Samples of one problem are correlated, so the interval uses the number of problems. */
    out->right = eval_wilson(right / e->n_samples, (double)out->n_problems);
    out->vote = eval_wilson(voted, (double)out->n_problems);
}
