/* test_copy.c - what is copied and exported from a chat: the right text, by the right way, inert,
 * and never over something that is there. */
#include "tests/app/tests.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <md4c.h>

#include "app/chat/chat.h"
#include "app/clipboard.h"
#include "app/commands/commands.h"
#include "app/records/export.h"
#include "tests/app/talk.h"

static const char thought[] = "Let me see: \\(t\\)\n```\nthought\n```\n";
static const char answer[] =
    "It is \\(x^2\\) and $$y$$:\n\n```c\nint x;\n```\n\nor\n\n```\nint y;\n```\n";

/* One exchange. */
static void converse(struct talk *p)
{
    struct history *h = &p->chat.history;
    history_add(h, STORE_USER, STORE_COMPLETE, "What is it?", 11);
    struct turn *turn = history_add(h, STORE_ASSISTANT, STORE_STREAMING, "", 0);
    history_append(h, turn, STORE_REASONING, thought, sizeof thought - 1);
    history_append(h, turn, STORE_TEXT, answer, sizeof answer - 1);
    history_end(h, turn, STORE_COMPLETE);
}

static void assert_copies(struct talk *p, const char *typed, const char *what, const char *expected)
{
    struct command_reply reply;
    command_run(&p->chat, typed, strlen(typed), &reply);
    assert_int_equal(reply.effect, COMMAND_COPY);
    assert_string_equal(str_get(&reply.text), what);
    assert_string_equal(str_get(&reply.copy), expected);
    str_done(&reply.text);
    str_done(&reply.copy);
}

static void answers_code_and_formulas_are_copied(void **state)
{
    struct talk *p = *state;
    talk_says(p, "/copy", true, "nothing was said yet");
    talk_says(p, "/copy all", true, "nothing was said yet");
    converse(p);
    assert_copies(p, "/copy", "the answer", answer);
    assert_copies(p, "/copy code", "2 code blocks", "int x;\n\nint y;");
    assert_copies(p, "/copy code 2", "code block 2 of 2", "int y;");
    assert_copies(p, "/copy math", "2 formulas", "x^2\ny");
    assert_copies(p, "/copy math 1", "formula 1 of 2", "x^2");
    talk_says(p, "/copy math 3", true, "there is only formula 1 to 2");
    talk_says(p, "/copy poetry", true, "/copy [code|math|all]");
    talk_says(p, "/copy code x", true, "/copy [code|math|all]");
    talk_says(p, "/copy code 1 2", true, "/copy [code|math|all]");
    talk_says(p, "/copy >", true, "/copy [code|math|all]");
    p->chat.marked = 1;
    assert_copies(p, "/copy", "the question", "What is it?");
    talk_says(p, "/copy code", true, "there is no code block in this message");
}

static void reasoning_is_copied_only_for_want_of_an_answer(void **state)
{
    struct talk *p = *state;
    struct history *h = &p->chat.history;
    struct turn *turn = history_add(h, STORE_ASSISTANT, STORE_COMPLETE, "So.", 3);
    history_append(h, turn, STORE_REASONING, thought, sizeof thought - 1);
    assert_copies(p, "/copy code", "code block 1 of 1", "thought");
    assert_copies(p, "/copy math", "formula 1 of 1", "t");
}

static void nothing_is_overwritten(void **state)
{
    struct talk *p = *state;
    char path[512], link[512], line[1100];
    struct stat st;
    converse(p);
    sandbox_path("x.txt", path, sizeof path);
    snprintf(line, sizeof line, "/copy code 1 > %s", path);
    talk_says(p, line, false, "code block 1 of 2 written to /");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 6);
    assert_int_equal(st.st_mode & 0777, 0600);
    talk_says(p, line, true, "already exists, not overwritten; choose another name");
    sandbox_path("link", link, sizeof link);
    assert_int_equal(symlink("nowhere", link), 0);
    snprintf(line, sizeof line, "/copy > %s", link);
    talk_says(p, line, true, "already exists");
    talk_says(p, "/copy > /no/such/folder/x", true, "No such file or directory");
    talk_says(p, "/copy > ~/at-home", false, "written to ~/at-home");
    sandbox_path("at-home", path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    for (int i = 0; i < 2; i++) {
        static const char *const formats[] = {"md", "json", "html", "jsonl"};
        for (int k = 0; k < 4; k++) {
            snprintf(line, sizeof line, "/export %s ~/e.%s", formats[k], formats[k]);
            talk_says(p, line, i == 1, i ? "already exists" : "the conversation written to ~/e.");
        }
    }
    talk_says(p, "/export pdf", true, "/export md|json|jsonl|html [FILE]");
    talk_says(p, "/copy > -", true, "/copy [code|math|all] [N] [> FILE]");
    talk_says(p, "/export md -", true, "/export md|json|jsonl|html [FILE]");
}

