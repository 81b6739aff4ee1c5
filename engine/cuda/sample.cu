/* sample.cu - picks the next token from logits that stay on the device, by the steps and with the
 * draws of sampler.c; see sampler.h.
 *
 * Probabilities are summed as integers (2^46 is 1), so that a sum does not depend on the order of
 * its terms. The cut of top-k and top-p is found by radix selection in three rounds, each by the
 * next bits of the probabilities (positive floats compare as their bits do). */
#include <float.h>
#include <limits.h>

#include "cuda/device.cuh"

enum { BEST_THREADS = 256, THREADS = 1024, N_WARPS = THREADS / 32 };
static_assert((int)DRAW_BINS == (int)THREADS, "a bin for each thread");
static_assert((int)N_WARPS == 32 && (int)DRAW_BLOCKS <= 32, "a lane for each");

/* The bits of exp(-23) and above, minus this, are below 2^30: three rounds of ten bits. */
static const uint32_t lowest_bits = 0x2e000000;

/* Maps a logit and its id to an integer that compares as they do; of equal logits the lower id
 * wins. */
static __device__ __forceinline__ uint64_t rank_of(float v, int id)
{
    uint32_t bits = __float_as_uint(v);
    bits = bits & 0x80000000 ? ~bits : bits | 0x80000000;
    return (uint64_t)bits << 32 | (uint32_t)~id;
}

static __device__ __forceinline__ uint64_t warp_max(uint64_t v)
{
#pragma unroll
    for (int k = 16; k > 0; k >>= 1) {
        uint64_t other = __shfl_xor_sync(~0u, v, k);
        v = other > v ? other : v;
    }
    return v;
}

/* The rank of a NaN or infinite logit: the model is damaged. */
static const uint64_t invalid = ~0ull;

static __device__ void penalise(const struct cuda_sample &s, int output, float *logits, int first,
                                int last)
{
    const struct cuda_pick &pick = s.picks[output];
    int i = threadIdx.x;

    if (pick.repeat_penalty == 1)
        return;
    if (i < pick.n_recent) {
        int id = s.recent[output * SAMPLE_RECENT + i];
        if (id >= first && id < last)
            logits[id] = logits[id] > 0 ? logits[id] / pick.repeat_penalty
                                        : logits[id] * pick.repeat_penalty;
    }
    __syncthreads();
}

static __device__ __forceinline__ bool may_pick(const struct cuda_sample &s, int output, int id)
{
    if (s.banned && s.banned[id])
        return false;
    return !s.picks[output].masked ||
           (s.masks[(size_t)output * s.mask_words + id / 32] >> id % 32 & 1);
}

/* The greatest rank among ids [first, last). Sets what may not be picked to -inf. */
static __device__ uint64_t best_of(const struct cuda_sample &s, int output, float *logits,
                                   int first, int last)
{
    enum { AT_ONCE = 5, STEP = AT_ONCE * BEST_THREADS };
    uint64_t most = 0;

    for (int begin = first + (int)threadIdx.x; begin < last; begin += STEP) {
        float v[AT_ONCE];
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++) {
            int id = begin + k * BEST_THREADS;
            v[k] = id < last ? logits[id] : -INFINITY;
        }
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++) {
            int id = begin + k * BEST_THREADS;
            if (!(v[k] < INFINITY)) {
                most = invalid;
            } else if (id < last && !may_pick(s, output, id)) {
                logits[id] = -INFINITY;
            } else if (v[k] > -INFINITY) {
                uint64_t rank = rank_of(v[k], id);
                most = rank > most ? rank : most;
            }
        }
    }
    return most;
}

