/* repl_line.c - see repl_line.h. */
#include "app/plain/repl_line.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <readline/readline.h>

#include "app/exit.h"
#include "app/plain/repl_complete.h"
#include "app/plain/typeahead.h"
#include "app/signals.h"

#define CTRL_KEY(letter) ((letter)&0x1f)

/* Readline keeps its state in globals, and hands a finished line to a function
 * without an argument. */
static struct {
    char *line;
    bool finished, signalled; /* signalled: the last key was one for a signal */
    struct typeahead typeahead;
} entered;

/* One line */

/* At end of input readline ends the line itself, but only with bracketed paste enabled. */
static void take_line(char *line)
{
    rl_callback_handler_remove();
    if (!line && strcmp(rl_variable_value("enable-bracketed-paste"), "on") != 0)
        fputs("\n", stdout);
    entered.line = line;
    entered.finished = true;
}

/* Input typed during the answer comes first. */
static int get_byte(FILE *stream)
{
    int byte = typeahead_next(&entered.typeahead);
    return byte >= 0 ? byte : rl_getc(stream);
}

/* Readline waits for the rest of a sequence after Escape, unless input is known to be pending. */
static int is_byte_there(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return entered.typeahead.at < entered.typeahead.typed.len || poll(&in, 1, 0) > 0;
}

static void take_typed_ahead(void)
{
    rl_input_available_hook = is_byte_there;
    while (!entered.finished && entered.typeahead.at < entered.typeahead.typed.len)
        rl_callback_read_char();
    rl_input_available_hook = NULL;
}

/* Clears a full line; on an empty one shows a hint, and the second time quits. */
static bool leave_on_interrupt(bool *hinted)
{
    bool empty = rl_end == 0;
    if (empty && *hinted)
        return true;
    *hinted = empty;
    fputs(empty ? "\nCtrl-D or a second Ctrl-C leaves\n" : "\n", stdout);
    rl_replace_line("", 0);
    rl_on_new_line();
    rl_redisplay();
    return false;
}

/* Ctrl-C, Ctrl-Z and Ctrl-\ are signals during an answer, and keys while a line is edited, so that
 * in a paste they are text. */
static void make_signals(bool make)
{
    struct termios modes;
    if (tcgetattr(STDIN_FILENO, &modes) != 0)
        return;
    modes.c_lflag = make ? modes.c_lflag | ISIG : modes.c_lflag & ~(tcflag_t)ISIG;
    tcsetattr(STDIN_FILENO, TCSANOW, &modes);
}

/* Before the prompt is shown, so that replies typed to it are read as keys. */
static void prepare_terminal(int meta)
{
    rl_prep_terminal(meta);
    make_signals(false);
}

static int signal_by_key(int count, int key)
{
    (void)count;
    entered.signalled = true;
    signals_put_back(key == CTRL_KEY('C') ? SIGINT : key == CTRL_KEY('Z') ? SIGTSTP : SIGQUIT);
    return 0;
}

/* Overrides the user's settings: there must be a way out. */
static void bind_signals(void)
{
    Keymap const maps[] = {emacs_standard_keymap, vi_insertion_keymap, vi_movement_keymap};
    static const int keys[] = {CTRL_KEY('C'), CTRL_KEY('Z'), CTRL_KEY('\\')};
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            rl_bind_key_in_map(keys[k], signal_by_key, maps[m]);
}

/* 0, or the exit status of a signal that ends the program. */
static int take_signal(int signal, bool *hinted)
{
    switch (signal) {
    case SIGWINCH: rl_resize_terminal(); return 0;
    case SIGCONT:
        prepare_terminal(1);
        rl_forced_update_display();
        return 0;
    case SIGTSTP:
        rl_deprep_terminal();
        signals_suspend();
        return 0;
    case SIGINT: return leave_on_interrupt(hinted) ? EXIT_SIGNAL + SIGINT : 0;
    default: return EXIT_SIGNAL + signal;
    }
}

/* A lost model is reloaded, or its fault reported, with the next question. */
static void drop_events(struct chat *c)
{
    struct chat_event ev;
    while (chat_next_event(c, &ev))
        continue;
}

int repl_line_read(struct chat *c, const char *prompt, const char *draft, char **line)
{
    bool hinted = false;
    int status = 0;

    entered.finished = false;
    rl_callback_handler_install(prompt, take_line);
    bind_signals();
    rl_insert_text(draft);
    rl_redisplay();
    take_typed_ahead();
    while (!entered.finished && status == 0) {
        struct pollfd fds[CHAT_MODELS + 2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                              {.fd = signals_fd(), .events = POLLIN}};
        poll(fds, 2 + chat_poll(c, fds + 2), chat_timeout_ms(c));
        for (int signal; status == 0 && (signal = signals_next()) != 0;)
            status = take_signal(signal, &hinted);
        if (status == 0 && fds[0].revents) {
            entered.signalled = false;
            rl_callback_read_char();
            hinted = hinted && entered.signalled;
        }
        drop_events(c);
        chat_save_due(c);
    }
    if (!entered.finished) {
        rl_callback_handler_remove();
        fputs("\n", stdout);
    }
    make_signals(true);
    *line = entered.finished ? entered.line : NULL;
    return status;
}

/* Typing ahead */

bool repl_line_typed(void *chat)
{
    bool more = typeahead_read(&entered.typeahead, STDIN_FILENO);
    if (typeahead_take_answer_now(&entered.typeahead))
        chat_answer_now(chat);
    return more;
}

void repl_line_drop_typed(void)
{
    typeahead_drop(&entered.typeahead);
}

/* The terminal stays in readline's mode during an answer: type-ahead is not echoed into it, and is
 * complete on the next line. */
static void keep_mode(void)
{
}

void repl_line_begin(struct chat *c)
{
    rl_editing_mode = c->options->editing == EDITING_EMACS;
    rl_getc_function = get_byte;
    rl_prep_term_function = prepare_terminal;
    rl_deprep_term_function = keep_mode;
    rl_readline_name = "duet";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_set_keymap_from_edit_mode();
    repl_complete_with(c);
}
