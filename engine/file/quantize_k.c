/* quantize_k.c - superblocks of 256: the scales and codes that come nearest to the numbers.
 *
 * An element's weight is the root mean square of its group plus its own magnitude: the few large
 * weights of a row matter more than their number suggests. A group's scale (and minimum) is
 * searched around the one that just covers its range: each candidate gives codes, and the codes
 * give their best scale by least squares. Then the groups' scales are rounded to the superblock's
 * steps, trying neighbours, and the steps in turn are fitted to the codes.
 *
 * The arithmetic is in vectors of four with a fixed order of summation, so that the bytes are the
 * same on every machine. */
#include "file/quantize.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef float vec __attribute__((vector_size(16)));
typedef int32_t ivec __attribute__((vector_size(16)));

enum {
    LANES = 4,
    GROUP = 32,       /* of Q4_K */
    SMALL_GROUP = 16, /* of Q6_K */
    N_GROUPS = QUANT_SUPERBLOCK / GROUP,
    N_SMALL = QUANT_SUPERBLOCK / SMALL_GROUP,
    WIDENINGS = 10, /* candidates on either side of the plain range */
    FITS = 3,       /* rounds of codes for scale, scale for codes */
    STEP_FITS = 2,
};

static vec load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static vec same(float f)
{
    return (vec){f, f, f, f};
}

