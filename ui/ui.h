/*
 * ui.h: duet's terminal screen, the only door of ui/.
 *
 * The UI owns the terminal while it is open: its modes, its bytes in both directions, and
 * everything on the screen. It knows nothing of models, files or databases: it is given rows, text
 * and numbers, and it reports what the user wants as actions. What an action means is the caller's
 * business.
 *
 * Event loop. One thread, the caller's, and no call ever waits for the terminal:
 *
 *     struct ui_action action;
 *     for (;;) {
 *         ui_poll(u, &fds[0]);                          // the terminal; fds[1..] are the caller's
 *         poll(fds, n_fds, ui_timeout_ms(u));
 *         if (got_sigwinch)
 *             ui_resize(u);
 *         if (fds[0].revents)
 *             ui_feed(u);                               // bytes -> keys -> changed state, actions
 *         ...                                           // engine events -> ui_message_append(u,
 *         ...)
 *         while (ui_next_action(u, &action))
 *             run(&action);
 *         ui_draw(u);                                   // the only call that writes to the
 *         terminal
 *     }
 *
 * Drawing. Every other call only changes state. ui_draw() paints at most 30 frames a second and
 * writes nothing when nothing changed. The bytes of a frame go through a buffer to a non-blocking
 * descriptor: while a frozen terminal has not taken the last frame no new one is made, so neither
 * time nor memory is spent on it.
 *
 * Text. All text given to the UI is UTF-8 data from outside. Control characters, escape sequences,
 * bidirectional and invisible characters are shown as visible marks (^[ or <U+202E>), invalid bytes
 * as U+FFFD; none of them reaches the terminal. A piece of streamed text may end anywhere, inside a
 * character too. Newline and tab keep their meaning.
 *
 * Ownership. Whatever is passed in is copied. Pointers handed out say until when they hold.
 *
 * Threads. Not thread-safe: a `struct ui` belongs to one thread, and one may be open at a time
 * since curses keeps process-wide state. ui_restore() alone may be called from a signal handler.
 *
 * Locale. The caller has called setlocale(); where the locale's character set is not UTF-8, what
 * has no ASCII form is shown as '?'.
 */
#ifndef UI_UI_H
#define UI_UI_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ui;

enum ui_error {
    UI_ERROR = -1,    /* out of memory, or a system call failed */
    UI_BAD_TERM = -2, /* no terminal, or TERM names one that has no cursor movement */
    UI_UNKNOWN = -3,  /* a setting of no such name */
    UI_REFUSED = -4,  /* a setting that would leave no way out */
};

/* One slash command: completed and described while it is typed, and listed by the help screen. */
struct ui_command {
    const char *name; /* "/model" */
    const char *args; /* "[NAME]", or "" */
    const char *help; /* "switch the model, keep the conversation" */
};

/*
 * Offers candidates for a command's argument, each by a call of offer(): everything that may follow
 * the command's name and a space. The UI leaves out what does not begin with what is typed.
 */
typedef void (*ui_offer)(void *sink, const char *word, const char *help);
typedef void (*ui_complete)(void *ud, const char *line, ui_offer offer, void *sink);

/*
 * Settings: key bindings and colours. Made before the screen opens, and usable without one. A line
 * of a configuration file is one call: 0, or a ui_error with one line in err and nothing changed.
 */
struct ui_settings;

struct ui_settings *ui_settings_new(void); /* the defaults; NULL: out of memory */
void ui_settings_free(struct ui_settings *s);

/* place: "", "writing", "searching", "reading", "lists" or "fields"; keys: "C-o, F5", or "none". */
int ui_settings_bind(struct ui_settings *s, const char *place, const char *action, const char *keys,
                     char *err, size_t errlen);

struct ui_key_row {
    const char *title; /* of the place: "Reading the transcript" */
    const char *place, *action, *keys, *help;
};

/* Every action with the keys it has, place by place, in the order of the help screen. */
void ui_settings_keys(const struct ui_settings *s,
                      void (*each)(void *ud, const struct ui_key_row *row), void *ud);

/* role: "heading", "code" and so on; value: a colour ("red", 208, "#5fafff"),
 * "bold", "underline" ... */
int ui_settings_color(struct ui_settings *s, const char *role, const char *value, char *err,
                      size_t errlen);

/* The colours. UI_THEME_AUTO asks the terminal for its background, and takes
 * dark until it answers. */
enum ui_theme { UI_THEME_AUTO, UI_THEME_DARK, UI_THEME_LIGHT, UI_THEME_CONTRAST, UI_THEME_NONE };

/* How reasoning is shown once the answer begins. */
enum ui_fold {
    UI_FOLD_SHUT, /* a line that sums it up */
    UI_FOLD_OPEN,
    UI_FOLD_LAST, /* its last step, also while it is written */
};

