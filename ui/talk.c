/*
 * talk.c: queries and messages to the terminal besides frames: its background, which selects the
 * colours; the clipboard; a bell.
 */
#include "settings.h"
#include "state.h"
#include "terminal/background.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 500 }; /* ms to wait for a reply */

static void set_theme(struct ui *u, enum ui_theme kind)
{
    struct theme theme;
    theme_init(&theme, kind, &u->wishes);
    screen_set_theme(u->screen, kind == UI_THEME_NONE ? NULL : &theme);
    u->theme = kind;
    u->dirty = true;
}

void talk_choose_theme(struct ui *u, const struct ui_options *opt)
{
    if (opt->settings)
        u->wishes = opt->settings->wishes;
    u->theme = opt->theme;
    set_theme(u, opt->theme == UI_THEME_AUTO ? background_guess() : opt->theme);
}

/* Queries terminals that support it. */
void talk_ask_background(struct ui *u, const struct ui_options *opt)
{
    if (opt->theme != UI_THEME_AUTO || !screen_takes_osc(u->screen))
        return;
    if (tty_write(&u->tty, background_query, strlen(background_query)))
        u->asked_ms = u->clock_ms();
}

void talk_take_report(struct ui *u, const char *report)
{
    enum ui_theme theme;
    if (u->asked_ms < 0 || !background_answer(report, &theme))
        return;
    if (theme == UI_THEME_AUTO)
        u->asked_ms = -1; /* the final reply: no more will follow */
    else if (theme != u->theme)
        set_theme(u, theme);
}

/* A late reply would be typed into the shell. */
void talk_await_answer(struct ui *u)
{
    int64_t end = u->asked_ms + ANSWER_MS;

    while (u->asked_ms >= 0 && !u->tty.gone) {
        struct pollfd fd;
        int64_t left = end - u->clock_ms();
        ui_poll(u, &fd);
        if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
            break;
        tty_flush(&u->tty);
        ui_feed(u);
    }
    u->asked_ms = -1;
}

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
