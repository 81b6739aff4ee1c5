/* inspect.h - parts of `duet inspect` that are files of their own. */
#ifndef APP_INSPECT_INSPECT_H
#define APP_INSPECT_INSPECT_H

#include "app/cmd.h"

/* `duet inspect model NAME`: 0 or an exit status. */
int inspect_model(const struct app *app, const char *name);

#endif
