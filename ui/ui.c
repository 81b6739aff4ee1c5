/*
 * ui.c: the calls of the door. Opens and closes the terminal and keeps time.
 */
#include "ui.h"
#include "colors.h"
#include "dispatch.h"
#include "layout.h"
#include "lookup.h"
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FRAME_MS = 33,
    READ_SIZE = 1 << 16,
    READS_MAX = 16, /* per ui_feed(), so that a flood of input does not starve the caller */
    DEFAULT_ROWS = 24,
    DEFAULT_COLS = 80, /* if the terminal does not know its size */
};

static int64_t monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Opening and closing */

static bool copy_commands(struct ui *u, const struct ui_options *opt)
{
    u->commands = calloc(opt->n_commands + 1, sizeof *u->commands);
    if (!u->commands)
        return false;
    for (size_t i = 0; i < opt->n_commands; i++) {
        const struct ui_command *from = &opt->commands[i];
        struct ui_command *to = &u->commands[u->n_commands++];
        to->name = strdup(from->name);
        to->args = strdup(from->args ? from->args : "");
        to->help = strdup(from->help ? from->help : "");
        if (!to->name || !to->args || !to->help)
            return false;
    }
    return true;
}

static void free_ui(struct ui *u)
{
    if (!u)
        return;
    screen_close(u->screen);
    grid_free(&u->grid);
    bytes_free(&u->frame);
    input_done(&u->input);
    transcript_clear(&u->transcript);
    composer_done(&u->composer);
    welcome_done(&u->welcome);
    pending_done(&u->pending);
    sidebar_done(&u->sidebar);
    search_done(&u->search);
    find_done(&u->find);
    dialog_done(&u->dialog);
    status_done(&u->status);
    for (size_t i = 0; i < u->n_actions; i++)
        free(u->actions[i].text);
    free(u->taken);
    for (size_t i = 0; i < u->n_commands; i++) {
        free((char *)u->commands[i].name);
        free((char *)u->commands[i].args);
        free((char *)u->commands[i].help);
    }
    free(u->commands);
    free(u);
}

static const char *capability(void *screen, const char *name)
{
    return screen_capability(screen, name);
}

static void window_size(const struct ui *u, int *rows_out, int *cols_out)
{
    tty_size(&u->tty, rows_out, cols_out);
    if (*rows_out == 0 && *cols_out == 0) {
        *rows_out = DEFAULT_ROWS;
        *cols_out = DEFAULT_COLS;
    }
}

static int out_of_memory(char *err, size_t errlen)
{
    snprintf(err, errlen, "terminal: out of memory");
    return UI_ERROR;
}

static int open_screen(struct ui *u, const struct ui_options *opt, char *err, size_t errlen)
{
    const char *term = opt->term ? opt->term : getenv("TERM");
    int rows, cols;

    window_size(u, &rows, &cols);
    if (!grid_resize(&u->grid, rows, cols))
        return out_of_memory(err, errlen);
    if (screen_open(&u->screen, term, u->grid.rows, u->grid.cols, err, errlen) != 0)
        return UI_BAD_TERM;
    u->transcript.strikes = screen_strikes(u->screen);
    colors_choose(u, opt);
    u->mouse = opt->mouse;
    if (opt->mouse)
        screen_listen_to_mouse(u->screen);
    if (!screen_restore_bytes(u->screen, &u->frame))
        return out_of_memory(err, errlen);
    tty_set_restore(&u->tty, u->frame.data, u->frame.len);
    bytes_cut(&u->frame, 0);
    key_learn(&u->input.sequences, capability, u->screen);
    return 0;
}

static int open_terminal(struct ui *u, const struct ui_options *opt, char *err, size_t errlen)
{
    if (tty_open(&u->tty, opt->in, opt->out) != 0) {
        snprintf(err, errlen, "terminal: %s", strerror(errno));
        return UI_BAD_TERM;
    }
    int status = open_screen(u, opt, err, errlen);
    if (status == 0 && tty_raw(&u->tty) != 0) {
        snprintf(err, errlen, "terminal: raw mode: %s", strerror(errno));
        status = UI_ERROR;
    }
    if (status == 0)
        colors_ask(u, opt);
    else
        tty_release(&u->tty);
    return status;
}

