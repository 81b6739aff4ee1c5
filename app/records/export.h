/* export.h - a stored conversation as a text for elsewhere.
 *
 * What was said is data in all of these: HTML holds no tag of anybody's but ours and loads nothing;
 * in Markdown no tag is live, and a code block that was left open in a message ends with it. Both
 * show what a terminal would obey as \xNN. JSON is lossless and read back by import.h: the whole
 * tree, with everything that is known of each answer; the others show the current path. */
#ifndef APP_RECORDS_EXPORT_H
#define APP_RECORDS_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "app/str.h"
#include "storage/store.h"

/* In the order of the choices of --format. */
enum export_format { EXPORT_MD, EXPORT_JSON, EXPORT_JSONL, EXPORT_HTML };

/* Appends the conversation to out. 0, or a negative store_status with one line in err. */
int export_conversation(struct store *store, int64_t id, enum export_format format, struct str *out,
                        char *err, size_t errlen);

/* A file name for it that means nothing to a shell or a path:
 * "what-is-15-of-240.md", or for n > 1 "what-is-15-of-240-2.md"; added to out. */
void export_file_name(const char *title, enum export_format format, int n, struct str *out);

/* The parts of it. path: root first. */

void export_add_md(const struct store_conversation *c, const struct store_messages *path,
                   struct str *out);
void export_add_html(const struct store_conversation *c, const struct store_messages *path,
                     struct str *out);
void export_add_jsonl(const struct store_messages *path, struct str *out);

/* 0 or a negative store_status. */
int export_add_json(struct store *store, const struct store_conversation *c, struct str *out);

/* What they have in common: who said a message, unescaped; how it ended, where that is worth a
 * word, or NULL; when, "2026-11-26 11:52". */
const char *export_speaker(const struct store_message *m);
const char *export_remark(const struct store_message *m);
void export_add_date(int64_t ms, struct str *out);

/* The names that roles and states have in JSON. */
extern const char *const export_roles[], *const export_states[];

#endif