struct ui_options {
    int in, out;         /* the terminal; stay the caller's */
    const char *term;    /* NULL: the environment's TERM */
    enum ui_theme theme; /* UI_THEME_NONE: bold, dim, underline and reverse only (NO_COLOR) */
    bool mouse;          /* clicks and the wheel are for us, not for the terminal's own selection */
    bool first_time;     /* the empty first screen explains itself */
    enum ui_fold reasoning; /* until the user folds all or opens all */
    const struct ui_command *commands;
    size_t n_commands;
    const char *const *history; /* earlier prompts, oldest first */
    size_t n_history;
    const char *const *examples; /* questions offered on the empty first screen */
    size_t n_examples;
    const struct ui_settings *settings; /* NULL: the defaults; copied */
    ui_complete complete;               /* NULL: arguments are not completed */
    void *complete_ud;
    bool vi;                   /* the draft is edited as in vi */
    int64_t (*clock_ms)(void); /* NULL: CLOCK_MONOTONIC; tests bring their own */
};

/*
 * Opens the screen: saves the terminal's modes, sets raw mode, enters the alternate screen.
 * 0, or a ui_error with one line in err (the terminal is then as it was).
 */
int ui_open(struct ui **out, const struct ui_options *opt, char *err, size_t errlen);

/* Restores the terminal completely and frees u. Waits at most 0.2 s for a
 * terminal that is stuck. */
void ui_close(struct ui *u);

/* For crash handlers: puts the terminal back with bytes prepared by ui_open().
 * Async-signal-safe. */
void ui_restore(const struct ui *u);

/* Gives the screen to another program (Ctrl-Z, $EDITOR), and comes back with a full repaint. */
void ui_suspend(struct ui *u);
void ui_resume(struct ui *u);

/* The loop */

/* What to poll for: POLLIN, and POLLOUT while a frame is under way. After
 * UI_HANGUP the fd is -1. */
void ui_poll(const struct ui *u, struct pollfd *out);

/* How long poll() may sleep until the UI has something to do by itself; -1: for ever. */
int ui_timeout_ms(const struct ui *u);

void ui_feed(struct ui *u); /* reads what is there; a lost terminal becomes the action UI_HANGUP */
void ui_draw(struct ui *u); /* paints if something changed and a frame is due */

/* The window changed its size (SIGWINCH); cheap, may come in storms. */
void ui_resize(struct ui *u);

/* What the user wants */

enum ui_action_kind {
    UI_SEND, /* text: a prompt, or a slash command; it has left the composer */
    UI_STOP, /* stop what is running (only while ui_status.state is not UI_IDLE) */
    UI_QUIT, /* id: the exit status, 0 by Ctrl-D, 130 by a second Ctrl-C */
    UI_NEW,  /* start a new conversation */
    UI_OPEN, /* id: the conversation chosen in the sidebar */
    /* Wants rows for the sidebar, see ui_sidebar_set(): at most `id` of them, with titles that hold
     * the words of `text`; tag 1: archived ones. */
    UI_LIST,
    UI_RENAME,  /* id: a conversation; text: its new title */
    UI_ARCHIVE, /* id: a conversation; tag 1: archive it, 0: take it back */
    UI_DELETE,  /* id: a conversation */
    UI_RESTORE, /* take back the last deletion */
    /* Wants the texts that hold the words of `text`, see ui_search_set(); tag: an enum ui_where. */
    UI_SEARCH,
    UI_FOUND,  /* id: the hit chosen */
    UI_MODELS, /* wants to choose a model: answer with ui_pick() */
    UI_PICK,   /* tag, id: the row chosen in the dialog opened by ui_pick() */
    UI_COPY,   /* id: copy this message */
    UI_EDIT,   /* edit the draft in $EDITOR: ui_suspend, edit ui_draft(), ui_resume, ui_draft_set */
    UI_THINK,  /* switch thinking on or off */
    UI_ANSWER_NOW, /* end the thinking */
    UI_CONTINUE,   /* go on with the answer that was interrupted */
    UI_MORE,       /* think more about the last answer */
    UI_SUSPEND,    /* Ctrl-Z: ui_suspend, stop the process, ui_resume */
    UI_HANGUP,     /* the terminal is gone: save and end; reported once */

    /* Of the marked message, id: */
    UI_REASK,    /* edit its question, in the composer */
    UI_REGEN,    /* answer it once more */
    UI_REGEN_BY, /* the same by a model to choose: answer with ui_pick() */
    UI_BACK,     /* show its version before */
    UI_ON,       /* show its version after */
    UI_FORK,     /* a new conversation that begins with this one up to it */

    /* Of the waiting questions and the banner (ui_waiting, ui_banner): */
    UI_TAKE_BACK, /* put the latest into the composer */
    UI_DROP,      /* forget the latest */
    UI_ASK_NEXT,  /* ask the first now */
    UI_LEAVE,     /* decline what the banner offers */
};

