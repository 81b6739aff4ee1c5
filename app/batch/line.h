/* line.h - a line of a batch: JSON to a request, and the result back to JSON.
 *
 * A line is a string (the prompt), or an object with "prompt" or OpenAI's "messages" and settings
 * of its own; the body of a line of OpenAI's batch files is understood too. Unset settings come
 * from the command line. */
#ifndef APP_BATCH_LINE_H
#define APP_BATCH_LINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "app/batch/jobs.h"
#include "app/chat/response_format.h"
#include "app/options.h"
#include "app/str.h"
#include "engine/engine.h"

struct batch_line {
    int64_t number; /* of the line in the input, from 1 */
    json_t *id;     /* as given, else the number */
    struct engine_request request;

    /* Private: what the request points to. */
    json_t *read;
    char *messages;
    const char **stop;
    json_t *texts;
};

/* Shared by all lines of a batch. */
struct batch_defaults {
    const struct options *options;
    const struct engine_info *info;
    const char *model; /* as the user names it */
    const char *date;
    const struct response_format *format;
};

/* 0, or -1 with the reason in err; the line's id is set in both cases. text NULL: the line was too
 * long to be read. */
int batch_line_read(struct batch_line *line, const char *text, size_t len,
                    const struct batch_defaults *defaults, char *err, size_t errlen);
void batch_line_done(struct batch_line *line);

/* Appends the output line, with its newline. */
void batch_line_write(const struct batch_line *line, const struct job_result *result,
                      const char *model, struct str *out);

#endif