/* Grid: SAMPLE_BLOCKS parts of the vocabulary, outputs. Penalises and bans in place. */
static __global__ void __launch_bounds__(BEST_THREADS)
    best(const __grid_constant__ struct cuda_sample s)
{
    __shared__ uint64_t warps[BEST_THREADS / 32];
    __shared__ bool is_last;
    int output = blockIdx.y;
    float *logits = s.logits + (size_t)output * s.n_vocab;
    int first = (int)((long long)s.n_vocab * blockIdx.x / SAMPLE_BLOCKS);
    int last = (int)((long long)s.n_vocab * (blockIdx.x + 1) / SAMPLE_BLOCKS);

    let_next_start();
    wait_for_last();
    penalise(s, output, logits, first, last);
    uint64_t most = warp_max(best_of(s, output, logits, first, last));
    if (threadIdx.x % 32 == 0)
        warps[threadIdx.x / 32] = most;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < BEST_THREADS / 32; w++)
            most = warps[w] > most ? warps[w] : most;
        s.best[output * SAMPLE_BLOCKS + blockIdx.x] = most;
        __threadfence();
        is_last = atomicAdd(&s.ticket[output], 1) == SAMPLE_BLOCKS - 1;
    }
    __syncthreads();
    if (!is_last || threadIdx.x >= 32)
        return;
    __threadfence();
    most = 0;
#pragma unroll
    for (int i = 0; i < SAMPLE_BLOCKS / 32; i++) {
        uint64_t of = __ldcg((unsigned long long *)&s.best[output * SAMPLE_BLOCKS + i * 32] +
                             threadIdx.x);
        most = of > most ? of : most;
    }
    most = warp_max(most);
    if (threadIdx.x == 0) {
        int id = most == invalid || most == 0 ? -1 : (int)~(uint32_t)most;
        s.ids[output] = id;
        s.most[output] = {id < 0 ? 0 : logits[id], id};
        s.ticket[output] = 0;
    }
}

cudaError_t launch_sample_best(const struct cuda_queue *q, const struct cuda_sample *s,
                               int n_outputs)
{
    return launch(q, best, dim3(SAMPLE_BLOCKS, (unsigned)n_outputs), BEST_THREADS, 0, *s);
}

/* The draw: a few blocks for each output, each with a share of the vocabulary, and each warp with
 * a piece of the share, in the order of ids. From compute capability 9.0 on the blocks form a
 * cluster, which has its own barrier, and keep the probabilities in shared memory; elsewhere there
 * is one block, which keeps them in place of the logits. Sums over the blocks are made by atomics
 * in the L2 cache: reading another block's shared memory is slow. */

static __device__ __forceinline__ int blocks_of_draw(void)
{
    unsigned n = 1;
#if __CUDA_ARCH__ >= 900
    asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(n));
#endif
    return (int)n;
}

static __device__ __forceinline__ int block_of_draw(void)
{
    unsigned i = 0;
#if __CUDA_ARCH__ >= 900
    asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(i));
#endif
    return (int)i;
}

static __device__ __forceinline__ void sync_draw(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.arrive.aligned;\n"
                 "barrier.cluster.wait.aligned;" ::
                     : "memory");
#else
    __syncthreads();
#endif
}

static __device__ __forceinline__ unsigned long long sum_lanes(unsigned long long v)
{
#if __CUDA_ARCH__ >= 800
    /* 32 numbers of 27 bits sum to at most 32 bits. */
    const unsigned low = (1u << 27) - 1;
    return __reduce_add_sync(~0u, (unsigned)v & low) +
           ((unsigned long long)__reduce_add_sync(~0u, (unsigned)(v >> 27) & low) << 27) +
           ((unsigned long long)__reduce_add_sync(~0u, (unsigned)(v >> 54)) << 54);
#else
    for (int k = 16; k > 0; k >>= 1)
        v += __shfl_xor_sync(~0u, v, k);
    return v;
#endif
}

/* The sum over this lane and those below it. */
static __device__ __forceinline__ unsigned long long sum_up_to_lane(unsigned long long v)
{
    for (int k = 1; k < 32; k *= 2) {
        unsigned long long other = __shfl_up_sync(~0u, v, k);
        v += (int)threadIdx.x % 32 >= k ? other : 0;
    }
    return v;
}

/* The last candidate kept, in the order of probability: kept are those with more bits than `bits`,
 * and of equal ones those with ids up to `id`. */
struct cut {
    uint32_t bits;
    int id;
};

/* A sum of weights in two halves: shared memory has no 64-bit atomic addition. */
struct sum {
    uint32_t low, high;
};

