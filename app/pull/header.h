/* header.h - the headers of a reply, line by line as they come. */
#ifndef APP_PULL_HEADER_H
#define APP_PULL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/pull/http.h"

enum { HEADERS_MAX = 64 * 1024 }; /* bytes of all headers of a hop */

struct http_headers {
    struct http_reply *reply;
    bool on_origin; /* what it says about a linked file is trusted */
    size_t bytes;
    bool chunked, encoded;
    const char *fault; /* why they are refused; NULL: they are not */
};

/* Takes a line, its end included; false once there is a fault. */
bool headers_add(struct http_headers *h, const char *line, size_t len);

#endif
