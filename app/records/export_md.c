/* export_md.c - a conversation as Markdown.
 *
 * An answer is Markdown already and is taken as it is, but for two things. A `<` that could begin a
 * tag is written as an entity wherever it is not certain to stand in code; and a fence that is
 * still open at the end of a message is closed. Certain is only what no container can change:
 * fences at the start of a line, and code spans in a paragraph all of whose lines close their own.
 * Where there are fences elsewhere, in lists or quotes, nothing is certain, and the message is put
 * into a quote as a whole, whose end ends them all. Reasoning is a quote anyway.
 *
 * In everything but an answer the end of a line means one, and Markdown is told so: with two
 * spaces, which whoever reads the source does not see. They are not put where whoever copies the
 * source would be misled by them: in indented code, and behind a backslash, itself such a mark. */
#include "app/records/export.h"

#include <ctype.h>
#include <string.h>

enum {
    FENCE = 3,
    CODE = 4, /* blanks before it */
};

struct writer {
    struct str *out;
    bool quoted; /* "> " before each line */
    bool lines;  /* their ends mean something */
    bool blind;  /* some fences cannot be tracked */
    char fence;  /* of the open fence: ` or ~; 0: none */
    size_t fence_len;
    bool loose; /* a code span began in this paragraph and did not end on its line */
};

static size_t run_length(const char *s, size_t n, char c)
{
    size_t len = 0;
    while (len < n && s[len] == c)
        len++;
    return len;
}

static size_t blank_length(const char *s, size_t n)
{
    size_t len = 0;
    while (len < n && (s[len] == ' ' || s[len] == '\t'))
        len++;
    return len;
}

/* The length of the run that opens or closes a fence at the start of the line, 0: none. */
static size_t fence_at(const char *line, size_t n, char *kind)
{
    *kind = n > 0 ? line[0] : 0;
    size_t len = *kind == '`' || *kind == '~' ? run_length(line, n, *kind) : 0;
    if (len < FENCE || (*kind == '`' && memchr(line + len, '`', n - len)))
        return 0;
    return len;
}

/* Whether a fence could follow list markers, quote marks or mere spaces. */
static bool has_hidden_fence(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        const char *end = memchr(s + i, '\n', len - i);
        size_t n = end ? (size_t)(end - s) - i : len - i, at = 0;
        while (at < n && strchr(" \t>-*+.)0123456789", s[i + at]))
            at++;
        if (at > 0 && n - at >= FENCE &&
            (run_length(s + i + at, n - at, '`') >= FENCE ||
             run_length(s + i + at, n - at, '~') >= FENCE))
            return true;
        i += n + 1;
    }
    return false;
}

static bool begins_tag(const char *s, size_t n)
{
    return n >= 2 && s[0] == '<' &&
           ((s[1] >= 'a' && s[1] <= 'z') || (s[1] >= 'A' && s[1] <= 'Z') || strchr("/!?", s[1]));
}

/* End of the code span opened by the backticks at `at`, 0: not on this line. */
static size_t span_end(const char *line, size_t n, size_t at, size_t run)
{
    for (size_t i = at + run; i < n;) {
        size_t len = run_length(line + i, n - i, '`');
        if (len == run)
            return i + len;
        i += len ? len : 1;
    }
    return 0;
}

static void add_prose(struct writer *w, const char *line, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t run = run_length(line + i, n - i, '`');
        size_t end = run > 0 ? span_end(line, n, i, run) : 0;
        if (run > 0) {
            size_t take = end > 0 && !w->loose && !w->blind ? end - i : run;
            w->loose = w->loose || end == 0;
            str_add_visible(w->out, line + i, take, true);
            i += take;
        } else if (line[i] == '\\' && i + 1 < n && ispunct((unsigned char)line[i + 1])) {
            str_add(w->out, line + i, 2);
            i += 2;
        } else if (begins_tag(line + i, n - i)) {
            str_adds(w->out, "&lt;");
            i++;
        } else {
            size_t take = 1 + strcspn(line + i + 1, "`\\<");
            take = take < n - i ? take : n - i;
            str_add_visible(w->out, line + i, take, true);
            i += take;
        }
    }
}

