/* tui.h - the screen's side of a chat, shared by the loop (tui.c) and the files for what the user
 * does (tui_*.c). */
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
#include "app/pull/pull_child.h"
#include "app/str.h"
#include "app/tui/tui_library.h"
#include "ui/ui.h"

struct tui {
    struct chat chat;
    struct ui *ui;
    struct config *config;

    bool done;
    int status;               /* the exit status, once done */
    enum store_state left_as; /* what becomes of an answer that is being written then */

    struct str *waiting; /* the next questions, asked when the answer has ended */
    size_t n_waiting;
    size_t n_due;        /* the first so many; the others when the user says so */
    bool warned;         /* that leaving forgets them */
    int64_t editing;     /* number of the question that the draft is to stand for; 0: none */
    struct str stash;    /* the draft there was before */
    int64_t regenerated; /* number of the turn that the model being chosen is for */
    struct str refused;  /* the question that did not fit, while the user is asked what to do */
    bool greeting;       /* there was no conversation yet */
    bool unsaved;        /* the last save failed, and that is on the screen */

    pid_t copying; /* what hands a text to the clipboard; 0: nothing does */
    int copying_fd;
    struct str copied; /* what that text is */

    struct pull_child pull; /* that goes on; pid 0: none */

    bool offering; /* the banner says that an answer was interrupted */
    int64_t context_used, draft_tokens;
    bool context_more;        /* than context_used: no more was counted */
    bool told_opening;        /* that a model is being opened, which takes long */
    int64_t asking;           /* tokens of the prompt besides the draft, which is its question */
    bool asking_known, trims; /* trims: the model is not given spaces around a question */
    uint64_t draft_counted;   /* revision of the draft + 1 that count is of */
    struct count count;
    struct draft draft;
    struct model_list offered; /* what the dialog for models shows */
    struct tui_library library;
};

void tui_leave(struct tui *t, int status, enum store_state left_as);
void tui_suspend(struct tui *t);

/* Asks, or puts the text back into the composer with the reason. 0 or an exit status. */
int tui_ask(struct tui *t, const char *text, size_t len);

/* Carries out a command's reply. */
struct command_reply;
struct pollfd;
void tui_follow(struct tui *t, const struct command_reply *reply);

/* Shows the conversation at hand, and the numbers that depend on it. */
void tui_show_conversation(struct tui *t);
void tui_count_context(struct tui *t);

/* In tui_status.c. */
void tui_show_status(struct tui *t);

/* In tui_draft.c: the text being written is counted and kept. */
void tui_draft_open(struct tui *t);
void tui_draft_turn(struct tui *t);
void tui_draft_touch(struct tui *t); /* the questions that wait are others */
int tui_draft_timeout_ms(const struct tui *t);
void tui_draft_done(struct tui *t);

enum { TAG_MODEL, TAG_REGENERATE, TAG_COMPACT, TAG_ROOM };
void tui_pick_model(struct tui *t, int tag);

/* In tui_branch.c. The screen knows a turn by its number. */
void tui_begin_turn(struct tui *t, const struct turn *turn);
void tui_end_turn(struct tui *t, const struct turn *turn);
void tui_show_turn(struct tui *t, const struct turn *turn);

/* Redraws the path from its turn number `from` on, from 0. */
void tui_show_path(struct tui *t, size_t from);

/* Puts a text into the composer, before what is being written there. */
void tui_give_back(struct tui *t, const char *text, size_t len);

/* The questions that wait: one more; the next that is due is asked; none is due any more, and the
 * first comes into the composer, if that is empty. */
void tui_queue(struct tui *t, const char *text, size_t len);
bool tui_keep_waiting(struct tui *t, const char *text, size_t len); /* behind all, not due */
void tui_ask_next(struct tui *t);
void tui_hold(struct tui *t);
void tui_forget_waiting(struct tui *t);

/* Puts a question into the composer for editing. */
void tui_edit(struct tui *t, const struct turn *question);

/* Answers the marked turn once more with this model. */
void tui_regenerate(struct tui *t, const char *model);

/* In tui_window.c: the rule where the window begins; what /compact proposes, to be chosen; the ways
 * to go on after a question that did not fit; what was chosen of either. */
void tui_show_window(struct tui *t);
void tui_offer_compact(struct tui *t, const struct turn *first);
void tui_offer_room(struct tui *t, const char *text, size_t len);
void tui_make_room(struct tui *t, const struct ui_action *action);

/* In tui_think.c. */
void tui_act_on_thinking(struct tui *t, const struct ui_action *action);
void tui_show_thought(struct tui *t, const struct turn *turn);
void tui_offer(struct tui *t);     /* to go on with an interrupted answer, where there is one */
void tui_decline(struct tui *t);   /* that */
void tui_end_offer(struct tui *t); /* takes it off the screen once it no longer holds */

void tui_act_on_branch(struct tui *t, const struct ui_action *action);
/* In tui_copy.c. Sends reply->copy to the clipboard; what to wait for until it is there, fd -1:
 * nothing; and that it is, of which a word is said unless `quiet`. */
void tui_copy(struct tui *t, const struct command_reply *reply);
void tui_copy_poll(const struct tui *t, struct pollfd *fd);
void tui_copy_done(struct tui *t, bool quiet);
void tui_act_copy(struct tui *t, const struct ui_action *action);

/* In tui_pull.c. Begins a pull, or ends it: "stop"; what to wait for, fd -1: nothing; and what to
 * do when it is readable. Says what an earlier pull has left. */
void tui_pull(struct tui *t, const char *what);
void tui_pull_poll(const struct tui *t, struct pollfd *fd);
void tui_pull_turn(struct tui *t);
void tui_pull_offer(struct tui *t);
void tui_pull_done(struct tui *t);

void tui_act(struct tui *t, const struct ui_action *action);

#endif
