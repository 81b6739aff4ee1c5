/* count.c - see count.h. */
#include "app/chat/count.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app/chat/chat.h"
#include "app/mem.h"

enum {
    PIECE = 16 << 10,    /* bytes, or a little more: a few milliseconds */
    PIECE_MAX = 1 << 20, /* a text without a boundary for this long is not counted */
};

static bool is_letter(char c)
{
    return isalpha((unsigned char)c) && (unsigned char)c < 0x80;
}

/* Whether the tokenizers split before this byte regardless of context: after a newline followed by
 * something visible, and before a space between two letters. */
static bool cuts(const char *s, size_t at, size_t len)
{
    unsigned char next = (unsigned char)s[at];
    if (s[at - 1] == '\n') /* beyond ASCII there are more spaces, behind these bytes */
        return next > ' ' && next != 0x7f && next != 0xc2 && (next < 0xe1 || next > 0xe3);
    return next == ' ' && at + 1 < len && is_letter(s[at - 1]) && is_letter(s[at + 1]);
}

/* Where the piece that begins at `from` ends. */
static size_t piece_end(const struct str *text, size_t from)
{
    for (size_t at = from + PIECE; at < text->len; at++)
        if (cuts(text->data, at, text->len))
            return at;
    return text->len;
}

void count_set(struct count *c, const struct chat *chat, const char *text, size_t len)
{
    uint64_t engine = pool_model_serial(chat->model);
    size_t same = 0, most = len < c->text.len ? len : c->text.len;

    if (engine == c->engine)
        while (same < most && c->text.data[same] == text[same])
            same++;
    c->engine = engine;
    c->failed = false;
    /* The bytes after a cut affect it. */
    while (c->n > 0 && c->pieces[c->n - 1].end + 2 > same)
        c->n--;
    str_clear(&c->text);
    str_add(&c->text, text, len);
}

static size_t counted(const struct count *c)
{
    return c->n > 0 ? c->pieces[c->n - 1].end : 0;
}

bool count_step(struct count *c, const struct chat *chat)
{
    size_t from = counted(c);
    int64_t before = c->n > 0 ? c->pieces[c->n - 1].tokens : 0;

    if (c->failed || from >= c->text.len)
        return false;
    size_t end = piece_end(&c->text, from);
    int64_t tokens = end - from > PIECE_MAX
                         ? -1
                         : chat_count_tokens(chat, c->text.data + from, end - from);
    c->failed = tokens < 0;
    if (c->failed)
        return false;
    if (c->n == c->room) {
        c->room = c->room ? c->room * 2 : 16;
        c->pieces = mem_realloc(c->pieces, c->room * sizeof *c->pieces);
    }
    c->pieces[c->n++] = (struct count_piece){end, before + tokens};
    return end < c->text.len;
}

int64_t count_tokens(const struct count *c)
{
    if (c->failed || counted(c) < c->text.len)
        return -1;
    return c->n > 0 ? c->pieces[c->n - 1].tokens : 0;
}

void count_done(struct count *c)
{
    str_done(&c->text);
    free(c->pieces);
    *c = (struct count){0};
}
