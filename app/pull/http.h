/* http.h - one request by HTTPS to a server that may be broken, or hostile.
 *
 * Only HTTPS, TLS 1.2 or later, with a certificate that is checked: nothing turns that off. No key
 * is pinned: hubs and the hosts they redirect to change theirs within weeks. What a model must be
 * is pinned by its digest, which holds against a false authority as well.
 *
 * Redirects are followed here and not by libcurl, so that each hop is looked at: the token goes to
 * its origin, and once a redirect has left that, to nobody. Headers and silences have limits,
 * nothing is decompressed, nothing a server says names a file. */
#ifndef APP_PULL_HTTP_H
#define APP_PULL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/digest.h"

enum {
    HTTP_FAILED = -1,  /* trying again would not help */
    HTTP_BROKEN = -2,  /* cut off, silent, overloaded: worth another try */
    HTTP_STOPPED = -3, /* by the caller */
};

struct http_request {
    const char *url;
    const char *token;    /* NULL: none */
    const char *origin;   /* a URL with the scheme, host and port that the token is for */
    const char *ca_file;  /* certificates to trust; NULL: the system's */
    bool head;            /* headers only, following redirects only within the origin */
    int64_t from;         /* the offset to start from, */
    const char *if_range; /* if the file still has this ETag; "": whatever it has */
    double patience_s;    /* how long a server may send next to nothing */
};

struct http_reply {
    long status;
    int64_t length;                  /* of the body; -1: unknown */
    int64_t range_from, range_total; /* of a 206; -1: absent or malformed */
    char etag[128];                  /* a strong one, or "" */
    char type[64];                   /* of the content */
    char host[256];                  /* the host that replied */

    /* What the origin says about a file it keeps on another host, as Hugging Face does; "" and -1:
     * nothing. */
    char linked_sha256[DIGEST_HEX];
    int64_t linked_size;
    char commit[64];
};

/* Where the body goes. begin: called once before the first byte, on 200, 206 and 416. begin and
 * body return 0, or what http_run is then to return; with `head` neither is called. go_on: called
 * some times a second; false stops. */
struct http_sink {
    int (*begin)(void *ud, const struct http_reply *reply, char *err, size_t errlen);
    int (*body)(void *ud, const char *bytes, size_t len, char *err, size_t errlen);
    bool (*go_on)(void *ud);
    int wake_fd; /* go_on is asked at once when it is readable; -1: none */
    void *ud;
};

/* 0: the reply is complete. Else one of the above, or of the sink's own, with one line in err. */
int http_run(const struct http_request *req, const struct http_sink *sink, struct http_reply *reply,
             char *err, size_t errlen);

/* Whether two URLs have scheme, host and port in common. */
bool http_same_origin(const char *a, const char *b);

/* Whether requests may go to this URL: https, with a host and without a password. */
bool http_may_ask(const char *url);

#endif
