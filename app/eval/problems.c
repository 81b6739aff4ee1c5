/* problems.c - a file of problems, a line of JSON each, under the names that MATH, GSM8K and
 * their many copies give the fields. See eval.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/eval/eval.h"
#include "app/exit.h"
#include "app/grade/boxed.h"
#include "app/lines.h"
#include "app/mem.h"
#include "app/say.h"

/* The file */

static char *in_folder(char *folder, const char *name)
{
    struct str path = {0};
    const char *ending = strstr(name, ".json") ? "" : ".jsonl";
    if (!folder)
        return NULL;
    str_addf(&path, "%s/%s%s", folder, name, ending);
    free(folder);
    if (access(path.data, R_OK) == 0)
        return path.data;
    str_done(&path);
    return NULL;
}

char *eval_find_file(const struct paths *paths, const char *name)
{
    char *found = strcmp(name, "-") == 0 ? mem_strdup("/dev/stdin") : NULL;
    if (!found && !strchr(name, '/') && access(name, F_OK) != 0) {
        found = in_folder(paths->data ? paths_join(paths->data, "problems") : NULL, name);
        if (!found)
            found = in_folder(paths_installed("problems"), name);
        if (!found)
            found = in_folder(paths_in_clone("app/problems"), name);
    }
    return found ? found : mem_strdup(name);
}

/* A line */

/* The first of the names that the object has; NULL: none. */
static json_t *field(const json_t *object, const char *const *names)
{
    for (; *names; names++) {
        json_t *value = json_object_get(object, *names);
        if (value && !json_is_null(value))
            return value;
    }
    return NULL;
}

static const char *const text_names[] = {"problem", "question", "prompt", NULL};
static const char *const truth_names[] = {"answer", "final_answer", "truth", NULL};
static const char *const kind_names[] = {"kind", "subject", "type", "category", NULL};
static const char *const id_names[] = {"id", "unique_id", "custom_id", NULL};

/* A text that lives as long as the problem. */
static const char *keep(struct eval_problem *p, const char *key, const char *text, size_t len)
{
    json_t *kept = json_stringn(text, len);
    if (!kept || json_object_set_new(p->read, key, kept) != 0)
        mem_fail();
    return json_string_value(json_object_get(p->read, key));
}

/* The result of a worked solution: its last box, or the text after ####. */
static const char *take_result(struct eval_problem *p, const char *solution)
{
    const char *at;
    size_t len;
    enum grade_place place = grade_find(solution, strlen(solution), &at, &len);
    if ((place != GRADE_BOXED && place != GRADE_MARKED) || len == 0)
        return NULL;
    return keep(p, "eval: result", at, len);
}

static const char *take_truth(struct eval_problem *p)
{
    json_t *value = field(p->read, truth_names);
    const char *solution = json_string_value(json_object_get(p->read, "solution"));
    if (json_is_number(value)) {
        char *digits = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        if (!digits)
            mem_fail();
        const char *kept = keep(p, "eval: result", digits, strlen(digits));
        free(digits);
        return kept;
    }
    const char *text = json_string_value(value);
    if (text && strstr(text, "####"))
        return take_result(p, text);
    return text ? text : solution ? take_result(p, solution) : NULL;
}

static bool are_strings(const json_t *array)
{
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item) if (!json_is_string(item)) return false;
    return json_is_array(array) && json_array_size(array) > 0;
}

uint64_t eval_hash(uint64_t h, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return (h ^ 0xff) * 0x100000001b3u; /* ends one part */
}

static uint64_t identity(const struct eval_problem *p)
{
    uint64_t h = 0xcbf29ce484222325u;
    size_t i;
    json_t *question;
    json_array_foreach(p->before, i, question)
        h = eval_hash(h, json_string_value(question), json_string_length(question));
    h = eval_hash(h, p->text, strlen(p->text));
    return eval_hash(h, p->truth, strlen(p->truth));
}

/* NULL, or what is wrong. */
static const char *read_problem(struct eval_problem *p, int64_t number)
{
    p->text = json_string_value(field(p->read, text_names));
    p->kind = json_string_value(field(p->read, kind_names));
    p->before = json_object_get(p->read, "before");
    if (!json_is_object(p->read))
        return "not an object";
    if (!p->text || !*p->text)
        return "problem: missing (nor question, nor prompt)";
    if (p->before && !are_strings(p->before))
        return "before: not an array of strings";
    if (!(p->truth = take_truth(p)) || !*p->truth)
        return "answer: missing, and no solution with a \\boxed{} or ####";
    json_t *id = field(p->read, id_names);
    p->id = id ? json_incref(id) : json_integer(number);
    p->identity = identity(p);
    return NULL;
}

/* All lines */

static void note_kind(struct eval_problems *p, const char *kind)
{
    for (size_t i = 0; i < p->n_kinds; i++)
        if (strcmp(p->kinds[i], kind) == 0)
            return;
    p->kinds = mem_realloc(p->kinds, (p->n_kinds + 1) * sizeof *p->kinds);
    p->kinds[p->n_kinds++] = kind;
}

/* The problem of a line. 0, or -1 with what is wrong with it. */
static int add_problem(struct eval_problems *p, int64_t number, const char *text, size_t len,
                       char *wrong, size_t wronglen)
{
    struct eval_problem problem = {0};
    json_error_t error;

    problem.read = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!problem.read)
        return say_to(wrong, wronglen, -1, "not JSON: %s at byte %d", error.text, error.position);
    const char *fault = read_problem(&problem, number);
    p->at = mem_realloc(p->at, (p->n + 1) * sizeof *p->at);
    p->at[p->n++] = problem;
    if (fault)
        return say_to(wrong, wronglen, -1, "%s", fault);
    if (problem.kind)
        note_kind(p, problem.kind);
    return 0;
}

static int read_lines(struct eval_problems *p, struct lines *in, const char *path, char *err,
                      size_t errlen)
{
    const char *text;
    size_t len;
    char wrong[256];
    for (;;)
        switch (lines_next(in, &text, &len)) {
        case LINES_WAIT: lines_feed(in); break;
        case LINES_END:
            if (in->error)
                return say_to(err, errlen, EXIT_USAGE, "%s: %s", path, strerror(in->error));
            return p->n > 0 ? 0 : say_to(err, errlen, EXIT_USAGE, "%s: no problems in it", path);
        case LINES_TOO_LONG:
            return say_to(err, errlen, EXIT_USAGE, "%s: line %lld: too long (limit %d bytes)", path,
                          (long long)in->number, LINES_LONGEST);
        case LINES_LINE: {
            const char *trimmed = str_trim(text, &len);
            if (len > 0 && add_problem(p, in->number, trimmed, len, wrong, sizeof wrong) != 0)
                return say_to(err, errlen, EXIT_USAGE, "%s: line %lld: %s", path,
                              (long long)in->number, wrong);
        }
        }
}

int eval_problems_read(struct eval_problems *p, const char *path, char *err, size_t errlen)
{
    struct lines in;
    struct stat st;
    *p = (struct eval_problems){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say_to(err, errlen, EXIT_USAGE, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return say_to(err, errlen, EXIT_USAGE, "%s: %s", path, strerror(EISDIR));
    }
    lines_init(&in, fd);
    int status = read_lines(p, &in, path, err, errlen);
    lines_done(&in);
    close(fd);
    return status;
}

void eval_problems_done(struct eval_problems *p)
{
    for (size_t i = 0; i < p->n; i++) {
        json_decref(p->at[i].id);
        json_decref(p->at[i].read);
    }
    free(p->at);
    free(p->kinds);
    *p = (struct eval_problems){0};
}
