/* panel.h - how the CPU keeps a matrix: panels of 16 rows, interleaved.
 *
 * A panel holds the same bytes as 16 rows of the file, in another order: block after block, and in
 * each block the 16 rows side by side, so that one vector register holds the same few columns of 16
 * rows, an activation is broadcast to all of them, and nothing is ever added up across lanes. The
 * same layout serves one column and five hundred. Rows beyond the matrix's last are zero.
 *
 * A "word" is 4 bytes: 4 columns of one row, as vpdpbusd multiplies them. Codes are unsigned.
 *   code   four bits: word w of a block of 32 has columns 4w.. in its low halves and columns
 *          16 + 4w.. in its high halves. Eight bits (Q8_0): columns 4w.., plus 128.
 *   high   the bits above four. One bit: bit j of each byte belongs to columns 4j.. ; two bits:
 *   bits
 *          2j of word w belong to columns 16w + 4j..
 * Floats are single columns: [column][16]. */
#ifndef ENGINE_CPU_PANEL_H
#define ENGINE_CPU_PANEL_H

#include <stddef.h>
#include <stdint.h>

#include "model.h"

enum { PANEL = 16 };

struct panel_q4_0 {
    uint16_t d[PANEL];
    uint32_t code[4][PANEL];
};
struct panel_q4_1 {
    uint16_t d[PANEL], m[PANEL];
    uint32_t code[4][PANEL];
};
struct panel_q5_0 {
    uint16_t d[PANEL];
    uint32_t high[PANEL];
    uint32_t code[4][PANEL];
};
struct panel_q5_1 {
    uint16_t d[PANEL], m[PANEL];
    uint32_t high[PANEL];
    uint32_t code[4][PANEL];
};
struct panel_q8_0 {
    uint16_t d[PANEL];
    uint32_t code[8][PANEL];
};
/* Superblocks of 256 columns: 8 groups of 32. scales: as in the file, byte by byte. */
struct panel_q4_k {
    uint16_t d[PANEL], dmin[PANEL];
    uint8_t scales[12][PANEL];
    uint32_t code[8][4][PANEL];
};
struct panel_q5_k {
    uint16_t d[PANEL], dmin[PANEL];
    uint8_t scales[12][PANEL];
    uint32_t high[8][PANEL];
    uint32_t code[8][4][PANEL];
};
struct panel_q6_k {
    uint16_t d[PANEL];
    int8_t scales[16][PANEL];
    uint32_t high[8][2][PANEL];
    uint32_t code[8][4][PANEL];
};

int panel_count(const struct matrix *w);
size_t panel_bytes(const struct matrix *w); /* of one panel; a multiple of 32 */

/* Panel i of w->host into out, which is panel_bytes long and aligned to 32. */
void panel_pack(const struct matrix *w, int i, void *out);

#endif
