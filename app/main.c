/* main.c - from argv to a verb to an exit status. Each verb is a cmd_ function (cmd.h), its
 * options are in options.c; a verb opens what it needs itself, in the order that is quickest for
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/args.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/signals.h"

struct verb_entry {
    const char *name;
    int (*run)(struct app *app);
    const char *synopsis, *help;
    const char *words; /* what may follow, for completions: "a|b", FILE; "-" for nothing */
};

static const struct verb_entry verbs[] = {
    [VERB_CHAT] = {"chat", cmd_chat, "[options] [PROMPT...]",
                   "talk, or answer one prompt (default)", "-"},
    [VERB_BATCH] = {"batch", cmd_batch, "[options] [FILE]", "answer a file of prompts, JSON lines",
                    "FILE"},
    [VERB_LOG] = {"log", cmd_log, "[options] [ID]", "list the conversations, or show one", "ID"},
    [VERB_SEARCH] = {"search", cmd_search, "[options] WORD...", "search the conversations", "-"},
    [VERB_EXPORT] = {"export", cmd_export, "[options] ID...",
                     "print conversations as Markdown, HTML or JSON", "ID"},
    [VERB_IMPORT] = {"import", cmd_import, "[options] FILE", "import conversations from a file",
                     "FILE"},
    [VERB_RM] = {"rm", cmd_rm, "[options] ID...", "delete conversations", "ID"},
    [VERB_INSPECT] = {"inspect", cmd_inspect, "model|tokens|prompt|logits [options] [MODEL]",
                      "look at what the engine sees", "model|tokens|prompt|logits"},
    [VERB_MODELS] = {"models", cmd_models, "[ls|show|rm|verify] [NAME...] [options]",
                     "list, show, verify and remove the installed models", "ls|show|rm|verify"},
    [VERB_PS] = {"ps", cmd_ps, "[options]", "list the running duets and the models they hold", "-"},
    [VERB_PULL] = {"pull", cmd_pull, "deepseek|llama[:q4|q8|f16]... [options]",
                   "download a model from Hugging Face", "deepseek|llama"},
    [VERB_BENCH] = {"bench", cmd_bench, "[options] [FILE]", "measure the speed", "FILE"},
    [VERB_CONVERT] = {"convert", cmd_convert, "[options] MODEL OUT.gguf",
                      "write a model as a GGUF file in another number format", "NAME"},
    [VERB_EVAL] = {"eval", cmd_eval, "[options] FILE", "test models on a file of problems", "FILE"},
};
enum { N_VERBS = sizeof verbs / sizeof *verbs };

/* Verbs of other versions: never prompts, so that a script means the same in all of them. */
static const char *const reserved[] = {"serve"};
enum { N_RESERVED = sizeof reserved / sizeof *reserved };

static void print_help(enum verb verb)
{
    if (verb != VERB_CHAT) {
        printf("usage: duet %s %s\n\n%s\n", verbs[verb].name, verbs[verb].synopsis,
               verbs[verb].help);
        options_print(stdout, 1u << verb);
        return;
    }
    printf("usage: duet [options] [PROMPT...]\n"
           "       duet VERB [...]\n\n"
           "A chat with language models that run in this program. With a prompt, or with\n"
           "text on standard input, prints one answer; otherwise opens a screen to talk.\n\n"
           "Verbs:\n");
    for (int i = 0; i < N_VERBS; i++)
        printf("  %-10s%s\n", verbs[i].name, verbs[i].help);
    options_print(stdout, IN_CHAT);
    printf("\nFiles: `duet --dirs`. Manual: `man duet`.\n");
}

static void print_key(void *ud, const struct ui_key_row *row)
{
    (void)ud;
    printf("%s\t%s\t%s\t%s\t%s\n", row->title, row->place, row->action, row->keys, row->help);
}

/* For completions and lint: every verb and every option, a line each, columns between tabs. */
static void print_list(void)
{
    const char *names[N_VERBS];
    for (int i = 0; i < N_VERBS; i++) {
        names[i] = verbs[i].name;
        printf("verb\t%s\t%s\t%s\n", verbs[i].name, verbs[i].words, verbs[i].help);
    }
    options_print_list(stdout, names, N_VERBS);
}

