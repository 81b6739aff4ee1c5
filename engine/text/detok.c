/* detok.c - a token's bytes pass three stages: `raw` joins them to whole characters, the scan
 * looks for tags and stop texts, and the rest goes out as a piece of `text`. */
#include "text/detok.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "text/pattern.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

static const char THINK_OPEN[] = "<think>";
static const char THINK_CLOSE[] = "</think>";

enum { MAX_OPENING = 32 }; /* bytes looked at for a <think> behind white space */

struct detok {
    const struct tokenizer *tokens;
    bool thinks;
    enum detok_stage stage;
    char *raw; /* the beginning of a character; during a call the token behind it */
    size_t n_raw;
    char *text;            /* whole characters: [0, start) given or dropped, [start, len) held */
    size_t start, at, len; /* [0, at) has been scanned */
    struct pattern close;
    struct pattern *stop;
    size_t n_stop;
};

static int copy_stops(struct detok *d, const char *const *stop, size_t *longest)
{
    size_t n = 0;
    while (stop && stop[n])
        n++;
    d->stop = calloc(n + 1, sizeof *d->stop);
    if (!d->stop)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (!*stop[i])
            continue;
        if (pattern_init(&d->stop[d->n_stop], stop[i]) != 0)
            return -1;
        size_t len = d->stop[d->n_stop++].len;
        *longest = len > *longest ? len : *longest;
    }
    return 0;
}

int detok_open(struct detok **out, const struct tokenizer *t, const struct detok_options *opt)
{
    struct detok *d = calloc(1, sizeof *d);
    if (!d)
        return -1;
    d->tokens = t;
    d->thinks = opt->thinks;
    d->stage = opt->thinks ? opt->stage : DETOK_ANSWER;
    size_t held = MAX_OPENING + sizeof THINK_CLOSE;
    size_t raw = tok_info(t)->max_bytes + 4;
    if (copy_stops(d, opt->stop, &held) != 0 || pattern_init(&d->close, THINK_CLOSE) != 0)
        goto fail;
    d->raw = malloc(raw);
    d->text = malloc(held + 3 * raw); /* each bad byte becomes three */
    if (!d->raw || !d->text)
        goto fail;
    *out = d;
    return 0;
fail:
    detok_close(d);
    return -1;
}

void detok_close(struct detok *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_stop; i++)
        pattern_done(&d->stop[i]);
    pattern_done(&d->close);
    free(d->stop);
    free(d->raw);
    free(d->text);
    free(d);
}

/* Moves whole characters from raw to text; at the end also what is left of one, as U+FFFD. */
static void join_characters(struct detok *d, bool end)
{
    size_t at = 0;
    for (size_t len; at < d->n_raw; at += len) {
        int32_t c = utf8_decode(d->raw + at, d->n_raw - at, &len);
        if (c == UTF8_SHORT && !end)
            break;
        d->len += utf8_encode(c < 0 ? 0xFFFD : c, d->text + d->len);
    }
    d->n_raw -= at;
    memmove(d->raw, d->raw + at, d->n_raw);
}

