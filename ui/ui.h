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
 *         ui_poll(u, &fds[0]);           // the terminal; fds[1..] are the caller's
 *         poll(fds, n_fds, ui_timeout_ms(u));
 *         if (got_sigwinch)
 *             ui_resize(u);
 *         if (fds[0].revents)
 *             ui_feed(u);                // bytes -> keys -> changed state and actions
 *         ...                            // what came from elsewhere: ui_message_append(u, ...)
 *         while (ui_next_action(u, &action))
 *             run(&action);
 *         ui_draw(u);                    // paints
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
    UI_BAD_TERM = -2, /* no terminal, or TERM names one without cursor movement */
    UI_UNKNOWN = -3,  /* unknown setting */
    UI_REFUSED = -4,  /* a setting that would leave no key to quit with */
};

/* A slash command: completed and described while it is typed, and listed by the help screen. */
struct ui_command {
    const char *name; /* "/model" */
    const char *args; /* "[NAME]", or "" */
    const char *help; /* "switch the model, keep the conversation" */
};

/*
 * Offers candidates for a command's argument, one per call of offer(): whatever may follow the
 * command's name and a space. The UI drops those that do not match what is typed.
 */
typedef void (*ui_offer)(void *sink, const char *word, const char *help);
typedef void (*ui_complete)(void *ud, const char *line, ui_offer offer, void *sink);

/*
 * Settings: key bindings and colours, made before the screen opens and usable without one. Each
 * call is a line of the configuration file: 0, or a ui_error with one line in err and nothing
 * changed.
 */
struct ui_settings;

struct ui_settings *ui_settings_new(void); /* the defaults; NULL: out of memory */
void ui_settings_free(struct ui_settings *s);

/* place: "", "writing", "searching", "reading", "lists" or "fields"; keys: "C-o, F5", or "none". */
int ui_settings_bind(struct ui_settings *s, const char *place, const char *action, const char *keys,
                     char *err, size_t errlen);

struct ui_key_row {
    const char *title; /* title of the place: "Reading the transcript" */
    const char *place, *action, *keys, *help;
};

/* Every action with its keys, grouped by place, in the order of the help screen. */
void ui_settings_keys(const struct ui_settings *s,
                      void (*each)(void *ud, const struct ui_key_row *row), void *ud);

/* role: "heading", "code" and so on; value: a colour ("red", 208, "#5fafff"),
 * "bold", "underline" ... */
int ui_settings_color(struct ui_settings *s, const char *role, const char *value, char *err,
                      size_t errlen);

/*
 * The colours. UI_THEME_AUTO queries the terminal's background and assumes dark until it replies.
 */
enum ui_theme { UI_THEME_AUTO, UI_THEME_DARK, UI_THEME_LIGHT, UI_THEME_CONTRAST, UI_THEME_NONE };

/* How reasoning is shown once the answer begins. */
enum ui_fold {
    UI_FOLD_SHUT, /* a summary line */
    UI_FOLD_OPEN,
    UI_FOLD_LAST, /* its last step, even while it is written */
};

struct ui_options {
    int in, out;         /* the terminal; owned by the caller */
    const char *term;    /* NULL: the environment's TERM */
    enum ui_theme theme; /* UI_THEME_NONE: only bold, dim, underline and reverse (NO_COLOR) */
    bool mouse;          /* reports clicks and the wheel instead of leaving them to the terminal */
    bool first_time;     /* the empty first screen shows an introduction */
    enum ui_fold reasoning; /* until the user folds or unfolds everything */
    const struct ui_command *commands;
    size_t n_commands;
    const char *const *history; /* earlier prompts, oldest first */
    size_t n_history;
    const char *const *examples; /* example questions for the empty first screen */
    size_t n_examples;
    const struct ui_settings *settings; /* NULL: the defaults; copied */
    ui_complete complete;               /* NULL: no completion of arguments */
    void *complete_ud;
    bool vi;                   /* vi keys in the draft */
    int64_t (*clock_ms)(void); /* NULL: CLOCK_MONOTONIC; tests supply their own */
};

/*
 * Opens the screen: saves the terminal's modes, sets raw mode, enters the alternate screen.
 * 0, or a ui_error with one line in err (the terminal is then as it was).
 */
int ui_open(struct ui **out, const struct ui_options *opt, char *err, size_t errlen);

