/* html.c - the report: one page with the table, and every problem with its reasoning and
 * answers. Texts are reread from the transcripts, one at a time. See eval.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/eval/eval.h"
#include "app/exit.h"
#include "app/html.h"
#include "app/rewrite.h"
#include "app/say.h"

static const char marker[] = "<meta name=\"generator\" content=\"duet eval\">\n";

static const char style[] =
    ":root { color-scheme: light dark; --line: light-dark(#d0d4da, #3a3f47);\n"
    "  --soft: light-dark(#f4f5f7, #1f2227); --right: light-dark(#12703a, #6cc98c);\n"
    "  --wrong: light-dark(#a8322d, #f08a80); --quiet: light-dark(#5c6470, #9aa2ad); }\n"
    "body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem;\n"
    "  font: 1rem/1.55 system-ui, sans-serif; background: light-dark(#ffffff, #16181c);\n"
    "  color: light-dark(#1b1e23, #e4e6ea); }\n"
    "h1 { font-size: 1.5rem; margin-bottom: 0.2rem; }\n"
    "h2 { font-size: 1.15rem; margin-top: 2.2rem; }\n"
    "p.about { color: var(--quiet); margin-top: 0; }\n"
    ".wide { overflow-x: auto; }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: 0.3rem 0.9rem; border-bottom: 1px solid var(--line); text-align: right; }\n"
    "th:first-child, td:first-child { text-align: left; padding-left: 0; }\n"
    "thead th { border-bottom-width: 2px; } tr.main td { font-weight: 650; }\n"
    "tr.first td { border-top: 2px solid var(--line); }\n"
    "details.problem { border: 1px solid var(--line); border-radius: 0.5rem; margin: 0.5rem 0;\n"
    "  padding: 0 1rem; }\n"
    "details.problem > summary { padding: 0.55rem 0; cursor: pointer; display: flex; gap: 0.8rem;\n"
    "  align-items: baseline; }\n"
    "summary > .text { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis;\n"
    "  white-space: nowrap; }\n"
    "details[open] > summary > .text { white-space: pre-wrap; }\n"
    "summary > .kind { color: var(--quiet); font-size: 0.85rem; white-space: nowrap; }\n"
    ".marks { white-space: nowrap; font-weight: 650; }\n"
    ".right { color: var(--right); } .wrong { color: var(--wrong); }\n"
    ".open { color: var(--quiet); }\n"
    "section.answer { border-top: 1px solid var(--line); padding: 0.2rem 0 0.8rem; }\n"
    "h3 { font-size: 0.95rem; margin: 0.7rem 0 0.3rem; }\n"
    ".note { color: var(--quiet); font-size: 0.87rem; }\n"
    "code, pre { font: 0.92em/1.5 ui-monospace, monospace; background: var(--soft); }\n"
    "code { padding: 0.05rem 0.25rem; border-radius: 0.2rem; }\n"
    "pre { padding: 0.6rem 0.9rem; overflow-x: auto; border-radius: 0.4rem; }\n"
    "pre code { padding: 0; }\n"
    "details.thought > div { border-left: 3px solid var(--line); padding-left: 0.9rem;\n"
    "  white-space: pre-wrap; color: var(--quiet); overflow-wrap: anywhere; }\n"
    "details.thought > summary { cursor: pointer; }\n"
    "div.said { overflow-wrap: anywhere; }\n"
    "footer { margin-top: 3rem; color: var(--quiet); font-size: 0.87rem; }\n";

/* The table */

static void add_row(struct str *out, const struct eval_cells *t, size_t row)
{
    const char *cell = row == 0 ? "th" : "td";
    const struct eval_cell *first = &t->at[row * t->n_columns];
    bool kinds_begin = t->n_kinds > 0 && row + t->n_kinds == t->n / t->n_columns;
    str_addf(out, "<tr class=\"%s%s\">", first[t->n_columns - 1].strong ? "main" : "",
             kinds_begin ? "first" : "");
    for (size_t i = 0; i < t->n_columns; i++) {
        str_addf(out, "<%s>", cell);
        html_add(out, str_get(&first[i].text));
        str_addf(out, "</%s>", cell);
    }
    str_adds(out, "</tr>\n");
}

