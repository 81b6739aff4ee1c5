/* format.cuh - how the matrices of each format lie on the device, and what their bits mean.
 *
 * A tile of a quantised format is a few planes, one after the other, each chunk after chunk:
 *   code    16 bytes per lane: word u = unit u's eight columns, column 2j in nibble j, 2j + 1 in
 *           nibble j + 4. Q8: twice 16 bytes, unit after unit, plus 128
 *   high    A5, K5: a byte per lane and unit, bit j as nibble j. K6: two bytes, bits 2j likewise
 *   scale   per row: Q8 4 halves; A4, A5 4 x {scale, offset} halves; K4, K5 4 x {scale, minimum}
 *           bytes; K6 8 bytes, plus 128
 *   super   per row and two chunks: K4, K5 {d, -dmin}; K6 d
 *
 * A format<F> reads: open() finds the lane's place, load() takes a chunk into registers, expand()
 * turns one unit of it into halves. Integers become halves by way of their bits: 0x6400 | n is
 * 1024 + n. */
#ifndef ENGINE_CUDA_FORMAT_CUH
#define ENGINE_CUDA_FORMAT_CUH

#include "cuda/device.cuh"

/* Bytes per chunk and tile of each plane; of `super`, per two chunks. */
struct planes {
    int code, high, scale, super;
};

static __host__ __device__ constexpr struct planes planes_of(int format)
{
    return format == CUDA_F16  ? planes{TILE * CHUNK * 2, 0, 0, 0}
           : format == CUDA_Q8 ? planes{TILE * CHUNK, 0, TILE * 8, 0}
           : format == CUDA_A4 ? planes{TILE * CHUNK / 2, 0, TILE * 16, 0}
           : format == CUDA_A5 ? planes{TILE * CHUNK / 2, TILE * CHUNK / 8, TILE * 16, 0}
           : format == CUDA_K4 ? planes{TILE * CHUNK / 2, 0, TILE * 8, TILE * 4}
           : format == CUDA_K5 ? planes{TILE * CHUNK / 2, TILE * CHUNK / 8, TILE * 8, TILE * 4}
                               : planes{TILE * CHUNK / 2, TILE * CHUNK / 4, TILE * 8, TILE * 2};
}

static __host__ __device__ constexpr size_t tile_bytes(int format, int n_chunks)
{
    struct planes p = planes_of(format);
    return (size_t)(p.code + p.high + p.scale) * n_chunks + (size_t)p.super * ((n_chunks + 1) / 2);
}

/* Where a tile's planes begin. */
struct tile {
    char *code, *high, *scale, *super;
};

static __device__ __forceinline__ struct tile tile_at(const struct cuda_matrix &w, int format,
                                                      int index)
{
    struct planes p = planes_of(format);
    struct tile t;
    t.code = (char *)w.data + tile_bytes(format, w.n_chunks) * index;
    t.high = t.code + p.code * w.n_chunks;
    t.scale = t.high + p.high * w.n_chunks;
    t.super = t.scale + p.scale * w.n_chunks;
    return t;
}

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
    struct raw {
        uint4 w[4];
    };
    const char *at;

    __device__ void open(const struct cuda_matrix &w, int index, int lane)
    {
        at = (const char *)w.data +
             ((size_t)(index * TILE + lane / 4) * w.n_chunks * CHUNK + lane % 4 * 8) * 2;
    }
    __device__ void load(raw &r, int chunk) const
    {
#pragma unroll
        for (int u = 0; u < 4; u++)
            r.w[u] = load_weights(at + (chunk * CHUNK + u * UNIT) * 2);
    }
    __device__ void expand(const raw &r, int u, uint32_t b[4]) const
    {
        b[0] = r.w[u].x, b[1] = r.w[u].y, b[2] = r.w[u].z, b[3] = r.w[u].w;
    }
};

template <> struct format<CUDA_Q8> {
    static constexpr int AHEAD = 4;
    struct raw {
        uint4 w[2];
        uint2 scale;
    };
    const char *code, *scale;

    __device__ void open(const struct cuda_matrix &w, int index, int lane)
    {
        struct tile t = tile_at(w, CUDA_Q8, index);
        code = t.code + lane * 16;
        scale = t.scale + lane / 4 * 8;
    }
    __device__ void load(raw &r, int chunk) const
    {
        r.w[0] = load_weights(code + chunk * 1024);
        r.w[1] = load_weights(code + chunk * 1024 + 512);
        r.scale = __ldg((const uint2 *)(scale + chunk * 64));
    }
    __device__ void expand(const raw &r, int u, uint32_t b[4]) const
    {
        uint4 w = r.w[u / 2];
        uint32_t word[2] = {u % 2 ? w.z : w.x, u % 2 ? w.w : w.y};
        __half2 d = half2_of(u < 2 ? r.scale.x : r.scale.y);
        d = u % 2 ? __high2half2(d) : __low2half2(d);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            uint32_t bits = __byte_perm(word[j / 2], 0x64646464, j % 2 ? 0x4342 : 0x4140);
            b[j] = bits_of(__hmul2(__hsub2(half2_of(bits), __float2half2_rn(1152)), d));
        }
    }
};