static float total(vec v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

/* To the nearest whole number within 0..most. */
static vec to_codes(vec v, float most)
{
    ivec below = v<same(0), above = v> same(most);
    v = (vec)(((ivec)v & ~below & ~above) | ((ivec)same(most) & above));
    return __builtin_convertvector(__builtin_convertvector(v + same(0.5f), ivec), vec);
}

/* n elements, their weights, and the weighted sums that do not depend on codes. */
struct group {
    const float *x;
    int n;
    float w[GROUP], wx[GROUP];
    float sum_w, sum_x, sum_xx;
};

static void group_init(struct group *g, const float *x, int n)
{
    vec squares = same(0), sw = same(0), sx = same(0), sxx = same(0);
    for (int i = 0; i < n; i += LANES)
        squares += load(x + i) * load(x + i);
    float rms = sqrtf(total(squares) / (float)n);
    g->x = x;
    g->n = n;
    for (int i = 0; i < n; i++) {
        g->w[i] = rms + fabsf(x[i]);
        g->wx[i] = g->w[i] * x[i];
    }
    for (int i = 0; i < n; i += LANES) {
        sw += load(g->w + i);
        sx += load(g->wx + i);
        sxx += load(g->wx + i) * load(x + i);
    }
    g->sum_w = total(sw);
    g->sum_x = total(sx);
    g->sum_xx = total(sxx);
}

/* The codes are those nearest to (x + shift) * inverse + bias, from 0 to most, less bias. */
struct coding {
    float shift, inverse, most, bias;
};

/* The weighted sums that do. */
struct sums {
    float q, qq, xq;
};

static struct sums sum(const struct group *g, const struct coding *c)
{
    vec sq = same(0), sqq = sq, sxq = sq;
    vec shift = same(c->shift), inverse = same(c->inverse), bias = same(c->bias);
    for (int i = 0; i < g->n; i += LANES) {
        vec q = to_codes((load(g->x + i) + shift) * inverse + bias, c->most) - bias;
        vec wq = load(g->w + i) * q;
        sq += wq;
        sqq += wq * q;
        sxq += load(g->wx + i) * q;
    }
    return (struct sums){total(sq), total(sqq), total(sxq)};
}

/* Q4_K: an element is scale q - min, neither of them negative. */

struct line {
    float scale, min;
};

static float line_error(const struct group *g, const struct sums *s, const struct line *l)
{
    return g->sum_xx + l->scale * (l->scale * s->qq - 2 * s->xq) +
           l->min * (l->min * g->sum_w + 2 * g->sum_x - 2 * l->scale * s->q);
}

/* The best line for these codes: where it would be negative, a scale or a minimum alone. */
static struct line solve_line(const struct group *g, const struct sums *s)
{
    float det = g->sum_w * s->qq - s->q * s->q;
    if (det > 0) {
        struct line l = {(g->sum_w * s->xq - g->sum_x * s->q) / det,
                         (s->q * s->xq - s->qq * g->sum_x) / det};
        if (l.min >= 0 && l.scale >= 0)
            return l;
    }
    struct line scale = {s->qq > 0 && s->xq > 0 ? s->xq / s->qq : 0, 0};
    struct line min = {0, g->sum_w > 0 && g->sum_x < 0 ? -g->sum_x / g->sum_w : 0};
    return line_error(g, s, &scale) <= line_error(g, s, &min) ? scale : min;
}

static struct line fit_line(const struct group *g)
{
    float low = 0, high = g->x[0], least = INFINITY;
    for (int i = 0; i < GROUP; i++) {
        low = fminf(low, g->x[i]);
        high = fmaxf(high, g->x[i]);
    }
    struct line best = {0, -low};
    if (!(high > low))
        return best;
    for (int step = -WIDENINGS; step <= WIDENINGS + FITS; step++) {
        struct coding c = {-low, (15 + 0.1f * (float)step) / (high - low), 15, 0};
        if (step > WIDENINGS && best.scale > 0)
            c = (struct coding){best.min, 1 / best.scale, 15, 0};
        struct sums s = sum(g, &c);
        struct line l = solve_line(g, &s);
        float error = line_error(g, &s, &l);
        if (error < least) {
            least = error;
            best = l;
        }
    }
    return best;
}

/* The scales of a superblock: a group has scale d sc and minimum dmin mn. */
struct steps {
    uint16_t d, dmin; /* half floats */
    uint8_t sc[N_GROUPS], mn[N_GROUPS];
    float error;
};

static struct coding line_coding(float scale, float min)
{
    return (struct coding){min, scale > 0 ? 1 / scale : 0, 15, 0};
}

static int nearest(float value, float step, int least, int most)
{
    float q = step != 0 ? rintf(value / step) : 0;
    return q < (float)least ? least : q > (float)most ? most : (int)q;
}

/* Of the whole numbers of steps around the line those with the least error, which is added. */
static void round_line(const struct group *g, const struct line *l, int at, struct steps *s)
{
    float d = quant_half_to_float(s->d), dmin = quant_half_to_float(s->dmin), least = INFINITY;
    int sc = nearest(l->scale, d, 0, 63), mn = nearest(l->min, dmin, 0, 63);
    for (int i = sc > 0 ? sc - 1 : 0; i <= sc + 1 && i < 64; i++) {
        for (int k = mn > 0 ? mn - 1 : 0; k <= mn + 1 && k < 64; k++) {
            struct line rounded = {d * (float)i, dmin * (float)k};
            struct coding c = line_coding(rounded.scale, rounded.min);
            struct sums sums = sum(g, &c);
            float error = line_error(g, &sums, &rounded);
            if (error < least) {
                least = error;
                s->sc[at] = (uint8_t)i;
                s->mn[at] = (uint8_t)k;
            }
        }
    }
    s->error += least;
}

static struct steps round_lines(const struct group *groups, const struct line *lines, float d,
                                float dmin)
{
    struct steps s = {.d = quant_float_to_half(d), .dmin = quant_float_to_half(dmin)};
    for (int g = 0; g < N_GROUPS; g++)
        round_line(&groups[g], &lines[g], g, &s);
    return s;
}

/* d and dmin by least squares, all else as it is: x = d (sc q) - dmin mn. False: not determined. */
static bool fit_steps(const struct group *groups, const struct steps *s, float *d, float *dmin)
{
    double aa = 0, ab = 0, bb = 0, xa = 0, xb = 0;
    for (int g = 0; g < N_GROUPS; g++) {
        double sc = s->sc[g], mn = s->mn[g];
        struct coding c = line_coding(quant_half_to_float(s->d) * (float)s->sc[g],
                                      quant_half_to_float(s->dmin) * (float)s->mn[g]);
        struct sums t = sum(&groups[g], &c);
        aa += sc * sc * (double)t.qq;
        ab += sc * mn * (double)t.q;
        bb += mn * mn * (double)groups[g].sum_w;
        xa += sc * (double)t.xq;
        xb += mn * (double)groups[g].sum_x;
    }
    double det = aa * bb - ab * ab;
    if (!(det > 0))
        return false;
    *d = (float)((xa * bb - xb * ab) / det);
    *dmin = (float)((xa * ab - xb * aa) / det);
    return *d > 0 && *dmin >= 0;
}

static void pack_q4_k(const float *x, const struct steps *s, struct quant_q4_k *out)
{
    memset(out, 0, sizeof *out);
    out->d = s->d;
    out->dmin = s->dmin;
    for (int g = 0; g < N_GROUPS; g++) {
        if (g < 4) {
            out->scales[g] |= s->sc[g];
            out->scales[g + 4] |= s->mn[g];
        } else {
            out->scales[g + 4] |= (uint8_t)((s->sc[g] & 15) | (s->mn[g] & 15) << 4);
            out->scales[g - 4] |= (uint8_t)(s->sc[g] >> 4 << 6);
            out->scales[g] |= (uint8_t)(s->mn[g] >> 4 << 6);
        }
        struct coding c = line_coding(quant_half_to_float(s->d) * (float)s->sc[g],
                                      quant_half_to_float(s->dmin) * (float)s->mn[g]);
        for (int i = 0; i < GROUP; i += LANES) {
            vec q = to_codes((load(x + g * GROUP + i) + same(c.shift)) * same(c.inverse), 15);
            for (int l = 0; l < LANES; l++)
                out->qs[g / 2 * 32 + i + l] |= (uint8_t)((int)q[l] << g % 2 * 4);
        }
    }
}

void quantize_q4_k(const float *x, struct quant_q4_k *out)
{
    float most_scale = 0, most_min = 0;
    struct group groups[N_GROUPS];
    struct line lines[N_GROUPS];

    for (int g = 0; g < N_GROUPS; g++) {
        group_init(&groups[g], x + g * GROUP, GROUP);
        lines[g] = fit_line(&groups[g]);
        most_scale = fmaxf(most_scale, lines[g].scale);
        most_min = fmaxf(most_min, lines[g].min);
    }
    struct steps best = round_lines(groups, lines, most_scale / 63, most_min / 63);
    float d, dmin;
    for (int i = 0; i < STEP_FITS && fit_steps(groups, &best, &d, &dmin); i++) {
        struct steps s = round_lines(groups, lines, d, dmin);
        if (!(s.error < best.error))
            break;
        best = s;
    }
    pack_q4_k(x, &best, out);
}

/* Q6_K: an element is scale q, q from -32 to 31, the scale of either sign. */

static struct coding scale_coding(float scale)
{
    return (struct coding){0, scale != 0 ? 1 / scale : 0, 63, 32};
}

static float fit_scale(const struct group *g)
{
    float most = 0, best = 0, gain = 0;
    for (int i = 0; i < SMALL_GROUP; i++)
        most = fabsf(g->x[i]) > fabsf(most) ? g->x[i] : most;
    for (int step = -WIDENINGS; most != 0 && step <= WIDENINGS + FITS; step++) {
        float scale = step > WIDENINGS ? best : most / -(32 + 0.1f * (float)step);
        struct coding c = scale_coding(scale);
        struct sums s = sum(g, &c);
        if (s.qq > 0 && s.xq * s.xq > gain * s.qq) {
            gain = s.xq * s.xq / s.qq;
            best = s.xq / s.qq;
        }
    }
    return best;
}

struct scales {
    uint16_t d;
    int8_t sc[N_SMALL];
    float error;
    double xa, aa; /* for the best d: x = d (sc q) */
};

static void round_scale(const struct group *g, float scale, int at, struct scales *s)
{
    float d = quant_half_to_float(s->d), least = INFINITY;
    int sc = nearest(scale, d, -128, 127);
    struct sums chosen = {0};
    for (int i = sc > -128 ? sc - 1 : sc; i <= sc + 1 && i < 128; i++) {
        struct line rounded = {d * (float)i, 0};
        struct coding c = scale_coding(rounded.scale);
        struct sums sums = sum(g, &c);
        float error = line_error(g, &sums, &rounded);
        if (error < least) {
            least = error;
            chosen = sums;
            s->sc[at] = (int8_t)i;
        }
    }
    s->error += least;
    s->xa += s->sc[at] * (double)chosen.xq;
    s->aa += s->sc[at] * s->sc[at] * (double)chosen.qq;
}

static struct scales round_scales(const struct group *groups, const float *scales, float d)
{
    struct scales s = {.d = quant_float_to_half(d)};
    for (int g = 0; g < N_SMALL; g++)
        round_scale(&groups[g], scales[g], g, &s);
    return s;
}

static void pack_q6_k(const float *x, const struct scales *s, struct quant_q6_k *out)
{
    memset(out, 0, sizeof *out);
    out->d = s->d;
    memcpy(out->scales, s->sc, sizeof out->scales);
    for (int e = 0; e < QUANT_SUPERBLOCK; e += LANES) {
        struct coding c = scale_coding(quant_half_to_float(s->d) * (float)s->sc[e / SMALL_GROUP]);
        vec q = to_codes(load(x + e) * same(c.inverse) + same(c.bias), c.most);
        for (int l = 0; l < LANES; l++) {
            int half = e / 128, j = e % 128 / 32, i = e % 32 + l, code = (int)q[l];
            out->ql[64 * half + 32 * (j % 2) + i] |= (uint8_t)((code & 15) << j / 2 * 4);
            out->qh[32 * half + i] |= (uint8_t)(code >> 4 << 2 * j);
        }
    }
}

void quantize_q6_k(const float *x, struct quant_q6_k *out)
{
    struct group groups[N_SMALL];
    float scales[N_SMALL], most = 0;

    for (int g = 0; g < N_SMALL; g++) {
        group_init(&groups[g], x + g * SMALL_GROUP, SMALL_GROUP);
        scales[g] = fit_scale(&groups[g]);
        most = fabsf(scales[g]) > fabsf(most) ? scales[g] : most;
    }
    struct scales best = round_scales(groups, scales, most / -128);
    for (int i = 0; i < STEP_FITS && best.aa > 0; i++) {
        struct scales s = round_scales(groups, scales, (float)(best.xa / best.aa));
        if (!(s.error < best.error))
            break;
        best = s;
    }
    pack_q6_k(x, &best, out);
}
