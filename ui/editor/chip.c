/*
 * chip.c: the texts behind placeholder characters. Knows nothing of the draft that contains them.
 */
#include "editor/chip.h"
#include "text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAD = 0xef }; /* first byte of every placeholder */

void chips_done(struct chips *chips)
{
    chips_sweep(chips, 0);
}

static size_t count_lines(const char *text, size_t len)
{
    size_t n = len > 0 && text[len - 1] != '\n';
    const char *end = text + len;
    for (const char *s = text; s < end && (s = memchr(s, '\n', (size_t)(end - s))); s++)
        n++;
    return n;
}

bool chip_is_long(const char *text, size_t len)
{
    size_t characters = 0;
    for (size_t i = 0; i < len && characters < CHIP_FROM_CHARACTERS; i++)
        characters += ((unsigned char)text[i] & 0xc0) != 0x80;
    return characters >= CHIP_FROM_CHARACTERS || count_lines(text, len) >= CHIP_FROM_LINES;
}

bool chip_is_placeholder(uint32_t cp)
{
    return cp >= CHIP_FIRST && cp < CHIP_FIRST + CHIPS_MAX;
}

static void print_size(size_t len, char *out, size_t size)
{
    if (len < 1000)
        snprintf(out, size, "%zu bytes", len);
    else if (len < 1000000)
        snprintf(out, size, "%.1f kB", (double)len / 1e3);
    else
        snprintf(out, size, "%.1f MB", (double)len / 1e6);
}

/* Long names are shortened in the middle so that the counts stay visible. */
static void label(struct chip *chip, const char *name)
{
    enum { NAME = 24 };
    char bytes[24];
    size_t n = strlen(name), lines = count_lines(chip->text, chip->len);
    size_t cut = n > NAME ? text_whole(name, NAME) : n;

    print_size(chip->len, bytes, sizeof bytes);
    snprintf(chip->label, sizeof chip->label, "[%.*s%s: %zu line%s, %s]", (int)cut, name,
             cut < n ? "…" : "", lines, lines == 1 ? "" : "s", bytes);
}

bool chips_add(struct chips *chips, const char *name, struct bytes *text,
               char placeholder[CHIP_PLACEHOLDER])
{
    char numbered[32], utf8[4];
    int i = 0;

    while (i < CHIPS_MAX && chips->at[i].text)
        i++;
    if (i == CHIPS_MAX || !text->data)
        return false;
    chips->at[i].text = text->data;
    chips->at[i].len = text->len;
    *text = (struct bytes){0};
    if (!name)
        snprintf(numbered, sizeof numbered, "paste %u", ++chips->pastes);
    label(&chips->at[i], name ? name : numbered);
    memcpy(placeholder, utf8, text_encode(CHIP_FIRST + (uint32_t)i, utf8));
    return true;
}

/* Index of the placeholder that begins the text, or -1. */
static int placeholder_at(const char *s, size_t len)
{
    uint32_t cp;
    if (len < CHIP_PLACEHOLDER || (unsigned char)*s != LEAD)
        return -1;
    text_decode(s, len, &cp);
    return chip_is_placeholder(cp) ? (int)(cp - CHIP_FIRST) : -1;
}

const struct chip *chips_find(const struct chips *chips, const char *s, size_t len)
{
    int i = placeholder_at(s, len);
    return i >= 0 && chips->at[i].text ? &chips->at[i] : NULL;
}

/* Position of the next placeholder at or after pos, or len. */
static size_t next_placeholder(const char *s, size_t len, size_t pos)
{
    while (pos < len) {
        const char *lead = memchr(s + pos, LEAD, len - pos);
        if (!lead)
            return len;
        pos = (size_t)(lead - s);
        if (placeholder_at(lead, len - pos) >= 0)
            return pos;
        pos++;
    }
    return len;
}

size_t chips_expanded_len(const struct chips *chips, const char *s, size_t len)
{
    size_t whole = len;
    for (size_t at = 0; (at = next_placeholder(s, len, at)) < len; at += CHIP_PLACEHOLDER) {
        const struct chip *chip = chips_find(chips, s + at, len - at);
        if (chip)
            whole += chip->len - CHIP_PLACEHOLDER;
    }
    return whole;
}

bool chips_expand(const struct chips *chips, const char *s, size_t len, struct bytes *out)
{
    size_t from = 0, at = 0;

    if (!bytes_reserve(out, chips_expanded_len(chips, s, len)))
        return false;
    for (; (at = next_placeholder(s, len, at)) < len; at += CHIP_PLACEHOLDER, from = at) {
        const struct chip *chip = chips_find(chips, s + at, len - at);
        bytes_add(out, s + from, at - from);
        if (chip)
            bytes_add(out, chip->text, chip->len);
    }
    return bytes_add(out, s + from, len - from);
}

void chips_mark(const char *s, size_t len, uint32_t *marks)
{
    for (size_t at = 0; (at = next_placeholder(s, len, at)) < len; at += CHIP_PLACEHOLDER)
        *marks |= UINT32_C(1) << placeholder_at(s + at, len - at);
}

void chips_sweep(struct chips *chips, uint32_t marks)
{
    for (int i = 0; i < CHIPS_MAX; i++)
        if (!(marks >> i & 1)) {
            free(chips->at[i].text);
            chips->at[i] = (struct chip){0};
        }
}
