/* weights.cuh - a block's shares of all matrices in a whole step, and the thread that fetches
 * them; see step.cu.
 *
 * It fetches the block's chunks in order into a ring of slots in shared memory, as far ahead of
 * the workers as there is room. */
#ifndef ENGINE_CUDA_WEIGHTS_CUH
#define ENGINE_CUDA_WEIGHTS_CUH

#include "cuda/heads.cuh"
#include "cuda/ring.cuh"

/* The workers, and one more warp, of which one thread fetches the weights. */
enum { WORKERS = STEP_WORKERS, WARPS = WORKERS / 32, THREADS = WORKERS + 32 };
enum { MAX_SLOTS = 16, PASS_CHUNKS = 384 };

/* Slots being fetched at a time. More would delay the one that is waited for. */
enum { IN_FLIGHT = 2 };

/* The products of a layer, and the output matrix after the last layer. */
enum { QKV, OUT, UP, DOWN, N_PRODUCTS, HEAD = N_PRODUCTS, N_KINDS };

/* Warps that compute attention. More would take the shared memory of a slot. */
static __host__ __device__ constexpr int heads_warps(int head_dim)
{
    return head_dim == 64 ? 12 : 8;
}
static_assert(heads_warps(64) <= WARPS, "it has no others");

/* A block's chunks [first, last) of one kind of product, tile after tile; `first` is chunk
 * `column` of tile `tile`. A pass is as many tiles as there is room for the results of their
 * chunks. All layers have the same shares, and divisions are slow, so they are computed once. */
struct share {
    int first, last, per_tile, tile, column, last_tile, pass_tiles, step;
    int begin[WARPS]; /* the columns of the first chunks */
};

/* Shared memory whose size does not depend on the model's shape. */
template <int D> struct room {
    uint64_t full[MAX_SLOTS], empty[MAX_SLOTS];
    union { /* in turn: a product, attention, merging its ranges */
        alignas(16) float parts[2][PASS_CHUNKS * TILE]; /* each chunk's result for its rows */
        struct heads_memory<D, heads_warps(D)> attention;
    };
    struct share kinds[N_KINDS];
    float sums[WARPS];
    float2 turn[D / 2];
    struct heads_task tasks[WARPS];
    size_t kv_at; /* this position's place in the cache, for layer 0 and KV head 0 */
};

/* A block's part of a product. */
struct chunks {
    struct cuda_matrix w, w2; /* w2: the last tiles, if they have another format */
    const struct share *of;
};

/* Tiles [tile, end), and this block's chunks [first, last) of them. */
struct pass {
    int tile, end, first, last;
};

[[maybe_unused]] static __device__ __forceinline__ struct pass pass_from(const struct share &s,
                                                                         int tile)
{
    int end = min(tile + s.pass_tiles, s.last_tile);
    return {tile, end, max(tile * s.per_tile, s.first), min(end * s.per_tile, s.last)};
}

