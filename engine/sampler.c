/* sampler.c - penalties, temperature, truncation and the draw; see sampler.h.
 *
 * Truncation never sorts the vocabulary: top-k and top-p are one selection (quickselect, by count
 * and by probability mass at once) that yields the last candidate still kept, the cut. */
#include "sampler.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

const char *sampler_fault(const struct engine_sampling *set)
{
    if (!(set->temperature >= 0) || isinf(set->temperature))
        return "temperature: not a number from 0 up";
    if (set->top_k < 0)
        return "top_k: less than 0";
    if (!(set->top_p >= 0 && set->top_p <= 1))
        return "top_p: not a number from 0 to 1";
    if (!(set->min_p >= 0 && set->min_p <= 1))
        return "min_p: not a number from 0 to 1";
    if (!(set->repeat_penalty > 0) || isinf(set->repeat_penalty))
        return "repeat_penalty: not a number above 0";
    return NULL;
}

void sampler_init(struct sampler *s, const struct engine_sampling *set, const bool *banned)
{
    memset(s, 0, sizeof *s);
    s->set = *set;
    s->banned = banned;
}

void sampler_accept(struct sampler *s, int32_t token)
{
    s->recent[s->n_recent % SAMPLER_WINDOW] = token;
    s->n_recent++;
    if (s->n_recent == 2 * SAMPLER_WINDOW) /* never overflows, and the head stays where it is */
        s->n_recent = SAMPLER_WINDOW;
}

/* SplitMix64's output function (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
 * OOPSLA 2014; constants of Vigna's public-domain splitmix64.c). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The counter-th number of a seed, in [0, 1). The seed is mixed first, so that the streams of
 * neighbouring seeds have nothing in common. */
static double uniform(uint64_t seed, uint64_t counter)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    uint64_t x = mix(mix(seed + golden) + (counter + 1) * golden);
    return (double)(x >> 11) * 0x1p-53;
}

void sampler_skip(struct sampler *s, int n)
{
    s->drawn += (uint64_t)n;
}

double sampler_uniform(struct sampler *s)
{
    return uniform(s->set.seed, s->drawn++);
}

static void penalise(const struct sampler *s, float *logits, int n_vocab)
{
    int n = s->n_recent < SAMPLER_WINDOW ? s->n_recent : SAMPLER_WINDOW;
    for (int i = 0; i < n; i++) {
        int32_t id = s->recent[i];
        bool seen = id < 0 || id >= n_vocab;
        for (int j = 0; j < i && !seen; j++)
            seen = s->recent[j] == id;
        if (!seen)
            logits[id] = logits[id] > 0 ? logits[id] / s->set.repeat_penalty
                                        : logits[id] * s->set.repeat_penalty;
    }
}

static bool may_pick(const struct sampler *s, int id)
{
    return !(s->banned && s->banned[id]) && (!s->mask || s->mask[id / 32] >> id % 32 & 1);
}

/* Bans what may not be picked, and finds the most likely token; -1 where there is none, or on
 * NaN and +infinity. */
static int32_t most_likely(const struct sampler *s, float *logits, int n_vocab)
{
    int32_t best = -1;
    float max = -INFINITY;
    for (int i = 0; i < n_vocab; i++) {
        if (!(logits[i] < INFINITY))
            return -1;
        if (!may_pick(s, i))
            logits[i] = -INFINITY;
        if (logits[i] > max) {
            max = logits[i];
            best = i;
        }
    }
    return best;
}

static bool before(struct sampler_candidate a, struct sampler_candidate b)
{
    return a.p > b.p || (a.p == b.p && a.id < b.id);
}

static void swap(struct sampler_candidate *a, struct sampler_candidate *b)
{
    struct sampler_candidate t = *a;
    *a = *b;
    *b = t;
}

/* Moves what comes before the middle element to the front, then that element; its place. */
static int partition(struct sampler_candidate *c, int lo, int hi)
{
    struct sampler_candidate pivot = c[lo + (hi - lo) / 2];
    swap(&c[lo + (hi - lo) / 2], &c[hi - 1]);
    int at = lo;
    for (int i = lo; i < hi - 1; i++) {
        if (before(c[i], pivot))
            swap(&c[i], &c[at++]);
    }
    swap(&c[at], &c[hi - 1]);
    return at;
}

static double mass_of(const struct sampler_candidate *c, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += c[i].p;
    return sum;
}

/* Moves the most likely to the front, as many as `count` or as reach `mass`, whichever is first (at
 * least one), in no order but that the last of them stands last. Returns how many. */
static int select_head(struct sampler_candidate *c, int n, int count, double mass)
{
    int lo = 0; /* c[0, lo) are kept, c[hi, n) are not */
    for (int hi = n; lo < hi;) {
        int mid = partition(c, lo, hi);
        double above = mass_of(c + lo, mid - lo);
        if (mid > lo && (mid >= count || above >= mass)) {
            hi = mid;
            continue;
        }
        lo = mid + 1;
        mass -= above + c[mid].p;
        if (lo >= count || mass <= 0)
            break;
    }
    return lo;
}

/* Turns logits into probabilities times a constant; the most likely gets 1. What is 1e10 times less
 * likely gets 0: in a large vocabulary that is nearly all, and saves most of the time. */
static void soften(float *logits, int n_vocab, float max, float temperature)
{
    float scale = fminf(1 / temperature, FLT_MAX);

    for (int i = 0; i < n_vocab; i++) {
        float x = (logits[i] - max) * scale;
        logits[i] = x > -23 ? expf(x) : 0;
    }
}

/* The last candidate, most likely first, that top-k, top-p and min-p leave. */
static struct sampler_candidate find_cut(const struct engine_sampling *set, const float *p,
                                         int n_vocab, struct sampler_candidate *scratch)
{
    struct sampler_candidate cut = {.p = set->min_p, .id = n_vocab};
    if (set->top_k == 0 && set->top_p >= 1)
        return cut;

    int n = 0;
    for (int i = 0; i < n_vocab; i++) {
        if (p[i] > 0)
            scratch[n++] = (struct sampler_candidate){.p = p[i], .id = i};
    }
    if (set->top_k > 0)
        n = select_head(scratch, n, set->top_k, INFINITY);
    if (set->top_p < 1)
        n = select_head(scratch, n, n, set->top_p * mass_of(scratch, n));
    return before(scratch[n - 1], cut) ? scratch[n - 1] : cut;
}

static int32_t draw(struct sampler *s, const float *p, int n_vocab, struct sampler_candidate cut)
{
    double total = 0;
    for (int i = 0; i < n_vocab; i++) {
        if (p[i] > 0 && !before(cut, (struct sampler_candidate){.p = p[i], .id = i}))
            total += p[i];
    }
    double left = sampler_uniform(s) * total;
    int32_t last = -1;
    for (int i = 0; i < n_vocab && left >= 0; i++) {
        if (p[i] > 0 && !before(cut, (struct sampler_candidate){.p = p[i], .id = i})) {
            left -= p[i];
            last = i;
        }
    }
    return last;
}

int32_t sampler_pick(struct sampler *s, float *logits, int n_vocab,
                     struct sampler_candidate *scratch)
{
    if (s->set.repeat_penalty != 1)
        penalise(s, logits, n_vocab);
    int32_t best = most_likely(s, logits, n_vocab);
    if (best < 0 || s->set.temperature == 0)
        return best;
    soften(logits, n_vocab, logits[best], s->set.temperature);
    return draw(s, logits, n_vocab, find_cut(&s->set, logits, n_vocab, scratch));
}