/* Restores the terminal completely and frees u. Waits at most 0.2 s for a stuck terminal. */
void ui_close(struct ui *u);

/* For crash handlers: restores the terminal with bytes prepared by ui_open(). Async-signal-safe. */
void ui_restore(const struct ui *u);

/* Hands the screen to another program (Ctrl-Z, $EDITOR), and takes it back with a full repaint. */
void ui_suspend(struct ui *u);
void ui_resume(struct ui *u);

/* The loop */

/* What to poll for: POLLIN, and POLLOUT while a frame is pending. After UI_HANGUP the fd is -1. */
void ui_poll(const struct ui *u, struct pollfd *out);

/* How long poll() may sleep before the UI needs to run; -1: indefinitely. */
int ui_timeout_ms(const struct ui *u);

void ui_feed(struct ui *u); /* reads available input; a lost terminal becomes UI_HANGUP */
void ui_draw(struct ui *u); /* paints if something changed and a frame is due */

/* The window was resized (SIGWINCH); cheap, so bursts are fine. */
void ui_resize(struct ui *u);

/* Actions */

enum ui_action_kind {
    UI_SEND, /* text: a prompt or a slash command, removed from the composer */
    UI_STOP, /* stop what is running (only while ui_status.state is not UI_IDLE) */
    UI_QUIT, /* id: the exit status, 0 for Ctrl-D, 130 for a second Ctrl-C */
    UI_NEW,  /* start a new conversation */
    UI_OPEN, /* id: the conversation chosen in the sidebar */
    /*
     * Requests rows for the sidebar, see ui_sidebar_set(): at most `id`, with titles that contain
     * the words of `text`; tag 1: archived ones.
     */
    UI_LIST,
    UI_RENAME,  /* id: a conversation; text: its new title */
    UI_ARCHIVE, /* id: a conversation; tag 1: archive it, 0: unarchive it */
    UI_DELETE,  /* id: a conversation */
    UI_RESTORE, /* undo the last deletion */
    /*
     * Requests texts that contain the words of `text`, see ui_search_set(); tag: an enum ui_where.
     */
    UI_SEARCH,
    UI_OPEN_HIT, /* id: the selected hit */
    UI_MODELS,   /* choose a model: respond with ui_pick() */
    UI_PICK,     /* tag, id: the row selected in the dialog opened by ui_pick() */
    UI_COPY,     /* id: copy this message */
    UI_EDIT,  /* edit the draft in $EDITOR: ui_suspend, edit ui_draft(), ui_resume, ui_draft_set */
    UI_THINK, /* toggle thinking */
    UI_ANSWER_NOW, /* stop thinking and answer */
    UI_CONTINUE,   /* continue the interrupted answer */
    UI_THINK_MORE, /* think further about the last answer */
    UI_SUSPEND,    /* Ctrl-Z: ui_suspend, stop the process, ui_resume */
    UI_HANGUP,     /* the terminal is gone: save and end; reported once */

    /* On the selected message, id: */
    UI_REASK,          /* edit its question in the composer */
    UI_REGEN,          /* regenerate the answer */
    UI_REGEN_WITH,     /* the same with another model: respond with ui_pick() */
    UI_VERSION_BEFORE, /* show the previous version */
    UI_VERSION_AFTER,  /* show the next version */
    UI_FORK,           /* fork the conversation after this message */

    /* On the queued questions and the banner (ui_queue_set, ui_banner): */
    UI_TAKE_BACK, /* move the latest back into the composer */
    UI_DROP,      /* drop the latest */
    UI_ASK_NEXT,  /* send the first now */
    UI_DECLINE,   /* decline the banner's offer */
};

struct ui_action {
    enum ui_action_kind kind;
    int tag;
    int64_t id;
    const char *text; /* valid UTF-8, NUL-terminated, no NUL inside; until the next ui_ call */
    size_t len;
};

/*
 * Takes the oldest queued action; false: none. Call it every turn, even without input: a lone Esc
 * becomes a key only after a timeout.
 */
bool ui_next_action(struct ui *u, struct ui_action *out);

/* Whether an action that ends the program is queued. It is returned before all others. */
bool ui_is_leaving(const struct ui *u);

/* The transcript */

enum ui_role { UI_USER, UI_ASSISTANT };
enum ui_text { UI_ANSWER, UI_REASONING };
enum ui_tone { UI_INFO, UI_WARN, UI_FAIL };