static void what_is_too_large_for_a_clipboard_is_refused(void **state)
{
    struct talk *p = *state;
    struct str big = {0};
    while (big.len <= CLIPBOARD_MAX)
        str_adds(&big, "0123456789");
    history_add(&p->chat.history, STORE_ASSISTANT, STORE_COMPLETE, big.data, big.len);
    talk_says(p, "/copy", true, "too large for the clipboard (got 75000 bytes, limit 74994)");
    talk_says(p, "/copy > ~/big", false, "written to ~/big");
    str_done(&big);
}

static void the_clipboard_sequence_is_right(void **state)
{
    static const struct {
        const char *text, *sequence;
    } rows[] = {
        {"", "\033]52;c;\033\\"},
        {"a", "\033]52;c;YQ==\033\\"},
        {"ab", "\033]52;c;YWI=\033\\"},
        {"abc", "\033]52;c;YWJj\033\\"},
        {"\033]\xff?>", "\033]52;c;G13/Pz4=\033\\"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str out = {0};
        clipboard_add_osc52(&out, rows[i].text, strlen(rows[i].text));
        assert_string_equal(out.data, rows[i].sequence);
        str_done(&out);
    }
}

/* Inert exports */

struct seen {
    int html, depth, ends;
    bool in_heading;
};

static int enter_block(MD_BLOCKTYPE type, void *detail, void *user)
{
    struct seen *s = user;
    (void)detail;
    s->html += type == MD_BLOCK_HTML;
    s->in_heading = type == MD_BLOCK_H && s->depth == 1;
    s->depth++;
    return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *user)
{
    struct seen *s = user;
    (void)detail;
    (void)type;
    s->depth--;
    s->in_heading = false;
    return 0;
}

static int on_span(MD_SPANTYPE type, void *detail, void *user)
{
    (void)type;
    (void)detail;
    (void)user;
    return 0;
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE len, void *user)
{
    struct seen *s = user;
    s->html += type == MD_TEXT_HTML;
    s->ends += s->in_heading && len == 7 && memcmp(text, "the-end", 7) == 0;
    return 0;
}

/* Every tag in the page is one that is written by us. */
static void assert_only_our_tags(const char *html)
{
    static const char *const ours[] = {"!DOCTYPE html",
                                       "html",
                                       "head",
                                       "meta",
                                       "title",
                                       "style",
                                       "body",
                                       "h1",
                                       "h2",
                                       "h3",
                                       "h4",
                                       "h5",
                                       "h6",
                                       "div",
                                       "section",
                                       "details",
                                       "summary",
                                       "p",
                                       "pre",
                                       "code",
                                       "ul",
                                       "ol",
                                       "li",
                                       "hr",
                                       "em",
                                       "strong",
                                       "del",
                                       "span",
                                       "a",
                                       "br",
                                       "table",
                                       "thead",
                                       "tbody",
                                       "tr",
                                       "th",
                                       "td",
                                       "blockquote",
                                       "footer"};
    for (const char *s = html; (s = strchr(s, '<')); s++) {
        const char *name = s + 1 + (s[1] == '/');
        size_t n = strcspn(name, " >");
        bool known = strncmp(name, ours[0], strlen(ours[0])) == 0;
        for (size_t i = 1; i < sizeof ours / sizeof *ours; i++)
            known = known || (strlen(ours[i]) == n && memcmp(ours[i], name, n) == 0);
        if (!known)
            fail_msg("a tag that is not ours: %.60s", s);
    }
    for (const char *s = html; (s = strstr(s, " href=\"")); s++)
        assert_true(strncmp(s + 7, "http", 4) == 0 || strncmp(s + 7, "mailto:", 7) == 0);
    assert_null(strstr(html, " src="));
}

static void assert_inert(const char *said, size_t len)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_TABLES,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = on_span,
        .leave_span = on_span,
        .text = on_text,
    };
    struct store_generation end = {.model = "the-end"};
    struct store_message items[] = {
        {.role = STORE_USER, .state = STORE_COMPLETE},
        {.role = STORE_ASSISTANT, .state = STORE_COMPLETE},
        {.role = STORE_ASSISTANT, .state = STORE_COMPLETE, .generation = &end},
    };
    char *copy = malloc(len + 1);
    memcpy(copy, said, len);
    copy[len] = '\0';
    for (int i = 0; i < 2; i++)
        for (int kind = 0; kind < STORE_KINDS; kind++) {
            items[i].text[kind] = copy;
            items[i].len[kind] = len;
        }
    items[2].text[STORE_TEXT] = "done";
    items[2].len[STORE_TEXT] = 4;
    struct store_conversation c = {.title = copy, .system = copy};
    struct store_messages path = {3, items};
    struct str md = {0}, html = {0};
    struct seen seen = {0};
    export_add_md(&c, &path, &md);
    export_add_html(&c, &path, &html);
    assert_int_equal(md_parse(md.data, (MD_SIZE)md.len, &parser, &seen), 0);
    if (seen.html != 0 || seen.ends == 0)
        fail_msg("%d tags, %d ends in:\n%s\nof:\n%s", seen.html, seen.ends, md.data, copy);
    assert_only_our_tags(html.data);
    for (size_t i = 0; i < md.len; i++)
        assert_true((unsigned char)md.data[i] >= 0x20 || md.data[i] == '\n' || md.data[i] == '\t');
    str_done(&md);
    str_done(&html);
    free(copy);
}

