/*
 * crc.h - CRC-32 (ISO-HDLC, as in gzip and PNG), the mark by which changed text is known.
 */
#ifndef STORAGE_CRC_H
#define STORAGE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of `data` after bytes whose CRC is `crc`; 0 stands for none. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len);

#endif
