/* http.c - see http.h. */
#include "app/pull/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "app/clock.h"
#include "app/mem.h"
#include "app/pull/header.h"
#include "app/say.h"
#include "app/str.h"

enum {
    HOPS = 10,
    TURN_MS = 100,
    BUFFER = 128 * 1024,
    TRICKLE = 1024,    /* fewer bytes than this within patience_s count as silence */
    CLOSING_MS = 1000, /* for the server to close the connection, as it was asked to */
};

/* One request of one hop. */
struct hop {
    const struct http_request *req;
    const struct http_sink *sink;
    struct http_headers headers;
    struct http_reply *reply;
    CURL *easy;
    bool begun;
    int64_t got; /* bytes of the body */
    int status;  /* the sink's own, if that ended it */
    char text[CURL_ERROR_SIZE];
    char *err;
    size_t errlen;

    double since_ms; /* start of the period whose bytes are counted, to notice silence */
    size_t bytes;
    double last_ms; /* when the last bytes came */
};

/* URLs */

static char *part_of(const char *url, CURLUPart what)
{
    CURLU *u = curl_url();
    char *value = NULL, *copy = NULL;
    if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
        curl_url_get(u, what, &value, CURLU_DEFAULT_PORT) == CURLUE_OK)
        copy = mem_strdup(value);
    curl_free(value);
    curl_url_cleanup(u);
    return copy;
}

static bool same_part(const char *a, const char *b, CURLUPart what)
{
    char *x = part_of(a, what), *y = part_of(b, what);
    bool same = x && y && strcasecmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

bool http_same_origin(const char *a, const char *b)
{
    return same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_HOST) &&
           same_part(a, b, CURLUPART_PORT);
}

bool http_may_ask(const char *url)
{
    char *scheme = part_of(url, CURLUPART_SCHEME), *host = part_of(url, CURLUPART_HOST);
    bool fine = strstr(url, "://") && scheme && host && *host && strcmp(scheme, "https") == 0;
    free(scheme);
    free(host);
    return fine;
}

static void name_host(const char *url, struct http_reply *reply)
{
    char *host = part_of(url, CURLUPART_HOST);
    snprintf(reply->host, sizeof reply->host, "%s", host ? host : "the server");
    free(host);
}

/* The reply */

