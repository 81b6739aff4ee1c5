/* sample.cu - the next token from logits that stay on the device; see sampler.h and sampler.c, whose
 * order of steps and draw these are.
 *
 * Probabilities are added up as integers (2^46 is 1), so that a sum does not depend on the order of
 * its terms. The cut of top-k and top-p is found by three rounds of counting: each looks at the next
 * bits of the probabilities (positive floats are ordered as their bits are). */
#include "cuda/device.cuh"

enum { THREADS = 1024, N_WARPS = THREADS / 32, BINS = 1024, BITS = 10, ROUNDS = 3 };

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

static __device__ void penalise(const struct cuda_pick &pick, float *logits, int first, int last)
{
    int i = threadIdx.x;

    if (pick.repeat_penalty != 1 && i < pick.n_recent && pick.recent[i] >= first &&
        pick.recent[i] < last) {
        float *at = &logits[pick.recent[i]];
        *at = *at > 0 ? *at / pick.repeat_penalty : *at * pick.repeat_penalty;
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

/* Grid: SAMPLE_BLOCKS parts of the vocabulary, outputs. Penalises and bans in place. */
static __global__ void __launch_bounds__(256) best(const __grid_constant__ struct cuda_sample s)
{
    __shared__ uint64_t warps[256 / 32];
    __shared__ bool is_last;
    int output = blockIdx.y;
    float *logits = s.logits + (size_t)output * s.n_vocab;
    int first = (int)((long long)s.n_vocab * blockIdx.x / SAMPLE_BLOCKS);
    int last = (int)((long long)s.n_vocab * (blockIdx.x + 1) / SAMPLE_BLOCKS);

    let_next_start();
    wait_for_last();
    penalise(s.picks[output], logits, first, last);
    uint64_t most = 0;
    for (int i = first + (int)threadIdx.x; i < last; i += 256) {
        float v = logits[i];
        if (!(v < INFINITY)) {
            most = invalid;
        } else if (!may_pick(s, output, i)) {
            logits[i] = -INFINITY;
        } else if (v > -INFINITY) {
            uint64_t rank = rank_of(v, i);
            most = rank > most ? rank : most;
        }
    }
    most = warp_max(most);
    if (threadIdx.x % 32 == 0)
        warps[threadIdx.x / 32] = most;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < 256 / 32; w++)
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
    for (int i = (int)threadIdx.x; i < SAMPLE_BLOCKS; i += 32) {
        uint64_t of = __ldcg((unsigned long long *)&s.best[output * SAMPLE_BLOCKS + i]);
        most = of > most ? of : most;
    }
    most = warp_max(most);
    if (threadIdx.x == 0) {
        int id = most == invalid || most == 0 ? -1 : (int)~(uint32_t)most;
        s.ids[output] = id;
        s.max[output] = id < 0 ? 0 : logits[id];
        s.ticket[output] = 0;
    }
}

cudaError_t launch_sample_best(const struct cuda_queue *q, const struct cuda_sample *s,
                               int n_outputs)
{
    return launch(q, best, dim3(SAMPLE_BLOCKS, (unsigned)n_outputs), 256, 0, *s);
}

/* The draw */

struct bins {
    uint32_t count[BINS];
    unsigned long long mass[BINS];
};

/* The last candidate that is kept, most likely first: those with more bits than `bits`, and of equal
 * ones those with ids up to `id`. */
struct cut {
    uint32_t bits;
    int id;
};

struct block {
    struct bins bins;
    unsigned long long warps[N_WARPS];
    struct cut cut;
    uint32_t prefix;
    unsigned long long count, mass; /* still to be kept */
    unsigned long long kept_mass;
    int id;
};

static __device__ __forceinline__ unsigned long long mass_of(float p)
{
    return (unsigned long long)((double)p * 0x1p46);
}

static __device__ __forceinline__ bool kept(const struct cut &cut, float p, int id)
{
    uint32_t bits = __float_as_uint(p);
    return p > 0 && (bits > cut.bits || (bits == cut.bits && id <= cut.id));
}

/* Each warp has a piece of the vocabulary, for what goes by the order of ids. */
static __device__ __forceinline__ int piece(int n_vocab, int warp)
{
    return (int)((long long)n_vocab * warp / N_WARPS);
}

/* Counts the candidates whose bits begin with b.prefix, by the next BITS bits. */
static __device__ void fill_bins(struct block &b, const float *p, int n_vocab, int round,
                                 const struct cut &before)
{
    int shift = BITS * (ROUNDS - 1 - round);

    for (int i = threadIdx.x; i < BINS; i += THREADS) {
        b.bins.count[i] = 0;
        b.bins.mass[i] = 0;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < n_vocab; i += THREADS) {
        uint32_t bits = __float_as_uint(p[i]) - lowest_bits;
        if (!kept(before, p[i], i) || (round > 0 && bits >> (shift + BITS) != b.prefix))
            continue;
        int bin = bits >> shift & (BINS - 1);
        atomicAdd(&b.bins.count[bin], 1);
        atomicAdd(&b.bins.mass[bin], mass_of(p[i]));
    }
    __syncthreads();
}

/* Goes down the bins to the one in which enough is kept. Thread 0. */
static __device__ void choose_bin(struct block &b)
{
    int bin = BINS - 1;

    for (; bin > 0; bin--) {
        if (b.bins.count[bin] >= b.count || b.bins.mass[bin] >= b.mass)
            break;
        b.count -= b.bins.count[bin];
        b.mass -= b.bins.mass[bin];
    }
    b.prefix = b.prefix << BITS | bin;
}

/* The n-th of the ids whose bits are these. */
static __device__ void find_equal(struct block &b, const float *p, int n_vocab, uint32_t bits,
                                  unsigned long long n)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int first = piece(n_vocab, warp), last = piece(n_vocab, warp + 1);
    unsigned long long mine = 0;

    for (int i = first; i < last; i += 32) {
        bool equal = i + lane < last && __float_as_uint(p[i + lane]) == bits;
        mine += __popc(__ballot_sync(~0u, equal));
    }
    if (lane == 0)
        b.warps[warp] = mine;
    __syncthreads();
    for (int w = 0; w < warp; w++)
        n = n > b.warps[w] ? n - b.warps[w] : 0;
    if (n == 0 || n > mine)
        return;
    for (int i = first; i < last; i += 32) {
        bool equal = i + lane < last && __float_as_uint(p[i + lane]) == bits;
        unsigned here = __ballot_sync(~0u, equal);
        if (n <= (unsigned)__popc(here)) {
            if (equal && __popc(here & ((2u << lane) - 1)) == (int)n)
                b.cut.id = i + lane;
            return;
        }
        n -= __popc(here);
    }
}