struct block {
    struct sum bins[DRAW_BINS];
    unsigned long long warps[N_WARPS]; /* of each warp's piece */
    struct chosen {
        uint32_t bin;
        unsigned long long there, left;
    } chosen;
    int id;
};

/* A warp's piece: ids [first, last). p: their probabilities, times a constant. */
struct piece {
    float *p;
    int first, last;
};

/* 2^46 p. */
static __device__ __forceinline__ unsigned long long mass_of(float p)
{
    return __float2ull_rz(p * 0x1p46f);
}

/* Branch-free. Probability 0 is never kept; {0, -1} keeps all others. */
static __device__ __forceinline__ bool kept(const struct cut &cut, float p, int id)
{
    uint32_t bits = __float_as_uint(p);
    return (bits > cut.bits) | ((bits == cut.bits) & (id <= cut.id));
}

/* Turns logits into probabilities, times a constant. */
static __device__ __forceinline__ void weigh(const struct piece &s, const float *logits, float max,
                                             float scale)
{
    enum { AT_ONCE = 5 };
    int lane = threadIdx.x % 32, n = s.last - s.first;

#pragma unroll 1
    for (int at = lane; at < n; at += AT_ONCE * 32) {
        float v[AT_ONCE];
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++)
            v[k] = at + k * 32 < n ? logits[s.first + at + k * 32] : 0;
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++) {
            float x = (v[k] - max) * scale;
            if (at + k * 32 < n)
                s.p[at + k * 32] = x > -23 ? expf(x) : 0;
        }
    }
}

/* Calls visit(id, p) for the whole piece, in rows of 32 ids, until it returns false; p is 0 past
 * the end. */
template <class V> static __device__ __forceinline__ void visit_rows(const struct piece &s, V visit)
{
    int lane = threadIdx.x % 32, n = s.last - s.first;

#pragma unroll 1
    for (int at = 0; at < n; at += 32)
        if (!visit(s.first + at + lane, at + lane < n ? s.p[at + lane] : 0))
            return;
}

/* The sums that the blocks of a draw share. A slot can be reused after the next sync_draw. */
struct together {
    struct cuda_draw *all;
    int bins, totals; /* the slots to use next */
};

/* Sums of a number that each warp has: over the warps before this one, in all blocks; and over
 * all. */
struct sums {
    unsigned long long before, all;
};

static __device__ __forceinline__ struct sums sum_warps(struct block &b, struct together &t,
                                                        unsigned long long mine)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, block = block_of_draw();
    unsigned long long *totals = t.all->totals[t.totals];

    t.totals = (t.totals + 1) % DRAW_TOTALS;
    if (lane == 0)
        b.warps[warp] = mine;
    __syncthreads();
    unsigned long long of = b.warps[lane], here = sum_lanes(of);
    if (threadIdx.x == 0)
        totals[block] = here;
    sync_draw();
    unsigned long long there = lane < blocks_of_draw() ? __ldcg(&totals[lane]) : 0;
    return {sum_lanes(lane < block ? there : 0) + sum_lanes(lane < warp ? of : 0),
            sum_lanes(there)};
}

static __device__ __forceinline__ void add_to(struct sum &to, unsigned long long weight)
{
    uint32_t low = (uint32_t)weight, high = (uint32_t)(weight >> 32);

    high += atomicAdd(&to.low, low) + low < low;
    if (high > 0)
        atomicAdd(&to.high, high);
}

/* The weight of a candidate: its mass, or 1 to count candidates. */
static __device__ __forceinline__ unsigned long long weight_of(bool by_mass, float p)
{
    return by_mass ? mass_of(p) : 1;
}

/* Adds up the candidates whose bits begin with `prefix` in bins by their next DRAW_BITS bits.
 * Returns the sum in this thread's bin over all blocks. */
