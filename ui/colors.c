/*
 * colors.c: see colors.h.
 */
#include "colors.h"
#include "settings.h"
#include "state.h"
#include "terminal/background.h"

#include <poll.h>
#include <string.h>

enum { REPORT_MS = 500 }; /* waited for a reply */

static void set_theme(struct ui *u, enum ui_theme kind)
{
    struct theme theme;
    theme_init(&theme, kind, &u->overrides);
    screen_set_theme(u->screen, kind == UI_THEME_NONE ? NULL : &theme);
    u->theme = kind;
    u->dirty = true;
}

void colors_choose(struct ui *u, const struct ui_options *opt)
{
    if (opt->settings)
        u->overrides = opt->settings->overrides;
    set_theme(u, opt->theme == UI_THEME_AUTO ? background_guess() : opt->theme);
}

void colors_ask(struct ui *u, const struct ui_options *opt)
{
    if (opt->theme != UI_THEME_AUTO || !screen_takes_osc(u->screen))
        return;
    if (tty_write(&u->tty, background_query, strlen(background_query)))
        u->asked_ms = u->clock_ms();
}

void colors_take_report(struct ui *u, const char *report)
{
    enum ui_theme theme;
    if (u->asked_ms < 0 || !background_answer(report, &theme))
        return;
    if (theme == UI_THEME_AUTO)
        u->asked_ms = -1; /* the final reply: no more will follow */
    else if (theme != u->theme)
        set_theme(u, theme);
}

void colors_await_report(struct ui *u)
{
    int64_t end = u->asked_ms + REPORT_MS;

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
