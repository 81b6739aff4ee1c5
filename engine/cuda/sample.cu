/* sample.cu - the next token from logits that stay on the device; see sampler.h and sampler.c, whose
 * order of steps and draw these are.
 *
 * Probabilities are added up as integers (2^46 is 1), so that a sum does not depend on the order of
 * its terms. The cut of top-k and top-p is found by three rounds of counting: each looks at the next
 * bits of the probabilities (positive floats are ordered as their bits are). */
#include "cuda/device.cuh"

enum { BEST_THREADS = 256, DRAW_BLOCKS = 8, THREADS = 1024, N_WARPS = THREADS / 32 };
enum { BINS = 1024, BITS = 10, ROUNDS = 3 };

/* exp(-23) and more as bits less this are below 2^30: three rounds of ten bits. */
static const uint32_t lowest_bits = 0x2e000000;

/* A float's order as an integer's, and the lower id first among equals. */
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

/* Rank of a logit that no number may have: the model is damaged. */
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

/* The greatest rank among ids [first, last). What may not be picked is put out of the way. */
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

/* The draw: a few blocks for each output, each with a share of the vocabulary in the order of ids, and
 * each warp with a piece of the share. They are a cluster, whose blocks read each other's shared memory
 * (from compute capability 9.0 on); elsewhere there is one. */

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

/* The sum of of(i, what block i of the draw has where this one has *mine). */
template <class T, class F>
static __device__ __forceinline__ unsigned long long sum_blocks(const T *mine, F of)
{
    unsigned long long sum = 0;
#pragma unroll
    for (int i = 0; i < DRAW_BLOCKS; i++) {
        const T *theirs = mine;
#if __CUDA_ARCH__ >= 900
        asm("mapa.u64 %0, %1, %2;" : "=l"(theirs) : "l"(mine), "r"(i));
#endif
        if (i < blocks_of_draw())
            sum += of(i, *theirs);
    }
    return sum;
}

/* The last candidate that is kept, most likely first: those with more bits than `bits`, and of equal
 * ones those with ids up to `id`. */
struct cut {
    uint32_t bits;
    int id;
};

/* A sum of masses, as two halves: shared memory adds up no longer ones at once. */
struct mass {
    uint32_t low, high;
};

struct block {
    uint32_t count[BINS];
    struct mass mass[BINS];
    unsigned long long total;          /* for the other blocks */
    unsigned long long warps[N_WARPS]; /* of each warp's piece */
    struct {
        unsigned long long count, mass;
    } scan[N_WARPS];
    struct chosen {
        uint32_t bin, there;
        unsigned long long count, mass;
    } chosen;
    int id;
};

/* A block's share: ids [first, last). */
struct share {
    const float *p;
    int first, last;
};

/* More than any count, or mass. */
static const unsigned long long no_limit = ~0ull >> 1;

/* 2^46 p, by its bits: doubles are slow. */
static __device__ __forceinline__ unsigned long long mass_of(float p)
{
    uint32_t bits = __float_as_uint(p);
    unsigned long long digits = (bits & 0x7fffff) | 0x800000;
    int shift = (int)(bits >> 23) - 127 - 23 + 46;

    return shift >= 0 ? digits << shift : digits >> min(-shift, 63);
}

static __device__ __forceinline__ bool kept(const struct cut &cut, float p, int id)
{
    uint32_t bits = __float_as_uint(p);
    return p > 0 && (bits > cut.bits || (bits == cut.bits && id <= cut.id));
}

/* Where a warp's piece of the share begins. */
static __device__ __forceinline__ int piece(const struct share &s, int warp)
{
    return s.first + (int)((long long)(s.last - s.first) * warp / N_WARPS);
}

/* visit(id, p) of all of the share, in no order, by all threads. */
template <class V> static __device__ __forceinline__ void visit_all(const struct share &s, V visit)
{
    enum { AT_ONCE = 8 };

    for (int begin = s.first + (int)threadIdx.x; begin < s.last; begin += AT_ONCE * THREADS) {
        float p[AT_ONCE];
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++)
            p[k] = begin + k * THREADS < s.last ? s.p[begin + k * THREADS] : 0;
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++)
            visit(begin + k * THREADS, p[k]);
    }
}

/* A number that each warp has, in lane 0: of the warps before this one, of blocks and all. */
struct sums {
    unsigned long long before, all;
};

static __device__ __forceinline__ unsigned long long sum_lanes(unsigned long long v)
{
    for (int k = 16; k > 0; k >>= 1)
        v += __shfl_xor_sync(~0u, v, k);
    return v;
}

