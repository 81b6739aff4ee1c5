/* repl_complete.h - completion of commands and their arguments in line mode. */
#ifndef APP_PLAIN_REPL_COMPLETE_H
#define APP_PLAIN_REPL_COMPLETE_H

#include "app/chat/chat.h"

/* Lets readline complete for this chat. */
void repl_complete_with(struct chat *c);

#endif
