/* notices.h - the wording of duet's notices beside an answer. */
#ifndef APP_CHAT_NOTICES_H
#define APP_CHAT_NOTICES_H

#include "app/chat/chat.h"
#include "app/str.h"

/* That a demo model answers since no other is installed, or that nothing is kept, and why, or
 * that there was nothing to continue; as a line on standard error, or added to a text. Nothing
 * where it is not so. */
void notice_demo(const struct chat *c);
void notice_history(const struct chat *c);
void notice_add_demo(const struct chat *c, const char *pull, struct str *out); /* "/pull" */
void notice_add_history(const struct chat *c, struct str *out);

/* That the model uses another KV cache type than requested. Nothing if not, or if e is NULL. */
void notice_kv_type(const struct options *o, const struct engine *e);
void notice_add_kv_type(const struct options *o, const struct engine *e, struct str *out);

/* How an answer ended, for the line below it: numbers, or what went wrong. */
void notice_add_end(const struct turn *turn, struct str *out);

#endif