static void count(struct hop *hop, size_t n)
{
    hop->bytes += n;
    hop->last_ms = clock_ms();
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static size_t on_header(char *bytes, size_t size, size_t n, void *ud)
{
    struct hop *hop = ud;
    count(hop, size * n);
    return headers_add(&hop->headers, bytes, size * n) ? size * n : 0;
}

/* Before the body: whether the body of such a reply is wanted. */
static int begin(struct hop *hop)
{
    struct http_reply *reply = hop->reply;

    curl_easy_getinfo(hop->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    hop->begun = true;
    if (is_redirect(reply->status))
        return 0;
    if (reply->status != 200 && reply->status != 206 && reply->status != 416) {
        bool passing = reply->status >= 500 || reply->status == 429 || reply->status == 408;
        const char *why = reply->status == 401   ? ": it wants a token (HF_TOKEN)"
                          : reply->status == 403 ? ": it does not allow that"
                          : reply->status == 404 ? ": there is no such file"
                                                 : "";
        return say_to(hop->err, hop->errlen, passing ? HTTP_BROKEN : HTTP_FAILED, "%s: HTTP %ld%s",
                      reply->host, reply->status, why);
    }
    if (hop->headers.encoded)
        return say_to(hop->err, hop->errlen, HTTP_FAILED, "%s: sends it compressed, unasked",
                      reply->host);
    if (hop->headers.chunked && reply->length >= 0)
        return say_to(hop->err, hop->errlen, HTTP_FAILED,
                      "%s: size mismatch: Content-Length, and chunks besides", reply->host);
    return hop->req->head ? 0 : hop->sink->begin(hop->sink->ud, reply, hop->err, hop->errlen);
}

/* As many bytes as were promised go to the sink; one more is an error. */
static int take_body(struct hop *hop, const char *bytes, size_t len)
{
    int64_t length = hop->reply->length;
    size_t fits = length >= 0 && (int64_t)len > length - hop->got ? (size_t)(length - hop->got)
                                                                  : len;
    int status = fits ? hop->sink->body(hop->sink->ud, bytes, fits, hop->err, hop->errlen) : 0;
    hop->got += (int64_t)fits;
    if (status == 0 && fits < len)
        status = say_to(hop->err, hop->errlen, HTTP_FAILED,
                        "%s: size mismatch: more than the %lld bytes promised", hop->reply->host,
                        (long long)length);
    return status;
}

/* The body of a redirect is dropped. */
static size_t on_body(char *bytes, size_t size, size_t n, void *ud)
{
    struct hop *hop = ud;
    size_t len = size * n;
    count(hop, len);
    if (!hop->begun)
        hop->status = begin(hop);
    if (is_redirect(hop->reply->status))
        return 0;
    if (hop->status == 0)
        hop->status = take_body(hop, bytes, len);
    return hop->status == 0 ? len : 0;
}

/* The transfer */

static void allow_https_only(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

/* Headers of the request, for the caller to free after the transfer. The server is asked to close
 * the connection, so that surplus bytes after its reply are noticed. */
static struct curl_slist *headers_of(const struct http_request *req, bool with_token)
{
    struct curl_slist *list = curl_slist_append(NULL, "Connection: close");
    struct str line = {0};

    if (with_token && req->token) {
        str_addf(&line, "Authorization: Bearer %s", req->token);
        list = curl_slist_append(list, line.data);
    }
    if (req->from > 0 && req->if_range[0]) {
        str_clear(&line);
        str_addf(&line, "If-Range: %s", req->if_range);
        list = curl_slist_append(list, line.data);
    }
    str_done(&line);
    return list;
}

static void prepare(struct hop *hop, const char *url, struct curl_slist *headers)
{
    const struct http_request *req = hop->req;
    CURL *easy = hop->easy;
    char range[32];

    curl_easy_reset(easy);
    allow_https_only(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* without waiting for a name server */
#endif
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "duet/" DUET_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_IGNORE_CONTENT_LENGTH, 1L); /* it is checked here */
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, hop->text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, hop);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, hop);
    if (req->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, req->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (req->head)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (req->from > 0) {
        snprintf(range, sizeof range, "%lld-", (long long)req->from);
        curl_easy_setopt(easy, CURLOPT_RANGE, range);
    }
}

static bool is_silent(struct hop *hop)
{
    if (clock_ms() - hop->since_ms < hop->req->patience_s * 1e3)
        return false;
    bool silent = hop->bytes < TRICKLE;
    hop->since_ms = clock_ms();
    hop->bytes = 0;
    return silent;
}

/* Whether all of the promised body came. */
static bool is_whole(const struct hop *hop)
{
    return !hop->req->head && hop->got == hop->reply->length;
}

/* Do not wait for a server that keeps the connection open. */
static bool is_over(const struct hop *hop)
{
    return is_whole(hop) && clock_ms() - hop->last_ms >= CLOSING_MS;
}

static int explain(struct hop *hop, CURLcode code)
{
    const char *host = hop->reply->host,
               *text = hop->text[0] ? hop->text : curl_easy_strerror(code);
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return say_to(hop->err, hop->errlen, HTTP_FAILED, "%s: certificate: %s", host, text);
    case CURLE_SSL_CACERT_BADFILE:
        return say_to(hop->err, hop->errlen, HTTP_FAILED,
                      "cannot read the CA file%s%s, so no certificate can be checked",
                      hop->req->ca_file ? " " : " (package ca-certificates)",
                      hop->req->ca_file ? hop->req->ca_file : "");
    case CURLE_OUT_OF_MEMORY: /* libcurl's code for a header line of more than 100 kB */
        return say_to(hop->err, hop->errlen, HTTP_FAILED, "%s: its headers have no end", host);
    case CURLE_SSL_CONNECT_ERROR: /* also where the connection broke in the handshake */
        return say_to(hop->err, hop->errlen, HTTP_BROKEN,
                      "%s: certificate: none came, without TLS 1.2 or later: %s", host, text);
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_OPERATION_TIMEDOUT:
        return say_to(hop->err, hop->errlen, HTTP_BROKEN, "%s: %s", host, text);
    default: return say_to(hop->err, hop->errlen, HTTP_FAILED, "%s: %s", host, text);
    }
}

/* How the hop ended. The sink's status and faults in headers come first: libcurl only sees what
 * they led to. */
static int judge(struct hop *hop, CURLcode code)
{
    if (hop->headers.fault)
        return say_to(hop->err, hop->errlen, HTTP_FAILED, "%s: %s", hop->reply->host,
                      hop->headers.fault);
    if (hop->status != 0)
        return hop->status;
    if (code == CURLE_WRITE_ERROR && is_redirect(hop->reply->status))
        return 0;
    if (code != CURLE_OK && !is_whole(hop))
        return explain(hop, code);
    if (!hop->begun)
        return begin(hop);
    if (hop->reply->length >= 0 && !hop->req->head && !is_whole(hop))
        return say_to(hop->err, hop->errlen, HTTP_BROKEN, "%s: ended before what it promised did",
                      hop->reply->host);
    return 0;
}

static int transfer(struct hop *hop, CURLM *multi)
{
    struct curl_waitfd wake = {.fd = hop->sink->wake_fd, .events = CURL_WAIT_POLLIN};
    CURLcode code = CURLE_OK;
    int running = 1, left, stopped = 0;

    hop->since_ms = hop->last_ms = clock_ms();
    curl_multi_add_handle(multi, hop->easy);
    while (stopped == 0 && curl_multi_perform(multi, &running) == CURLM_OK && running &&
           !is_over(hop)) {
        if (!hop->sink->go_on(hop->sink->ud))
            stopped = say_to(hop->err, hop->errlen, HTTP_STOPPED, "stopped");
        else if (!is_whole(hop) && is_silent(hop))
            stopped = say_to(hop->err, hop->errlen, HTTP_BROKEN, "%s: nothing came for %g s",
                             hop->reply->host, hop->req->patience_s);
        else
            curl_multi_poll(multi, &wake, wake.fd >= 0, TURN_MS, NULL);
    }
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left));)
        if (m->msg == CURLMSG_DONE)
            code = m->data.result;
    curl_easy_getinfo(hop->easy, CURLINFO_RESPONSE_CODE, &hop->reply->status);
    curl_multi_remove_handle(multi, hop->easy);
    return stopped ? stopped : judge(hop, code);
}

