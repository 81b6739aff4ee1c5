/* dry_run.h - shows the prompt a model would receive, without running it. */
#ifndef APP_PLAIN_DRY_RUN_H
#define APP_PLAIN_DRY_RUN_H

#include "app/cmd.h"
#include "app/plain/answer.h"
#include "app/str.h"

/* Adds the rendered prompt to out, as text or (with --json) as an object with its tokens; reads no
 * weights, keeps nothing. 0, or an exit status with one line in err. */
int dry_run(struct app *app, const struct str *question, struct outlet *out, char *err,
            size_t errlen);

#endif