/* Keeps the most likely: `count` of them, or as many as reach `mass`, whichever is less. */
static __device__ void select_head(struct block &b, const float *p, int n_vocab,
                                   unsigned long long count, unsigned long long mass)
{
    struct cut before = b.cut;

    __syncthreads();
    if (threadIdx.x == 0) {
        b.count = count;
        b.mass = mass;
        b.prefix = 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        fill_bins(b, p, n_vocab, round, before);
        if (threadIdx.x == 0)
            choose_bin(b);
        __syncthreads();
    }
    /* All that are left are equal. */
    uint32_t bits = b.prefix + lowest_bits;
    unsigned long long each = mass_of(__uint_as_float(bits));
    unsigned long long by_mass = each > 0 ? (b.mass + each - 1) / each : b.count;
    unsigned long long n = b.count < by_mass ? b.count : by_mass;
    unsigned long long there = b.bins.count[b.prefix & (BINS - 1)];
    n = n < 1 ? 1 : n > there ? there : n;
    __syncthreads();
    find_equal(b, p, n_vocab, bits, n);
    __syncthreads();
    if (threadIdx.x == 0)
        b.cut.bits = bits;
    __syncthreads();
}

/* What each warp's piece has of kept mass, in b.warps; all of it in b.kept_mass. */
static __device__ void sum_kept(struct block &b, const float *p, int n_vocab)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned long long sum = 0;

    for (int i = piece(n_vocab, warp) + lane; i < piece(n_vocab, warp + 1); i += 32)
        sum += kept(b.cut, p[i], i) ? mass_of(p[i]) : 0;
    for (int k = 16; k > 0; k >>= 1)
        sum += __shfl_xor_sync(~0u, sum, k);
    if (lane == 0)
        b.warps[warp] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        b.kept_mass = 0;
        for (int w = 0; w < N_WARPS; w++)
            b.kept_mass += b.warps[w];
    }
    __syncthreads();
}

