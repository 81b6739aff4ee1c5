/*
 * extract.c: code blocks as md4c finds them, without the indentation of a list around them, and
 * formulas as they are delimited.
 */
#include "markdown/extract.h"
#include "math/math.h"

#include <limits.h>
#include <md4c.h>
#include <string.h>

/* A walk over the code blocks up to the requested one. */
struct search {
    size_t n, want;
    bool inside, failed;
    struct bytes *out;
};

static int enter_block(MD_BLOCKTYPE type, void *detail, void *ud)
{
    struct search *s = ud;
    (void)detail;
    if (type == MD_BLOCK_CODE)
        s->inside = s->n++ == s->want;
    return 0;
}

/* Stops the walk after the requested block. */
static int leave_block(MD_BLOCKTYPE type, void *detail, void *ud)
{
    const struct search *s = ud;
    (void)detail;
    return type == MD_BLOCK_CODE && s->inside ? -1 : 0;
}

static int any_span(MD_SPANTYPE type, void *detail, void *ud)
{
    (void)type;
    (void)detail;
    (void)ud;
    return 0;
}

static int text_in_block(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *ud)
{
    struct search *s = ud;
    if (s->inside && !bytes_add(s->out, type == MD_TEXT_NULLCHAR ? "\0" : text, size))
        s->failed = true;
    return s->failed ? -1 : 0;
}

bool extract_code(const char *text, size_t len, size_t n, struct bytes *out)
{
    struct search s = {.want = n, .out = out};
    const MD_PARSER parser = {
        .flags = MD_FLAG_NOHTML | MD_FLAG_TABLES,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = any_span,
        .leave_span = any_span,
        .text = text_in_block,
    };

    if (len > UINT_MAX || !bytes_reserve(out, 0))
        return false;
    size_t before = out->len;
    out->data[before] = '\0';
    md_parse(text, (MD_SIZE)len, &parser, &s);
    if (!s.inside || s.failed)
        return false;
    /* The final newline is dropped, so that a shell does not run a pasted line at once. */
    bytes_cut(out, out->len - (out->len > before && out->data[out->len - 1] == '\n'));
    return true;
}

bool extract_math(const char *text, size_t len, size_t n, struct bytes *out)
{
    struct math_span span = {.end = 0};

    do {
        if (!math_find(text, len, span.end, &span))
            return false;
    } while (n-- > 0);
    return bytes_add(out, text + span.tex, span.tex_len);
}
