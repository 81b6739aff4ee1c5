/* hf_json.c - see hf_json.h. */
#include "file/hf_json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_BYTES = 64 * 1024 * 1024, MAX_PATH = 4096 };

int hf_refuse(const struct hf_reader *r, const char *file, const char *format, ...)
{
    va_list args;
    int n = snprintf(r->err, r->errlen, "%s: ", file);
    va_start(args, format);
    if (n > 0 && (size_t)n < r->errlen)
        vsnprintf(r->err + n, r->errlen - (size_t)n, format, args);
    va_end(args);
    return -1;
}

bool hf_text_read(const struct hf_reader *r, const char *file, struct safemap *map, bool *failed)
{
    char path[MAX_PATH], why[128];

    *failed = true;
    if (snprintf(path, sizeof path, "%s/%s", r->folder, file) >= (int)sizeof path) {
        hf_refuse(r, file, "the folder's path is too long");
        return false;
    }
    if (access(path, F_OK) != 0) {
        *failed = false;
        return false;
    }
    if (safemap_open(map, path, why, sizeof why) != 0) {
        hf_refuse(r, file, "%s", why);
        return false;
    }
    if (map->size > MAX_BYTES)
        hf_refuse(r, file, "too large (got %zu, limit %d bytes)", map->size, MAX_BYTES);
    else if (safemap_read(map, map->size, why, sizeof why) != 0)
        hf_refuse(r, file, "%s", why);
    else
        *failed = false;
    if (*failed)
        safemap_close(map);
    return !*failed;
}

json_t *hf_json_read(const struct hf_reader *r, const char *file, bool *failed)
{
    struct safemap map;
    json_error_t error;

    if (!hf_text_read(r, file, &map, failed))
        return NULL;
    json_t *json = json_loadb((const char *)map.bytes, map.size, JSON_REJECT_DUPLICATES, &error);
    safemap_close(&map);
    if (json_is_object(json))
        return json;
    hf_refuse(r, file, "%s", json ? "not an object" : "not JSON");
    json_decref(json);
    *failed = true;
    return NULL;
}

json_t *hf_json_need(const struct hf_reader *r, const char *file)
{
    bool failed;
    json_t *json = hf_json_read(r, file, &failed);
    if (!json && !failed)
        hf_refuse(r, file, "missing");
    return json;
}

int hf_json_int(const struct hf_json *in, const char *key, int max, int otherwise, int *out)
{
    const json_t *value = json_object_get(in->object, key);
    if ((!value || json_is_null(value)) && otherwise > 0 && otherwise <= max) {
        *out = otherwise;
        return 0;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > max)
        return hf_refuse(in->reader, in->file, "%s: %s (limit 1 to %d)", key,
                         value ? "out of range" : "missing", max);
    *out = (int)json_integer_value(value);
    return 0;
}

int hf_json_real(const struct hf_json *in, const char *key, double otherwise, double *out)
{
    const json_t *value = json_object_get(in->object, key);
    if ((!value || json_is_null(value)) && !isnan(otherwise)) {
        *out = otherwise;
        return 0;
    }
    if (!json_is_number(value))
        return hf_refuse(in->reader, in->file, "%s: %s", key, value ? "not a number" : "missing");
    *out = json_number_value(value);
    return 0;
}