static void exports_are_inert(void **state)
{
    static const char *const hostile[] = {
        "<script>alert(1)</script>",
        "```\nopen",
        "~~~~ x\n```\n~~~",
        "~~~&x\n---\n~~~\t",
        "- a\n  ```\n<script>x",
        "  ```\n```\n<script>x",
        "1. ```\n<b>x",
        "> ```\n<b>x",
        "a ` b\n` <b> `",
        "`` a ` <b> `",
        "\\`<b>`",
        "`\\`<b>",
        "\\\\<b>",
        "[a](javascript:alert(1)) ![b](http://x/y.png) <http://x>",
        "[a]: <b> \"c\"\n[a]",
        "<!-- ",
        "<?",
        "<![CDATA[",
        "</details>",
        "<b",
        "<",
        "    <pre>",
        "\t```\n<b>",
        "a\n===\n<b>",
        "| a | b |\n|---|---|\n| `<b>` | <i> |",
        "\033]52;c;x\a\033[2J\x9b",
        "\xff\xfe\xc0",
        "````\n```\n<b>\n````\n<i>",
        "```a`b\n<b>\n```",
        "&lt;b&gt; &#60;b>",
    };
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        assert_inert(hostile[i], strlen(hostile[i]));
    assert_inert("a\0<b>", 6);
}

/* What Markdown makes of a text: its paragraphs, list items and lines. */
struct outline {
    int paragraphs, items, breaks;
};

static int count_block(MD_BLOCKTYPE type, void *detail, void *user)
{
    struct outline *o = user;
    (void)detail;
    o->paragraphs += type == MD_BLOCK_P;
    o->items += type == MD_BLOCK_LI;
    return 0;
}

static int leave_counted(MD_BLOCKTYPE type, void *detail, void *user)
{
    (void)type;
    (void)detail;
    (void)user;
    return 0;
}

static int count_break(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE len, void *user)
{
    struct outline *o = user;
    (void)text;
    (void)len;
    o->breaks += type == MD_TEXT_BR;
    return 0;
}

static struct outline outline_of(const struct str *md)
{
    static const MD_PARSER parser = {.enter_block = count_block,
                                     .leave_block = leave_counted,
                                     .enter_span = on_span,
                                     .leave_span = on_span,
                                     .text = count_break};
    struct outline o = {0};
    assert_int_equal(md_parse(md->data, (MD_SIZE)md->len, &parser, &o), 0);
    return o;
}

