/*
 * outline_context.c: writes the blocks open at a position as Markdown again.
 */
#include "markdown/outline.h"

#include <string.h>

static bool put_spaces(struct bytes *out, int n)
{
    static const char spaces[] = "                                ";
    bool ok = true;
    for (; n > 0 && ok; n -= (int)sizeof spaces - 1)
        ok = bytes_add(out, spaces, (size_t)n < sizeof spaces - 1 ? (size_t)n : sizeof spaces - 1);
    return ok;
}

static const char placeholder = 0x1a;

/* The line prefix for the first n containers. */
static bool put_margin(const struct outline *o, int n, struct bytes *out)
{
    bool ok = true;
    for (int i = 0; i < n && ok; i++)
        ok = o->open[i].mark == '>' ? bytes_add(out, "> ", 2)
                                    : put_spaces(out, o->open[i].indent + o->open[i].content);
    return ok;
}

/* A blank line after some text in the first n containers. */
static bool put_empty_line(const struct outline *o, int n, struct bytes *out)
{
    return bytes_add(out, &placeholder, 1) && bytes_add(out, "\n", 1) && put_margin(o, n, out) &&
           bytes_add(out, "\n", 1);
}

/*
 * Opens the containers. An indented one needs a line of its own, or it would widen the one around
 * it.
 */
static bool put_containers(const struct outline *o, struct bytes *out)
{
    static const char ones[] = "111111111";
    bool ok = true;

    for (int i = 0; i < o->depth && ok; i++) {
        const struct outline_open *open = &o->open[i];
        if (i > 0 && open->indent > 0)
            ok = put_empty_line(o, i, out) && put_margin(o, i, out);
        if (open->mark == '>')
            ok = ok && bytes_add(out, "> ", 2);
        else
            ok = ok && put_spaces(out, open->indent) && bytes_add(out, ones, open->digits) &&
                 bytes_add(out, &open->mark, 1) &&
                 put_spaces(out, open->content - open->digits - 1);
    }
    return ok;
}

/* A line of the text, without its newline. */
static bool put_line(const char *text, size_t len, size_t from, struct bytes *out)
{
    const char *newline = memchr(text + from, '\n', len - from);
    size_t n = newline ? (size_t)(newline - text) - from : len - from;
    return bytes_add(out, text + from, n < OUTLINE_PIECE ? n : OUTLINE_PIECE);
}

static bool put_fence(const struct outline *o, const char *text, size_t len, struct bytes *out)
{
    bool ok = put_spaces(out, o->in_line ? 0 : o->fence_indent);
    for (uint32_t i = 0; i < o->fence_len && ok; i++)
        ok = bytes_add(out, &o->fence, 1);
    ok = ok && put_line(text, len, o->fence_info, out) && bytes_add(out, "\n", 1);
    return ok && (!o->in_line || put_margin(o, o->depth, out));
}

/* The header row and the delimiter row, with the container prefix. */
static bool put_table(const struct outline *o, const char *text, size_t len, struct bytes *out)
{
    const char *newline = memchr(text + o->table, '\n', len - o->table);
    if (!newline)
        return true;
    return put_line(text, len, o->table, out) && bytes_add(out, "\n", 1) &&
           put_line(text, len, (size_t)(newline - text) + 1, out) && bytes_add(out, "\n", 1);
}

bool outline_context(const struct outline *o, const char *text, size_t len, struct bytes *out)
{
    if (o->depth == 0 && o->leaf == LEAF_NONE)
        return true;
    if (!put_containers(o, out))
        return false;
    switch (o->leaf) {
    case LEAF_FENCE: return put_fence(o, text, len, out);
    case LEAF_TABLE: return put_table(o, text, len, out);
    case LEAF_TEXT:
        return bytes_add(out, &placeholder, 1) && (o->in_line || bytes_add(out, "\n", 1));
    case LEAF_NONE: break;
    }
    return put_empty_line(o, o->depth, out);
}