static void add_table(const struct eval *e, struct str *out)
{
    struct eval_cells t;
    eval_cells_make(e, &t);
    str_adds(out, "<div class=\"wide\">\n<table>\n<thead>\n");
    add_row(out, &t, 0);
    str_adds(out, "</thead>\n<tbody>\n");
    for (size_t row = 1; row < t.n / t.n_columns; row++)
        add_row(out, &t, row);
    str_adds(out, "</tbody>\n</table>\n</div>\n");
    eval_cells_done(&t);
}

/* A problem */

static const char *class_of(const struct eval_answer *a)
{
    if (!a->there || a->failed || a->grade == GRADE_UNDECIDED)
        return "open";
    return a->grade == GRADE_EQUAL ? "right" : "wrong";
}

static const char *verdict_of(const struct eval_answer *a)
{
    if (a->failed)
        return "failed";
    if (a->grade == GRADE_UNDECIDED)
        return "not understood";
    return a->grade == GRADE_EQUAL ? "right" : "wrong";
}

/* In a collapsed problem's line: a mark for one answer, a count for several. */
static void add_marks(const struct eval *e, size_t problem, struct str *out)
{
    str_adds(out, "<span class=\"marks\">");
    for (size_t i = 0; i < e->n_models; i++) {
        const struct eval_answer *a = eval_answer_at(e, &e->models[i], problem, 0);
        int right = 0;
        for (int k = 0; k < e->n_samples; k++)
            right += a[k].grade == GRADE_EQUAL;
        const char *class = e->n_samples == 1 ? class_of(a) : right > 0 ? "right" : "wrong";
        str_addf(out, "<span class=\"%s\" title=\"", class);
        html_add(out, e->models[i].file.name);
        str_adds(out, "\">");
        if (e->n_samples > 1)
            str_addf(out, "%d/%d ", right, e->n_samples);
        else
            str_adds(out, strcmp(class, "right") == 0   ? "\xe2\x9c\x93 "
                          : strcmp(class, "wrong") == 0 ? "\xe2\x9c\x97 "
                                                        : "? ");
        str_adds(out, "</span>");
    }
    str_adds(out, "</span>");
}

static void add_numbers(const struct eval_answer *a, struct str *out)
{
    str_adds(out, "<p class=\"note\">");
    if (*a->final) {
        str_adds(out, "Final answer ");
        html_add_formula(out, a->final);
        str_addf(out, "%s \xc2\xb7 ", a->place == GRADE_BOXED ? ", boxed" : "");
    } else {
        str_adds(out, "No final answer \xc2\xb7 ");
    }
    str_addf(out, "%d token%s", a->tokens, a->tokens == 1 ? "" : "s");
    if (a->opened)
        str_addf(out, " \xc2\xb7 %d step%s \xc2\xb7 reasoning %s", a->steps,
                 a->steps == 1 ? "" : "s", a->closed ? "closed" : "not closed");
    str_addf(out, "%s</p>\n", eval_is_complete(a) ? " \xc2\xb7 complete chain" : "");
}

static void add_answer(const struct eval *e, const struct eval_model *m, size_t problem, int sample,
                       struct str *out)
{
    const struct eval_answer *a = eval_answer_at(e, m, problem, sample);
    json_t *line = a->there ? eval_store_read(&e->store, a->at) : NULL;
    json_t *thought = json_object_get(line, "reasoning"), *said = json_object_get(line, "answer");
    json_t *error = json_object_get(json_object_get(line, "error"), "message");

