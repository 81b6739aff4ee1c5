/*
 * ascii.h: ASCII: its letters, and what stands for other characters where only it can be shown.
 */
#ifndef UI_TEXT_ASCII_H
#define UI_TEXT_ASCII_H

#include <stdbool.h>
#include <stdint.h>

char ascii_form(uint32_t cp); /* '?' if there is none */

static inline bool ascii_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif
