/* commands.c - see commands.h. */
#include "app/commands/commands.h"

#include <stdlib.h>
#include <string.h>

#include "app/args.h"
#include "app/chat/tokens.h"
#include "app/commands/branch.h"
#include "app/commands/compact.h"
#include "app/commands/copy.h"
#include "app/commands/library.h"
#include "app/commands/pull.h"
#include "app/commands/read.h"
#include "app/mem.h"
#include "app/numbers.h"
#include "app/options.h"

void command_refuse(struct command_reply *reply, const char *reason)
{
    reply->failed = true;
    str_adds(&reply->text, reason);
}

bool command_may_change(const struct chat *c, struct command_reply *reply)
{
    if (c->answer)
        command_refuse(reply, "an answer is being written; stop it first, /continue resumes it");
    return c->answer == NULL;
}

bool command_may_leave(struct chat *c, struct command_reply *reply)
{
    if (!command_may_change(c, reply))
        return false;
    if (history_save(&c->history) == 0)
        return true;
    command_refuse(reply, "not saved yet (");
    str_addf(&reply->text, "%s), so this would lose the conversation; /export writes a file",
             c->history.problem);
    return false;
}

/* Conversations */

static void run_new(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)arg;
    if (!command_may_leave(c, reply))
        return;
    history_new(&c->history, c->options->system);
    reply->effect = COMMAND_SHOW;
}

void command_open(struct chat *c, int64_t conversation, struct command_reply *reply)
{
    char err[256];
    if (!command_may_leave(c, reply))
        return;
    if (history_load(&c->history, conversation, err, sizeof err) != 0)
        command_refuse(reply, err);
    else
        reply->effect = COMMAND_SHOW;
}

static void run_system(struct chat *c, const char *arg, struct command_reply *reply)
{
    if (*arg)
        history_set_system(&c->history, arg);
    if (c->history.system && c->history.system[0])
        str_addf(&reply->text, "system prompt: %s", c->history.system);
    else
        str_adds(&reply->text, "no system prompt");
}

/* Models and settings */

static void add_answers(struct chat *c, struct command_reply *reply)
{
    str_addf(&reply->text, "%s answers from here on", c->model->file.name);
    compact_add_warning(c, &reply->text);
}

void command_use(struct chat *c, const char *model, struct command_reply *reply)
{
    char err[256];
    if (chat_use(c, model, err, sizeof err) != 0)
        command_refuse(reply, err);
    else
        add_answers(c, reply);
}

/* "llama gpu": a model and its device. */
static bool split_place(const char *arg, struct str *name, enum pool_device *where)
{
    const char *last = strrchr(arg, ' ');
    if (!last || (strcmp(last, " cpu") != 0 && strcmp(last, " gpu") != 0))
        return false;
    size_t len = (size_t)(last - arg);
    *where = last[1] == 'c' ? POOL_CPU : POOL_GPU;
    arg = str_trim(arg, &len);
    str_add(name, arg, len);
    return true;
}

static void use_somewhere(struct chat *c, const char *name, enum pool_device where,
                          struct command_reply *reply)
{
    char err[256];
    if (chat_use_on(c, name, where, err, sizeof err) != 0)
        command_refuse(reply, err);
    else
        add_answers(c, reply);
}

static void run_model(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct str name = {0};
    enum pool_device where;
    if (!*arg)
        reply->effect = COMMAND_PICK_MODEL;
    else if (split_place(arg, &name, &where))
        use_somewhere(c, name.data, where, reply);
    else
        command_use(c, arg, reply);
    str_done(&name);
}

static void run_ps(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct running_list list;
    (void)arg;
    chat_publish(c);
    running_read(c->paths, &list);
    if (list.count > 0)
        running_add_table(&reply->text, &list);
    else
        str_adds(&reply->text, "no model is in memory");
    if (list.count > 0)
        reply->text.data[--reply->text.len] = '\0';
    running_list_done(&list);
}

