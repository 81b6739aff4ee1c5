/* cursor.c - see cursor.h. */
#include "file/cursor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "key 7: name", "NAME", "version" ... or "" for the file as a whole. */
static void print_place(char *buf, size_t size, const struct place *at)
{
    char name[72] = "";

    if (at->name.len > 0)
        gguf_print(name, sizeof name, at->name);
    else if (at->kind)
        snprintf(name, sizeof name, "%s %" PRIu64, at->kind, at->index);
    snprintf(buf, size, "%s%s%s", name, *name && at->part ? ": " : "", at->part ? at->part : "");
}

int cursor_refuse(struct cursor *c, const char *format, ...)
{
    char place[128], reason[192];
    va_list args;

    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    print_place(place, sizeof place, &c->place);
    snprintf(c->err, c->errlen, "%s%s%s", place, *place ? ": " : "", reason);
    return -1;
}

const unsigned char *cursor_take(struct cursor *c, uint64_t n)
{
    size_t left = c->size - c->pos;

    if (n > left) {
        cursor_refuse(c, "truncated at byte %zu (got %" PRIu64 " bytes to read, limit %zu)",
                      c->size, n, left);
        return NULL;
    }
    if (c->file && safemap_read(c->file, c->pos + n, c->err, c->errlen) != 0)
        return NULL;
    const unsigned char *bytes = c->bytes + c->pos;
    c->pos += n;
    return bytes;
}

int cursor_take_u32(struct cursor *c, uint32_t *out)
{
    const unsigned char *bytes = cursor_take(c, sizeof *out);
    if (!bytes)
        return -1;
    memcpy(out, bytes, sizeof *out);
    return 0;
}

int cursor_take_u64(struct cursor *c, uint64_t *out)
{
    const unsigned char *bytes = cursor_take(c, sizeof *out);
    if (!bytes)
        return -1;
    memcpy(out, bytes, sizeof *out);
    return 0;
}

int cursor_take_string(struct cursor *c, uint64_t max, struct gguf_string *out)
{
    uint64_t len;
    if (cursor_take_u64(c, &len) != 0)
        return -1;
    if (len > max)
        return cursor_refuse(c, "too long (got %" PRIu64 " bytes, limit %" PRIu64 ")", len, max);
    const unsigned char *bytes = cursor_take(c, len);
    if (!bytes)
        return -1;
    *out = (struct gguf_string){.data = (const char *)bytes, .len = len};
    return 0;
}
