/* complete.h - candidates for a command's argument, for completion on the screen and in line
 * mode. */
#ifndef APP_COMMANDS_COMPLETE_H
#define APP_COMMANDS_COMPLETE_H

#include "app/chat/chat.h"
#include "ui/ui.h"

/* For a line that begins with a command's name and a space. */
void command_complete(struct chat *c, const char *line, ui_offer offer, void *sink);

#endif
