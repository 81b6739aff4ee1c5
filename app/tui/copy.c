/* copy.c - the screen's side of copying. tmux runs in the background; a descriptor signals its
 * end. */
#include <poll.h>

#include "app/clipboard.h"
#include "app/commands/copy.h"
#include "app/say.h"
#include "app/tui/tui.h"

static void tell(struct tui *t, bool sent)
{
    const char *what = str_get(&t->copied);
    if (sent)
        tui_hint(t, "%s sent to the clipboard", what);
    else
        tui_notice(t, UI_WARN,
                   "%s not sent: this terminal has no clipboard access; /copy > FILE writes a file",
                   what);
}

void tui_copy(struct tui *t, const struct command_reply *reply)
{
    const struct str *text = &reply->copy;
    char err[SAY_MAX];

    tui_copy_done(t, true);
    str_clear(&t->copied);
    str_add(&t->copied, str_get(&reply->text), reply->text.len);
    if (!clipboard_is_tmux()) {
        struct str sequence = {0};
        clipboard_add_osc52(&sequence, str_get(text), text->len);
        tell(t, ui_send_osc(t->ui, sequence.data, sequence.len));
        str_done(&sequence);
    } else if (clipboard_tmux_start(str_get(text), text->len, &t->copying, &t->copying_fd, err,
                                    sizeof err) != 0) {
        t->copying = 0;
        ui_notice(t->ui, UI_FAIL, err);
    }
}

void tui_copy_poll(const struct tui *t, struct pollfd *fd)
{
    *fd = (struct pollfd){.fd = t->copying > 0 ? t->copying_fd : -1, .events = POLLIN};
}

void tui_copy_done(struct tui *t, bool quiet)
{
    if (t->copying <= 0)
        return;
    bool sent = clipboard_tmux_end(t->copying, t->copying_fd);
    t->copying = 0;
    if (!quiet && sent)
        tell(t, true);
    else if (!quiet)
        ui_notice(t->ui, UI_FAIL,
                  "clipboard: tmux refused the text (`tmux load-buffer -w` needs tmux 3.2)");
}

void tui_act_copy(struct tui *t, const struct ui_action *action)
{
    struct command_reply reply = {.effect = COMMAND_SAY};
    command_copy_turn(&t->chat, action->id, &reply);
    tui_follow(t, &reply);
}
