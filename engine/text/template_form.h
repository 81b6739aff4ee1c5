/* template_form.h - what template.c passes to the two forms, and what the forms share.
 *
 * A form returns 0, or -1 after refuse(). Private to the templates. */
#ifndef ENGINE_TEXT_TEMPLATE_FORM_H
#define ENGINE_TEXT_TEMPLATE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "engine.h"

struct prompt;

struct render {
    struct prompt *prompt;
    const json_t *messages; /* an array of objects */
    const json_t *tools;    /* an array, or NULL: none */
    const json_t *options;  /* an object, or NULL */
    const char *date;       /* or NULL */
    bool generate;
    enum engine_think think;
    bool reasoning, reasoned; /* out: the prompt ends inside <think>, behind </think> */
    char *err;
    size_t errlen;
};

int form_deepseek(struct render *r, bool opens_think);
int form_llama(struct render *r);

/* Writes the one line that says what is wrong; returns -1. */
int refuse(struct render *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *json_type_name(const json_t *value); /* "a string"; of NULL "nothing" */

/* *out = the value of a JSON text, for json_decref, or NULL for no text and for null. 0, or after
 * refuse() ENGINE_EINPUT or ENGINE_EMEMORY. */
int read_json(struct render *r, const char *name, const char *text, json_type type, json_t **out);

/* A string of messages[i], or NULL after refuse(). */
const json_t *message_string(struct render *r, size_t i, const char *key);

/* A string at object.key, named in an error as messages[i].tool_calls[call].NAME. */
const json_t *call_string(struct render *r, const json_t *object, const char *key, size_t i,
                          size_t call, const char *name);

bool is_role(const json_t *role, const char *name);
void put_json_string(struct render *r, const json_t *string);

#endif
