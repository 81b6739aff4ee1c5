/* greeting.h - whether duet shows an introduction: to users without any conversation, and only
 * once. Remembered in a file under $XDG_STATE_HOME. */
#ifndef APP_CHAT_GREETING_H
#define APP_CHAT_GREETING_H

#include <stdbool.h>

#include "app/chat/history.h"
#include "app/paths.h"

bool greeting_due(const struct paths *paths, struct history *h);

/* Records that there was a conversation. If that fails, nothing is lost. */
void greeting_done(const struct paths *paths);

#endif
