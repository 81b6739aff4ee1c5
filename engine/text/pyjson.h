/* pyjson.h - writes JSON values the way Python does, because the templates' tojson is Python's
 * json.dumps(value, ensure_ascii=False). Keys keep their order. Private to the templates. */
#ifndef ENGINE_TEXT_PYJSON_H
#define ENGINE_TEXT_PYJSON_H

#include <jansson.h>

struct prompt;

/* Appends json.dumps(value, indent=indent) to the prompt as plain text; indent 0 = on one line. The
 * caller has bounded the depth. */
void pyjson_dump(struct prompt *p, const json_t *value, int indent);

/* Appends str(value) of a number, true, false or null: "42", "2.5", "True", "None". */
void pyjson_str(struct prompt *p, const json_t *value);

#endif
