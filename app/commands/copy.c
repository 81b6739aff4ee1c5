/* copy.c - see copy.h. The source is copied, not its rendering: Markdown, the
 * LaTeX of formulas, the code of blocks. */
#include "app/commands/copy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/args.h"
#include "app/clipboard.h"
#include "app/newfile.h"
#include "app/records/export.h"
#include "app/say.h"
#include "ui/ui.h"

/* What to copy */

typedef char *finder(const char *text, size_t len, size_t n, size_t *len_out);

/* The message meant: the selected one, else the latest answer. NULL: refused. */
static const struct turn *find_turn(const struct chat *c, struct command_reply *reply)
{
    const struct history *h = &c->history;
    const struct turn *turn = c->marked ? history_turn(h, c->marked) : NULL;
    for (size_t i = h->n_turns; !turn && i > 0; i--)
        if (h->turns[i - 1]->role == STORE_ASSISTANT)
            turn = h->turns[i - 1];
    if (!turn)
        command_refuse(reply, "nothing was said yet");
    return turn;
}

/* Appends piece n, from 1, or all of them for 0, separated by `between`; returns how many there
 * are. */
static size_t add_pieces(const struct str *text, finder *find, size_t n, const char *between,
                         struct str *out)
{
    size_t count = 0, len;
    char *piece;
    while ((piece = find(str_get(text), text->len, count, &len))) {
        count++;
        if (n == 0 && count > 1)
            str_adds(out, between);
        if (n == 0 || n == count)
            str_add(out, piece, len);
        free(piece);
    }
    return count;
}

/* Code or formulas of the answer or, if it has none, of the reasoning. */
static void take_pieces(const struct turn *turn, finder *find, const char *name, size_t n,
                        struct command_reply *reply)
{
    const char *between = find == ui_code_in ? "\n\n" : "\n";
    size_t count = add_pieces(&turn->text[STORE_TEXT], find, n, between, &reply->copy);
    if (count == 0)
        count = add_pieces(&turn->text[STORE_REASONING], find, n, between, &reply->copy);
    if (count == 0 || n > count) {
        str_clear(&reply->copy);
        command_refuse(reply, count == 0 ? "there is no " : "there is only ");
        str_addf(&reply->text, count == 0 ? "%s in this message" : "%s 1 to %zu", name, count);
    } else if (n > 0 || count == 1) {
        str_addf(&reply->text, "%s %zu of %zu", name, n > 0 ? n : 1, count);
    } else {
        str_addf(&reply->text, "%zu %ss", count, name);
    }
}

static void take_turn(const struct turn *turn, struct command_reply *reply)
{
    const struct str *said = &turn->text[STORE_TEXT];
    str_add(&reply->copy, str_get(said), said->len);
    str_adds(&reply->text, turn->role == STORE_USER ? "the question" : "the answer");
}

/* 0, or -1 with one line in err. */
static int export_saved(struct history *h, enum export_format format, struct str *out, char *err,
                        size_t errlen)
{
    if (history_save(h) != 0)
        return say_to(err, errlen, -1, "not saved: %s", h->problem);
    return export_conversation(h->store, h->conversation, format, out, err, errlen);
}

/* The current conversation. Where the disk with the history is full, it can still be taken to
 * another. false: refused. */
static bool export_now(struct chat *c, enum export_format format, struct str *out,
                       struct command_reply *reply)
{
    struct history *h = &c->history, copy;
    char err[SAY_MAX];
    int status;
    if (h->n_all == 0) {
        command_refuse(reply, "nothing was said yet");
        return false;
    }
    if (history_save(h) == 0) {
        status = export_saved(h, format, out, err, sizeof err);
    } else {
        history_copy(&copy, h);
        status = export_saved(&copy, format, out, err, sizeof err);
        history_close(&copy);
    }
    if (status != 0)
        command_refuse(reply, err);
    return status == 0;
}

/* Where to */

/* There is no output that "-" could stand for. */
static bool names_file(const char *word)
{
    return *word && strcmp(word, "-") != 0;
}

/* Writes to the file named after ">", and leaves nothing for the clipboard. */
static void into_file(const char *path, struct command_reply *reply)
{
    char err[SAY_MAX];
    int status = newfile_write(path, str_get(&reply->copy), reply->copy.len, err, sizeof err);
    str_done(&reply->copy);
    if (status != 0) {
        str_clear(&reply->text);
        command_refuse(reply, err);
        return;
    }
    str_adds(&reply->text, " written to ");
    str_add_visible(&reply->text, path, strlen(path), false);
}