struct ui_action {
    enum ui_action_kind kind;
    int tag;
    int64_t id;
    const char *text; /* valid UTF-8, NUL-terminated, no NUL inside; until the next ui_ call */
    size_t len;
};

/*
 * Takes the oldest waiting action; false: none. Call it each turn, also when nothing was readable:
 * a lone Esc becomes a key only after some time.
 */
bool ui_next_action(struct ui *u, struct ui_action *out);

/* Whether one waits that ends the program. It goes before all others. */
bool ui_is_left(const struct ui *u);

/* The transcript */

enum ui_role { UI_USER, UI_ASSISTANT };
enum ui_text { UI_ANSWER, UI_REASONING };
enum ui_tone { UI_INFO, UI_WARN, UI_FAIL };

/*
 * A message is begun, grows, and is ended; ids are the caller's and differ within a transcript.
 * Calls that name an unknown id do nothing. A stored conversation is shown by the same calls.
 */
void ui_transcript_clear(struct ui *u);
void ui_message_begin(struct ui *u, int64_t id, enum ui_role role, const char *name);
void ui_message_append(struct ui *u, int64_t id, enum ui_text kind, const char *text, size_t len);

/* How long the thinking has taken, for the header of the reasoning block; 0: unknown. */
void ui_message_thought(struct ui *u, int64_t id, int64_t tokens, int64_t ms);

/* note: one line under the message ("812 tokens · 6.1 s", "interrupted"), NULL or "": none. */
void ui_message_end(struct ui *u, int64_t id, enum ui_tone tone, const char *note);

/* The message marked in the transcript, or else the latest that a model said; 0: there is none. */
int64_t ui_message_chosen(const struct ui *u);

/*
 * What can be copied from a text, with or without a screen: its n-th code block without the fence,
 * its n-th formula without delimiters; counted from 0. The caller's to free; NULL: there are fewer.
 */
char *ui_code_in(const char *text, size_t len, size_t n, size_t *len_out);
char *ui_math_in(const char *text, size_t len, size_t n, size_t *len_out);

/* The steps of a reasoning, as the transcript folds them. */
size_t ui_steps_in(const char *text, size_t len);

/* Which of how many versions of a message this is. */
void ui_message_version(struct ui *u, int64_t id, size_t version, size_t versions);

/* Removes everything after this message from the transcript; 0: everything. */
void ui_transcript_cut(struct ui *u, int64_t id);

/* Marks this message, where the keys for reading are in use, and brings it into view. */
void ui_mark(struct ui *u, int64_t id);

/* Draws a rule above this message: what is before it is not given to the model, and is shown
 * dimmed. 0: no rule. */
void ui_window(struct ui *u, int64_t id, enum ui_tone tone, const char *label);

/* A formula in a text, with its delimiters. */
struct ui_formula {
    size_t start, end;
    bool open;   /* it goes on at the end of the text */
    char *words; /* as it is read aloud; the caller's to free; NULL: it cannot be */
};

/* The first formula at or after `from`, a place outside of code and formulas; false: there is
 * none. */
bool ui_formula_in(const char *text, size_t len, size_t from, struct ui_formula *out);

/* A formula found by ui_formula_in, drawn: rows of equal width, each with its newline; a displayed
 * one in two dimensions. The caller's to free; NULL: it cannot be drawn. */
char *ui_formula_rows(const char *text, size_t len, bool *display_out);

/* What stands for a character where the locale has only ASCII; '?': nothing does. */
char ui_ascii_form(uint32_t cp);

/* A line of the program's own in the transcript, set apart from anything a model can say. */
void ui_notice(struct ui *u, enum ui_tone tone, const char *text);

/* The composer */

/*
 * The text being written, folded parts in full: valid UTF-8, NUL-terminated, until the next ui_
 * call. len_out may be NULL.
 */
const char *ui_draft(struct ui *u, size_t *len_out);

/* Changes with every change of the draft, so that its tokens need to be counted only once. */
uint64_t ui_draft_revision(const struct ui *u);

void ui_draft_set(struct ui *u, const char *text, size_t len);

/* Puts a text into the draft, folded to one sign with this name. False: it is too long. */
bool ui_draft_attach(struct ui *u, const char *name, const char *text, size_t len);

/* Restores the draft that was sent last as it was, if it is this text and nothing was written
 * since. */
bool ui_draft_unsend(struct ui *u, const char *text, size_t len);

/*
 * Questions that will be asked when the answer has ended, the next first; shown above the composer.
 * Those after the first `due` wait until the user wants them asked (UI_ASK_NEXT).
 */
void ui_waiting(struct ui *u, const char *const *texts, size_t n, size_t due);

