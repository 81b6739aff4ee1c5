/* greeting.h - whether duet explains itself: to who has not had a conversation yet, and then never
 * again. Remembered in a file under $XDG_STATE_HOME. */
#ifndef APP_CHAT_GREETING_H
#define APP_CHAT_GREETING_H

#include <stdbool.h>

#include "app/chat/history.h"
#include "app/paths.h"

bool greeting_due(const struct paths *paths, struct history *h);

/* There was a conversation. Where that cannot be written down, nothing is lost. */
void greeting_done(const struct paths *paths);

#endif