    str_adds(out, "<section class=\"answer\">\n<h3>");
    html_add(out, m->file.name);
    if (e->n_samples > 1)
        str_addf(out, ", sample %d", sample + 1);
    str_addf(out, ": <span class=\"%s\">%s</span></h3>\n", class_of(a), verdict_of(a));
    if (json_is_string(error)) {
        str_adds(out, "<p>");
        html_add_text(out, json_string_value(error), json_string_length(error));
        str_adds(out, "</p>\n");
    } else {
        add_numbers(a, out);
    }
    if (json_string_length(thought) > 0) {
        str_adds(out, "<details class=\"thought\"><summary>Reasoning</summary>\n<div>");
        html_add_mixed(out, json_string_value(thought), json_string_length(thought));
        str_adds(out, "</div></details>\n");
    }
    if (json_is_string(said)) {
        str_adds(out, "<div class=\"said\">");
        html_add_markdown(out, json_string_value(said), json_string_length(said));
        str_adds(out, "</div>\n");
    }
    str_adds(out, "</section>\n");
    json_decref(line);
}

static void add_problem(const struct eval *e, size_t i, struct str *out)
{
    const struct eval_problem *p = &e->problems.at[i];
    size_t n;
    json_t *question;

    str_adds(out, "<details class=\"problem\"><summary>");
    add_marks(e, i, out);
    str_addf(out, "<span class=\"text\">%zu. ", i + 1);
    html_add_mixed(out, p->text, strlen(p->text));
    str_adds(out, "</span><span class=\"kind\">");
    html_add(out, p->kind ? p->kind : "");
    str_adds(out, "</span></summary>\n");
    json_array_foreach(p->before, n, question)
    {
        str_adds(out, "<p class=\"note\">Asked before: ");
        html_add(out, json_string_value(question));
        str_adds(out, "</p>\n");
    }
    str_adds(out, "<p>Right is ");
    html_add_formula(out, p->truth);
    str_adds(out, "</p>\n");
    for (size_t m = 0; m < e->n_models; m++)
        for (int sample = 0; sample < e->n_samples; sample++)
            add_answer(e, &e->models[m], i, sample, out);
    str_adds(out, "</details>\n");
}

void eval_add_html(const struct eval *e, struct str *out)
{
    struct str title = {0};
    str_addf(&title, "duet eval: %s", e->set);
    html_begin(out, title.data, marker, style);
    str_adds(out, "<h1>");
    html_add(out, e->set);
    str_addf(out, "</h1>\n<p class=\"about\">%zu problems, answered by ", e->problems.n);
    for (size_t i = 0; i < e->n_models; i++) {
        str_adds(out, i == 0 ? "" : i + 1 < e->n_models ? ", " : " and ");
        html_add(out, e->models[i].file.name);
    }
    if (e->n_samples > 1)
        str_addf(out, ", %d times each", e->n_samples);
    str_adds(out, "</p>\n");
    add_table(e, out);
    str_adds(out, "<h2>Problems</h2>\n");
    for (size_t i = 0; i < e->problems.n; i++)
        add_problem(e, i, out);
    str_adds(out, "<footer>Made by duet " DUET_VERSION " from ");
    html_add(out, e->store.path);
    str_adds(out, ". A chain is complete when the reasoning is opened and closed, has two steps or "
                  "more, and the final answer is boxed. Intervals are Wilson's.</footer>\n"
                  "</body>\n</html>\n");
    str_done(&title);
}

/* The file */

static bool is_report(int fd)
{
    char head[1024] = "";
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, head, sizeof head - 1) > 0 &&
           strstr(head, marker);
}

/* Fails early, before the models have worked for an hour. */
int eval_report_check(const char *path, char *err, size_t errlen)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno != ENOENT)
        return say_to(err, errlen, EXIT_USAGE, "%s: %s", path, strerror(errno));
    if (fd >= 0) {
        bool ours = is_report(fd);
        close(fd);
        if (!ours)
            return say_to(err, errlen, EXIT_USAGE, "%s: exists and is no report of duet eval",
                          path);
    }
    return rewrite_check(path, err, errlen) == 0 ? 0 : EXIT_USAGE;
}

int eval_report_write(const char *path, const struct str *page, char *err, size_t errlen)
{
    if (eval_report_check(path, err, errlen) != 0) /* again, hours later */
        return EXIT_ANSWER;
    int fd = rewrite_file(path, page, NULL, err, errlen);
    if (fd < 0)
        return EXIT_ANSWER;
    close(fd);
    return 0;
}
