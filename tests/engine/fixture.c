/* fixture.c - where the outside fixtures are, and how a test gets at one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/engine/tests.h"

void fixture_path(const char *name, char *out, size_t outlen)
{
    const char *folder = getenv("DUET_FIXTURES");

    if (!folder || !*folder)
        skip();
    if ((size_t)snprintf(out, outlen, "%s/%s", folder, name) >= outlen)
        fail_msg("path too long: %s/%s", folder, name);
}

void *fixture_read(const char *name, size_t *len_out)
{
    char path[1024];
    fixture_path(name, path, sizeof path);

    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    fseek(f, 0, SEEK_END);
    long len = ftell(f);
    rewind(f);
    char *bytes = malloc((size_t)len + 1);
    if (!bytes || fread(bytes, 1, (size_t)len, f) != (size_t)len)
        fail_msg("cannot read %s", path);
    fclose(f);
    bytes[len] = '\0';
    *len_out = (size_t)len;
    return bytes;
}