static bool takes_break(const char *line, size_t n)
{
    size_t blanks = blank_length(line, n), slashes = 0;
    while (slashes < n && line[n - 1 - slashes] == '\\')
        slashes++;
    bool is_code = blanks >= CODE || memchr(line, '\t', blanks);
    return n > 0 && !is_code && slashes % 2 == 0;
}

/* ends: no line follows, or an empty one. */
static void add_line(struct writer *w, const char *line, size_t n, bool ends)
{
    char kind = 0;
    size_t run = w->blind ? 0 : fence_at(line, n, &kind);

    if (w->quoted)
        str_adds(w->out, n > 0 ? "> " : ">");
    if (w->fence) {
        bool bare = run + blank_length(line + run, n - run) == n;
        bool closes = run >= w->fence_len && kind == w->fence && bare;
        /* Excludes what follows: Markdown parsers disagree about tabs there. */
        str_add_visible(w->out, line, closes ? run : n, true);
        if (closes)
            w->fence = 0;
    } else if (run > 0) {
        str_add_visible(w->out, line, n, true);
        w->fence = kind;
        w->fence_len = run;
        w->loose = false;
    } else {
        if (n == 0)
            w->loose = false;
        add_prose(w, line, n);
        if (w->lines && !ends && takes_break(line, n))
            str_adds(w->out, "  ");
    }
    str_adds(w->out, "\n");
}

enum form { ANSWER, LINES, QUOTED_LINES };

static void add_text(struct str *out, const char *s, size_t len, enum form form)
{
    bool blind = has_hidden_fence(s, len);
    struct writer w = {.out = out,
                       .quoted = form == QUOTED_LINES || blind,
                       .lines = form != ANSWER,
                       .blind = blind};

    while (len > 0 && (s[len - 1] == '\n' || s[len - 1] == '\r'))
        len--;
    for (size_t i = 0; i < len;) {
        const char *end = memchr(s + i, '\n', len - i);
        size_t n = end ? (size_t)(end - s) - i : len - i;
        bool cr = n > 0 && s[i + n - 1] == '\r';
        size_t next = i + n + 1;
        add_line(&w, s + i, n - cr, next >= len || s[next] == '\n' || s[next] == '\r');
        i = next;
    }
    if (w.fence) {
        if (w.quoted)
            str_adds(out, "> ");
        for (size_t i = 0; i < w.fence_len; i++)
            str_add(out, &w.fence, 1);
        str_adds(out, "\n");
    }
    str_adds(out, "\n");
}

/* A line of plain text: Markdown syntax is escaped. */
static void add_plain(struct str *out, const char *s)
{
    struct str visible = {0};
    str_add_visible(&visible, s, strlen(s), false);
    for (const char *at = str_get(&visible); *at; at++) {
        if (strchr("\\`*_[]<>#|~&$", *at))
            str_adds(out, "\\");
        str_add(out, at, 1);
    }
    str_done(&visible);
}

static void add_message(struct str *out, const struct store_message *m)
{
    const char *remark = export_remark(m);
    size_t thought = m->len[STORE_REASONING];

    str_adds(out, "## ");
    add_plain(out, export_speaker(m));
    str_adds(out, "\n\n");
    if (thought > 0)
        add_text(out, m->text[STORE_REASONING], thought, QUOTED_LINES);
    if (m->len[STORE_TEXT] > 0)
        add_text(out, m->text[STORE_TEXT], m->len[STORE_TEXT],
                 m->role == STORE_ASSISTANT ? ANSWER : LINES);
    if (remark)
        str_addf(out, "*%s*\n\n", remark);
}

void export_add_md(const struct store_conversation *c, const struct store_messages *path,
                   struct str *out)
{
    str_adds(out, "# ");
    add_plain(out, *c->title ? c->title : "Conversation");
    str_adds(out, "\n\n");
    if (c->created_ms > 0) {
        str_adds(out, "*");
        export_add_date(c->created_ms, out);
        str_adds(out, "*\n\n");
    }
    if (*c->system) {
        str_adds(out, "## System\n\n");
        add_text(out, c->system, strlen(c->system), LINES);
    }
    for (size_t i = 0; i < path->count; i++)
        add_message(out, &path->items[i]);
    while (out->len > 1 && out->data[out->len - 2] == '\n')
        out->data[--out->len] = '\0';
}
