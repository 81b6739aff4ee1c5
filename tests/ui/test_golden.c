/*
 * test_golden.c: whole screens, as text and as styles, compared with files that somebody looked at.
 * After a change that is meant: `ui.run golden` from the top of the tree, and read the difference.
 */
#include "term.h"
#include "tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int sizes[][2] = {{24, 80}, {10, 40}, {60, 200}, {5, 20}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static const char reasoning[] =
    "First I find 10% of 240, which is 24. Then 5% is half of that, so **12**.\n\nAdding both: "
    "24 + 12 = 36. Let me check: 0.15 × 240 = 36. Yes.";
static const char answer[] =
    "## Answer\n\n**15% of 240 is 36.** In steps:\n\n1. `10%` of 240 is 24\n2. `5%` is half of "
    "that, "
    "12, and this item is long enough to show how a list hangs when it has to wrap\n- 你好，世界\n\n"
    "```c\nreturn n * 15 / 100;\n```\n\n> quoted: e\u0301, 👩\u200d👩\u200d👧, 👍🏽\n\n\\boxed{36}\n";

static void append(struct term *t, int64_t id, enum ui_text kind, const char *text)
{
    ui_message_append(t->ui, id, kind, text, strlen(text));
}

static void set_status(struct term *t, enum ui_state state)
{
    ui_status_set(t->ui, &(struct ui_status){
                             .model = "demo-deepseek",
                             .device = {"cpu", NULL},
                             .state = state,
                             .tokens_per_second = 512,
                             .time_to_first_token_ms = 38,
                             .context_used = 1234,
                             .context_limit = 4096,
                             .draft_tokens = -1,
                         });
}

static void welcome(struct term *t)
{
    set_status(t, UI_IDLE);
}

static void first_notice(struct term *t)
{
    ui_notice(t->ui, UI_INFO, "no full-size model is installed: this is demo-deepseek, a tiny one");
    set_status(t, UI_IDLE);
}

static void thinking(struct term *t)
{
    ui_message_begin(t->ui, 1, UI_USER, "You");
    append(t, 1, UI_ANSWER, "What is 15% of 240?\nIn steps, please.");
    ui_message_end(t->ui, 1, UI_INFO, NULL);
    ui_message_begin(t->ui, 2, UI_ASSISTANT, "demo-deepseek");
    append(t, 2, UI_REASONING, reasoning);
    ui_message_thought(t->ui, 2, 42, 1340);
    set_status(t, UI_GENERATING);
}

static void answered(struct term *t)
{
    thinking(t);
    append(t, 2, UI_ANSWER, answer);
    ui_message_end(t->ui, 2, UI_INFO, "212 tokens · 0.4 s · 512 tok/s");
    set_status(t, UI_IDLE);
}

static void stopped(struct term *t)
{
    thinking(t);
    append(t, 2, UI_ANSWER, "15% of 240 is");
    ui_message_end(t->ui, 2, UI_WARN, "stopped");
    ui_notice(t->ui, UI_INFO, "model: demo-llama");
    ui_notice(t->ui, UI_FAIL, "history: not saved: No space left on device");
    set_status(t, UI_IDLE);
    term_type(t, "a draft\nof two lines");
}

static void unfolded(struct term *t)
{
    stopped(t);
    term_type(t, "\017");
    term_type(t, "\033OB"); /* in the composer */
    term_type(t, "\t");
}

static void sidebar(struct term *t)
{
    answered(t);
    ui_sidebar_set(t->ui,
                   (struct ui_row[]){
                       {7, "What is 15% of 240?", "now"},
                       {6, "Solve 3x + 5 = 20", "10:12"},
                       {5, "今天星期几？", "yesterday"},
                       {4, "A train goes 60 km in 45 minutes. How fast is it?", "Mon"},
                   },
                   4, 7);
    term_type(t, "\033OQ");
    ui_sidebar_deleted(t->ui, "Where do the stars go by day?");
    term_type(t, "\033[B");
}

static void search(struct term *t)
{
    answered(t);
    ui_search(t->ui, "15");
    ui_search_set(
        t->ui,
        (struct ui_hit[]){
            {1, "What is 15% of 240?", "answer · 26 Jul", "15% of 240 is **36**.", 0, 2},
            {2, "Solve 3x + 5 = 20", "reasoning · 14:02",
             "…so I take 5 from both sides,\nand what is left is that three times x is 15. Then",
             77, 2},
            {3, "今天星期几？", "question · 2025", "今天是15号，明天呢？", 9, 2}},
        3, false, "3 found");
    term_type(t, "\033[B");
}

static void find(struct term *t)
{
    answered(t);
    term_type(t, "\t/15");
}

static void models(struct term *t)
{
    answered(t);
    ui_pick(t->ui, 1, "Model",
            (struct ui_row[]){{1, "demo-deepseek", "thinks first"},
                              {2, "demo-llama", "answers at once"}},
            2, 1);
    term_type(t, "\033[B");
}

static void commands(struct term *t)
{
    answered(t);
    term_type(t, "/");
    term_type(t, "\033[B");
}

