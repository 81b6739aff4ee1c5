/* tui.h - the screen's side of a chat, shared by the loop (tui.c) and what its actions do. */
#ifndef APP_TUI_TUI_H
#define APP_TUI_TUI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/chat/chat.h"
#include "app/chat/count.h"
#include "app/chat/draft.h"
#include "app/config.h"
#include "app/models/models.h"
#include "app/pull/child.h"
#include "app/str.h"
#include "app/tui/library.h"
#include "ui/ui.h"

struct command_reply;
struct pollfd;

struct tui {
    struct chat chat;
    struct ui *ui;
    struct config *config;
    bool greeting; /* there was no conversation yet */

    /* Leaving. */
    bool done;
    int status;               /* the exit status, once done */
    enum store_state left_as; /* what happens to an unfinished answer then */
    bool warned;              /* of what quitting would lose: the queue, or what is unsaved */
    bool unsaved;             /* saving fails, and that is on the screen */

    /* The queue: questions asked when the answer has ended. */
    struct str *waiting;
    size_t n_waiting;
    size_t n_due; /* so many of the first are sent automatically, the rest on request */

    /* What the user is choosing or changing. */
    int64_t editing;           /* number of the question being edited in the draft; 0: none */
    struct str stash;          /* the draft before that */
    int64_t regenerated;       /* number of the turn for which a model is being chosen */
    struct str refused;        /* the question that did not fit */
    struct model_list offered; /* what the dialog for models shows */
    bool offering;             /* the banner says that an answer was interrupted */

    /* In the background. */
    pid_t copying; /* what hands a text to the clipboard; 0: nothing does */
    int copying_fd;
    struct str copied;      /* what that text is */
    struct pull_child pull; /* pid 0: none */
    bool told_opening;      /* announced that opening a model takes long */

    /* The numbers of the status line. */
    int64_t context_used, draft_tokens;
    bool context_more;        /* lower bound: counting stopped there */
    int64_t asking;           /* tokens of the prompt without the draft */
    bool asking_known, trims; /* trims: the model does not get spaces around a question */
    uint64_t draft_counted;   /* draft revision + 1 of the count */
    struct count count;

    struct draft draft;
    struct tui_library library;
};

void tui_leave(struct tui *t, int status, enum store_state left_as);

/* Says that saving fails, once it has failed twice, or works again. */
void tui_tell_saved(struct tui *t);
void tui_suspend(struct tui *t);

/* Asks, or puts the text back into the composer with the reason. 0 or an exit status. */
int tui_ask(struct tui *t, const char *text, size_t len);

/* Performs a command's reply, and frees it; runs a command, as if typed. */
void tui_follow(struct tui *t, struct command_reply *reply);
void tui_command(struct tui *t, const char *line);

/* ui_notice() and ui_hint() of a line made as by printf. */
__attribute__((format(printf, 3, 4))) void tui_notice(struct tui *t, enum ui_tone tone,
                                                      const char *format, ...);
__attribute__((format(printf, 2, 3))) void tui_hint(struct tui *t, const char *format, ...);

/* Shows the current conversation, and the numbers that depend on it. */
void tui_show_conversation(struct tui *t);
void tui_count_context(struct tui *t);

/* In status.c. */
void tui_show_status(struct tui *t);

/* In draft.c: counting and saving the draft. */
void tui_draft_open(struct tui *t);
void tui_draft_tick(struct tui *t);
void tui_draft_touch(struct tui *t); /* the queue has changed */
int tui_draft_timeout_ms(const struct tui *t);
void tui_draft_done(struct tui *t);

enum { TAG_MODEL, TAG_REGENERATE, TAG_COMPACT, TAG_ROOM };
void tui_pick_model(struct tui *t, int tag);

/* In branch.c. The screen knows a turn by its number. */
void tui_act_on_branch(struct tui *t, const struct ui_action *action);
void tui_act_decline(struct tui *t, const struct ui_action *action); /* of the banner's offer */
void tui_begin_turn(struct tui *t, const struct turn *turn);
void tui_end_turn(struct tui *t, const struct turn *turn);
void tui_show_turn(struct tui *t, const struct turn *turn);

/* Redraws the path from its turn number `from` on, from 0. */
void tui_show_path(struct tui *t, size_t from);

/* Puts a question into the composer for editing. */
void tui_edit(struct tui *t, const struct turn *question);

/* Regenerates the selected turn with this model. */
void tui_regenerate(struct tui *t, const char *model);

/* In queue.c: the questions that wait until the answer has ended. */
void tui_act_on_queue(struct tui *t, const struct ui_action *action);
void tui_queue_add(struct tui *t, const char *text, size_t len);
bool tui_queue_add_paused(struct tui *t, const char *text, size_t len); /* false: it is full */
void tui_queue_send_next(struct tui *t);                                /* if one is due */
void tui_queue_clear(struct tui *t);

/* Nothing is due any more; the first moves into the composer if that is empty. */
void tui_queue_pause(struct tui *t);

/* Puts a text into the composer, before the current draft. */
void tui_give_back(struct tui *t, const char *text, size_t len);

/* In window.c: the rule where the context window begins; the choices proposed by /compact; the
 * options after a question that did not fit; applying either choice. */
void tui_show_window(struct tui *t);
void tui_offer_compact(struct tui *t, const struct turn *first);
void tui_offer_room(struct tui *t, const char *text, size_t len);
void tui_make_room(struct tui *t, const struct ui_action *action);

/* In think.c. */
void tui_act_on_thinking(struct tui *t, const struct ui_action *action);
void tui_show_thought(struct tui *t, const struct turn *turn);

/* The offer to continue an interrupted answer: made if there is one; declined by the user; removed
 * once it no longer applies. */
void tui_offer_continue(struct tui *t);
void tui_decline_continue(struct tui *t);
void tui_end_offer_continue(struct tui *t);

/* In copy.c. Sends reply->copy to the clipboard; what to wait for until it is done, fd -1:
 * nothing; and its completion, reported unless `quiet`. */
void tui_copy(struct tui *t, const struct command_reply *reply);
void tui_copy_poll(const struct tui *t, struct pollfd *fd);
void tui_copy_done(struct tui *t, bool quiet);
void tui_act_copy(struct tui *t, const struct ui_action *action);

/* In pull.c. Begins a pull, or "stop" ends it; what to wait for, fd -1: nothing; and handling
 * it when readable. Reports what an earlier pull has left. */
void tui_pull(struct tui *t, const char *what);
void tui_pull_poll(const struct tui *t, struct pollfd *fd);
void tui_pull_read(struct tui *t);
void tui_pull_offer(struct tui *t);
void tui_pull_done(struct tui *t);

void tui_act(struct tui *t, const struct ui_action *action);

#endif
