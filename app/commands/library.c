/* library.c - see library.h. */
#include "app/commands/library.h"

#include <stdlib.h>
#include <string.h>

#include "app/chat/library.h"
#include "app/chat/title.h"
#include "app/mem.h"

enum { SHOWN_TITLE = 60 }; /* bytes of a title in a sentence */

static void refuse_by_store(struct chat *c, struct command_reply *reply)
{
    command_refuse(reply, store_error(c->history.store));
    str_adds(&reply->text, library_advice(store_failure(c->history.store)));
}

/* An existing title is shown on one line, as it may contain anything. */
static void add_title(struct str *out, const char *title)
{
    size_t len = strlen(title), cut = str_cut(title, len, SHOWN_TITLE);
    str_adds(out, "\u201c");
    str_add_visible(out, title, cut, false);
    str_adds(out, cut < len ? "\u2026\u201d" : "\u201d");
}

static void keep_words(struct command_reply *reply, const char *words)
{
    size_t cut = str_cut(words, strlen(words), sizeof reply->words - 1);
    memcpy(reply->words, words, cut);
    reply->words[cut] = '\0';
}

/* Listing */

void run_list(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)c;
    reply->effect = COMMAND_PICK_CONVERSATION;
    reply->archived = strcmp(arg, "archived") == 0;
    keep_words(reply, reply->archived ? "" : arg);
}

void run_switch(struct chat *c, const char *arg, struct command_reply *reply)
{
    if (!*arg) {
        run_list(c, arg, reply);
        return;
    }
    int64_t id = library_find(c->history.store, arg);
    if (id > 0) {
        command_open(c, id, reply);
    } else if (id < 0) {
        refuse_by_store(c, reply);
    } else {
        command_refuse(reply, "no conversation ");
        str_add_visible(&reply->text, arg, strlen(arg), false);
    }
}

void run_search(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)c;
    reply->effect = COMMAND_SEARCH;
    keep_words(reply, arg);
}

void run_reopen(struct chat *c, const char *arg, struct command_reply *reply)
{
    char err[256];
    (void)arg;
    if (!command_may_change(c, reply))
        return;
    if (c->history.off[0])
        command_refuse(reply, c->history.off);
    else if (!store_moved(c->history.store))
        command_refuse(reply, "the history file is where it was");
    else if (history_reopen(&c->history, c->options->db ? c->options->db : c->paths->history, err,
                            sizeof err) != 0)
        command_refuse(reply, err);
    else
        str_adds(&reply->text, "a new history file was begun, with this conversation in it");
}

/* Acting on one */

/* The conversation named by the argument, or the current one; 0: none, as the reply says. */
static int64_t find(struct chat *c, const char *arg, struct command_reply *reply)
{
    int64_t id = *arg ? library_find(c->history.store, arg) : c->history.conversation;
    if (id < 0)
        refuse_by_store(c, reply);
    else if (id == 0 && *arg)
        run_switch(c, arg, reply); /* says that there is none */
    else if (id == 0)
        command_refuse(reply, "nothing of this conversation is stored yet");
    return id > 0 ? id : 0;
}

void command_rename(struct chat *c, int64_t id, const char *title, struct command_reply *reply)
{
    char *clean = title_clean(title, strlen(title));
    if (!*clean) {
        command_refuse(reply, "a title cannot be empty");
    } else if (store_conversation_rename(c->history.store, id, clean) != STORE_OK) {
        refuse_by_store(c, reply);
    } else {
        str_adds(&reply->text, "now called ");
        add_title(&reply->text, clean);
        if (id == c->history.conversation) {
            free(c->history.title);
            c->history.title = mem_strdup(clean);
        }
    }
    free(clean);
}

void run_rename(struct chat *c, const char *arg, struct command_reply *reply)
{
    if (!*arg) {
        command_refuse(reply, "needs a title: /rename TITLE");
        return;
    }
    int64_t id = find(c, "", reply);
    if (id > 0)
        command_rename(c, id, arg, reply);
}

void command_archive(struct chat *c, int64_t id, bool archive, struct command_reply *reply)
{
    char *title = library_title(c->history.store, id);
    if (!title || store_conversation_archive(c->history.store, id, archive) != STORE_OK) {
        refuse_by_store(c, reply);
    } else {
        add_title(&reply->text, title);
        str_addf(&reply->text,
                 archive ? " is archived; /unarchive %lld restores it" : " is listed again",
                 (long long)id);
    }
    free(title);
}

void run_archive(struct chat *c, const char *arg, struct command_reply *reply)
{
    int64_t id = find(c, arg, reply);
    if (id > 0)
        command_archive(c, id, true, reply);
}

void run_unarchive(struct chat *c, const char *arg, struct command_reply *reply)
{
    int64_t id = find(c, arg, reply);
    if (id > 0)
        command_archive(c, id, false, reply);
}

void command_delete(struct chat *c, int64_t id, struct command_reply *reply)
{
    bool at_hand = id == c->history.conversation;
    if (at_hand && !command_may_change(c, reply))
        return;
    if (library_delete(&c->library, c->history.store, id) != STORE_OK) {
        refuse_by_store(c, reply);
        return;
    }
    str_adds(&reply->text, "deleted ");
    add_title(&reply->text, library_last_deleted(&c->library)->title);
    str_adds(&reply->text, "; /undelete brings it back until duet ends");
    if (at_hand) {
        history_new(&c->history, c->options->system);
        reply->effect = COMMAND_SHOW;
    }
}

void run_delete(struct chat *c, const char *arg, struct command_reply *reply)
{
    int64_t id = find(c, arg, reply);
    if (id > 0)
        command_delete(c, id, reply);
}

void command_undelete(struct chat *c, int64_t id, struct command_reply *reply)
{
    struct history *h = &c->history;
    int64_t restored;
    if (library_restore(&c->library, h->store, id, &restored) != STORE_OK) {
        refuse_by_store(c, reply);
        return;
    }
    if (restored == 0) {
        command_refuse(reply, "nothing was deleted since duet began");
        return;
    }
    char *title = library_title(h->store, restored);
    if (h->conversation == 0 && h->n_turns == 0 && !c->answer) /* the screen is free for it */
        command_open(c, restored, reply);
    str_adds(&reply->text, "brought back ");
    add_title(&reply->text, title ? title : "");
    free(title);
}

void run_undelete(struct chat *c, const char *arg, struct command_reply *reply)
{
    char *end;
    long long id = strtoll(arg, &end, 10);
    if (*arg && (*end || id <= 0))
        command_refuse(reply,
                       "not the number of a conversation; without one the last is brought back");
    else
        command_undelete(c, *arg ? id : 0, reply);
}
