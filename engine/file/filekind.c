/* filekind.c - a table of magic numbers, and the few kinds that have none. */
#include "file/filekind.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *magic;
    size_t len;
    const char *name;
} kinds[] = {
    {"PK\x03\x04", 4, "a ZIP archive (PyTorch weights are such archives)"},
    {"PK\x05\x06", 4, "an empty ZIP archive"},
    {"\x1f\x8b", 2, "a gzip file"},
    {"BZh", 3, "a bzip2 file"},
    {"\xfd"
     "7zXZ",
     5, "an xz file"},
    {"\x28\xb5\x2f\xfd", 4, "a zstd file"},
    {"7z\xbc\xaf\x27\x1c", 6, "a 7-Zip archive"},
    {"\x80\x02", 2, "a Python pickle"},
    {"\x80\x03", 2, "a Python pickle"},
    {"\x80\x04", 2, "a Python pickle"},
    {"\x80\x05", 2, "a Python pickle"},
    {"\x93NUMPY", 6, "a NumPy array"},
    {"\x89PNG", 4, "a PNG image"},
    {"\xff\xd8\xff", 3, "a JPEG image"},
    {"%PDF", 4, "a PDF document"},
    {"\x7f"
     "ELF",
     4, "a program"},
    {"SQLite format 3", 15, "an SQLite database"},
    {"version https://git-lfs", 23, "a Git LFS pointer (the model itself was not downloaded)"},
    {"lmgg", 4, "a file of GGML, the format before GGUF"},
    {"fmgg", 4, "a file of GGML, the format before GGUF"},
    {"tjgg", 4, "a file of GGML, the format before GGUF"},
};

static bool begins(const char *text, size_t n, const char *with)
{
    size_t len = strlen(with);
    return n >= len && strncasecmp(text, with, len) == 0;
}

/* A u64 length of a JSON header, then the header. */
static bool is_safetensors(const unsigned char *bytes, size_t n)
{
    uint64_t len;
    if (n < 9 || bytes[8] != '{')
        return false;
    memcpy(&len, bytes, sizeof len);
    return len >= 2 && len <= 100000000;
}

static bool is_zero(const unsigned char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && bytes[i] == 0)
        i++;
    return i == n;
}

const char *filekind_name(const void *bytes, size_t n)
{
    const char *text = bytes;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (n >= kinds[i].len && memcmp(bytes, kinds[i].magic, kinds[i].len) == 0)
            return kinds[i].name;
    }
    if (n >= 8 && is_zero(bytes, n))
        return "zeros (a download that was not finished?)";
    if (is_safetensors(bytes, n))
        return "a safetensors file";

    if (begins(text, n, "\xef\xbb\xbf")) {
        text += 3;
        n -= 3;
    }
    while (n > 0 && strchr(" \t\r\n", *text) && *text) {
        text++;
        n--;
    }
    if (begins(text, n, "<!doctype html") || begins(text, n, "<html") || begins(text, n, "<head"))
        return "an HTML page";
    if (begins(text, n, "<?xml"))
        return "an XML document";
    if (begins(text, n, "{"))
        return "JSON text";
    return NULL;
}
