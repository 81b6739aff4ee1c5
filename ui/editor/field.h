/*
 * field.h: a one-line text field, for a title or a query.
 */
#ifndef UI_EDITOR_FIELD_H
#define UI_EDITOR_FIELD_H

#include "editor/editor.h"
#include "keys/keymap.h"
#include "terminal/grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIELD_MAX = 400 }; /* bytes */

struct field {
    struct editor editor;
    bool replaced; /* the next typed character replaces the whole text */
};

void field_init(struct field *f);
void field_done(struct field *f);

/* The text: valid UTF-8 without newlines, until the next call. */
const char *field_text(const struct field *f);
void field_set(struct field *f, const char *text);

/* True if the text changed. Excess input is dropped. */
bool field_insert(struct field *f, const char *text, size_t len);

/* Runs an editing action; false: the text is unchanged. */
bool field_do(struct field *f, enum keymap_action action);

/* Draws it and sets the cursor. */
void field_draw(const struct field *f, struct grid *g, struct area at, uint8_t style);

#endif
