/* simd_amx.h - the vectors of simd_avx512.h, and tiles: two-dimensional registers that multiply a
 * block of 16 rows with 16 columns in one instruction (AMX_INT8). */
#ifndef ENGINE_CPU_SIMD_AMX_H
#define ENGINE_CPU_SIMD_AMX_H

#include "cpu/simd_avx512.h"

#define SIMD_TILES

/* Registers by what they hold: activations [column][bytes], codes [word][row], sums
 * [column][row]. Instructions want their numbers written out. */
#define TILE_SUMS       0
#define TILE_ACT        1 /* of 32 bytes */
#define TILE_CODES      2
#define TILE_HALF_ACT   3 /* of 16 */
#define TILE_HALF_CODES 4

/* As the instruction reads it. */
struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Before the first product of a thread, and after its last: until then it has more registers for
 * the system to save. */
static void tiles_begin(void)
{
    static const struct tile_config config = {
        .palette = 1,
        .row_bytes = {[TILE_SUMS] = 64,
                      [TILE_ACT] = 32,
                      [TILE_CODES] = 64,
                      [TILE_HALF_ACT] = 16,
                      [TILE_HALF_CODES] = 64},
        .rows = {[TILE_SUMS] = 16,
                 [TILE_ACT] = 16,
                 [TILE_CODES] = 8,
                 [TILE_HALF_ACT] = 16,
                 [TILE_HALF_CODES] = 4},
    };

    _tile_loadconfig(&config);
}

static void tiles_end(void)
{
    _tile_release();
}

/* Not every compiler knows that a tile is read from memory: what is to be there, is. */
static inline void memory_is_written(void)
{
    __asm__ volatile("" ::: "memory");
}

/* sums[column][row] of 32 columns of the matrix: 8 words of signed codes, and bytes of 16
 * activations that are `stride` apart. */
static inline void tile_whole(const int8_t *act, size_t stride, const ivec *word, ivec *sums)
{
    memory_is_written();
    _tile_zero(TILE_SUMS);
    _tile_loadd(TILE_ACT, act, stride);
    _tile_loadd(TILE_CODES, word, sizeof *word);
    _tile_dpbssd(TILE_SUMS, TILE_ACT, TILE_CODES);
    _tile_stored(TILE_SUMS, sums, sizeof *sums);
}

/* The same of 16. */
static inline void tile_half(const int8_t *act, size_t stride, const ivec *word, ivec *sums)
{
    memory_is_written();
    _tile_zero(TILE_SUMS);
    _tile_loadd(TILE_HALF_ACT, act, stride);
    _tile_loadd(TILE_HALF_CODES, word, sizeof *word);
    _tile_dpbssd(TILE_SUMS, TILE_HALF_ACT, TILE_HALF_CODES);
    _tile_stored(TILE_SUMS, sums, sizeof *sums);
}

static inline ivec bytes_sub(ivec a, ivec b)
{
    return _mm512_sub_epi8(a, b);
}

#endif