static void add_settings(struct chat *c, struct str *out)
{
    if (c->model && c->model->engine) {
        struct engine_sampling s = chat_sampling(c, c->model);
        str_addf(out, "temperature     %g\ntop_k           %d\ntop_p           %g\n",
                 (double)s.temperature, s.top_k, (double)s.top_p);
        str_addf(out, "min_p           %g\nrepeat_penalty  %g\n", (double)s.min_p,
                 (double)s.repeat_penalty);
    }
    if (c->options->seed < 0)
        str_adds(out, "seed            random\n");
    else
        str_addf(out, "seed            %lld\n", (long long)c->options->seed);
    if (c->options->max_tokens > 0)
        str_addf(out, "max_tokens      %lld", (long long)c->options->max_tokens);
    else
        str_adds(out, "max_tokens      as the context allows");
}

/* "top_k" is --top-k: parameters are options, parsed and checked in one place. */
static void set_parameter(struct chat *c, const char *name, size_t len, const char *value,
                          struct command_reply *reply)
{
    struct str option = {0}, typed = {0};
    char err[256];

    str_add(&typed, name, len);
    str_addf(&option, "--%s", typed.data);
    for (char *s = option.data; *s; s++)
        *s = *s == '_' ? '-' : *s;
    const struct args_option *o = args_find(&options_table, option.data);
    if (o && o->section && o->where & IN_CHAT && !(o->where & IS_PARAMETER)) {
        command_refuse(reply, typed.data);
        str_addf(&reply->text, ": is set when duet starts: %s", args_name(o));
    } else if (!o || !(o->where & IS_PARAMETER)) {
        command_refuse(reply, "no parameter ");
        str_addf(&reply->text, "%s (/set lists them)", typed.data);
    } else if (!*value) {
        command_refuse(reply, typed.data);
        str_adds(&reply->text, ": needs a value");
    } else if (args_set(o, typed.data, value, c->options, err, sizeof err) != 0) {
        command_refuse(reply, err);
    } else {
        str_addf(&reply->text, "%s is %s", typed.data, value);
    }
    str_done(&option);
    str_done(&typed);
}

/* ollama has these behind /set: "/set nothink" is /nothink. */
static const struct command *find_behind_set(const char *name, size_t len)
{
    static const char *const names[] = {"/system", "/think", "/nothink"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == len + 1 && memcmp(names[i] + 1, name, len) == 0)
            return command_find(names[i], len + 1);
    return NULL;
}

static void run_set(struct chat *c, const char *arg, struct command_reply *reply)
{
    size_t len;
    const char *name = args_next_word(&arg, &len);
    const struct command *command = name ? find_behind_set(name, len) : NULL;
    if (name && len == strlen("parameter") && memcmp(name, "parameter", len) == 0)
        name = args_next_word(&arg, &len);
    if (command)
        command->run(c, arg + strspn(arg, " "), reply);
    else if (name)
        set_parameter(c, name, len, arg + strspn(arg, " "), reply);
    else
        add_settings(c, &reply->text);
}

static void run_show(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)arg;
    struct str *out = &reply->text;
    if (c->model && c->model->engine) {
        const struct engine_info *info = engine_info(c->model->engine);
        str_addf(out, "model           %s (%s %s, %.1f million parameters)\n", c->model->file.name,
                 info->architecture, info->type, (double)info->n_params / 1e6);
        str_addf(out, "device          %s\nmemory          ", info->device);
        numbers_add_bytes(out, info->weight_bytes + info->kv_bytes + info->scratch_bytes);
        str_adds(out, "\ncontext         ");
        const struct token_count used = chat_context_used(c);
        tokens_print(used, out);
        str_addf(out, "%s of %d tokens, KV cache in %s\n", used.n < 0 ? "," : "", info->n_ctx,
                 engine_kv_type_name(info->kv_type));
    }
    if (c->history.conversation > 0)
        str_addf(out, "conversation    %lld, %s\n", (long long)c->history.conversation,
                 c->history.title);
    if (c->history.system && c->history.system[0])
        str_addf(out, "system          %s\n", c->history.system);
    add_settings(c, out);
}