static void init_composer(struct ui *u, const struct ui_options *opt)
{
    struct composer *c = &u->composer;
    composer_init(c, u->commands, u->n_commands);
    c->complete.source = opt->complete;
    c->complete.source_ud = opt->complete_ud;
    if (opt->vi)
        composer_use_vi(c);
    for (size_t i = 0; i < opt->n_history; i++)
        recall_add(&c->recall, opt->history[i]);
}

/* All that needs no terminal. False: out of memory. */
static bool init(struct ui *u, const struct ui_options *opt)
{
    u->clock_ms = opt->clock_ms ? opt->clock_ms : monotonic_ms;
    u->last_frame = u->clock_ms() - FRAME_MS;
    u->dirty = true;
    u->asked_ms = -1;
    input_init(&u->input);
    if (opt->settings)
        u->keymap = opt->settings->keymap;
    else
        keymap_init(&u->keymap);
    bool copied = copy_commands(u, opt);
    copied = welcome_init(&u->welcome, &u->keymap, opt->examples, opt->n_examples,
                          opt->first_time) &&
             copied;
    transcript_init(&u->transcript, opt->reasoning);
    sidebar_init(&u->sidebar, &u->keymap);
    pending_init(&u->pending, &u->keymap);
    search_init(&u->search, &u->keymap);
    find_init(&u->find, &u->transcript, &u->keymap);
    status_init(&u->status, &u->keymap);
    init_composer(u, opt);
    dialog_init(&u->dialog, &u->keymap, u->commands, u->n_commands);
    return copied;
}

int ui_open(struct ui **out, const struct ui_options *opt, char *err, size_t errlen)
{
    struct ui *u = calloc(1, sizeof *u);
    int status = u && init(u, opt) ? open_terminal(u, opt, err, errlen)
                                   : out_of_memory(err, errlen);
    if (status == 0)
        *out = u;
    else
        free_ui(u);
    return status;
}

void ui_close(struct ui *u)
{
    if (!u)
        return;
    ui_suspend(u);
    tty_release(&u->tty);
    free_ui(u);
}

void ui_restore(const struct ui *u)
{
    tty_emergency(&u->tty);
}

void ui_suspend(struct ui *u)
{
    if (u->suspended)
        return;
    colors_await_report(u);
    u->suspended = true;
    if (screen_leave(u->screen, &u->frame))
        tty_write(&u->tty, u->frame.data, u->frame.len);
    bytes_cut(&u->frame, 0);
    tty_cooked(&u->tty);
}

void ui_resume(struct ui *u)
{
    if (!u->suspended)
        return;
    u->suspended = false;
    tty_raw(&u->tty);
    screen_repaint(u->screen);
    u->resized = u->dirty = true;
}

/* The loop */