/* Gives text up to `end`, moved back to the start of a character. */
static void give(struct detok *d, size_t end, struct detok_out *out)
{
    while (end > d->start && end < d->len && (d->text[end] & 0xC0) == 0x80)
        end--;
    if (end <= d->start)
        return;
    assert(out->n < 2);
    out->piece[out->n++] = (struct detok_piece){detok_kind(d), d->text + d->start, end - d->start};
    d->start = end;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Is the first thing the model writes a <think>? False while that is open. */
static bool scan_opening(struct detok *d)
{
    size_t at = d->start, same = 0;
    while (at < d->len && is_blank(d->text[at]))
        at++;
    while (THINK_OPEN[same] && at + same < d->len && d->text[at + same] == THINK_OPEN[same])
        same++;
    if (!THINK_OPEN[same]) {
        d->start = d->at = at + same;
        d->stage = DETOK_REASONING_START;
        return true;
    }
    if (at + same == d->len && d->len - d->start < MAX_OPENING)
        return false;
    d->stage = DETOK_ANSWER;
    return true;
}

/* Drops white space; false when there is nothing else yet. */
static bool scan_blanks(struct detok *d, enum detok_stage next)
{
    while (d->at < d->len && is_blank(d->text[d->at]))
        d->at++;
    d->start = d->at;
    if (d->at == d->len)
        return false;
    d->stage = next;
    return true;
}

/* True when </think> was met. */
static bool scan_reasoning(struct detok *d, struct detok_out *out)
{
    while (d->at < d->len) {
        if (!pattern_step(&d->close, d->text[d->at++]))
            continue;
        give(d, d->at - d->close.len, out);
        d->start = d->at;
        d->stage = DETOK_ANSWER_START;
        return true;
    }
    give(d, d->len - d->close.state, out);
    return false;
}

/* Bytes of the longest stop text that c completes, or 0. */
static size_t step_stops(struct detok *d, char c)
{
    size_t longest = 0;
    for (size_t i = 0; i < d->n_stop; i++)
        if (pattern_step(&d->stop[i], c) && d->stop[i].len > longest)
            longest = d->stop[i].len;
    return longest;
}

/* How many bytes at the end may be the beginning of a stop text. */
static size_t begun_stops(const struct detok *d)
{
    size_t longest = 0;
    for (size_t i = 0; i < d->n_stop; i++)
        if (d->stop[i].state > longest)
            longest = d->stop[i].state;
    return longest;
}

static void scan_answer(struct detok *d, struct detok_out *out)
{
    size_t complete = 0;
    while (d->at < d->len && complete == 0)
        complete = step_stops(d, d->text[d->at++]);
    give(d, d->at - (complete > 0 ? complete : begun_stops(d)), out);
    if (complete > 0)
        d->stage = DETOK_STOPPED;
}

static void scan(struct detok *d, struct detok_out *out)
{
    bool more = true;
    while (more)
        switch (d->stage) {
        case DETOK_OPENING: more = scan_opening(d); break;
        case DETOK_REASONING_START: more = scan_blanks(d, DETOK_REASONING); break;
        case DETOK_REASONING: more = scan_reasoning(d, out); break;
        case DETOK_ANSWER_START: more = scan_blanks(d, DETOK_ANSWER); break;
        case DETOK_ANSWER: scan_answer(d, out); /* fall through */
        case DETOK_STOPPED: more = false; break;
        }
}

/* A <think> that opens the reasoning, again where it was closed just now, or is written again where
 * it is open already. */
static bool take_open(struct detok *d)
{
    if (d->stage != DETOK_OPENING && d->stage != DETOK_REASONING_START &&
        d->stage != DETOK_ANSWER_START)
        return false;
    d->start = d->at = d->len; /* white space, if anything */
    d->stage = DETOK_REASONING_START;
    return true;
}

/* A </think> that ends the reasoning, opened or not, or is written again where it was closed. */
static bool take_close(struct detok *d, struct detok_out *out)
{
    if (d->stage > DETOK_ANSWER_START)
        return false;
    if (d->stage < DETOK_REASONING)
        scan_blanks(d, DETOK_REASONING);
    if (d->stage == DETOK_REASONING)
        give(d, d->len, out);
    d->start = d->at = d->len;
    d->stage = DETOK_ANSWER_START;
    return true;
}

/* True when the token is a marker that has been dealt with, and not text. */
static bool take_marker(struct detok *d, int32_t id, struct detok_out *out)
{
    enum tok_type type = tok_type(d->tokens, id);
    if (type == TOK_CONTROL || type == TOK_UNUSED)
        return true;
    const struct tok_info *info = tok_info(d->tokens);
    if (!d->thinks || (id != info->think_open && id != info->think_close))
        return false;
    join_characters(d, true);
    scan(d, out);
    return id == info->think_open ? take_open(d) : take_close(d, out);
}

/* Drops what the last call gave. */
static void begin(struct detok *d, struct detok_out *out)
{
    *out = (struct detok_out){.stopped = d->stage == DETOK_STOPPED};
    d->len -= d->start;
    d->at = d->at > d->start ? d->at - d->start : 0;
    memmove(d->text, d->text + d->start, d->len);
    d->start = 0;
}

void detok_feed(struct detok *d, int32_t id, struct detok_out *out)
{
    begin(d, out);
    if (out->stopped || take_marker(d, id, out))
        return;
    size_t len;
    const char *bytes = tok_bytes(d->tokens, id, &len);
    memcpy(d->raw + d->n_raw, bytes, len);
    d->n_raw += len;
    join_characters(d, false);
    scan(d, out);
    out->stopped = d->stage == DETOK_STOPPED;
}

void detok_end(struct detok *d, struct detok_out *out)
{
    begin(d, out);
    if (out->stopped)
        return;
    join_characters(d, true);
    scan(d, out);
    out->stopped = d->stage == DETOK_STOPPED;
    if (!out->stopped)
        give(d, d->len, out);
}

enum engine_text detok_kind(const struct detok *d)
{
    bool reasoning = d->stage == DETOK_REASONING_START || d->stage == DETOK_REASONING;
    return reasoning ? ENGINE_REASONING : ENGINE_ANSWER;
}

enum detok_stage detok_stage(const struct detok *d)
{
    return d->stage;
}

bool detok_holds(const struct detok *d)
{
    return d->n_raw > 0 || d->start < d->len;
}