static __device__ struct sums sum_warps(struct block &b, unsigned long long mine)
{
    static_assert(N_WARPS == 32, "a lane for each");
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, own = block_of_draw();

    if (lane == 0)
        b.warps[warp] = mine;
    __syncthreads();
    unsigned long long of = b.warps[lane], total = sum_lanes(of);
    struct sums sums = {sum_lanes(lane < warp ? of : 0), 0};
    if (threadIdx.x == 0)
        b.total = total;
    sync_draw();
    sums.before += sum_blocks(&b.total,
                              [&](int i, unsigned long long v) { return i < own ? v : 0; });
    sums.all = sum_blocks(&b.total, [](int, unsigned long long v) { return v; });
    sync_draw();
    return sums;
}

static __device__ __forceinline__ void add_mass(struct mass &to, unsigned long long mass)
{
    uint32_t low = (uint32_t)mass, high = (uint32_t)(mass >> 32);

    high += atomicAdd(&to.low, low) + low < low;
    if (high > 0)
        atomicAdd(&to.high, high);
}

/* Counts the share's candidates whose bits begin with `prefix`, by the next BITS bits. */
static __device__ void fill_bins(struct block &b, const struct share &s, uint32_t prefix, int round,
                                 const struct cut &before)
{
    int shift = BITS * (ROUNDS - 1 - round);

    b.count[threadIdx.x] = 0;
    b.mass[threadIdx.x] = {0, 0};
    __syncthreads();
    visit_all(s, [&](int id, float p) {
        uint32_t bits = __float_as_uint(p) - lowest_bits;
        if (!kept(before, p, id) || (round > 0 && bits >> (shift + BITS) != prefix))
            return;
        int bin = bits >> shift & (BINS - 1);
        atomicAdd(&b.count[bin], 1);
        add_mass(b.mass[bin], mass_of(p));
    });
    sync_draw();
}

/* Goes down the bins, of all blocks together, to the one in which enough is kept: `count` or `mass`,
 * whichever is less, or top_p of all mass, where that is less than 1. Into b.chosen, of which count and
 * mass are what is still to be kept there. */
static __device__ void choose_bin(struct block &b, unsigned long long count,
                                  unsigned long long mass, float top_p)
{
    static_assert(BINS == THREADS, "a bin for each thread, the most likely ones first");
    int bin = BINS - 1 - (int)threadIdx.x, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned long long own_n = sum_blocks(&b.count[bin], [](int, uint32_t v) { return v; });
    unsigned long long own_m = sum_blocks(&b.mass[bin], [](int, const struct mass &v) {
        return (unsigned long long)v.high << 32 | v.low;
    });
    unsigned long long n = own_n, m = own_m; /* of this bin and those above */

    for (int k = 1; k < 32; k *= 2) {
        unsigned long long other_n = __shfl_up_sync(~0u, n, k), other_m = __shfl_up_sync(~0u, m, k);
        n += lane >= k ? other_n : 0;
        m += lane >= k ? other_m : 0;
    }
    if (lane == 31)
        b.scan[warp] = {n, m};
    __syncthreads();
    unsigned long long all = sum_lanes(b.scan[lane].mass);
    n += sum_lanes(lane < warp ? b.scan[lane].count : 0);
    m += sum_lanes(lane < warp ? b.scan[lane].mass : 0);
    if (top_p < 1)
        mass = (unsigned long long)((double)all * (double)top_p);
    bool above = bin < BINS - 1 && (n - own_n >= count || m - own_m >= mass);
    if (!above && (bin == 0 || n >= count || m >= mass))
        b.chosen = {(uint32_t)bin, (uint32_t)own_n, count - (n - own_n), mass - (m - own_m)};
    sync_draw();
}

/* The last id of the share that is kept, if of all ids whose bits are these the first n are. */
static __device__ int find_equal(struct block &b, const struct share &s, uint32_t bits,
                                 unsigned long long n)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int first = piece(s, warp), last = piece(s, warp + 1);
    unsigned long long mine = 0;

    for (int i = first; i < last; i += 32)
        mine += __popc(
            __ballot_sync(~0u, i + lane < last && __float_as_uint(s.p[i + lane]) == bits));
    unsigned long long before = sum_warps(b, mine).before;
    if (threadIdx.x == 0)
        b.id = before >= n ? -1 : s.last;
    __syncthreads();
    for (int i = first; i < last && before < n && before + mine >= n; i += 32) {
        bool equal = i + lane < last && __float_as_uint(s.p[i + lane]) == bits;
        unsigned here = __ballot_sync(~0u, equal);
        if (equal && before + __popc(here & ((2u << lane) - 1)) == n)
            b.id = i + lane;
        before += __popc(here);
        mine -= __popc(here);
    }
    __syncthreads();
    return b.id;
}

