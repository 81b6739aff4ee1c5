/* eval.h - what duet eval works with: problems, the models' answers to them, and how these sum up.
 *
 * cmd_eval.c is the verb. problems.c reads the problems, run.c has a model answer them,
 * store.c keeps every transcript and finds those of earlier runs, sum.c counts,
 * table.c and html.c show. */
#ifndef APP_EVAL_EVAL_H
#define APP_EVAL_EVAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "app/cmd.h"
#include "app/grade/grade.h"
#include "app/models/models.h"
#include "app/str.h"
#include "engine/engine.h"

/* Problems */

struct eval_problem {
    json_t *read; /* owns the texts */
    json_t *id;   /* as given, else the line's number */
    const char *text, *truth;
    const char *kind;  /* NULL: none */
    json_t *before;    /* the questions before the last one, an array of strings; or NULL */
    uint64_t identity; /* of questions and truth */
};

struct eval_problems {
    struct eval_problem *at;
    size_t n;
    const char **kinds; /* in the order in which they come; none where no problem has one */
    size_t n_kinds;
};

/* The path for a name: a file, or a set of problems that comes with duet. The caller's. */
char *eval_find_file(const struct paths *paths, const char *name);

/* 0, or an exit status with one line in err. */
int eval_problems_read(struct eval_problems *p, const char *path, char *err, size_t errlen);
void eval_problems_done(struct eval_problems *p);

/* Adds one part to a hash. */
uint64_t eval_hash(uint64_t h, const char *bytes, size_t len);

/* Answers */

struct eval_answer {
    bool there;  /* answered, in this or an earlier run */
    bool failed; /* an error instead of an answer */
    bool opened, closed;
    int steps; /* of the reasoning, as the screen counts them */
    enum grade_place place;
    enum grade grade;
    char *final; /* the final answer, as it was said */
    int tokens, reasoning_tokens;
    off_t at; /* of its transcript */
};

/* Opened, closed, two steps or more, the final answer in a box. */
bool eval_is_complete(const struct eval_answer *a);

/* Fills in what the texts say; `closed` and the numbers are the caller's to set. */
void eval_judge(struct eval_answer *a, const struct eval_problem *p, const struct str *reasoning,
                const struct str *answer, bool cut);
void eval_answer_done(struct eval_answer *a);

/* Transcripts: a file of JSON lines that only grows */

struct eval_store {
    int fd;
    char *path;
    struct eval_entry *entries; /* of all runs */
    size_t n;
    off_t end;
};

/* Which answer of which run. */
struct eval_key {
    uint64_t run; /* of the model and of everything that affects its answers */
    uint64_t problem;
    int sample;
};

/* Opens or creates the file and removes a torn last line. 0, or an exit status with one line in
 * err: it is not a file of transcripts, or another run is writing it. */
int eval_store_open(struct eval_store *s, const char *path, char *err, size_t errlen);
void eval_store_close(struct eval_store *s);

/* The latest transcript of that answer, and where it is; NULL: none. The caller's. */
json_t *eval_store_find(const struct eval_store *s, const struct eval_key *key, off_t *at);
json_t *eval_store_read(const struct eval_store *s, off_t at);

/* Adds a line; *at is where. 0, or an exit status with one line in err. */
int eval_store_add(struct eval_store *s, const json_t *line, off_t *at, char *err, size_t errlen);

/* A run */

struct eval_model {
    struct model_file file;
    struct eval_answer *answers; /* [problem][sample] */
    double wall_ms;              /* over all runs that these answers took */
    bool thinks;
};

struct eval {
    const struct app *app;
    struct eval_problems problems;
    char *set; /* the file's name */
    struct eval_model *models;
    size_t n_models;
    int n_samples;
    struct eval_store store;
    char err[512];
};

struct eval_answer *eval_answer_at(const struct eval *e, const struct eval_model *m, size_t problem,
                                   int sample);

/* Answers what is missing. 0, or an exit status; the reason is in e->err. */
int eval_run(struct eval *e, struct eval_model *m);

/* Sums */

struct eval_share {
    double share, low, high; /* with Wilson's interval of 95 % */
};

struct eval_sum {
    size_t n_problems, n_answers, n_failed, n_undecided;
    struct eval_share right, vote; /* pass@1; of the answer that most samples give */
    double opened, closed, stepped, boxed, complete; /* shares of the answers */
    double tokens, reasoning_tokens;                 /* means */
    int64_t all_tokens;
};

/* For problems of that kind; NULL: for all. */
void eval_sum_up(const struct eval *e, const struct eval_model *m, const char *kind,
                 struct eval_sum *out);

struct eval_share eval_wilson(double right, double n);

/* The sample with the majority's final answer; -1: none has one. */
int eval_vote(const struct eval *e, const struct eval_model *m, size_t problem);

/* Showing */

/* The sums as rows of cells: the models' names first, a row for each kind of problem last. */
struct eval_cells {
    struct eval_cell {
        struct str text;
        bool strong;
    } * at;
    size_t n, n_columns, n_kinds;
};

void eval_cells_make(const struct eval *e, struct eval_cells *out);
void eval_cells_done(struct eval_cells *cells);

void eval_add_table(const struct eval *e, struct str *out); /* Markdown, in even columns */
void eval_add_json(const struct eval *e, struct str *out);
void eval_add_html(const struct eval *e, struct str *out);

/* Whether a report may be written to this path: no file, or an earlier report. 0, or an exit status
 * with one line in err. */
int eval_report_check(const char *path, char *err, size_t errlen);
int eval_report_write(const char *path, const struct str *page, char *err, size_t errlen);

#endif