static void run_stats(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)arg;
    if (c->usage.completion_tokens == 0) {
        str_adds(&reply->text, "no answer yet");
        return;
    }
    numbers_add_text(&reply->text, &c->usage, c->load_ms);
    reply->text.data[--reply->text.len] = '\0';
}

/* The table */

static void run_help(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)c;
    (void)arg;
    reply->effect = COMMAND_HELP;
}

static void run_quit(struct chat *c, const char *arg, struct command_reply *reply)
{
    (void)c;
    (void)arg;
    reply->effect = COMMAND_QUIT;
}

const struct command commands[] = {
    {"/help", "/?", "", "list keys and commands", run_help},
    {"/model", NULL, "[NAME] [cpu|gpu]", "switch the model, keep the conversation", run_model},
    {"/ps", NULL, "", "the models in memory, of every running duet", run_ps},
    {"/pull", NULL, "[MODEL|stop]", "download llama or deepseek beside the chat", run_pull},
    {"/new", "/clear", "", "begin a new conversation", run_new},
    {"/list", NULL, "[WORDS|archived]", "the conversations, or those titled with WORDS", run_list},
    {"/switch", "/open", "[ID|TITLE]", "go to a conversation by its number or title", run_switch},
    {"/search", NULL, "[WORDS]", "find words in all conversations", run_search},
    {"/rename", "/title", "TITLE", "rename this conversation", run_rename},
    {"/archive", NULL, "[ID|TITLE]", "archive this or another conversation", run_archive},
    {"/unarchive", NULL, "[ID|TITLE]", "unarchive a conversation", run_unarchive},
    {"/delete", "/rm", "[ID|TITLE]", "delete this or another conversation", run_delete},
    {"/undelete", NULL, "[ID]", "restore what was deleted last", run_undelete},
    {"/reopen", NULL, "", "a new history file, when the old one is gone", run_reopen},
    {"/edit", NULL, "[N]", "edit the last or N-th question", run_edit},
    {"/regen", "/retry", "[MODEL]", "regenerate, with this model or MODEL", run_regen},
    {"/version", "/versions", "[N|<|>] [EXCHANGE]", "the versions of a message, or go to one",
     run_version},
    {"/undo", NULL, "", "remove the last exchange; /redo restores it", run_undo},
    {"/redo", NULL, "", "restore what /undo removed", run_redo},
    {"/fork", "/branch", "[N]", "continue in a copy, of all or up to exchange N", run_fork},
    {"/compact", NULL, "[N|yes|off]", "show what would be left out; yes leaves it out",
     run_compact},
    {"/system", NULL, "[TEXT]", "show or set the system prompt", run_system},
    {"/set", NULL, "[NAME VALUE]", "show the sampling parameters, or set one", run_set},
    {"/show", NULL, "", "the model, the conversation, the settings", run_show},
    {"/read", NULL, "FILE", "put a file's text into the question", run_read},
    {"/copy", NULL, "[code|math|all] [>FILE]", "the last answer, or parts, to the clipboard",
     run_copy},
    {"/export", NULL, "md|json|jsonl|html [FILE]", "write the conversation into a new file",
     run_export},
    {"/think", NULL, "[on|off|auto|N]", "think before the answer, for N tokens at most", run_think},
    {"/nothink", NULL, "", "answer without thinking", run_nothink},
    {"/answer", NULL, "", "end the thinking: answer now", run_answer},
    {"/continue", NULL, "", "continue an answer that was cut short", run_continue},
    {"/more", NULL, "", "think more about the last answer", run_more},
    {"/stats", NULL, "", "the numbers of the last answer", run_stats},
    {"/quit", "/exit /bye", "", "leave", run_quit},
};
const size_t n_commands = sizeof commands / sizeof *commands;

/* Column widths, ignoring unusually long entries. */
static void add_help_line(struct str *out, const char *name, const char *args, const char *help)
{
    enum { COLUMN = 24 };
    int width = (int)(strlen(name) + strlen(args)) + (*args != 0);
    str_addf(out, "%s%s%s%*s%s\n", name, *args ? " " : "", args,
             width < COLUMN - 1 ? COLUMN - width : 2, "", help);
}

