/* digest.c - see digest.h. libcrypto does the arithmetic with the processor's own instructions:
 * models have gigabytes. */
#include "app/digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "app/mem.h"

enum { PIECE = 1 << 20 };

struct digest {
    EVP_MD_CTX *context;
};

void digest_restart(struct digest *d)
{
    if (!EVP_DigestInit_ex(d->context, EVP_sha256(), NULL))
        mem_fail();
}

struct digest *digest_new(void)
{
    struct digest *d = mem_alloc(sizeof *d);
    d->context = EVP_MD_CTX_new();
    if (!d->context)
        mem_fail();
    digest_restart(d);
    return d;
}

void digest_free(struct digest *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->context);
    free(d);
}

void digest_add(struct digest *d, const void *bytes, size_t len)
{
    if (!EVP_DigestUpdate(d->context, bytes, len))
        mem_fail();
}

void digest_end(struct digest *d, char hex[DIGEST_HEX])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned len;
    if (!EVP_DigestFinal_ex(d->context, raw, &len))
        mem_fail();
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", raw[i]);
}

int digest_add_file(struct digest *d, int fd, bool (*go_on)(void *ud, int64_t done), void *ud)
{
    unsigned char *piece = mem_alloc(PIECE);
    int64_t done = 0;
    ssize_t n;
    int status = 0;

    while (status == 0 && (n = read(fd, piece, PIECE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            status = -1;
            break;
        }
        digest_add(d, piece, (size_t)n);
        done += n;
        status = go_on(ud, done) ? 0 : 1;
    }
    int error = errno;
    free(piece);
    errno = error;
    return status;
}

bool digest_is_hex(const char *text)
{
    return strspn(text, "0123456789abcdef") == DIGEST_HEX - 1 && text[DIGEST_HEX - 1] == '\0';
}