/* As they are in HTML; an answer's are Markdown's to break. */
static void lines_of_reasoning_and_questions_stay_lines_in_markdown(void **state)
{
    static char asked
        [] = "Solve it:\n3x + 5 = 20",
   thoughts[] =
        "3x + 5 = 20\n3x = 15\r\n15 \xc3\xb7 3:\n\nI check:\n- 3 \xc3\x97 5 = 15\n- 15 + 5 = 20\n\n"
        "```\na\nb\n```\ndone\n";
    static char said[] = "x is\n5.";
    struct store_message items[] = {
        {.role = STORE_USER, .state = STORE_COMPLETE},
        {.role = STORE_ASSISTANT, .state = STORE_COMPLETE},
    };
    (void)state;
    items[0].text[STORE_TEXT] = asked;
    items[0].len[STORE_TEXT] = strlen(asked);
    items[1].text[STORE_REASONING] = thoughts;
    items[1].len[STORE_REASONING] = strlen(thoughts);
    items[1].text[STORE_TEXT] = said;
    items[1].len[STORE_TEXT] = strlen(said);
    struct store_messages path = {2, items};
    struct str md = {0};
    export_add_md(&(struct store_conversation){.title = "", .system = "Be brief.\nBe right."},
                  &path, &md);
    assert_string_equal(md.data, "# Conversation\n\n"
                                 "## System\n\nBe brief.  \nBe right.\n\n"
                                 "## You\n\nSolve it:  \n3x + 5 = 20\n\n"
                                 "## Assistant\n\n"
                                 "> 3x + 5 = 20  \n> 3x = 15  \n> 15 \xc3\xb7 3:\n>\n"
                                 "> I check:  \n> - 3 \xc3\x97 5 = 15  \n> - 15 + 5 = 20\n>\n"
                                 "> ```\n> a\n> b\n> ```\n> done\n\n"
                                 "x is\n5.\n");
    struct outline o = outline_of(&md);
    assert_int_equal(o.paragraphs, 6); /* system, question, three of reasoning, answer */
    assert_int_equal(o.items, 2);
    assert_int_equal(o.breaks, 4); /* system, question, reasoning's first */
    str_done(&md);
}

/* Blanks at the end of what is copied from there would change it; where a backslash ends the line,
 * that is a break already, but two are only one that is shown. */
static void nothing_is_appended_to_code_in_markdown(void **state)
{
    static const struct {
        const char *asked, *md;
    } rows[] = {
        {"Run:\n\n    make \\\n        -j2\n", "Run:\n\n    make \\\n        -j2\n"},
        {"Run:\n\n\tmake \\\n  \t-j2\nnow", "Run:\n\n\tmake \\\n  \t-j2\nnow\n"},
        {"make \\\n-j2\nnow", "make \\\n-j2  \nnow\n"},
        {"C:\\\\\nx", "C:\\\\  \nx\n"},
        {"   a\nb", "   a  \nb\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str md = {0}, expected = {0};
        export_add_md(&(struct store_conversation){.title = "", .system = rows[i].asked},
                      &(struct store_messages){0}, &md);
        str_addf(&expected, "# Conversation\n\n## System\n\n%s", rows[i].md);
        assert_string_equal(md.data, expected.data);
        str_done(&md);
        str_done(&expected);
    }
}

/* At random from an alphabet of what opens and closes things in Markdown and HTML. */
static void exports_are_inert_whatever_was_said(void **state)
{
    static const char *const parts[] = {
        "`",  "``", "```", "~~~",  "\n",  "\n\n", "<b>",      "<",  "\\", ">",
        "- ", " ",  "  ",  "    ", "1. ", "a",    "</b>",     "<!", "|",  "#",
        "> ", "*",  "[",   "](",   "\t",  "````", "x\n---\n", "&",  "$",  "\r\n"};
    unsigned random = 7;
    (void)state;
    for (int round = 0; round < 30000; round++) {
        struct str said = {0};
        for (int n = 1 + round % 14; n > 0; n--) {
            random = random * 1664525 + 1013904223;
            str_adds(&said, parts[(random >> 16) % (sizeof parts / sizeof *parts)]);
        }
        assert_inert(said.data, said.len);
        str_done(&said);
    }
}

static void file_names_come_from_titles(void **state)
{
    static const struct {
        const char *title, *name;
    } rows[] = {
        {"What is 15% of 240?", "what-is-15-of-240.md"},
        {"../../etc/passwd", "etc-passwd.md"},
        {"-rf *", "rf.md"},
        {"", "conversation.md"},
        {"你好\033[2J\n", "2j.md"},
        {"....", "conversation.md"},
        {"CON", "con.md"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str name = {0};
        export_file_name(rows[i].title, EXPORT_MD, 1, &name);
        assert_string_equal(name.data, rows[i].name);
        str_done(&name);
    }
}

/* The program */

static void the_screen_copies(void **state)
{
    size_t len;
    (void)state;
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "17 + 25\r");
    term_expect(t, "17 + 25 = 42.");
    term_type(t, "/copy\r");
    term_expect(t, "the answer sent to the clipboard");
    const char *at = strstr(term_bytes(t, &len), "\033]52;c;");
    assert_non_null(at);
    term_type(t, "\tKy");
    term_expect(t, "the question sent to the clipboard");
    assert_non_null(strstr(term_bytes(t, &len), "\033]52;c;MTcgKyAyNQ==\033\\"));
    term_type(t, "\t/export html ~/c.html\r");
    term_expect(t, "the conversation written to ~/c.html");
    term_leave(t);
}

static void a_terminal_without_a_clipboard_gets_nothing(void **state)
{
    (void)state;
    setenv("TERM", "linux", 1);
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "1 + 1\r");
    term_expect(t, "1 + 1 = 2.");
    term_type(t, "/copy\r");
    term_expect(t, "this terminal has no clipboard");
    size_t len;
    assert_null(strstr(term_bytes(t, &len), "\033]"));
    term_leave(t);
}

