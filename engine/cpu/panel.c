/* panel.c - from the file's rows to panels: bytes change places, no value changes. */
#include "cpu/panel.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct panel_q4_0) == PANEL * sizeof(struct quant_q4_0), "Q4_0");
static_assert(sizeof(struct panel_q4_1) == PANEL * sizeof(struct quant_q4_1), "Q4_1");
static_assert(sizeof(struct panel_q5_0) == PANEL * sizeof(struct quant_q5_0), "Q5_0");
static_assert(sizeof(struct panel_q5_1) == PANEL * sizeof(struct quant_q5_1), "Q5_1");
static_assert(sizeof(struct panel_q8_0) == PANEL * sizeof(struct quant_q8_0), "Q8_0");
static_assert(sizeof(struct panel_q4_k) == PANEL * sizeof(struct quant_q4_k), "Q4_K");
static_assert(sizeof(struct panel_q5_k) == PANEL * sizeof(struct quant_q5_k), "Q5_K");
static_assert(sizeof(struct panel_q6_k) == PANEL * sizeof(struct quant_q6_k), "Q6_K");

enum { LOW = 0x0f0f0f0f }; /* the low half of each byte of a word */

static uint32_t word_at(const void *bytes, int i)
{
    uint32_t word;
    memcpy(&word, (const char *)bytes + 4 * i, sizeof word);
    return word;
}

/* Four-bit codes of blocks of 32 lie in the file as a panel wants them. */
static void pack_low(const uint8_t qs[16], uint32_t code[4][PANEL], int r)
{
    for (int w = 0; w < 4; w++)
        code[w][r] = word_at(qs, w);
}

/* Fifth bits: the file's bit 4j + k becomes bit j of byte k. */
static uint32_t pack_fifth(const uint8_t qh[4])
{
    uint32_t from = word_at(qh, 0), to = 0;

    for (int j = 0; j < 8; j++) {
        uint32_t four = from >> 4 * j & 15;
        to |= ((four & 1) | (four & 2) << 7 | (four & 4) << 14 | (four & 8) << 21) << j;
    }
    return to;
}

static void pack_q4_0(const struct quant_q4_0 *b, struct panel_q4_0 *p, int r)
{
    p->d[r] = b->d;
    pack_low(b->qs, p->code, r);
}

static void pack_q4_1(const struct quant_q4_1 *b, struct panel_q4_1 *p, int r)
{
    p->d[r] = b->d;
    p->m[r] = b->m;
    pack_low(b->qs, p->code, r);
}

static void pack_q5_0(const struct quant_q5_0 *b, struct panel_q5_0 *p, int r)
{
    p->d[r] = b->d;
    p->high[r] = pack_fifth(b->qh);
    pack_low(b->qs, p->code, r);
}

static void pack_q5_1(const struct quant_q5_1 *b, struct panel_q5_1 *p, int r)
{
    p->d[r] = b->d;
    p->m[r] = b->m;
    p->high[r] = pack_fifth(b->qh);
    pack_low(b->qs, p->code, r);
}

static void pack_q8_0(const struct quant_q8_0 *b, struct panel_q8_0 *p, int r)
{
    p->d[r] = b->d;
    for (int w = 0; w < 8; w++)
        p->code[w][r] = word_at(b->qs, w) ^ 0x80808080;
}

/* Q4_K and Q5_K keep group 2p in the low and group 2p + 1 in the high halves of 32 bytes. */
static void pack_k_low(const uint8_t qs[128], uint32_t code[8][4][PANEL], int r)
{
    for (int pair = 0; pair < 4; pair++) {
        for (int w = 0; w < 4; w++) {
            uint32_t first = word_at(qs + 32 * pair, w), second = word_at(qs + 32 * pair, 4 + w);
            code[2 * pair][w][r] = (first & LOW) | (second & LOW) << 4;
            code[2 * pair + 1][w][r] = (first >> 4 & LOW) | (second & ~(uint32_t)LOW);
        }
    }
}

