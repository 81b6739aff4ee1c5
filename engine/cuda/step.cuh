/* step.cuh - the workers of a block in the whole-step kernel, stage by stage; see step.cu. */
#ifndef ENGINE_CUDA_STEP_CUH
#define ENGINE_CUDA_STEP_CUH

#include "cuda/dot.cuh"
#include "cuda/finish.cuh"
#include "cuda/heads.cuh"
#include "cuda/weights.cuh"
#include "cuda/words.cuh"

/* Which of the two partial results added to x a word belongs to; they alternate. */
enum { MARK_OUT = 0, MARK_DOWN = 1 };

/* Pairs of columns that a thread keeps in registers, which bounds n_embd; columns of a sum. */
enum { KEPT = 2, SUMMED = 16 };

/* Products that every block waits for, as increments of a counter. It says that a block is about
 * to write its results: by the time they are looked for, most have arrived. A stage's output may be
 * overwritten once the stage before it has been read: every block takes part in every product, so
 * a block that has all of a stage knows that all blocks have got that far. */
enum { DONE_OUT = 1, DONE_UP, DONE_DOWN, N_DONE = DONE_DOWN };

/* Read once: the compiler would reread threadIdx, and stall on it. */
[[maybe_unused]] static __device__ __forceinline__ int thread_once(void)
{
    int thread;
    asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
    return thread;
}

/* Attention's fresh input: queries, and the new position's keys and values, into shared memory. */
template <int D>
static __device__ __forceinline__ void
take_qkv(const struct heads_task &t, const struct cuda_word *q, const struct cuda_word *kv,
         uint32_t tag, struct heads_memory<D, heads_warps(D)> &memory)
{
    int n_q = t.n_heads * (D / 2), n = n_q + D / 2; /* two words of kv are two pairs of halves */

    q += t.q;
    kv += t.head_kv * D;
    for (int i = threadIdx.x; i < n; i += WORKERS) {
        uint2 v = take_tagged(i < n_q ? q + i * 2 : kv + (i - n_q) * 2, tag);
        if (i < n_q) {
            int head = i / (D / 2), dim = i % (D / 2) * 2;
            *(uint32_t *)&memory.queries.high[head][dim] = v.x;
            *(uint32_t *)&memory.queries.low[head][dim] = v.y;
        } else {
            *(uint2 *)&memory.fresh[0][(i - n_q) * 4] = v;
        }
    }
}

/* Not inlined, to have registers of its own. */
template <int D>
static __device__ __noinline__ void
attend_apart(const struct cuda_attention &a, const struct heads_task &t, int layer,
             const struct cuda_word *q, const struct cuda_word *kv, uint32_t tag,
             struct heads_memory<D, heads_warps(D)> &memory)
{
    auto wait = [&] {
        sync_workers(WORKERS); /* the memory held something else */
        take_qkv<D>(t, q, kv, tag, memory);
        sync_workers(WORKERS);
    };
    attend<D, heads_warps(D), true>(a, t, layer, WORKERS, memory, wait, [&](int at) {
        return rows{memory.fresh[0] - (t.fresh - at) * D, D};
    });
}

