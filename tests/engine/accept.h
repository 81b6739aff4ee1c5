/* accept.h - asks a grammar about texts. */
#ifndef TESTS_ENGINE_ACCEPT_H
#define TESTS_ENGINE_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/grammar/grammar.h"
#include "engine/grammar/machine.h"

struct accept {
    struct grammar *grammar;
    struct machine *machine;
};

/* Each makes the grammar of a text; 0, or -1 with err. */
int accept_gbnf(struct accept *a, const char *text, char *err, size_t errlen);
int accept_schema(struct accept *a, const char *text, char *err, size_t errlen);
void accept_done(struct accept *a);

bool accepts(struct accept *a, const char *text, size_t len);

#endif
