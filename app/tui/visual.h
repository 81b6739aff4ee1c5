/* visual.h - edits the draft in the user's own editor. */
#ifndef APP_TUI_VISUAL_H
#define APP_TUI_VISUAL_H

#include <stddef.h>

#include "app/str.h"

/* Runs $VISUAL, $EDITOR or vi on the draft in a temporary file, and waits for it; the terminal must
 * have been released. 0 with the text in *out, or -1 with one line in err. */
int visual_edit(const struct str *draft, struct str *out, char *err, size_t errlen);

#endif