void commands_add_help(struct str *out)
{
    for (size_t i = 0; i < n_commands; i++)
        add_help_line(out, commands[i].name, commands[i].args, commands[i].help);
    add_help_line(out, "//", "", "a question that begins with a slash");
    add_help_line(out, "\"\"\"", "", "begins and ends a question of several lines");
    add_help_line(out, "Alt-a", "", "end the thinking, as /answer does: while it is shown");
    add_help_line(out, "Ctrl-C", "", "stop the answer");
    add_help_line(out, "Ctrl-D", "", "leave");
    out->data[--out->len] = '\0';
}

const struct command *command_find(const char *name, size_t len)
{
    for (size_t i = 0; i < n_commands; i++) {
        const char *lists[] = {commands[i].name, commands[i].others}, *word;
        size_t n;
        for (int k = 0; k < 2; k++)
            while (lists[k] && (word = args_next_word(&lists[k], &n)))
                if (n == len && memcmp(word, name, len) == 0)
                    return &commands[i];
    }
    return NULL;
}

void command_reply_done(struct command_reply *reply)
{
    str_done(&reply->text);
    str_done(&reply->file);
    str_done(&reply->file_name);
    str_done(&reply->copy);
}

/* Where to find commands known from other programs. */
static const char *find_elsewhere(const char *name)
{
    static const struct {
        const char *name, *here;
    } rows[] = {
        {"/save", "every conversation is saved as it goes; /export writes a file"},
        {"/load", "/switch goes to a conversation, /model to a model, /read takes a file"},
        {"/history", "/list shows the conversations, /search finds words in them"},
        {"/resume", "/switch goes to a conversation, /continue goes on with an answer"},
        {"/ctx", "the context is set when duet starts: --ctx N"},
        {"/tools", "tools are given when duet starts: --tools FILE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].here;
    return NULL;
}

static void unknown(const char *name, size_t len, struct command_reply *reply)
{
    const char *words[sizeof commands / sizeof *commands];
    struct str typed = {0};

    for (size_t i = 0; i < n_commands; i++)
        words[i] = commands[i].name;
    str_add(&typed, name, len);
    const char *nearest = args_nearest(typed.data, words, n_commands);
    const char *here = find_elsewhere(typed.data);
    command_refuse(reply, "no command ");
    str_add_visible(&reply->text, name, str_cut(name, len, 40), false);
    if (here)
        str_addf(&reply->text, "; %s", here);
    else if (nearest)
        str_addf(&reply->text, "; did you mean %s?", nearest);
    else
        str_adds(&reply->text, "; // sends it as a question, /help lists the commands");
    str_done(&typed);
}

static bool is_leaving(const char *s, size_t len)
{
    return len == 4 && (memcmp(s, "exit", 4) == 0 || memcmp(s, "quit", 4) == 0);
}

bool command_is(const char *typed, size_t len)
{
    const char *s = str_trim(typed, &len);
    return is_leaving(s, len) || (len > 0 && s[0] == '/' && (len == 1 || s[1] != '/'));
}

void command_run(struct chat *c, const char *typed, size_t len, struct command_reply *reply)
{
    *reply = (struct command_reply){.effect = COMMAND_ASK, .ask = typed, .ask_len = len};
    bool command = command_is(typed, len);
    const char *s = str_trim(typed, &len);
    if (!command && len > 0 && s[0] == '/') { /* two slashes escape one */
        reply->ask = s + 1;
        reply->ask_len = len - 1;
    }
    if (!command)
        return;
    if (is_leaving(s, len)) {
        reply->effect = COMMAND_QUIT;
        return;
    }
    reply->effect = COMMAND_SAY;
    size_t name = 0;
    while (name < len && !strchr(" \t\r\n", s[name]))
        name++;
    const struct command *found = command_find(s, name);
    if (!found) {
        unknown(s, name, reply);
        return;
    }
    struct str arg = {0};
    size_t rest = len - name;
    const char *after = str_trim(s + name, &rest);
    str_add(&arg, after, rest);
    found->run(c, arg.data, reply);
    str_done(&arg);
}