/* Where a redirect leads; the caller's. NULL: it is not followed, and err says why. */
static char *next_url(struct hop *hop, int n)
{
    char *target = NULL;
    curl_easy_getinfo(hop->easy, CURLINFO_REDIRECT_URL, &target);
    const char *host = hop->reply->host;
    if (!target) {
        say_to(hop->err, hop->errlen, 0, "%s: redirects to nowhere", host);
    } else if (!http_may_ask(target)) {
        say_to(hop->err, hop->errlen, 0, "%s: redirects to %.*s: that is not followed", host,
               (int)strcspn(target, "?#"), target);
    } else if (n >= HOPS) {
        say_to(hop->err, hop->errlen, 0, "%s: redirects once more, after %d times", host, HOPS);
    } else {
        return mem_strdup(target);
    }
    return NULL;
}

static int run_hops(struct hop *hop, CURLM *multi)
{
    char *url = mem_strdup(hop->req->url);
    bool trusted = true; /* every hop so far was at the origin */
    int status = 0;

    for (int n = 0; status == 0 && url; n++) {
        trusted = trusted && http_same_origin(url, hop->req->origin);
        if (hop->req->head && !trusted && n > 0)
            break;
        struct curl_slist *headers = headers_of(hop->req, trusted);
        hop->headers = (struct http_headers){.reply = hop->reply, .on_origin = trusted};
        hop->begun = false;
        hop->got = 0;
        hop->reply->length = -1;
        hop->text[0] = '\0';
        name_host(url, hop->reply);
        prepare(hop, url, headers);
        status = transfer(hop, multi);
        curl_slist_free_all(headers);
        free(url);
        url = NULL;
        if (status == 0 && is_redirect(hop->reply->status) && !(url = next_url(hop, n)))
            status = HTTP_FAILED;
    }
    free(url);
    return status;
}

int http_run(const struct http_request *req, const struct http_sink *sink, struct http_reply *reply,
             char *err, size_t errlen)
{
    struct hop hop = {.req = req, .sink = sink, .reply = reply, .err = err, .errlen = errlen};
    *reply = (struct http_reply){
        .length = -1, .range_from = -1, .range_total = -1, .linked_size = -1};

    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    hop.easy = curl_easy_init();
    if (!multi || !hop.easy)
        mem_fail();
    int status = run_hops(&hop, multi);
    curl_easy_cleanup(hop.easy);
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    return status;
}
