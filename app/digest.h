/* digest.h - SHA-256, of bytes as they come and of files. */
#ifndef APP_DIGEST_H
#define APP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_HEX = 65 }; /* 64 digits and a NUL */

struct digest;

struct digest *digest_new(void);
void digest_free(struct digest *d);
void digest_restart(struct digest *d);
void digest_add(struct digest *d, const void *bytes, size_t len);

/* The digest of everything added; only a restart may follow. */
void digest_end(struct digest *d, char hex[DIGEST_HEX]);

/* Adds the rest of a file. After each piece `go_on` is told how many bytes there were so far; when
 * it returns false the rest is left out. 0; 1: stopped early; -1 with errno. */
int digest_add_file(struct digest *d, int fd, bool (*go_on)(void *ud, int64_t done), void *ud);

/* Whether these are exactly 64 lower-case hexadecimal digits. */
bool digest_is_hex(const char *text);

#endif