static __device__ __forceinline__ unsigned long long
weigh_bins(struct block &b, struct together &t, const struct piece &s, const struct cut &before,
           bool by_mass, uint32_t prefix, int round, int bin)
{
    int shift = DRAW_BITS * (DRAW_ROUNDS - 1 - round);
    unsigned long long *all = &t.all->bins[t.bins][bin];

    t.bins = (t.bins + 1) % DRAW_ROUNDS;
    b.bins[bin] = {0, 0};
    __syncthreads();
    visit_rows(s, [&](int id, float p) {
        uint32_t bits = __float_as_uint(p) - lowest_bits;
        if (kept(before, p, id) & (bits >> (shift + DRAW_BITS) == prefix))
            add_to(b.bins[bits >> shift & (DRAW_BINS - 1)], weight_of(by_mass, p));
        return true;
    });
    __syncthreads();
    unsigned long long here = (unsigned long long)b.bins[bin].high << 32 | b.bins[bin].low;
    if (here > 0)
        atomicAdd(all, here);
    if (block_of_draw() == 0)
        t.all->bins[t.bins][bin] = 0;
    sync_draw();
    return __ldcg(all);
}

/* Finds the bin, from the most likely down, in which the running sum reaches `limit`, or top_p of
 * the total if top_p < 1. Sets b.chosen: the bin's weight, and how much of it is still to be kept.
 */
static __device__ __forceinline__ void choose_bin(struct block &b, int bin, unsigned long long own,
                                                  unsigned long long limit, float top_p)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned long long so_far = sum_up_to_lane(own);

    if (lane == 31)
        b.warps[warp] = so_far;
    __syncthreads();
    so_far += sum_lanes(lane < warp ? b.warps[lane] : 0);
    if (top_p < 1)
        limit = (unsigned long long)((double)sum_lanes(b.warps[lane]) * (double)top_p);
    unsigned long long above = so_far - own;
    if ((bin == DRAW_BINS - 1 || above < limit) && (bin == 0 || so_far >= limit))
        b.chosen = {(uint32_t)bin, own, limit - above};
    __syncthreads();
}

/* Of all candidates with exactly these bits the first n are kept: the id of the last one kept in
 * this share, -1 if none is, INT_MAX if all are. */
static __device__ __forceinline__ int find_equal(struct block &b, struct together &t,
                                                 const struct piece &s, uint32_t bits,
                                                 unsigned long long n)
{
    int lane = threadIdx.x % 32;
    unsigned long long mine = 0;

    visit_rows(s, [&](int, float p) {
        mine += __popc(__ballot_sync(~0u, __float_as_uint(p) == bits));
        return true;
    });
    unsigned long long before = sum_warps(b, t, mine).before;
    if (threadIdx.x == 0)
        b.id = before >= n ? -1 : INT_MAX;
    __syncthreads();
    if (before < n && before + mine >= n) {
        visit_rows(s, [&](int id, float p) {
            unsigned here = __ballot_sync(~0u, __float_as_uint(p) == bits);
            if ((here >> lane & 1) && before + __popc(here & ((2u << lane) - 1)) == n)
                b.id = id;
            before += __popc(here);
            return before < n;
        });
    }
    __syncthreads();
    return b.id;
}

/* Keeps the most likely: `limit` of them, or as many as have top_p of the mass if top_p < 1. */
static __device__ __forceinline__ struct cut select_head(struct block &b, struct together &t,
                                                         const struct piece &s,
                                                         const struct cut &before,
                                                         unsigned long long limit, float top_p)
{
    int bin = DRAW_BINS - 1 - (int)threadIdx.x; /* the most likely ones first */
    bool by_mass = top_p < 1;
    uint32_t prefix = 0;

#pragma unroll 1
    for (int round = 0; round < DRAW_ROUNDS; round++) {
        unsigned long long own = weigh_bins(b, t, s, before, by_mass, prefix, round, bin);
        choose_bin(b, bin, own, limit, round == 0 ? top_p : 1);
        prefix = prefix << DRAW_BITS | b.chosen.bin;
        limit = b.chosen.left;
    }
    /* All remaining candidates are equal. */
    uint32_t bits = prefix + lowest_bits;
    unsigned long long each = weight_of(by_mass, __uint_as_float(bits)), n = 1;
    if (limit > each)
        n = (limit + each - 1) / each;
    return {bits, n * each < b.chosen.there ? find_equal(b, t, s, bits, n) : INT_MAX};
}

