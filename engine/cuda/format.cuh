/* format.cuh - how the matrices of each format lie on the device, and what their bits mean.
 *
 * A chunk of a tile is eight rows and 256 columns: two halves of four units of 32 columns. Of the
 * quantised formats it is one piece of memory, a tile's chunks follow each other, and in a chunk:
 *   code    per half, 16 bytes per lane: word u = unit u's eight columns, column 2j in nibble j,
 *           2j + 1 in nibble j + 4. Q8: twice 16 bytes, unit after unit, plus 128
 *   high    A5, K5: a byte per half, lane and unit, bit j as nibble j. K6: a word per half, lane
 *           and two units: pair j's bits at 2 j (in the second unit 8 + 2 j) and 16 further on
 *   scale   per half and row: Q8 4 halves; A4, A5 4 x {scale, offset} halves; K4, K5 4 x {scale,
 *           minimum} bytes; K6 8 bytes, plus 128
 *   super   per row: K4, K5 {d, -dmin}; K6 d
 * F16 is plain rows, so that cuBLAS can read them too; a chunk is a part of eight of them.
 *
 * A format<F> reads: load() takes half a chunk into a lane's registers, expand() turns one unit of
 * it into halves; see scale_codes for how. */
#ifndef ENGINE_CUDA_FORMAT_CUH
#define ENGINE_CUDA_FORMAT_CUH

#include "cuda/device.cuh"

/* Bytes of the parts of a chunk. */
struct parts {
    int code, high, scale, super;
};

static __host__ __device__ constexpr struct parts parts_of(int format)
{
    return format == CUDA_F16  ? parts{TILE * CHUNK * 2, 0, 0, 0}
           : format == CUDA_Q8 ? parts{TILE * CHUNK, 0, TILE * 16, 0}
           : format == CUDA_A4 ? parts{TILE * CHUNK / 2, 0, TILE * 32, 0}
           : format == CUDA_A5 ? parts{TILE * CHUNK / 2, TILE * CHUNK / 8, TILE * 32, 0}
           : format == CUDA_K4 ? parts{TILE * CHUNK / 2, 0, TILE * 16, TILE * 4}
           : format == CUDA_K5 ? parts{TILE * CHUNK / 2, TILE * CHUNK / 8, TILE * 16, TILE * 4}
                               : parts{TILE * CHUNK / 2, TILE * CHUNK / 4, TILE * 16, TILE * 2};
}

static __host__ __device__ constexpr int chunk_bytes(int format)
{
    struct parts p = parts_of(format);
    return p.code + p.high + p.scale + p.super;
}

/* Where a chunk is: of F16, the same part of rows `pitch` bytes apart. */
struct chunk {
    const char *at;
    int pitch;
};

static __device__ __forceinline__ struct chunk chunk_at(const struct cuda_matrix &w, int format,
                                                        int tile, int chunk)
{
    const char *data = (const char *)w.data;
    int row = w.n_chunks * CHUNK * 2;

    if (format == CUDA_F16)
        return {data + (size_t)tile * TILE * row + chunk * CHUNK * 2, row};
    return {data + ((size_t)tile * w.n_chunks + chunk) * chunk_bytes(format), 0};
}

/* Weights in the device's memory, and in shared memory. */
struct in_memory {
    template <class T> static __device__ __forceinline__ T get(const char *p)
    {
        if constexpr (sizeof(T) == 16)
            return load_weights(p);
        else
            return __ldg((const T *)p);
    }
};
struct in_shared {
    template <class T> static __device__ __forceinline__ T get(const char *p)
    {
        return *(const T *)p;
    }
};

/* Four bits of each of a lane's eight columns, and higher bits at bits 4 of the halves. */
static __device__ __forceinline__ __half2 code_pair(uint32_t word, int j, uint32_t high, float bias)
{
    uint32_t bits = (word >> 4 * j & 0x000f000f) | high | 0x64006400;
    return __hsub2(half2_of(bits), __float2half2_rn(1024 + bias));
}

/* Bit j of a byte, and bit j + 4, as bits 4 of two halves. */
static __device__ __forceinline__ uint32_t fifth_bits(uint32_t byte, int j)
{
    return ((byte | byte << 12) >> j & 0x00010001) << 4;
}

template <int F> struct format;

template <> struct format<CUDA_F16> {
    static constexpr int AHEAD = 3;
    uint4 w[4];

    template <class M> __device__ void load(const struct chunk &c, int half, int lane)
    {
        const char *at = c.at + lane / 4 * c.pitch + half * (CHUNK / 2) * 2 + lane % 4 * 16;
#pragma unroll
        for (int u = 0; u < 4; u++)
            w[u] = M::template get<uint4>(at + u * UNIT * 2);
    }
    __device__ void expand(int u, uint32_t b[4]) const
    {
        b[0] = w[u].x, b[1] = w[u].y, b[2] = w[u].z, b[3] = w[u].w;
    }
};

template <> struct format<CUDA_Q8> {
    static constexpr int AHEAD = 4;
    uint4 w[2];
    uint2 scale;

    template <class M> __device__ void load(const struct chunk &c, int half, int lane)
    {
        const char *code = c.at + half * 1024 + lane * 16;
        w[0] = M::template get<uint4>(code);
        w[1] = M::template get<uint4>(code + 512);
        scale = M::template get<uint2>(c.at + 2048 + half * 64 + lane / 4 * 8);
    }
    __device__ void expand(int u, uint32_t b[4]) const
    {
        uint32_t word[2] = {u % 2 ? w[u / 2].z : w[u / 2].x, u % 2 ? w[u / 2].w : w[u / 2].y};
        __half2 d = half2_of(u < 2 ? scale.x : scale.y);
        d = u % 2 ? __high2half2(d) : __low2half2(d);
        scale_codes(word[0], word[1], d, b);
    }
};