/* Keeps the most likely: `count` of them, or as many as have top_p of the mass, whichever is less. */
static __device__ __noinline__ struct cut select_head(struct block &b, const struct share &s,
                                                      const struct cut &before,
                                                      unsigned long long count, float top_p)
{
    unsigned long long mass = no_limit;
    uint32_t prefix = 0;

#pragma unroll 1 /* what is done once costs the time that its code takes to come */
    for (int round = 0; round < ROUNDS; round++) {
        fill_bins(b, s, prefix, round, before);
        choose_bin(b, count, mass, round == 0 ? top_p : 1);
        prefix = prefix << BITS | b.chosen.bin;
        count = b.chosen.count;
        mass = b.chosen.mass;
    }
    /* All that are left are equal. */
    uint32_t bits = prefix + lowest_bits;
    unsigned long long each = mass_of(__uint_as_float(bits)), there = b.chosen.there;
    unsigned long long by_mass = each > 0 ? (mass + each - 1) / each : count;
    unsigned long long n = count < by_mass ? count : by_mass;
    n = n < 1 ? 1 : n;
    return {bits, n < there ? find_equal(b, s, bits, n) : s.last};
}

/* Kept mass. */
static __device__ struct sums sum_kept(struct block &b, const struct share &s,
                                       const struct cut &cut)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned long long sum = 0;

    for (int i = piece(s, warp) + lane; i < piece(s, warp + 1); i += 32)
        sum += kept(cut, s.p[i], i) ? mass_of(s.p[i]) : 0;
    return sum_warps(b, sum_lanes(sum));
}

/* The first kept id of a warp's piece at which the masses so far, those before the piece included, are
 * more than `target`; or -1. */
static __device__ int walk_to(const struct share &s, const struct cut &cut,
                              unsigned long long before, unsigned long long target)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, last = piece(s, warp + 1);

    if (target < before)
        return -1;
    for (int i = piece(s, warp); i < last; i += 32) {
        int id = i + lane;
        unsigned long long mass = 0;
        if (id < last && kept(cut, s.p[id], id))
            mass = mass_of(s.p[id]);
        for (int k = 1; k < 32; k *= 2) { /* sums up to this lane */
            unsigned long long other = __shfl_up_sync(~0u, mass, k);
            mass += lane >= k ? other : 0;
        }
        unsigned reached = __ballot_sync(~0u, before + mass > target);
        if (reached)
            return i + __ffs((int)reached) - 1;
        before += __shfl_sync(~0u, mass, 31);
    }
    return -1;
}

/* Turns the share's logits into probabilities, times a constant. */
static __device__ void weigh(float *p, const struct share &s, float max, float temperature)
{
    visit_all(s, [&](int id, float logit) {
        float x = (logit - max) / temperature;
        if (id < s.last)
            p[id] = x > -23 ? expf(x) : 0;
    });
    __syncthreads();
}

/* Grid: outputs, times the blocks of a draw. */
static __global__ void __launch_bounds__(THREADS) draw(const __grid_constant__ struct cuda_sample s)
{
    __shared__ struct block b;
    int n = blocks_of_draw(), i = block_of_draw(), output = (int)blockIdx.x / n;
    float *p = s.logits + (size_t)output * s.n_vocab;
    const struct share share = {p, (int)((long long)s.n_vocab * i / n),
                                (int)((long long)s.n_vocab * (i + 1) / n)};
    const struct cuda_pick &pick = s.picks[output];

    let_next_start();
    wait_for_last();
    struct cuda_most most = s.most[output];
    if (pick.temperature == 0 || most.id < 0)
        return;
    weigh(p, share, most.logit, pick.temperature);
    struct cut cut = {0, -1};
    if (pick.top_k > 0)
        cut = select_head(b, share, cut, (unsigned long long)pick.top_k, 1);
    if (pick.top_p < 1)
        cut = select_head(b, share, cut, no_limit, pick.top_p);
    if (__float_as_uint(pick.min_p) > cut.bits)
        cut = {__float_as_uint(pick.min_p), s.n_vocab};
    struct sums sums = sum_kept(b, share, cut);
    int id = walk_to(share, cut, sums.before,
                     (unsigned long long)(pick.uniform * (double)sums.all));
    if (id >= 0 && threadIdx.x % 32 == 0)
        s.ids[output] = id;
}

cudaError_t launch_sample_draw(const struct cuda_queue *q, const struct cuda_sample *s,
                               int n_outputs)
{
    int n = q->dependent ? DRAW_BLOCKS : 1; /* both came with compute capability 9.0 */

    return launch_clusters(q, draw, n, dim3((unsigned)(n * n_outputs)), THREADS, 0, *s);
}