/* In its own buffer, from where it goes on to whatever terminal shows tmux. */
static void tmux_gets_the_copy(void **state)
{
    struct run r;
    (void)state;
    setenv("MODEL", some_model(), 1);
    run_tmux(&r, "$T new-session -d -x 80 -y 24 \"$DUET -m $MODEL --temp 0\"; "
                 "await Ctrl; $T send-keys '17 + 25' Enter; await '25 = 42.'; "
                 "$T send-keys '/copy' Enter; await 'sent to the clipboard'; $T show-buffer");
    assert_contains(r.out, "17 + 25 = 42.");
    run_done(&r);
}

static void line_mode_copies_to_files(void **state)
{
    char path[512];
    const char *model = some_model();
    int here = open(".", O_RDONLY | O_DIRECTORY);
    (void)state;
    assert_int_equal(chdir(getenv("HOME")), 0);
    struct term *t = term_start(24, 80, "--plain", "-m", model, "--temp", "0", NULL);
    assert_int_equal(fchdir(here), 0);
    close(here);
    term_expect(t, "\n> ");
    term_type(t, "17 + 25\r");
    term_expect(t, "= 42.\n\n> ");
    term_type(t, "/copy > a.md\r");
    term_expect(t, "the answer written to a.md");
    term_type(t, "/copy > a.md\r");
    term_expect(t, "a.md: already exists, not overwritten");
    term_type(t, "/export json\r");
    term_expect(t, "the conversation written to 17-25.json");
    term_type(t, "/export json\r");
    term_expect(t, "the conversation written to 17-25-2.json");
    term_type(t, "/export json 17-25.json\r"); /* chosen, so not changed */
    term_expect(t, "17-25.json: already exists, not overwritten");
    term_leave(t);
    sandbox_path("17-25.json", path, sizeof path);
    assert_int_equal(access(path, F_OK), 0);
}

int test_copy(void)
{
    const struct CMUnitTest tests[] = {
        TALK_TEST(answers_code_and_formulas_are_copied),
        TALK_TEST(reasoning_is_copied_only_for_want_of_an_answer),
        TALK_TEST(nothing_is_overwritten),
        TALK_TEST(what_is_too_large_for_a_clipboard_is_refused),
        cmocka_unit_test(the_clipboard_sequence_is_right),
        cmocka_unit_test(lines_of_reasoning_and_questions_stay_lines_in_markdown),
        cmocka_unit_test(exports_are_inert),
        cmocka_unit_test(nothing_is_appended_to_code_in_markdown),
        cmocka_unit_test(exports_are_inert_whatever_was_said),
        cmocka_unit_test(file_names_come_from_titles),
        TEST(the_screen_copies),
        TEST(a_terminal_without_a_clipboard_gets_nothing),
        TEST(tmux_gets_the_copy),
        TEST(line_mode_copies_to_files),
    };
    return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