static int print_information(const struct app *app, enum verb verb)
{
    if (app->options.help)
        print_help(verb);
    else if (app->options.version)
        printf("duet %s\n", DUET_VERSION);
    else if (app->options.list_keys)
        ui_settings_keys(app->config.ui, print_key, NULL);
    else if (app->options.list_options)
        print_list();
    else
        paths_print(&app->paths);
    return say_flush();
}

/* The verb */

static int find_word(const char *word)
{
    for (int i = 0; i < N_VERBS; i++)
        if (strcmp(word, verbs[i].name) == 0)
            return i;
    return -1;
}

static bool is_reserved(const char *word)
{
    for (int i = 0; i < N_RESERVED; i++)
        if (strcmp(word, reserved[i]) == 0)
            return true;
    return false;
}

/* "llama", also as in llama3.2 or llama:1b. */
static bool begins_with_model(const char *word)
{
    static const char *const models[] = {"llama", "deepseek", "r1", "demo-"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strncmp(word, models[i], strlen(models[i])) == 0)
            return true;
    return false;
}

static bool is_verb(const char *word)
{
    return find_word(word) >= 0;
}

/* Words by which other programs call what duet has, and models in place of a verb. */
static const struct {
    const char *word, *here;
    size_t most;                      /* longer lines are not doubted, */
    bool (*sure)(const char *second); /* unless this is true of the second word */
} elsewhere[] = {
    {"run", "-m MODEL", 2, begins_with_model},
    {"llama", "-m llama", 1, NULL},
    {"deepseek", "-m deepseek", 1, NULL},
    {"ls", "models", 1, NULL},
    {"list", "models", 1, NULL},
    {"show", "models show", 2, NULL},
    {"logs", "log", 2, NULL},
    {"history", "log", 1, NULL},
    {"help", "--help", 1, is_verb},
    {"version", "--version", 1, NULL},
};

/* A word or two that look like a verb, of duet or of another program, are still a prompt, but were
 * probably not meant as one. */
static void doubt_prompt(const char *const *words, size_t n_words, bool quiet)
{
    const char *names[N_VERBS], *word = words[0], *here = NULL;
    for (int i = 0; i < N_VERBS; i++)
        names[i] = verbs[i].name;
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere && !here; i++)
        if (strcmp(word, elsewhere[i].word) == 0 &&
            (n_words <= elsewhere[i].most || (elsewhere[i].sure && elsewhere[i].sure(words[1]))))
            here = elsewhere[i].here;
    if (!here && n_words == 1)
        here = args_nearest(word, names, N_VERBS);
    if (here)
        say_notice(quiet, "%s: taken as a prompt; did you mean duet %s?", word, here);
}

static bool is_given(const struct args_rest *rest, const char *option)
{
    return rest->used[args_find(&options_table, option) - options_table.options];
}

/* The verb is the first word, unless -p or `--` says that the words are a prompt. *n_taken: how
 * many words name it. 0, or EXIT_USAGE. */
static int take_verb(const struct args_rest *rest, enum verb *verb, size_t *n_taken)
{
    *verb = is_given(rest, "--jsonl")  ? VERB_BATCH
            : is_given(rest, "--list") ? VERB_LOG
                                       : VERB_CHAT;
    *n_taken = 0;
    if (rest->n_plain == 0 || is_given(rest, "--prompt"))
        return 0;
    const char *word = rest->words[0];
    int found = find_word(word);
    if (found < 0 && is_reserved(word)) {
        say_error("%s: not in this version (a prompt that begins so goes after --)", word);
        return EXIT_USAGE;
    }
    if (found < 0) {
        if (*verb == VERB_CHAT)
            doubt_prompt(rest->words, rest->n_words, is_given(rest, "--quiet"));
        return 0;
    }
    *verb = (enum verb)found;
    *n_taken = 1;
    return 0;
}