/* A4 and A5. */
template <int F> struct format_affine {
    static constexpr int AHEAD = 4;
    uint4 w, scale;
    uint32_t high;

    template <class M> __device__ void load(const struct chunk &c, int half, int lane)
    {
        constexpr struct parts p = parts_of(F);
        w = M::template get<uint4>(c.at + half * 512 + lane * 16);
        high = 0;
        if (F == CUDA_A5)
            high = M::template get<uint32_t>(c.at + p.code + half * 128 + lane * 4);
        scale = M::template get<uint4>(c.at + p.code + p.high + half * 128 + lane / 4 * 16);
    }
    __device__ void expand(int u, uint32_t b[4]) const
    {
        const uint32_t words[4] = {w.x, w.y, w.z, w.w};
        const uint32_t scales[4] = {scale.x, scale.y, scale.z, scale.w};
        __half2 s = __low2half2(half2_of(scales[u])), o = __high2half2(half2_of(scales[u]));
        uint32_t byte = high >> 8 * u & 255;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            uint32_t fifth = F == CUDA_A5 ? fifth_bits(byte, j) : 0;
            b[j] = bits_of(__hfma2(code_pair(words[u], j, fifth, 0), s, o));
        }
    }
};
template <> struct format<CUDA_A4> : format_affine<CUDA_A4> {
};
template <> struct format<CUDA_A5> : format_affine<CUDA_A5> {
};

/* K4 and K5. */
template <int F> struct format_super {
    static constexpr int AHEAD = 4;
    uint4 w;
    uint2 scale;
    uint32_t high, super;

    template <class M> __device__ void load(const struct chunk &c, int half, int lane)
    {
        constexpr struct parts p = parts_of(F);
        const char *scales = c.at + p.code + p.high;
        w = M::template get<uint4>(c.at + half * 512 + lane * 16);
        high = 0;
        if (F == CUDA_K5)
            high = M::template get<uint32_t>(c.at + p.code + half * 128 + lane * 4);
        scale = M::template get<uint2>(scales + half * 64 + lane / 4 * 8);
        super = M::template get<uint32_t>(scales + p.scale + lane / 4 * 4);
    }
    __device__ void expand(int u, uint32_t b[4]) const
    {
        const uint32_t words[4] = {w.x, w.y, w.z, w.w};
        uint32_t bytes = __byte_perm(u < 2 ? scale.x : scale.y, 0x64646464,
                                     u % 2 ? 0x4342 : 0x4140);
        float2 d = __half22float2(half2_of(super));
        float2 both = __half22float2(__hsub2(half2_of(bytes), __float2half2_rn(1024)));
        float s = both.x * d.x, o = both.y * d.y; /* halves would not do: they nearly cancel */
        uint32_t byte = high >> 8 * u & 255;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            uint32_t fifth = F == CUDA_K5 ? fifth_bits(byte, j) : 0;
            float2 q = __half22float2(code_pair(words[u], j, fifth, 0));
            b[j] = bits_of(__floats2half2_rn(q.x * s + o, q.y * s + o));
        }
    }
};
template <> struct format<CUDA_K4> : format_super<CUDA_K4> {
};
template <> struct format<CUDA_K5> : format_super<CUDA_K5> {
};

template <> struct format<CUDA_K6> {
    static constexpr int AHEAD = 4;
    uint4 w;
    uint2 high, scale;
    uint32_t super;
    int shift;

    template <class M> __device__ void load(const struct chunk &c, int half, int lane)
    {
        constexpr struct parts p = parts_of(CUDA_K6);
        const char *scales = c.at + p.code + p.high;
        w = M::template get<uint4>(c.at + half * 512 + lane * 16);
        high = M::template get<uint2>(c.at + p.code + half * 256 + lane * 8);
        scale = M::template get<uint2>(scales + half * 64 + lane / 4 * 8);
        super = M::template get<uint16_t>(scales + p.scale + lane / 4 * 2);
        shift = lane % 4 / 2 * 8; /* a unit has two scales */
    }
    __device__ void expand(int u, uint32_t b[4]) const
    {
        const uint32_t words[4] = {w.x, w.y, w.z, w.w};
        uint32_t byte = (u < 2 ? scale.x : scale.y) >> (u % 2 * 16 + shift) & 255;
        uint32_t bits = (u < 2 ? high.x : high.y) >> u % 2 * 8;
        __half2 d = __low2half2(half2_of(super));
        __half2 s = __hmul2(
            __hsub2(half2_of(byte | byte << 16 | 0x64006400), __float2half2_rn(1152)), d);
#pragma unroll
        for (int j = 0; j < 4; j++)
            b[j] = bits_of(
                __hmul2(code_pair(words[u], j, (bits >> 2 * j & 0x00030003) << 4, 32), s));
    }
};

/* A thread writes the eight columns of each unit of half a chunk that a lane holds of the row. */
template <int F>
static __device__ __forceinline__ void embed_row(const struct cuda_matrix &w, int row, int cols,
                                                 int n_threads, float *x)
{
    for (int i = threadIdx.x; i < w.n_chunks * 8; i += n_threads) {
        int half = i / 4, t = i % 4;
        format<F> f;
        f.template load<in_memory>(chunk_at(w, F, row / TILE, half / 2), half % 2,
                                   row % TILE * 4 + t);
#pragma unroll
        for (int u = 0; u < 4; u++) {
            uint32_t b[4];
            f.expand(u, b);
            for (int j = 0; j < 4; j++) {
                int col = half * (CHUNK / 2) + u * UNIT + t * 8 + 2 * j;
                if (col < cols)
                    *(float2 *)(x + col) = __half22float2(half2_of(b[j]));
            }
        }
    }
}

#endif
