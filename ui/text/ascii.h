/*
 * ascii.h: replacements for characters where only ASCII can be shown.
 */
#ifndef UI_TEXT_ASCII_H
#define UI_TEXT_ASCII_H

#include <stdint.h>

char ascii_form(uint32_t cp); /* '?' if there is none */

#endif
