/* title.h - a conversation's title: something short, made from its first question. */
#ifndef APP_CHAT_TITLE_H
#define APP_CHAT_TITLE_H

#include <stddef.h>

enum { TITLE_BYTES = 72, TITLE_MAX = 400 };

/* A title for a conversation that begins with this question; the caller's. Never NULL. */
char *title_make(const char *question, size_t len);

/* A title that somebody wrote, on one line and no longer than TITLE_MAX bytes; the caller's. */
char *title_clean(const char *title, size_t len);

#endif