/*
 * A message is begun, appended to, and ended; ids are the caller's and unique within a transcript.
 * Calls with an unknown id do nothing. Stored conversations are shown through the same calls.
 */
void ui_transcript_clear(struct ui *u);
void ui_message_begin(struct ui *u, int64_t id, enum ui_role role, const char *name);
void ui_message_append(struct ui *u, int64_t id, enum ui_text kind, const char *text, size_t len);

/* Tokens and duration of the thinking, for the line that sums it up; 0: unknown. */
void ui_message_thought(struct ui *u, int64_t id, int64_t tokens, int64_t ms);

/* note: one line under the message ("812 tokens · 6.1 s", "interrupted"), NULL or "": none. */
void ui_message_end(struct ui *u, int64_t id, enum ui_tone tone, const char *note);

/* The selected message, or else the latest answer; 0: none. */
int64_t ui_message_chosen(const struct ui *u);

/* Which version of a message this is, counted from 1, and of how many. */
void ui_message_version(struct ui *u, int64_t id, size_t version, size_t versions);

/* Removes everything after this message from the transcript; 0: everything. */
void ui_transcript_cut(struct ui *u, int64_t id);

/* Selects this message, if the transcript has the focus, and scrolls it into view. */
void ui_message_select(struct ui *u, int64_t id);

/*
 * Draws a rule above this message: earlier messages are not sent to the model, and are dimmed. 0:
 * no rule.
 */
void ui_context_begin(struct ui *u, int64_t id, enum ui_tone tone, const char *label);

/* A notice from the program in the transcript, visibly distinct from any model output. */
void ui_notice(struct ui *u, enum ui_tone tone, const char *text);

/* The composer */

/*
 * The draft, with folded parts expanded: valid UTF-8, NUL-terminated, until the next ui_ call.
 * len_out may be NULL.
 */
const char *ui_draft(struct ui *u, size_t *len_out);

/* Changes with every change of the draft, so that its tokens are counted only once per change. */
uint64_t ui_draft_revision(const struct ui *u);

void ui_draft_set(struct ui *u, const char *text, size_t len);

/* Inserts a text into the draft, folded under this name. False: too long. */
bool ui_draft_attach(struct ui *u, const char *name, const char *text, size_t len);

/*
 * Restores the draft sent last in its original form, if it is this text and nothing was typed
 * since.
 */
bool ui_draft_unsend(struct ui *u, const char *text, size_t len);

/*
 * The queue of questions to send after the current answer, next first; shown above the composer.
 * The first `due` are sent automatically, the rest on request (UI_ASK_NEXT).
 */
void ui_queue_set(struct ui *u, const char *const *texts, size_t n, size_t due);

/*
 * A line above the composer with an offer, and the keys that accept it (through UI_SEND or
 * UI_CONTINUE) or decline it (UI_DECLINE). text NULL: no banner.
 */
void ui_banner(struct ui *u, const char *text, enum ui_action_kind taken_by);

/*
 * Background work, in a line above the composer: its name, a progress bar (negative share: none),
 * and its state as text. name NULL: none.
 */
void ui_task(struct ui *u, const char *name, double share, const char *words);

/* Moves the focus to the composer. */
void ui_focus_composer(struct ui *u);

/*
 * Sends OSC 52 or another sequence without visible output, which the caller guarantees to be
 * harmless. False: the terminal would not understand it.
 */
bool ui_send_osc(struct ui *u, const char *sequence, size_t len);

/* Notifies a user who is looking elsewhere; in tmux OSC 9 is passed through. */
enum ui_notify { UI_NOTIFY_OFF, UI_NOTIFY_BELL, UI_NOTIFY_OSC9 };
void ui_notify(struct ui *u, enum ui_notify how);

/* Status and dialogs */

enum ui_state { UI_IDLE, UI_LOADING, UI_PREFILL, UI_THINKING, UI_GENERATING };

