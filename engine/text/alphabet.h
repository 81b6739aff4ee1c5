/* alphabet.h - what bytes the text of a token stands for.
 *
 * Vocabularies of byte-level BPE are files of text, so each byte is written as a printable
 * character (the table comes from GPT-2's encoder): the printable bytes of Latin-1 as themselves,
 * the other 68 as U+0100 and on, in order; a space is U+0120. Private to the tokenizer. */
#ifndef ENGINE_TEXT_ALPHABET_H
#define ENGINE_TEXT_ALPHABET_H

#include <stddef.h>

/* Decodes n bytes of text into out, which has room for n. -1: a character stands for no byte. */
ptrdiff_t alphabet_decode(const char *s, size_t n, char *out);

/* The byte of "<0x0A>", or -1. Exactly this form: with a sign or a third digit it is plain text. */
int alphabet_hex_byte(const char *s, size_t n);

#endif