/*
 * A line above the composer that offers something, with the keys that accept it (by UI_SEND or
 * UI_CONTINUE) and the one that declines it (UI_LEAVE). text NULL: no banner.
 */
void ui_banner(struct ui *u, const char *text, enum ui_action_kind taken_by);

/*
 * Background work, in a line above the composer: its name, a bar for the share that is done
 * (negative: none), and its state in words. name NULL: none.
 */
void ui_task(struct ui *u, const char *name, double share, const char *words);

/* Moves the focus to the composer. */
void ui_compose(struct ui *u);

/*
 * Sends OSC 52 or another sequence that shows nothing; the caller vouches that it is harmless.
 * False: the terminal would not understand it.
 */
bool ui_send_osc(struct ui *u, const char *sequence, size_t len);

/* Notifies a user who is looking elsewhere; in tmux, OSC 9 is passed through. */
enum ui_notify { UI_NOTIFY_OFF, UI_NOTIFY_BELL, UI_NOTIFY_OSC9 };
void ui_notify(struct ui *u, enum ui_notify how);

/* Around it */

enum ui_state { UI_IDLE, UI_LOADING, UI_PREFILL, UI_THINKING, UI_GENERATING };

/* The status line. Unknown numbers are negative, unknown strings NULL. */
struct ui_status {
    const char *model;
    struct ui_wording {
        const char *full;
        const char *brief; /* for narrow windows, or NULL */
    } device,              /* "CPU, 2 threads, AVX-512 VNNI", "CPU" */
        memory,            /* "weights 1.9 GB, KV 120 MB", "2.0 GB" */
        beside;            /* other models in memory: "beside llama (GPU)", "+ llama" */
    const char *thinking;  /* how it is limited: "no thinking" */
    enum ui_state state;
    int64_t done, total; /* of the loading (any unit) or the prefill (tokens) */
    double tokens_per_second;
    double time_to_first_token_ms;
    int64_t context_used, context_limit; /* tokens */
    bool context_more;                   /* the conversation has more of them than that */
    int64_t draft_tokens;
};

void ui_status_set(struct ui *u, const struct ui_status *status); /* cheap when nothing changed */

/* A hint on the status line, until the next key. NULL removes it. */
void ui_hint(struct ui *u, const char *text);

/* The first key of an action, for use in a hint: "Ctrl-X c". False: it has none. */
enum { UI_KEY_MAX = 160 };
bool ui_key(const struct ui *u, const char *action, char out[UI_KEY_MAX]);

struct ui_row {
    int64_t id;
    const char *title;
    const char *detail; /* shown dimmed at the right: a date, a size; may be NULL */
};

/*
 * The conversations of the sidebar (F2), newest first: the reply to the last UI_LIST, or a newer
 * one. `current` is the id of the one on screen. Fewer rows than asked for: there are no more.
 */
void ui_sidebar_set(struct ui *u, const struct ui_row *rows, size_t n, int64_t current);

/* Opens the sidebar, narrowed to titles with these words, or to the archived ones. */
void ui_sidebar(struct ui *u, const char *words, bool archived);

/* The title of what UI_RESTORE would bring back, shown until replaced; NULL: nothing. */
void ui_sidebar_deleted(struct ui *u, const char *title);

enum ui_where { UI_EVERYWHERE, UI_IN_QUESTIONS, UI_IN_ANSWERS, UI_IN_REASONING, UI_WHERES };

/* A text that was found. */
struct ui_hit {
    int64_t id;
    const char *title;          /* of its conversation */
    const char *detail;         /* shown dimmed at the right: what it is, a date */
    const char *snippet;        /* some of the text */
    size_t match_at, match_len; /* bytes of it that match */
};

/* Opens the dialog for searching (Ctrl-F) with this query; NULL: with that of the last time. */
void ui_search(struct ui *u, const char *query);

/*
 * The hits for the last UI_SEARCH. May be called again as more are found; `grown`: these are the
 * former hits and more. summary: "14 found".
 */
void ui_search_set(struct ui *u, const struct ui_hit *hits, size_t n, bool grown,
                   const char *summary);

/*
 * Scrolls to the first occurrence of `text` in a message, highlights all of them, and lets the
 * search keys walk along them. kind UI_REASONING: unfolds its reasoning for that.
 */
void ui_find(struct ui *u, int64_t message, enum ui_text kind, const char *text);

/*
 * Opens a dialog to choose one of the rows, starting at the id `selected`. Enter gives UI_PICK with
 * this tag and the row's id; Esc gives nothing.
 */
void ui_pick(struct ui *u, int tag, const char *title, const struct ui_row *rows, size_t n,
             int64_t selected);

/* Opens the help screen: every key and every command, made from the tables. */
void ui_help(struct ui *u);

#endif