/* The status line. Unknown numbers are negative, unknown strings NULL. */
struct ui_status {
    const char *model;
    struct ui_wording {
        const char *full;
        const char *brief; /* for narrow windows, or NULL */
    } device,              /* "CPU, 2 threads, AVX-512 VNNI", "CPU" */
        memory,            /* "weights 1.9 GB, KV 120 MB", "2.0 GB" */
        beside;            /* other loaded models: "beside llama (GPU)", "+ llama" */
    const char *thinking;  /* restrictions: "no thinking" */
    enum ui_state state;
    int64_t done, total; /* progress of loading (any unit) or of the prefill (tokens) */
    double tokens_per_second;
    double time_to_first_token_ms;
    int64_t context_used, context_limit; /* tokens */
    bool context_more;                   /* the conversation has more tokens than were counted */
    int64_t draft_tokens;
};

void ui_status_set(struct ui *u, const struct ui_status *status); /* cheap if nothing changed */

/* A hint on the status line, until the next key. NULL removes it. */
void ui_hint(struct ui *u, const char *text);

/* The first key of an action, for use in a hint: "Ctrl-X c". False: it has none. */
enum { UI_KEY_MAX = 160 };
bool ui_key(const struct ui *u, const char *action, char out[UI_KEY_MAX]);

struct ui_row {
    int64_t id;
    const char *title;
    const char *detail; /* dimmed, right-aligned: a date, a size; may be NULL */
};

/*
 * The conversations of the sidebar (F2), newest first: the reply to the last UI_LIST, or an update
 * of it. `current` is the id of the conversation on screen. Fewer rows than requested: there are no
 * more.
 */
void ui_sidebar_set(struct ui *u, const struct ui_row *rows, size_t n, int64_t current);

/* Opens the sidebar, filtered by title, or with the archived conversations. */
void ui_sidebar(struct ui *u, const char *words, bool archived);

/* Title of the conversation that UI_RESTORE would restore, shown until replaced; NULL: none. */
void ui_sidebar_deleted(struct ui *u, const char *title);

enum ui_where { UI_EVERYWHERE, UI_IN_QUESTIONS, UI_IN_ANSWERS, UI_IN_REASONING, UI_WHERES };

/* A search hit. */
struct ui_hit {
    int64_t id;
    const char *title;          /* title of its conversation */
    const char *detail;         /* dimmed, right-aligned: kind and date */
    const char *snippet;        /* an excerpt of the text */
    size_t match_at, match_len; /* the matching bytes of the excerpt */
};

/* Opens the search dialog (Ctrl-F) with this query; NULL: the previous query. */
void ui_search(struct ui *u, const char *query);

/*
 * The hits for the last UI_SEARCH. May be called again as more are found; `grown`: these are the
 * previous hits and more. summary: "14 found".
 */
void ui_search_set(struct ui *u, const struct ui_hit *hits, size_t n, bool grown,
                   const char *summary);

/*
 * Scrolls to the first occurrence of `text` in a message, highlights all of them, and lets the
 * search keys step through them. kind UI_REASONING: unfolds its reasoning.
 */
void ui_find(struct ui *u, int64_t message, enum ui_text kind, const char *text);

/*
 * Opens a dialog to choose a row, with the id `selected` preselected. Enter yields UI_PICK with
 * this tag and the row's id; Esc yields nothing.
 */
void ui_pick(struct ui *u, int tag, const char *title, const struct ui_row *rows, size_t n,
             int64_t selected);

/* Opens the help screen: all keys and commands, generated from the tables. */
void ui_help(struct ui *u);

/* Without a screen */

/*
 * The parts of a text that can be copied: its n-th code block without the fence, its n-th formula
 * without delimiters, counted from 0. Free the result; NULL: no such part.
 */
char *ui_code_in(const char *text, size_t len, size_t n, size_t *len_out);
char *ui_math_in(const char *text, size_t len, size_t n, size_t *len_out);

/* The number of steps in a reasoning, as the transcript folds them. */
size_t ui_steps_in(const char *text, size_t len);

/* A formula in a text, with its delimiters. */
struct ui_formula {
    size_t start, end;
    bool open;   /* unclosed at the end of the text */
    char *words; /* in words; free it; NULL: not possible */
};

/* The first formula at or after `from`, which must be outside code and formulas; false: none. */
bool ui_formula_in(const char *text, size_t len, size_t from, struct ui_formula *out);

/*
 * Draws a formula found by ui_formula_in: rows of equal width, each with a newline; a display
 * formula in two dimensions. Free the result; NULL: it cannot be drawn.
 */
char *ui_formula_rows(const char *text, size_t len, bool *display_out);

/* The ASCII replacement of a character; '?': none. */
char ui_ascii_form(uint32_t cp);

#endif
