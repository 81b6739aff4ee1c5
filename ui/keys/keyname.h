/*
 * keyname.h: the names of keys: "C-x", "M-Enter", "F1" in tables and configuration files, and
 * "Ctrl-X" for people.
 */
#ifndef UI_KEYS_KEYNAME_H
#define UI_KEYS_KEYNAME_H

#include "keys/key.h"

#include <stdbool.h>
#include <stddef.h>

enum { KEYNAME_MAX = 32 }; /* bytes of a name, with the NUL */

/*
 * Parses a key at *s; false: no such name. "Ctrl-" equals "C-", "Alt-" "M-", "Shift-" "S-". Keys
 * are what a terminal sends, so C-i is Tab.
 */
bool keyname_parse(const char **s, struct key *out);

/* Its name as keyname_parse() reads it, or for display. */
void keyname_print(struct key key, bool words, char out[KEYNAME_MAX]);

#endif
