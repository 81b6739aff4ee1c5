/* header.c - see header.h. A header that matters and is not as it should be is a fault,
 * never a guess. */
#include "app/pull/header.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "app/str.h"

enum { NUMBER_DIGITS = 18, GIT_HEX = 40 };

/* A number of decimal digits only; -1: something else, or larger than any file. */
static int64_t number_of(const char *text, size_t len)
{
    int64_t n = 0;
    if (len == 0 || len > NUMBER_DIGITS)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        n = n * 10 + (text[i] - '0');
    }
    return n;
}

static bool is_name(const char *line, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(line, name, len) == 0;
}

/* Copies a value if it is printable and fits; else nothing of it. */
static void copy(char *out, size_t outlen, const char *value, size_t len)
{
    out[0] = '\0';
    if (len < outlen && !memchr(value, '\0', len)) {
        memcpy(out, value, len);
        out[len] = '\0';
    }
}

static void take_length(struct http_headers *h, const char *value, size_t len)
{
    int64_t n = number_of(value, len);
    if (n < 0)
        h->fault = "size mismatch: Content-Length is not a number of bytes";
    else if (h->reply->length >= 0)
        h->fault = "size mismatch: Content-Length is given twice";
    h->reply->length = n;
}

/* "bytes FROM-TO/TOTAL"; the range must reach to the end. */
static void take_range(struct http_reply *reply, const char *value, size_t len)
{
    char text[96];
    long long from, to, total;
    int end = 0;
    copy(text, sizeof text, value, len);
    if (sscanf(text, "bytes %18lld-%18lld/%18lld%n", &from, &to, &total, &end) == 3 &&
        (size_t)end == len && from >= 0 && to == total - 1 && from <= to) {
        reply->range_from = from;
        reply->range_total = total;
    }
}

/* The text between quotes. */
static void take_linked(struct http_headers *h, const char *value, size_t len)
{
    char text[DIGEST_HEX];
    if (len == DIGEST_HEX + 1 && value[0] == '"' && value[len - 1] == '"') {
        copy(text, sizeof text, value + 1, len - 2);
        if (digest_is_hex(text)) {
            memcpy(h->reply->linked_sha256, text, sizeof text);
            return;
        }
    }
    if (len == GIT_HEX + 2 && value[0] == '"' && value[len - 1] == '"')
        return; /* of a small file the hub gives git's digest, which covers more than the bytes */
    h->fault = "X-Linked-ETag: not a sha256";
}

static void take_etag(struct http_reply *reply, const char *value, size_t len)
{
    copy(reply->etag, sizeof reply->etag, value, len);
    for (const char *s = reply->etag; *s; s++)
        if (*s <= ' ' || *s >= 0x7f)
            reply->etag[0] = '\0';
    if (reply->etag[0] != '"') /* weak ones must not be used with ranges */
        reply->etag[0] = '\0';
}

static void take_type(struct http_reply *reply, const char *value, size_t len)
{
    const char *parameters = memchr(value, ';', len);
    copy(reply->type, sizeof reply->type, value, parameters ? (size_t)(parameters - value) : len);
}

static void take_commit(struct http_reply *reply, const char *value, size_t len)
{
    copy(reply->commit, sizeof reply->commit, value, len);
    if (strspn(reply->commit, "0123456789abcdef") != strlen(reply->commit))
        reply->commit[0] = '\0';
}

static void take(struct http_headers *h, const char *name, size_t n, const char *value, size_t len)
{
    struct http_reply *reply = h->reply;
    if (is_name(name, n, "content-length"))
        take_length(h, value, len);
    else if (is_name(name, n, "content-range"))
        take_range(reply, value, len);
    else if (is_name(name, n, "content-type"))
        take_type(reply, value, len);
    else if (is_name(name, n, "content-encoding"))
        h->encoded = h->encoded || !is_name(value, len, "identity");
    else if (is_name(name, n, "transfer-encoding"))
        h->chunked = true;
    else if (is_name(name, n, "etag"))
        take_etag(reply, value, len);
    else if (!h->on_origin)
        return;
    else if (is_name(name, n, "x-linked-etag"))
        take_linked(h, value, len);
    else if (is_name(name, n, "x-linked-size")) {
        reply->linked_size = number_of(value, len);
        if (reply->linked_size <= 0)
            h->fault = "X-Linked-Size: not a number of bytes";
    } else if (is_name(name, n, "x-repo-commit"))
        take_commit(reply, value, len);
}

/* A new status line starts over: the headers so far were those of an interim reply. */
static void begin(struct http_headers *h)
{
    struct http_reply *reply = h->reply;
    h->chunked = h->encoded = false;
    reply->length = reply->range_from = reply->range_total = -1;
    reply->etag[0] = reply->type[0] = '\0';
}

bool headers_add(struct http_headers *h, const char *line, size_t len)
{
    h->bytes += len;
    if (h->bytes > HEADERS_MAX)
        h->fault = "its headers have no end";
    if (h->fault)
        return false;
    const char *colon = memchr(line, ':', len);
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        begin(h);
    } else if (colon) {
        size_t rest = len - (size_t)(colon + 1 - line);
        const char *value = str_trim(colon + 1, &rest);
        take(h, line, (size_t)(colon - line), value, rest);
    }
    return h->fault == NULL;
}
