/* repl_complete.c - see repl_complete.h. Candidates come from complete.c. */
#include "app/plain/repl_complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

#include "app/commands/commands.h"
#include "app/commands/complete.h"
#include "app/mem.h"
#include "app/str.h"

/* Readline's callbacks take no user argument. */
static struct chat *readlines;
static struct {
    const char *typed;
    size_t len, front; /* bytes of the line before the candidates */
    char **lines;
    size_t n;
} wanted;

static void want(void *sink, const char *word, const char *help)
{
    struct str line = {0};
    (void)sink;
    (void)help;
    str_add(&line, wanted.typed, wanted.front);
    str_adds(&line, word);
    if (strncmp(line.data, wanted.typed, wanted.len) == 0 && !strpbrk(word, "\r\n")) {
        wanted.lines = mem_realloc(wanted.lines, (wanted.n + 2) * sizeof *wanted.lines);
        wanted.lines[wanted.n++] = line.data;
        return;
    }
    str_done(&line);
}

static char *next_line(const char *text, int again)
{
    static size_t at;
    (void)text;
    at = again ? at : 0;
    return at < wanted.n ? wanted.lines[at++] : NULL;
}

/* Completes the whole line, so that names with spaces need no quotes. */
static char **complete_line(const char *text, int start, int end)
{
    (void)end;
    rl_attempted_completion_over = 1;
    if (start != 0 || text[0] != '/')
        return NULL;
    wanted.typed = text;
    wanted.len = strlen(text);
    wanted.lines = NULL;
    wanted.n = 0;
    size_t name = strcspn(text, " ");
    wanted.front = name + strspn(text + name, " ");
    if (name < wanted.len) {
        command_complete(readlines, text, want, NULL);
    } else {
        wanted.front = 0;
        for (size_t i = 0; i < n_commands; i++)
            want(NULL, commands[i].name, NULL);
    }
    char **matches = rl_completion_matches(text, next_line);
    size_t n = matches ? strlen(matches[0]) : 0;
    rl_completion_append_character = n > 0 && matches[0][n - 1] == '/' ? '\0' : ' ';
    free(wanted.lines);
    return matches;
}

/* Lists only the part that differs: the arguments. */
static void show_matches(char **matches, int n, int longest)
{
    size_t front = strcspn(matches[0], " ");
    front += strspn(matches[0] + front, " ");
    bool arguments = strchr(matches[0], ' ') != NULL;

    putchar('\n');
    for (int i = 1; i <= n; i++) {
        struct str shown = {0};
        const char *word = matches[i] + (arguments ? front : 0);
        str_add_visible(&shown, word, strlen(word), false);
        printf("  %s\n", shown.data);
        str_done(&shown);
    }
    (void)longest;
    rl_forced_update_display();
}

static char *whole_line(void)
{
    static char none[] = "";
    return none;
}

void repl_complete_with(struct chat *c)
{
    readlines = c;
    rl_attempted_completion_function = complete_line;
    rl_completion_word_break_hook = whole_line;
    rl_completion_display_matches_hook = show_matches;
    rl_bind_key('\t', rl_complete);
}