static void pack_q4_k(const struct quant_q4_k *b, struct panel_q4_k *p, int r)
{
    p->d[r] = b->d;
    p->dmin[r] = b->dmin;
    for (int i = 0; i < 12; i++)
        p->scales[i][r] = b->scales[i];
    pack_k_low(b->qs, p->code, r);
}

static void pack_q5_k(const struct quant_q5_k *b, struct panel_q5_k *p, int r)
{
    p->d[r] = b->d;
    p->dmin[r] = b->dmin;
    for (int i = 0; i < 12; i++)
        p->scales[i][r] = b->scales[i];
    for (int g = 0; g < 8; g++) {
        uint32_t high = 0;
        for (int j = 0; j < 8; j++)
            high |= (word_at(b->qh, j) >> g & 0x01010101) << j;
        p->high[g][r] = high;
    }
    pack_k_low(b->qs, p->code, r);
}

static void pack_q6_k(const struct quant_q6_k *b, struct panel_q6_k *p, int r)
{
    p->d[r] = b->d;
    for (int i = 0; i < 16; i++)
        p->scales[i][r] = b->scales[i];
    for (int g = 0; g < 8; g++) {
        int half = g / 4, j = g % 4; /* as in quant.h */
        const uint8_t *ql = b->ql + 64 * half + 32 * (j % 2), *qh = b->qh + 32 * half;
        for (int w = 0; w < 4; w++) {
            uint32_t first = word_at(ql, w) >> j / 2 * 4 & LOW;
            uint32_t second = word_at(ql, 4 + w) >> j / 2 * 4 & LOW;
            p->code[g][w][r] = first | second << 4;
        }
        for (int w = 0; w < 2; w++) {
            uint32_t high = 0;
            for (int k = 0; k < 4; k++)
                high |= (word_at(qh, 4 * w + k) >> 2 * j & 0x03030303) << 2 * k;
            p->high[g][w][r] = high;
        }
    }
}

/* Block of a row into lane r of the panel's block. */
static void pack_block(enum quant_type type, const void *block, void *out, int r)
{
    switch (type) {
    case QUANT_F32: ((uint32_t *)out)[r] = *(const uint32_t *)block; break;
    case QUANT_F16:
    case QUANT_BF16: ((uint16_t *)out)[r] = *(const uint16_t *)block; break;
    case QUANT_Q4_0: pack_q4_0(block, out, r); break;
    case QUANT_Q4_1: pack_q4_1(block, out, r); break;
    case QUANT_Q5_0: pack_q5_0(block, out, r); break;
    case QUANT_Q5_1: pack_q5_1(block, out, r); break;
    case QUANT_Q8_0: pack_q8_0(block, out, r); break;
    case QUANT_Q4_K: pack_q4_k(block, out, r); break;
    case QUANT_Q5_K: pack_q5_k(block, out, r); break;
    case QUANT_Q6_K: pack_q6_k(block, out, r); break;
    }
}

int panel_count(const struct matrix *w)
{
    return (w->rows + PANEL - 1) / PANEL;
}

size_t panel_bytes(const struct matrix *w)
{
    return PANEL * quant_row_bytes(w->type, w->cols);
}

void panel_pack(const struct matrix *w, int i, void *out)
{
    const struct quant_info *info = quant_info(w->type);
    size_t block = (size_t)info->block_bytes, row_bytes = quant_row_bytes(w->type, w->cols);
    int first = i * PANEL;
    int n_rows = w->rows - first < PANEL ? w->rows - first : PANEL;

    if (n_rows < PANEL)
        memset(out, 0, PANEL * row_bytes);
    for (size_t at = 0; at < row_bytes; at += block) {
        for (int r = 0; r < n_rows; r++) {
            const char *row = (const char *)w->host + (size_t)(first + r) * row_bytes;
            pack_block(w->type, row + at, (char *)out + PANEL * at, r);
        }
    }
}