static void check_size(struct command_reply *reply)
{
    if (reply->copy.len <= CLIPBOARD_MAX)
        return;
    str_clear(&reply->text);
    command_refuse(reply, "too large for the clipboard ");
    str_addf(&reply->text, "(got %zu bytes, limit %d); /copy > FILE writes a file", reply->copy.len,
             CLIPBOARD_MAX);
    str_done(&reply->copy);
}

static void finish_copy(const char *file, struct command_reply *reply)
{
    if (reply->failed) {
        str_done(&reply->copy);
        return;
    }
    if (*file)
        into_file(file, reply);
    else
        check_size(reply);
    if (!reply->failed && !*file)
        reply->effect = COMMAND_COPY;
}

void command_copy_turn(struct chat *c, int64_t number, struct command_reply *reply)
{
    const struct turn *turn = history_turn(&c->history, number);
    if (turn)
        take_turn(turn, reply);
    else
        command_refuse(reply, "nothing was said yet");
    finish_copy("", reply);
}

static bool is_word(const char *word, size_t len, const char *expected)
{
    return len == strlen(expected) && memcmp(word, expected, len) == 0;
}

static void take_named(struct chat *c, const char *what, size_t len, size_t n,
                       struct command_reply *reply)
{
    if (is_word(what, len, "all")) {
        if (export_now(c, EXPORT_MD, &reply->copy, reply))
            str_adds(&reply->text, "the conversation");
        return;
    }
    const struct turn *turn = find_turn(c, reply);
    if (!turn)
        return;
    if (is_word(what, len, "code"))
        take_pieces(turn, ui_code_in, "code block", n, reply);
    else if (is_word(what, len, "math"))
        take_pieces(turn, ui_math_in, "formula", n, reply);
    else if (len == 0)
        take_turn(turn, reply);
    else
        command_refuse(reply, "/copy [code|math|all] [N] [> FILE]");
}

void run_copy(struct chat *c, const char *arg, struct command_reply *reply)
{
    size_t before = strcspn(arg, ">"), len = 0, n_len = 0;
    const char *file = arg[before] ? arg + before + 1 : "";
    struct str words = {0};

    file += strspn(file, " \t");
    str_add(&words, arg, before);
    const char *at = str_get(&words), *what = args_next_word(&at, &len);
    const char *number = args_next_word(&at, &n_len);
    size_t n = number ? strtoul(number, NULL, 10) : 0;
    if ((arg[before] && !names_file(file)) ||
        (number && (n == 0 || strspn(number, "0123456789") != n_len)) || at[strspn(at, " ")])
        command_refuse(reply, "/copy [code|math|all] [N] [> FILE]");
    else
        take_named(c, what ? what : "", what ? len : 0, n, reply);
    finish_copy(file, reply);
    str_done(&words);
}

static int format_of(const char *word, size_t len)
{
    static const char *const names[] = {"md", "json", "jsonl", "html"}; /* enum export_format */
    for (int i = 0; i < 4; i++)
        if (is_word(word, len, names[i]))
            return i;
    return -1;
}

/* The first of the names for a conversation that no file has yet. */
static void add_free_name(const struct chat *c, enum export_format format, struct str *name)
{
    enum { MOST = 999 };
    const char *title = c->history.title ? c->history.title : "";
    struct stat st;
    for (int n = 1; n <= MOST; n++) {
        str_clear(name);
        export_file_name(title, format, n, name);
        if (lstat(name->data, &st) != 0)
            return;
    }
}

void run_export(struct chat *c, const char *arg, struct command_reply *reply)
{
    size_t len = 0;
    const char *word = args_next_word(&arg, &len);
    int format = word ? format_of(word, len) : EXPORT_MD;
    struct str name = {0};

    arg += strspn(arg, " >");
    if (format < 0 || (*arg && !names_file(arg))) {
        command_refuse(reply, "/export md|json|jsonl|html [FILE]");
        return;
    }
    if (!export_now(c, (enum export_format)format, &reply->copy, reply)) {
        str_done(&reply->copy);
        return;
    }
    if (*arg)
        str_adds(&name, arg);
    else
        add_free_name(c, (enum export_format)format, &name);
    str_adds(&reply->text, "the conversation");
    into_file(name.data, reply);
    str_done(&name);
}