/* The first kept id at which the masses so far are more than `target`. */
static __device__ void walk_to(struct block &b, const float *p, int n_vocab,
                               unsigned long long target)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    unsigned long long before = 0;

    for (int w = 0; w < warp; w++)
        before += b.warps[w];
    if (target < before || target >= before + b.warps[warp])
        return;
    for (int i = piece(n_vocab, warp); i < piece(n_vocab, warp + 1); i += 32) {
        int id = i + lane;
        unsigned long long mass = 0;
        if (id < piece(n_vocab, warp + 1) && kept(b.cut, p[id], id))
            mass = mass_of(p[id]);
        for (int k = 1; k < 32; k *= 2) { /* sums up to this lane */
            unsigned long long other = __shfl_up_sync(~0u, mass, k);
            mass += lane >= k ? other : 0;
        }
        unsigned reached = __ballot_sync(~0u, before + mass > target);
        if (reached) {
            b.id = i + __ffs((int)reached) - 1;
            return;
        }
        before += __shfl_sync(~0u, mass, 31);
    }
}

/* Grid: outputs. */
static __global__ void __launch_bounds__(THREADS) draw(const __grid_constant__ struct cuda_sample s)
{
    __shared__ struct block b;
    int output = blockIdx.x, n_vocab = s.n_vocab;
    float *p = s.logits + (size_t)output * n_vocab;
    const struct cuda_pick &pick = s.picks[output];

    let_next_start();
    wait_for_last();
    if (pick.temperature == 0 || s.ids[output] < 0)
        return;
    float max = s.max[output], temperature = pick.temperature;
    for (int i = threadIdx.x; i < n_vocab; i += THREADS) {
        float x = (p[i] - max) / temperature;
        p[i] = x > -23 ? expf(x) : 0;
    }
    if (threadIdx.x == 0) {
        b.cut.bits = 0;
        b.cut.id = -1;
        b.id = s.ids[output];
    }
    __syncthreads();
    if (pick.top_k > 0)
        select_head(b, p, n_vocab, (unsigned long long)pick.top_k, ~0ull);
    if (pick.top_p < 1) {
        sum_kept(b, p, n_vocab);
        select_head(b, p, n_vocab, ~0ull,
                    (unsigned long long)((double)b.kept_mass * (double)pick.top_p));
    }
    if (threadIdx.x == 0 && __float_as_uint(pick.min_p) > b.cut.bits) {
        b.cut.bits = __float_as_uint(pick.min_p);
        b.cut.id = n_vocab;
    }
    __syncthreads();
    sum_kept(b, p, n_vocab);
    walk_to(b, p, n_vocab, (unsigned long long)(pick.uniform * (double)b.kept_mass));
    __syncthreads();
    if (threadIdx.x == 0)
        s.ids[output] = b.id;
}

cudaError_t launch_sample_draw(const struct cuda_queue *q, const struct cuda_sample *s,
                               int n_outputs)
{
    return launch(q, draw, dim3((unsigned)n_outputs), THREADS, 0, *s);
}
