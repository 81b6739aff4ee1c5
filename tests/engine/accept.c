/* accept.c - see accept.h. */
#include "tests/engine/accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/grammar/gbnf.h"
#include "engine/grammar/schema.h"

static int finish(struct accept *a, int root, char *err, size_t errlen)
{
    if (root < 0 || grammar_finish(a->grammar, root, err, errlen) != 0) {
        accept_done(a);
        return -1;
    }
    a->machine = machine_new(grammar_program(a->grammar));
    assert_non_null(a->machine);
    return 0;
}

int accept_gbnf(struct accept *a, const char *text, char *err, size_t errlen)
{
    int root;
    *a = (struct accept){.grammar = grammar_new()};
    if (gbnf_read(a->grammar, text, &root, err, errlen) != 0)
        root = -1;
    return finish(a, root, err, errlen);
}

int accept_schema(struct accept *a, const char *text, char *err, size_t errlen)
{
    json_t *schema = json_loads(text, JSON_DECODE_ANY, NULL);
    int body, root = -1;
    *a = (struct accept){.grammar = grammar_new()};
    assert_non_null(schema);
    if (schema_read(a->grammar, schema, &body, err, errlen) == 0) {
        root = grammar_rule(a->grammar, NULL);
        grammar_define(a->grammar, root, body);
    }
    json_decref(schema);
    return finish(a, root, err, errlen);
}

void accept_done(struct accept *a)
{
    machine_free(a->machine);
    grammar_free(a->grammar);
    *a = (struct accept){0};
}

bool accepts(struct accept *a, const char *text, size_t len)
{
    int32_t state = machine_start(a->machine);
    for (size_t i = 0; i < len && state >= 0; i++) {
        int32_t *all[] = {&state};
        if (machine_is_full(a->machine))
            machine_flush(a->machine, all, 1);
        state = machine_step(a->machine, state, (uint8_t)text[i]);
    }
    return machine_ends(a->machine, state);
}