static void help(struct term *t)
{
    term_type(t, "\033OP");
}

static const struct {
    const char *name;
    void (*play)(struct term *t);
} scenes[] = {
    {"welcome", welcome},   {"notice", first_notice}, {"thinking", thinking},
    {"answered", answered}, {"stopped", stopped},     {"unfolded", unfolded},
    {"sidebar", sidebar},   {"models", models},       {"commands", commands},
    {"help", help},         {"search", search},       {"find", find},
};
enum { N_SCENES = sizeof scenes / sizeof *scenes };

static void golden_path(char *path, size_t size, size_t scene, size_t at)
{
    snprintf(path, size, "tests/ui/golden/%s-%dx%d.txt", scenes[scene].name, sizes[at][1],
             sizes[at][0]);
}

/* The screen, a line, its styles. Free it. */
static char *play(size_t scene, size_t at)
{
    struct term t;
    struct bytes out = {0};
    term_open(&t, sizes[at][0], sizes[at][1], NULL);
    scenes[scene].play(&t);
    term_turn(&t);
    char *text = term_text(&t), *styles = term_styles(&t);
    bytes_add(&out, text, strlen(text));
    bytes_add(&out, "---- styles\n", 12);
    bytes_add(&out, styles, strlen(styles));
    free(text);
    free(styles);
    term_close(&t);
    return out.data;
}

static char *read_file(const char *path)
{
    struct bytes out = {0};
    char buf[4096];
    size_t n;
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    while ((n = fread(buf, 1, sizeof buf, file)) > 0)
        bytes_add(&out, buf, n);
    fclose(file);
    return out.data;
}

static void screens_are_as_they_were_approved(void **state)
{
    char path[128];
    size_t at = *(size_t *)*state;
    for (size_t scene = 0; scene < N_SCENES; scene++) {
        golden_path(path, sizeof path, scene, at);
        char *expected = read_file(path), *got = play(scene, at);
        if (!expected)
            fail_msg("%s: cannot read it; run this from the top of the tree", path);
        if (strcmp(expected, got) != 0)
            fail_msg("%s differs:\n%s", path, got);
        free(expected);
        free(got);
    }
}

/* The themes, as they reach terminals of many and of few colours */

static const struct {
    const char *name, *type;
    enum ui_theme theme;
} themes[] = {
    {"dark", "xterm-256color", UI_THEME_DARK}, {"light", "xterm-256color", UI_THEME_LIGHT},
    {"none", "xterm-256color", UI_THEME_NONE}, {"contrast", "xterm-256color", UI_THEME_CONTRAST},
    {"dark-of-8", "linux", UI_THEME_DARK},     {"light-of-8", "linux", UI_THEME_LIGHT},
};
enum { N_THEMES = sizeof themes / sizeof *themes };

static char *paint(size_t theme, char path[128])
{
    struct term t;
    snprintf(path, 128, "tests/ui/golden/theme-%s.txt", themes[theme].name);
    term_open_as(&t, 30, 80, themes[theme].type, themes[theme].theme);
    answered(&t);
    ui_notice(t.ui, UI_WARN, "a warning");
    ui_notice(t.ui, UI_FAIL, "a failure");
    term_type(&t, "/he");
    char *painted = term_painted(&t);
    term_close(&t);
    return painted;
}

static void themes_are_as_they_were_approved(void **state)
{
    char path[128];
    (void)state;
    for (size_t i = 0; i < N_THEMES; i++) {
        char *got = paint(i, path), *expected = read_file(path);
        if (!expected || strcmp(expected, got) != 0)
            fail_msg("%s differs:\n%s", path, got);
        free(expected);
        free(got);
    }
}

static int write_file(const char *path, char *text)
{
    FILE *file = fopen(path, "w");
    bool written = file && fputs(text, file) >= 0;
    free(text);
    if (written && fclose(file) == 0)
        return 0;
    perror(path);
    return 1;
}

int golden_write(void)
{
    char path[128];
    int failures = 0;
    for (size_t scene = 0; scene < N_SCENES; scene++)
        for (size_t at = 0; at < N_SIZES; at++) {
            golden_path(path, sizeof path, scene, at);
            failures += write_file(path, play(scene, at));
        }
    for (size_t i = 0; i < N_THEMES; i++) {
        char *painted = paint(i, path);
        failures += write_file(path, painted);
    }
    return failures != 0;
}

int test_golden(void)
{
    static size_t at[N_SIZES] = {0, 1, 2, 3};
    const struct CMUnitTest tests[] = {
        {"screens of 80x24", screens_are_as_they_were_approved, NULL, NULL, &at[0]},
        {"screens of 40x10", screens_are_as_they_were_approved, NULL, NULL, &at[1]},
        {"screens of 200x60", screens_are_as_they_were_approved, NULL, NULL, &at[2]},
        {"screens of 20x5", screens_are_as_they_were_approved, NULL, NULL, &at[3]},
        cmocka_unit_test(themes_are_as_they_were_approved),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
