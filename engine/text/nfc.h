/* nfc.h - Unicode normalisation form C of UTF-8 text, in linear time.
 *
 * utf8proc's own utf8proc_NFC sorts combining marks by insertion, which takes minutes for a
 * megabyte of them; here only its tables and its composition are used. */
#ifndef ENGINE_TEXT_NFC_H
#define ENGINE_TEXT_NFC_H

#include <stddef.h>

/* *out = the composed text, the caller's to free, or NULL if s is composed already (the
 * usual case, which allocates nothing). Bytes that are not UTF-8 stay as they are. 0, or
 * -1: out of memory. */
int nfc_compose(const char *s, size_t n, char **out, size_t *len_out);

#endif
