/* numbers.c - see numbers.h. */
#include "app/numbers.h"

#include <math.h>

#include "app/mem.h"

double numbers_tokens_per_second(const struct engine_usage *usage)
{
    if (usage->completion_tokens < 2 || usage->generation_time_ms <= 0)
        return -1;
    return (usage->completion_tokens - 1) * 1e3 / usage->generation_time_ms;
}

static void add_real(json_t *object, const char *name, double value)
{
    if (value >= 0)
        json_object_set_new(object, name, json_real(round(value * 1e3) / 1e3));
}

json_t *numbers_json(const struct engine_usage *usage, double load_ms)
{
    double per_second = numbers_tokens_per_second(usage);
    json_t *object = json_pack("{s:i, s:i, s:i, s:i}", "prompt_tokens", usage->prompt_tokens,
                               "cached_tokens", usage->cached_tokens, "completion_tokens",
                               usage->completion_tokens, "reasoning_tokens",
                               usage->reasoning_tokens);
    if (!object)
        mem_fail();
    add_real(object, "load_ms", load_ms);
    add_real(object, "time_to_first_token_ms", usage->time_to_first_token_ms);
    add_real(object, "generation_time_ms", usage->generation_time_ms);
    add_real(object, "mean_itl_ms", per_second > 0 ? 1e3 / per_second : -1);
    add_real(object, "tokens_per_second", per_second);
    return object;
}

void numbers_add_text(struct str *out, const struct engine_usage *usage, double load_ms)
{
    json_t *object = numbers_json(usage, load_ms), *value;
    const char *name;
    json_object_foreach(object, name, value)
        str_addf(out, "%-22s %.*f\n", name, json_is_real(value) ? 1 : 0, json_number_value(value));
    json_decref(object);
}

void numbers_add_line(struct str *out, const struct engine_usage *usage)
{
    double per_second = numbers_tokens_per_second(usage);
    str_addf(out, "%d token%s", usage->completion_tokens, usage->completion_tokens == 1 ? "" : "s");
    if (per_second > 0)
        str_addf(out, " \xc2\xb7 %.*f tokens/s", per_second < 10 ? 1 : 0, per_second);
    double first = usage->time_to_first_token_ms;
    if (first >= 1000)
        str_addf(out, " \xc2\xb7 first after %.1f s", first / 1000);
    else if (first > 0)
        str_addf(out, " \xc2\xb7 first after %.0f ms", first);
}

void numbers_add_bytes(struct str *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double n = (double)bytes;
    size_t unit = 0;
    while (n >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        n /= 1000;
        unit++;
    }
    str_addf(out, "%.*f %s", n < 9.95 && unit > 0 ? 1 : 0, n, units[unit]);
}