static __device__ __forceinline__ unsigned long long mass_kept(const struct cut &cut, float p,
                                                               int id)
{
    return kept(cut, p, id) ? mass_of(p) : 0;
}

/* The sum of the kept mass. */
static __device__ __forceinline__ struct sums sum_kept(struct block &b, struct together &t,
                                                       const struct piece &s, const struct cut &cut)
{
    unsigned long long sum = 0;

    visit_rows(s, [&](int id, float p) {
        sum += mass_kept(cut, p, id);
        return true;
    });
    return sum_warps(b, t, sum_lanes(sum));
}

/* The first kept id of a warp's piece at which the running mass, with that before the piece,
 * exceeds `target`; or -1. */
static __device__ __forceinline__ int walk_to(const struct piece &s, const struct cut &cut,
                                              unsigned long long before, unsigned long long target)
{
    int found = -1;

    if (target < before)
        return -1;
    visit_rows(s, [&](int id, float p) {
        unsigned long long mass = mass_kept(cut, p, id), all = sum_lanes(mass);
        if (before + all > target) {
            unsigned reached = __ballot_sync(~0u, before + sum_up_to_lane(mass) > target);
            found = __shfl_sync(~0u, id, __ffs((int)reached) - 1);
        }
        before += all;
        return found < 0;
    });
    return found;
}

static __device__ __forceinline__ int part_of(int n, int i, int parts)
{
    return (int)((long long)n * i / parts);
}

/* Grid: outputs, times the blocks of a draw. A cluster has shared memory for its blocks' shares. */
template <bool CLUSTER>
static __global__ void __launch_bounds__(THREADS) draw(const __grid_constant__ struct cuda_sample s)
{
    __shared__ struct block b;
    int n = blocks_of_draw(), output = (int)blockIdx.x / n, block = block_of_draw();
    int warp = block * N_WARPS + (int)threadIdx.x / 32;
    const struct cuda_pick &pick = s.picks[output];
    float *logits = s.logits + (size_t)output * s.n_vocab;
    struct piece piece = {NULL, part_of(s.n_vocab, warp, n * N_WARPS),
                          part_of(s.n_vocab, warp + 1, n * N_WARPS)};
    struct together t = {&s.draws[output], 0, 0};
    struct cut cut = {0, -1};

    let_next_start();
    wait_for_last();
    struct cuda_most most = s.most[output];
    if (pick.temperature == 0 || most.id < 0)
        return;
    extern __shared__ float shared[];
    piece.p = CLUSTER ? shared + piece.first - part_of(s.n_vocab, block, n) : logits + piece.first;
    weigh(piece, logits, most.logit, fminf(1 / pick.temperature, FLT_MAX));
#pragma unroll 1
    for (int by_mass = 0; by_mass < 2; by_mass++)
        if (by_mass ? pick.top_p < 1 : pick.top_k > 0)
            cut = select_head(b, t, piece, cut, (unsigned long long)pick.top_k,
                              by_mass ? pick.top_p : 1);
    if (__float_as_uint(pick.min_p) > cut.bits)
        cut = {__float_as_uint(pick.min_p), s.n_vocab};
    struct sums sums = sum_kept(b, t, piece, cut);
    int id = walk_to(piece, cut, sums.before,
                     (unsigned long long)(pick.uniform * (double)sums.all));
    if (id >= 0 && threadIdx.x % 32 == 0)
        s.ids[output] = id;
}

cudaError_t launch_sample_draw(const struct cuda_queue *q, const struct cuda_sample *s,
                               int n_outputs)
{
    size_t shared = (size_t)(s->n_vocab / DRAW_BLOCKS + 1) * sizeof(float);

    if (q->dependent && shared + sizeof(struct block) <= q->block_shared)
        return launch_clusters(q, draw<true>, DRAW_BLOCKS,
                               dim3((unsigned)(DRAW_BLOCKS * n_outputs)), THREADS, shared, *s);
    return launch(q, draw<false>, dim3((unsigned)n_outputs), THREADS, 0, *s);
}