/* A: the format of most matrices; B: that of the others, or A. */
template <int A, int B, int D> struct weights {
    /* A slot takes a run of chunks, one for each warp of a group; groups take turns, and a slot
     * always belongs to the same group: a warp that skipped a round of a slot would mistake one
     * round for the next. */
    static constexpr int AT_ONCE = A == CUDA_F16 ? WARPS / 3 : WARPS, GROUPS = WARPS / AT_ONCE;
    static constexpr int ROW = AT_ONCE * F16_ROW + F16_PAD;
    static constexpr int CHUNK_MOST = chunk_bytes(A) > chunk_bytes(B) ? chunk_bytes(A)
                                                                      : chunk_bytes(B);
    static constexpr int SLOT = A == CUDA_F16 ? TILE * ROW : AT_ONCE * CHUNK_MOST;

    const struct step_job &job;
    struct room<D> &room;
    const struct step_layer *layers; /* in shared memory */
    char *ring;

    /* The position in the ring of its writer or of a reader. */
    struct cursor {
        int run, slot, phase;
    };

    __device__ struct cuda_matrix matrix(int layer, int kind) const
    {
        return kind == HEAD ? job.output : layers[layer].products[kind];
    }

    __device__ struct chunks chunks_of(int layer, int kind) const
    {
        struct chunks c = {matrix(layer, kind), {}, &room.kinds[kind]};
        if (kind == QKV)
            c.w2 = layers[layer].v;
        return c;
    }

    /* Where the readers add up partial results, two blocks may share a tile. */
    __device__ void work_out_share(int kind) const
    {
        const struct cuda_matrix w = matrix(0, kind);
        struct share &s = room.kinds[kind];
        int n_tiles = w.n_tiles + (kind == QKV ? layers[0].v.n_tiles : 0), per_tile = w.n_chunks;
        bool shared = kind == OUT || kind == DOWN;
        int units = shared ? n_tiles * per_tile : n_tiles, scale = shared ? 1 : per_tile;

        s.per_tile = per_tile;
        s.first = (int)((long long)units * blockIdx.x / gridDim.x) * scale;
        s.last = (int)((long long)units * (blockIdx.x + 1) / gridDim.x) * scale;
        s.tile = s.first / per_tile;
        s.column = s.first % per_tile;
        s.last_tile = (s.last + per_tile - 1) / per_tile;
        s.pass_tiles = PASS_CHUNKS / per_tile;
        s.step = WARPS % per_tile;
        for (int k = 0; k < WARPS; k++)
            s.begin[k] = (s.column + k) % per_tile;
    }

    /* The length of the run that begins with chunk i. */
    static __device__ int run_length(const struct pass &pass, int i)
    {
        return min(pass.last - i, (int)AT_ONCE);
    }

    /* How many chunks from chunk i on belong to the first matrix. */
    static __device__ int of_first(const struct chunks &c, int i)
    {
        return max(c.w.n_tiles * c.of->per_tile - i, 0);
    }

    /* Fetches the run of n chunks from chunk i on. By one thread. */
    __device__ void bring_run(const struct chunks &c, int i, int n, char *slot, uint64_t *full,
                              uint64_t policy) const
    {
        int n_first = min(of_first(c, i), n), first = n_first * bytes_of(c.w);
        int second = (n - n_first) * bytes_of(c.w2), at = max(i - c.w.n_tiles * c.of->per_tile, 0);
        barrier_expect(full, first + second);
        if (first > 0)
            bulk_copy(slot, (const char *)c.w.data + (size_t)i * bytes_of(c.w), first, full,
                      policy);
        if (second > 0)
            bulk_copy(slot + first, (const char *)c.w2.data + (size_t)at * bytes_of(c.w2), second,
                      full, policy);
    }

    /* The same for F16, row by row of each tile; the run begins with chunk `column` of `tile`. */
    __device__ void bring_rows(const struct chunks &c, int tile, int column, int n, char *slot,
                               uint64_t *full, uint64_t policy) const
    {
        barrier_expect(full, n * TILE * F16_ROW);
        for (int k = 0, length; k < n; k += length, column = 0, tile++) {
            struct chunk from = chunk_at(c.w, CUDA_F16, tile, column);
            length = min(n - k, c.of->per_tile - column);
#pragma unroll
            for (int row = 0; row < TILE; row++)
                bulk_copy(slot + row * ROW + k * F16_ROW, from.at + (size_t)row * from.pitch,
                          length * F16_ROW, full, policy);
        }
    }

    static __device__ int bytes_of(const struct cuda_matrix &w)
    {
        return A == B || w.format == A ? chunk_bytes(A) : chunk_bytes(B);
    }

    __device__ void bring_product(int layer, int kind, struct cursor &at, struct cursor &landed,
                                  uint64_t policy) const
    {
        const struct chunks c = chunks_of(layer, kind);
        const struct share &s = *c.of;
        int tile = s.tile, column = s.column;

        for (struct pass pass = pass_from(s, s.tile); pass.tile < s.last_tile;
             pass = pass_from(s, pass.end)) {
            for (int i = pass.first, n; i < pass.last; i += n) {
                char *slot = ring + at.slot * SLOT;
                n = run_length(pass, i);
                if (at.run - landed.run == IN_FLIGHT) {
                    barrier_wait(&room.full[landed.slot], landed.phase);
                    next_run(landed);
                }
                barrier_wait(&room.empty[at.slot], at.phase);
                if (A == CUDA_F16)
                    bring_rows(c, tile, column, n, slot, &room.full[at.slot], policy);
                else
                    bring_run(c, i, n, slot, &room.full[at.slot], policy);
                next_run(at);
                for (column += n; A == CUDA_F16 && column >= s.per_tile; column -= s.per_tile)
                    tile++;
            }
        }
    }

    /* By one thread. */
    __device__ void bring_weights(void) const
    {
        uint64_t policy = read_once();
        struct cursor at = {0, 0, 1}, landed = {0, 0, 0};

        for (int layer = 0; layer < job.n_layer; layer++)
            for (int kind = 0; kind < N_PRODUCTS; kind++)
                bring_product(layer, kind, at, landed, policy);
        bring_product(0, HEAD, at, landed, policy);
    }

    __device__ void next_run(struct cursor &at) const
    {
        at.run++;
        if (++at.slot == job.n_slots) {
            at.slot = 0;
            at.phase ^= 1;
        }
    }
};

#endif
