/* headers.c - any lines as the headers of a reply.
 *
 * Each line is given in memory of exactly its size, as libcurl's have no zero byte at their ends.
 * What must hold: after a fault nothing is taken any more; a digest is one or none, an ETag a
 * strong one or none, and no number is negative but where it is not known. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/pull/header.h"

struct ui;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void ui_restore(const struct ui *u);

/* For app/mem.c, which puts the screen back before it gives up. */
void ui_restore(const struct ui *u)
{
    (void)u;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct http_reply *reply)
{
    require(!reply->linked_sha256[0] || digest_is_hex(reply->linked_sha256));
    require(!reply->etag[0] || reply->etag[0] == '"');
    require(reply->length >= -1 && reply->linked_size >= -1);
    require(reply->range_from < 0 ? reply->range_total == -1
                                  : reply->range_from < reply->range_total);
    require(memchr(reply->type, '\0', sizeof reply->type) != NULL);
    require(strspn(reply->commit, "0123456789abcdef") == strlen(reply->commit));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_reply reply = {
        .length = -1, .range_from = -1, .range_total = -1, .linked_size = -1};
    struct http_headers headers = {.reply = &reply, .on_origin = size > 0 && data[0] & 1};
    bool fine = true;

    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end ? (size_t)(end + 1 - (data + at)) : size - at;
        char *line = malloc(len);
        memcpy(line, data + at, len);
        bool took = headers_add(&headers, line, len);
        require(fine || !took);
        require(took == (headers.fault == NULL));
        fine = took;
        free(line);
        if (fine)
            check(&reply);
        at += len;
    }
    return 0;
}