/* Which option a spelling means depends on the verb, so the line is read once to find that. */
static int find_verb(int argc, char **argv, enum verb *verb, size_t *n_taken)
{
    struct args_rest rest;
    int status = 0;

    if (args_parse(&options_table, argc, argv, NULL, &rest) != 0) {
        say_error("%s", rest.error);
        status = EXIT_USAGE;
    }
    if (status == 0)
        status = take_verb(&rest, verb, n_taken);
    free(rest.words);
    free(rest.used);
    return status;
}

static int check_options(const struct args_rest *rest, enum verb verb)
{
    for (size_t i = 0; i < options_table.n_options; i++) {
        const struct args_option *o = &options_table.options[i];
        if (rest->used[i] && !(o->where & 1u << verb)) {
            say_error("%s: not an option of duet %s", args_name(o), verbs[verb].name);
            return EXIT_USAGE;
        }
    }
    return 0;
}

/* Folders are only made for the default history: the path of another may be mistyped. */
static int check_db(const char *db, enum verb verb)
{
    const char *slash = db ? strrchr(db, '/') : NULL;
    struct stat st;
    int status = 0;
    if (db && !*db) {
        say_error("--db: empty (a file is wanted)");
        return EXIT_USAGE;
    }
    if (!slash || slash == db || !(args_find(&options_table, "--db")->where & 1u << verb))
        return 0;
    char *folder = mem_strdup(db);
    folder[slash - db] = '\0';
    int error = stat(folder, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
    if (error != 0) {
        say_error("--db: %s: %s", folder, error == ENOENT ? "no such folder" : strerror(error));
        status = verb == VERB_SEARCH ? EXIT_USAGE : EXIT_HISTORY; /* like grep */
    }
    free(folder);
    return status;
}

/* Asking for information needs no settings, so a wrong file does not stop it. */
static int run_verb(struct app *app, enum verb verb)
{
    const struct options *o = &app->options;
    if (o->help || o->version || o->list_options || o->list_keys || o->dirs)
        return print_information(app, verb);
    if (app->config.status != 0) {
        say_error("%s", app->config.error);
        return app->config.status;
    }
    if (verb != VERB_CHAT)
        config_warn(&app->config, o->quiet);
    int status = check_db(o->db, verb);
    return status ? status : verbs[verb].run(app);
}

/* A flag takes precedence over the environment, and that over the configuration file. */
static int run(struct app *app, int argc, char **argv)
{
    struct args_rest rest;
    enum verb verb;
    char err[512], help[32];

    options_init(&app->options);
    config_read(&app->config, app->paths.settings, &app->options);
    if (options_environment(&app->options, err, sizeof err) != 0) {
        say_error("%s", err);
        return EXIT_USAGE;
    }
    struct args_table table = options_table;
    size_t n_taken;
    int status = find_verb(argc, argv, &verb, &n_taken);
    if (status != 0)
        return status;
    table.where = 1u << verb;
    say_to(help, sizeof help, 0, "duet %s --help", verbs[verb].name);
    table.help = verb == VERB_CHAT ? NULL : help;
    if (args_parse(&table, argc, argv, &app->options, &rest) != 0) {
        say_error("%s", rest.error);
        status = EXIT_USAGE;
    }
    app->words = rest.words + n_taken;
    app->n_words = rest.n_words - n_taken;
    if (status == 0)
        status = check_options(&rest, verb);
    if (status == 0)
        status = run_verb(app, verb);
    free(rest.words);
    free(rest.used);
    return status;
}

/* Safety first */

/* If a standard descriptor were closed, the first file opened would get its number, and our
 * output. What takes its place is empty input, and output that fails: an answer that went nowhere
 * is no success. */
static void fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", O_RDONLY);
}

int main(int argc, char **argv)
{
    struct app app;

    fill_standard_descriptors();
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a core would hold the conversation */
    setlocale(LC_CTYPE, "");
    signals_init();
    paths_init(&app.paths);
    int status = run(&app, argc, argv);
    config_done(&app.config);
    paths_done(&app.paths);
    return status;
}