/* A4 and A5. */
template <int F> struct format_affine {
    static constexpr int AHEAD = 4;
    struct raw {
        uint4 w, scale;
        uint32_t high;
    };
    const char *code, *high, *scale;

    __device__ void open(const struct cuda_matrix &w, int index, int lane)
    {
        struct tile t = tile_at(w, F, index);
        code = t.code + lane * 16;
        high = t.high + lane * 4;
        scale = t.scale + lane / 4 * 16;
    }
    __device__ void load(raw &r, int chunk) const
    {
        r.w = load_weights(code + chunk * 512);
        r.scale = __ldg((const uint4 *)(scale + chunk * 128));
        r.high = F == CUDA_A5 ? __ldg((const uint32_t *)(high + chunk * 128)) : 0;
    }
    __device__ void expand(const raw &r, int u, uint32_t b[4]) const
    {
        const uint32_t words[4] = {r.w.x, r.w.y, r.w.z, r.w.w};
        const uint32_t scales[4] = {r.scale.x, r.scale.y, r.scale.z, r.scale.w};
        __half2 s = __low2half2(half2_of(scales[u])), o = __high2half2(half2_of(scales[u]));
        uint32_t byte = r.high >> 8 * u & 255;
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
    struct raw {
        uint4 w;
        uint2 scale;
        uint32_t high, super;
    };
    const char *code, *high, *scale, *super;

    __device__ void open(const struct cuda_matrix &w, int index, int lane)
    {
        struct tile t = tile_at(w, F, index);
        code = t.code + lane * 16;
        high = t.high + lane * 4;
        scale = t.scale + lane / 4 * 8;
        super = t.super + lane / 4 * 4;
    }
    __device__ void load(raw &r, int chunk) const
    {
        r.w = load_weights(code + chunk * 512);
        r.scale = __ldg((const uint2 *)(scale + chunk * 64));
        r.super = __ldg((const uint32_t *)(super + chunk / 2 * 32));
        r.high = F == CUDA_K5 ? __ldg((const uint32_t *)(high + chunk * 128)) : 0;
    }
    __device__ void expand(const raw &r, int u, uint32_t b[4]) const
    {
        const uint32_t words[4] = {r.w.x, r.w.y, r.w.z, r.w.w};
        uint32_t bytes = __byte_perm(u < 2 ? r.scale.x : r.scale.y, 0x64646464,
                                     u % 2 ? 0x4342 : 0x4140);
        __half2 both = __hmul2(__hsub2(half2_of(bytes), __float2half2_rn(1024)), half2_of(r.super));
        __half2 s = __low2half2(both), o = __high2half2(both);
        uint32_t byte = r.high >> 8 * u & 255;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            uint32_t fifth = F == CUDA_K5 ? fifth_bits(byte, j) : 0;
            b[j] = bits_of(__hfma2(code_pair(words[u], j, fifth, 0), s, o));
        }
    }
};
template <> struct format<CUDA_K4> : format_super<CUDA_K4> {
};
template <> struct format<CUDA_K5> : format_super<CUDA_K5> {
};

template <> struct format<CUDA_K6> {
    static constexpr int AHEAD = 4;
    struct raw {
        uint4 w;
        uint2 high, scale;
        uint32_t super;
    };
    const char *code, *high, *scale, *super;
    int shift;

    __device__ void open(const struct cuda_matrix &w, int index, int lane)
    {
        struct tile t = tile_at(w, CUDA_K6, index);
        code = t.code + lane * 16;
        high = t.high + lane * 8;
        scale = t.scale + lane / 4 * 8;
        super = t.super + lane / 4 * 2;
        shift = lane % 4 / 2 * 8; /* a unit has two scales */
    }
    __device__ void load(raw &r, int chunk) const
    {
        r.w = load_weights(code + chunk * 512);
        r.high = __ldg((const uint2 *)(high + chunk * 256));
        r.scale = __ldg((const uint2 *)(scale + chunk * 64));
        r.super = __ldg((const uint16_t *)(super + chunk / 2 * 16));
    }
    __device__ void expand(const raw &r, int u, uint32_t b[4]) const
    {
        const uint32_t words[4] = {r.w.x, r.w.y, r.w.z, r.w.w};
        uint32_t byte = (u < 2 ? r.scale.x : r.scale.y) >> (u % 2 * 16 + shift) & 255;
        uint32_t bits = (u < 2 ? r.high.x : r.high.y) >> u % 2 * 16 & 0xffff;
        __half2 d = __low2half2(half2_of(r.super));
        __half2 s = __hmul2(
            __hsub2(half2_of(byte | byte << 16 | 0x64006400), __float2half2_rn(1152)), d);
        bits |= bits << 8;
#pragma unroll
        for (int j = 0; j < 4; j++)
            b[j] = bits_of(
                __hmul2(code_pair(words[u], j, (bits >> 2 * j & 0x00030003) << 4, 32), s));
    }
};

#endif