/* A: the format of most matrices; B: that of the others, or A. */
template <int A, int B, int D> struct step : weights<A, B, D> {
    using all = weights<A, B, D>;
    using all::AT_ONCE, all::GROUPS, all::ROW, all::SLOT, all::job, all::layers, all::ring,
        all::room;
    using cursor = typename all::cursor;

    float *x;         /* [n_embd] */
    struct columns y; /* the input of a product */
    struct step_before before;
    int thread, warp, lane;

    /* Each KV head and range of positions is one block's task. */
    struct attending {
        const struct heads_task *task; /* of this warp */
        bool mine;
        int n_ranges, n_tasks;
    };

    /* Waiting for the other blocks */

    __device__ void wait_for(int layer, int product) const
    {
        if (thread == 0)
            wait_for_count(&job.exchange.counters->done,
                           ((before.layers + layer) * N_DONE + product) * gridDim.x);
        sync_workers(WORKERS);
    }

    /* The tag of a layer's words; memory starts as zeros, which no layer's tag is. */
    __device__ uint32_t tag_of(int layer) const
    {
        return before.layers + layer + 1;
    }

    /* Inputs */

    /* A thread's part of the norm's gain, loaded before x is complete. */
    struct gain {
        float2 v[KEPT];
    };

    __device__ struct gain load_gain(const float *gain) const
    {
        struct gain g;
#pragma unroll
        for (int k = 0; k < KEPT; k++) {
            int i = thread + k * WORKERS;
            g.v[k] = i < job.n_embd / 2 ? __ldg((const float2 *)gain + i) : make_float2(0, 0);
        }
        return g;
    }

    /* The pending addition to x: [k] is for pair thread + k WORKERS. */
    __device__ void take_added(unsigned mark, float2 v[KEPT]) const
    {
        const float2 *first = (const float2 *)job.exchange.added, *second = first + job.n_embd / 2;
        uint2 a[KEPT] = {}, b[KEPT] = {};
        bool there;

        do {
            there = true;
#pragma unroll
            for (int k = 0; k < KEPT; k++) {
                int i = thread + k * WORKERS;
                if (i < job.n_embd / 2) {
                    a[k] = load_relaxed(first + i);
                    b[k] = load_relaxed(second + i);
                }
            }
#pragma unroll
            for (int k = 0; k < KEPT; k++) {
                unsigned one = a[k].x & a[k].y & b[k].x & b[k].y & 1;
                unsigned some = (a[k].x | a[k].y | b[k].x | b[k].y) & 1;
                there = there &&
                        (thread + k * WORKERS >= job.n_embd / 2 || (mark ? one == 1 : some == 0));
            }
        } while (!there);
#pragma unroll
        for (int k = 0; k < KEPT; k++)
            v[k] = make_float2(__uint_as_float(a[k].x) + __uint_as_float(b[k].x),
                               __uint_as_float(a[k].y) + __uint_as_float(b[k].y));
    }

    /* y = norm(x), after adding the pending part to x. */
    __device__ void norm(const struct gain &gain, bool owed, unsigned mark) const
    {
        int pairs = job.n_embd / 2;
        float2 *x2 = (float2 *)x, v[KEPT] = {};
        float sum = 0;

        if (owed)
            take_added(mark, v);
#pragma unroll
        for (int k = 0; k < KEPT; k++) {
            int i = thread + k * WORKERS;
            if (i < pairs) {
                v[k].x += x2[i].x;
                v[k].y += x2[i].y;
                x2[i] = v[k];
            }
            sum += v[k].x * v[k].x + v[k].y * v[k].y;
        }
        sum = warp_sum(sum);
        if (lane == 0)
            room.sums[warp] = sum;
        sync_workers(WORKERS);
        sum = 0;
#pragma unroll
        for (int i = 0; i < WARPS; i++)
            sum += room.sums[i];
        float scale = rsqrtf(__fdividef(sum, job.n_embd) + job.eps);
#pragma unroll
        for (int k = 0; k < KEPT; k++) {
            int i = thread + k * WORKERS;
            if (i - lane >= pairs)
                break;
            __half2 h = __halves2half2(to_half(v[k].x * scale * gain.v[k].x),
                                       to_half(v[k].y * scale * gain.v[k].y));
            if (i < pairs)
                ((__half2 *)y.x)[i] = h;
            add_sums<8>(sums_of_pair(__half22float2(h), i), i, i < pairs);
        }
        sync_workers(WORKERS);
    }

    /* The sums of 16 columns, from the N lanes that hold their pieces; this lane's is piece i of
     * the row. */
    template <int N> __device__ void add_sums(float2 v, int i, bool on) const
    {
#pragma unroll
        for (int k = N / 2; k > 0; k /= 2) {
            v.x += __shfl_xor_sync(~0u, v.x, k);
            v.y += __shfl_xor_sync(~0u, v.y, k);
        }
        if (on && i % N == 0)
            y.sums[i / N] = v;
    }

    /* Sets eight columns of y, if `on`. Called by whole warps. */
    __device__ void set_columns(int i, bool on, const uint4 &v) const
    {
        const uint32_t words[4] = {v.x, v.y, v.z, v.w};
        float2 sums = make_float2(0, 0);
        if (on)
            ((uint4 *)y.x)[i] = v;
#pragma unroll
        for (int k = 0; k < 4; k++) {
            float2 of = sums_of_pair(__half22float2(half2_of(words[k])), k);
            sums.x += of.x;
            sums.y += of.y;
        }
        add_sums<2>(sums, i, on);
    }

    __device__ void take_h(unsigned mark) const
    {
        enum { AT_A_TIME = 2 };
        int n = job.n_ff / 8;

        for (int first = thread; first - lane < n; first += AT_A_TIME * WORKERS) {
            uint64_t v[AT_A_TIME][2] = {};
            bool there;
            do {
                there = true;
#pragma unroll
                for (int k = 0; k < AT_A_TIME; k++)
                    if (first + k * WORKERS < n)
                        load_relaxed((const uint4 *)job.exchange.h + first + k * WORKERS, v[k]);
#pragma unroll
                for (int k = 0; k < AT_A_TIME; k++)
                    there = there && (first + k * WORKERS >= n ||
                                      ((v[k][0] & 1) == mark && (v[k][1] & 1) == mark));
            } while (!there);
#pragma unroll
            for (int k = 0; k < AT_A_TIME; k++) {
                int i = first + k * WORKERS;
                v[k][0] &= ~1ull, v[k][1] &= ~1ull; /* or results would depend on earlier steps */
                if (i - lane < n)
                    set_columns(i, i < n, *(uint4 *)v[k]);
            }
        }
        sync_workers(WORKERS);
    }

    /* Computes this block's share of attention, if it has one, then y = the merged result of all.
     */
    __device__ void attention(int layer, const struct attending &of) const
    {
        struct step_counters *counters = job.exchange.counters;

        if (of.mine) {
            attend_apart<D>(job.attention, *of.task, layer, job.exchange.q, job.exchange.kv,
                            tag_of(layer), room.attention);
            sync_workers(WORKERS);
            if (thread == 0)
                release_one(&counters->attended);
        }
        if (thread == 0)
            acquire_count(&counters->attended, before.attended + (layer + 1) * of.n_tasks);
        sync_workers(WORKERS);
        merge_ranges<D>(job.merge, 0, of.n_ranges, WORKERS,
                        [&](int i, bool on, uint4 v) { set_columns(i, on, v); });
        sync_workers(WORKERS);
    }

    /* y = the input of a product, once the other blocks have written what it is made from. */
    __device__ void prepare(int layer, int kind, const struct attending &of) const
    {
        if (kind == OUT) {
            attention(layer, of);
        } else if (kind == DOWN) {
            wait_for(layer, DONE_UP);
            take_h(tag_of(layer) & 1);
        } else {
            struct gain gain = load_gain(kind == HEAD ? job.output_norm
                                         : kind == UP ? layers[layer].ffn_norm
                                                      : layers[layer].attn_norm);
            if (kind == UP)
                wait_for(layer, DONE_OUT);
            else if (layer > 0)
                wait_for(layer - 1, DONE_DOWN);
            norm(gain, kind == UP || layer > 0, kind == UP ? MARK_OUT : MARK_DOWN);
        }
    }

    /* Products */

    /* Multiplies chunk k of the run that begins with chunk i, which is chunk `column` of its tile.
     */
    __device__ void multiply_chunk(const struct chunks &c, int i, int k, int column,
                                   const char *slot, float *out) const
    {
        const struct columns columns = {y.x + column * CHUNK, y.sums + column * (CHUNK / SUMMED)};

        if constexpr (A == CUDA_F16) {
            dot_chunk<A>({slot + k * F16_ROW, ROW}, columns, lane, out);
        } else if (A == B || c.w2.n_tiles == 0) {
            if (A == B || c.w.format == A)
                dot_chunk<A>({slot + k * chunk_bytes(A), 0}, columns, lane, out);
            else
                dot_chunk<B>({slot + k * chunk_bytes(B), 0}, columns, lane, out);
        } else {
            int n_first = all::of_first(c, i);
            if (k < n_first)
                dot_chunk<A>({slot + k * chunk_bytes(A), 0}, columns, lane, out);
            else
                dot_chunk<B>({slot + n_first * chunk_bytes(A) + (k - n_first) * chunk_bytes(B), 0},
                             columns, lane, out);
        }
    }

    /* This warp's chunks of a pass: one from each of its group's runs. Warps without a chunk in
     * the last run still wait for its slot, so that no warp gets a whole round ahead. */
    __device__ void multiply_runs(const struct chunks &c, const struct pass &pass, float *parts,
                                  cursor &at) const
    {
        const struct share &s = *c.of;
        int k = warp % AT_ONCE, group = warp / AT_ONCE;
        int first = (group + GROUPS - at.run % GROUPS) % GROUPS * AT_ONCE + k;
        int column = pass.first == s.first ? s.begin[first] : first % s.per_tile;

        for (int i = pass.first, n; i < pass.last; i += n) {
            n = all::run_length(pass, i);
            if (GROUPS == 1 || at.run % GROUPS == group) {
                barrier_wait(&room.full[at.slot], at.phase);
                if (k < n)
                    multiply_chunk(c, i, k, column, ring + at.slot * SLOT,
                                   parts + (i + k - pass.first) * TILE);
                barrier_arrive(&room.empty[at.slot]);
                column += s.step;
                column = column >= s.per_tile ? column - s.per_tile : column;
            }
            all::next_run(at);
        }
    }

    /* Adds up the chunks' results for each tile. */
    __device__ void finish_tiles(int layer, int kind, const struct share &s,
                                 const struct pass &pass, const float *parts) const
    {
        enum { LANES = 8 }; /* that add up a pair of rows together */
        int n = (pass.end - pass.tile) * (TILE / 2) * LANES;

        for (int i = thread; i - lane < n; i += WORKERS) {
            int pair = i / LANES % (TILE / 2), tile = pass.tile + i / LANES / (TILE / 2);
            int low = tile * s.per_tile, high = low + s.per_tile;
            bool begins = low >= s.first, ends = high <= s.last;
            const float2 *of = (const float2 *)parts + pair;
            float2 v = make_float2(0, 0);
            low = max(low, pass.first) - pass.first;
            high = i < n ? min(high, pass.last) - pass.first : 0;
            for (int k = low + i % LANES; k < high; k += LANES) {
                v.x += of[k * (TILE / 2)].x;
                v.y += of[k * (TILE / 2)].y;
            }
#pragma unroll
            for (int k = LANES / 2; k > 0; k /= 2) {
                v.x += __shfl_xor_sync(~0u, v.x, k);
                v.y += __shfl_xor_sync(~0u, v.y, k);
            }
            int row = tile * TILE + pair * 2;
            if (kind == HEAD)
                leave_logits(row, v);
            else if (kind == QKV)
                leave_qkv(layer, row, v);
            else if (kind == UP)
                leave_h(layer, tile, v);
            else
                leave_added(kind == OUT ? MARK_OUT : MARK_DOWN, row, v, begins, ends);
        }
    }

    /* The epilogues, each for a pair of rows. Eight lanes hold the same pair; a warp has a whole
     * tile. */

    __device__ void leave_logits(int row, float2 v) const
    {
        if (lane % 8 == 0 && row < job.n_vocab)
            job.logits[row] = v.x;
        if (lane % 8 == 0 && row + 1 < job.n_vocab)
            job.logits[row + 1] = v.y;
    }

    __device__ void leave_h(int layer, int tile, float2 v) const
    {
        uint32_t h = __half_as_ushort(gated(v.x, v.y));
        uint32_t h1 = __shfl_sync(~0u, h, 8), h2 = __shfl_sync(~0u, h, 16);
        uint32_t h3 = __shfl_sync(~0u, h, 24);

        if (lane == 0 && tile * (TILE / 2) < job.n_ff)
            store_relaxed((uint2 *)job.exchange.h + tile,
                          tagged(marked(h, tag_of(layer) & 1) | h1 << 16, h2 | h3 << 16));
    }

    /* Part of a tile shared with another block, or a whole tile. */
    __device__ void leave_added(unsigned mark, int row, float2 v, bool begins, bool ends) const
    {
        float *first = job.exchange.added + row, *second = first + job.n_embd;
        uint64_t pair = tagged(marked(__float_as_uint(v.x), mark),
                               marked(__float_as_uint(v.y), mark));

        if (lane % 8 == 0)
            store_relaxed(begins ? first : second, pair);
        if (lane % 8 == 1 && begins && ends)
            store_relaxed(second, tagged(mark, mark)); /* zero, but for the mark */
    }

    __device__ void leave_qkv(int layer, int row, float2 v) const
    {
        const struct cuda_cache &c = job.cache;
        int n_q = c.n_head * D, n_kv = c.n_head_kv * D, i = row % D;
        const float *bias = layers[layer].bias;
        uint32_t tag = tag_of(layer);

        if (lane % 8 != 0 || row >= n_q + 2 * n_kv)
            return;
        if (bias) {
            float2 b = __ldg((const float2 *)(bias + row));
            v.x += b.x;
            v.y += b.y;
        }
        if (row < n_q + n_kv) {
            float2 turn = room.turn[i / 2];
            v = make_float2(v.x * turn.x - v.y * turn.y, v.x * turn.y + v.y * turn.x);
        }
        if (row < n_q) {
            uint32_t high, low;
            split_pair(v.x * query_scale(D), v.y * query_scale(D), &high, &low);
            store_relaxed(job.exchange.q + row, tagged(high, tag), tagged(low, tag));
            return;
        }
        int of_values = row >= n_q + n_kv, head_kv = (row - n_q - of_values * n_kv) / D;
        size_t at = room.kv_at +
                    ((size_t)(layer * c.n_head_kv + head_kv) * 2 + of_values) * KV_BLOCK * D + i;
        __half2 pair = __halves2half2(to_half(v.x), to_half(v.y));
        *(__half2 *)((__half *)c.data + at) = pair;
        store_relaxed(job.exchange.kv + head_kv * D + of_values * (D / 2) + i / 2,
                      tagged(bits_of(pair), tag));
    }

    static __device__ bool waited_for(int kind)
    {
        return kind == OUT || kind == UP || kind == DOWN;
    }

    __device__ void multiply(int layer, int kind, cursor &at) const
    {
        const struct chunks c = all::chunks_of(layer, kind);
        const struct share &s = *c.of;
        float *parts = room.parts[0];

        for (struct pass pass = pass_from(s, s.tile); pass.tile < s.last_tile;
             pass = pass_from(s, pass.end)) {
            multiply_runs(c, pass, parts, at);
            sync_workers(WORKERS);
            if (thread == 0 && waited_for(kind) && pass.end == s.last_tile)
                count_one(&job.exchange.counters->done);
            finish_tiles(layer, kind, s, pass, parts);
            parts = parts == room.parts[0] ? room.parts[1] : room.parts[0];
        }
    }

    __device__ struct attending attending_at(int position) const
    {
        int parts = job.cache.n_head_kv * job.attention.n_groups, b = blockIdx.x;
        struct attending of;

        of.n_ranges = heads_ranges(position, job.attention.n_splits).n;
        of.n_tasks = parts * of.n_ranges;
        of.mine = b < of.n_tasks;
        room.tasks[warp] = task_of<D, heads_warps(D)>(job.attention, b % parts,
                                                      of.mine ? b / parts : 0, 0);
        of.task = &room.tasks[warp];
        __syncwarp();
        return of;
    }

    /* x = the token's embedding; also computes the rotary angles, in double: at position 131,072 a
     * float's product is off by hundredths. */
    __device__ void embed(int position) const
    {
        int token = job.step.token[0];

        for (int i = thread; i < D / 2; i += WORKERS) {
            double s, c;
            sincos((double)position * (double)job.inv_freq[i], &s, &c);
            room.turn[i] = make_float2((float)c, (float)s);
        }
        if (A == B || job.embed.format == A)
            embed_row<A>(job.embed, token, job.n_embd, WORKERS, x);
        else
            embed_row<B>(job.embed, token, job.n_embd, WORKERS, x);
        sync_workers(WORKERS);
    }

    __device__ void work(void) const
    {
        cursor at = {0, 0, 0};
        int position = job.step.position[0];

        embed(position);
        const struct attending of = attending_at(position);
        room.kv_at = cache_at(job.cache, job.step, job.step.sequence[0], position, 0, 0);
        for (int layer = 0; layer <= job.n_layer; layer++) {
            int first = layer < job.n_layer ? QKV : HEAD, end = layer < job.n_layer ? DOWN : HEAD;
            for (int kind = first; kind <= end; kind++) {
                prepare(layer, kind, of);
                multiply(layer, kind, at);
            }
        }
        if (blockIdx.x == 0 && thread == 0) /* all have read it */
            *job.exchange.before = {before.layers + job.n_layer,
                                    before.attended + job.n_layer * of.n_tasks};
    }
};

#endif
