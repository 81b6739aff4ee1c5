/* tui.h - the screen's side of a chat, shared by the loop (tui.c) and what it does on the user's
 * wishes (tui_actions.c). */
#ifndef APP_TUI_H
#define APP_TUI_H

#include <stdbool.h>
#include <stdint.h>

#include "app/chat.h"
#include "app/models.h"
#include "app/str.h"
#include "ui/ui.h"

struct tui {
    struct chat chat;
    struct ui *ui;

    bool done;
    int status;               /* the exit status, once done */
    enum store_state left_as; /* what becomes of an answer that is being written then */

    struct str queued; /* the next question, sent when the answer has ended */
    bool retried;      /* the model was lost and loaded again since the last good answer */
    bool unsaved;      /* the last save failed, and that is on the screen */

    int64_t context_used, draft_tokens;
    uint64_t draft_counted;    /* revision of the draft + 1 that draft_tokens is of */
    struct model_list offered; /* what the dialog for models shows */
};

void tui_leave(struct tui *t, int status, enum store_state left_as);
void tui_suspend(struct tui *t);

/* Asks, or puts the text back into the composer with the reason why not. */
void tui_ask(struct tui *t, const char *text, size_t len);

/* Puts the conversation at hand, and the numbers that follow from it, on the screen. */
void tui_show_conversation(struct tui *t);
void tui_show_sidebar(struct tui *t);
void tui_count_context(struct tui *t);

/* The screen knows a turn by its number. */
void tui_end_turn(struct tui *t, const struct turn *turn);

void tui_act(struct tui *t, const struct ui_action *action);

#endif