void ui_poll(const struct ui *u, struct pollfd *out)
{
    tty_poll(&u->tty, out);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

int ui_timeout_ms(const struct ui *u)
{
    int64_t now = u->clock_ms(), due = u->input.deadline;
    bool may_draw = !u->tty.gone && u->tty.pending.len == 0;

    if (u->suspended)
        return -1;
    if (u->find.seeking)
        return 0;
    if (may_draw && u->dirty)
        due = sooner(due, u->last_frame + FRAME_MS);
    if (may_draw && status_spins(&u->status))
        due = sooner(due, u->last_spin + STATUS_SPIN_MS);
    if (due < 0)
        return -1;
    return due <= now ? 0 : (int)(due - now);
}

void ui_feed(struct ui *u)
{
    char buf[READ_SIZE];
    struct input_event event;
    size_t n;

    for (int i = 0; i < READS_MAX && !u->suspended; i++) {
        n = tty_read(&u->tty, buf, sizeof buf);
        int64_t now = u->clock_ms();
        input_feed(&u->input, buf, n, now);
        while (input_next(&u->input, now, &event))
            dispatch_event(u, &event);
        if (n < sizeof buf)
            break;
    }
    input_feed(&u->input, NULL, 0, 0);
    if (u->tty.gone)
        dispatch_hangup(u);
}

bool ui_is_leaving(const struct ui *u)
{
    for (size_t i = 0; i < u->n_actions; i++)
        if (u->actions[i].action.kind == UI_QUIT || u->actions[i].action.kind == UI_HANGUP)
            return true;
    return false;
}

bool ui_next_action(struct ui *u, struct ui_action *out)
{
    if (u->input.deadline >= 0 && u->clock_ms() >= u->input.deadline)
        ui_feed(u);
    lookup_step(u);
    free(u->taken);
    u->taken = NULL;
    if (u->n_actions == 0)
        return false;
    *out = u->actions[0].action;
    u->taken = u->actions[0].text;
    memmove(u->actions, u->actions + 1, --u->n_actions * sizeof *u->actions);
    return true;
}

void ui_resize(struct ui *u)
{
    u->resized = u->dirty = true;
}

/* Drawing */

void ui_draw(struct ui *u)
{
    if (u->suspended || u->tty.gone || !tty_flush(&u->tty))
        return;
    int64_t now = u->clock_ms();
    bool spins = status_spins(&u->status) && now - u->last_spin >= STATUS_SPIN_MS;
    if ((!u->dirty && !spins) || now - u->last_frame < FRAME_MS)
        return;
    if (u->resized) {
        int rows, cols;
        window_size(u, &rows, &cols);
        grid_resize(&u->grid, rows, cols);
        screen_repaint(u->screen);
        u->resized = false;
    }
    layout_draw(u, now);
    u->dirty = false;
    u->last_frame = now;
    u->last_spin = now;
    if (!screen_paint(u->screen, &u->grid, &u->frame) ||
        !tty_write(&u->tty, u->frame.data, u->frame.len)) {
        screen_repaint(u->screen);
        u->dirty = true;
    }
    bytes_cut(&u->frame, 0);
}

/* Content */

void ui_transcript_clear(struct ui *u)
{
    transcript_clear(&u->transcript);
    find_forget(&u->find);
    u->dirty = true;
}

void ui_message_begin(struct ui *u, int64_t id, enum ui_role role, const char *name)
{
    transcript_begin(&u->transcript, id, role, name);
    u->dirty = true;
}

void ui_message_append(struct ui *u, int64_t id, enum ui_text kind, const char *text, size_t len)
{
    transcript_append(&u->transcript, id, kind, text, len);
    u->dirty = true;
}

void ui_message_thought(struct ui *u, int64_t id, int64_t tokens, int64_t ms)
{
    transcript_thought(&u->transcript, id, tokens, ms);
    u->dirty = true;
}

void ui_message_end(struct ui *u, int64_t id, enum ui_tone tone, const char *note)
{
    transcript_end(&u->transcript, id, tone, note);
    u->dirty = true;
}

int64_t ui_message_chosen(const struct ui *u)
{
    return transcript_chosen(&u->transcript);
}

void ui_message_version(struct ui *u, int64_t id, size_t version, size_t versions)
{
    transcript_version(&u->transcript, id, version, versions);
    u->dirty = true;
}

void ui_transcript_cut(struct ui *u, int64_t id)
{
    transcript_cut(&u->transcript, id);
    u->dirty = true;
}

void ui_message_select(struct ui *u, int64_t id)
{
    transcript_select(&u->transcript, id);
    u->dirty = true;
}

void ui_context_begin(struct ui *u, int64_t id, enum ui_tone tone, const char *label)
{
    transcript_context_begin(&u->transcript, id, tone, label);
    u->dirty = true;
}

void ui_queue_set(struct ui *u, const char *const *texts, size_t n, size_t due)
{
    pending_set(&u->pending, texts, n, due);
    u->dirty = true;
}

void ui_banner(struct ui *u, const char *text, enum ui_action_kind taken_by)
{
    pending_banner(&u->pending, text, taken_by);
    u->dirty = true;
}

void ui_task(struct ui *u, const char *name, double share, const char *words)
{
    u->dirty = pending_task(&u->pending, name, share, words) || u->dirty;
}

void ui_focus_composer(struct ui *u)
{
    dispatch_focus(u, FOCUS_COMPOSER);
    u->dirty = true;
}

void ui_notice(struct ui *u, enum ui_tone tone, const char *text)
{
    transcript_notice(&u->transcript, tone, text);
    u->dirty = true;
}

const char *ui_draft(struct ui *u, size_t *len_out)
{
    return composer_text(&u->composer, len_out);
}

uint64_t ui_draft_revision(const struct ui *u)
{
    return u->composer.editor.revision;
}

void ui_draft_set(struct ui *u, const char *text, size_t len)
{
    composer_set(&u->composer, text, len);
    u->dirty = true;
}

bool ui_draft_attach(struct ui *u, const char *name, const char *text, size_t len)
{
    u->dirty = true;
    return composer_attach(&u->composer, name, text, len);
}

bool ui_draft_unsend(struct ui *u, const char *text, size_t len)
{
    u->dirty = true;
    return composer_unsend(&u->composer, text, len);
}

void ui_status_set(struct ui *u, const struct ui_status *status)
{
    if (status_set(&u->status, status))
        u->dirty = true;
    if (!status_is_busy(&u->status))
        u->stop_sent = false;
}

bool ui_key(const struct ui *u, const char *action, char out[UI_KEY_MAX])
{
    return keymap_first_named(&u->keymap, action, out);
}

void ui_hint(struct ui *u, const char *text)
{
    status_hint(&u->status, text);
    u->dirty = true;
}

void ui_sidebar_set(struct ui *u, const struct ui_row *rows, size_t n, int64_t current)
{
    list_set(&u->sidebar.list, rows, n, current);
    u->dirty = true;
}

void ui_sidebar(struct ui *u, const char *words, bool archived)
{
    lookup_open_sidebar(u, words, archived);
    u->dirty = true;
}

void ui_sidebar_deleted(struct ui *u, const char *title)
{
    free(u->sidebar.deleted);
    u->sidebar.deleted = title ? strdup(title) : NULL;
    u->dirty = true;
}

void ui_search(struct ui *u, const char *query)
{
    if (query)
        field_set(&u->search.query, query);
    lookup_search(u);
    u->dirty = true;
}

void ui_search_set(struct ui *u, const struct ui_hit *hits, size_t n, bool grown,
                   const char *summary)
{
    search_set(&u->search, hits, n, grown, summary);
    u->dirty = true;
}

void ui_find(struct ui *u, int64_t message, enum ui_text kind, const char *text)
{
    dispatch_focus(u, FOCUS_TRANSCRIPT);
    find_in_message(&u->find, message, kind == UI_REASONING, text);
    u->dirty = true;
}

void ui_pick(struct ui *u, int tag, const char *title, const struct ui_row *rows, size_t n,
             int64_t selected)
{
    dialog_pick(&u->dialog, tag, title, rows, n, selected);
    u->dirty = true;
}

void ui_help(struct ui *u)
{
    dialog_help(&u->dialog, IN_ALL);
    u->dirty = true;
}

/* To the terminal, beside frames */

bool ui_send_osc(struct ui *u, const char *sequence, size_t len)
{
    return !u->suspended && screen_takes_osc(u->screen) && tty_write(&u->tty, sequence, len);
}

void ui_notify(struct ui *u, enum ui_notify how)
{
    static const char bell[] = "\a", done[] = "\033]9;duet: the answer is ready\a";
    static const char in_tmux[] = "\033Ptmux;\033\033]9;duet: the answer is ready\a\033\\";
    if (how == UI_NOTIFY_BELL && !u->suspended)
        tty_write(&u->tty, bell, strlen(bell));
    else if (how == UI_NOTIFY_OSC9 && getenv("TMUX"))
        ui_send_osc(u, in_tmux, strlen(in_tmux));
    else if (how == UI_NOTIFY_OSC9)
        ui_send_osc(u, done, strlen(done));
}
