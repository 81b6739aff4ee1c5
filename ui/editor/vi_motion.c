/*
 * vi_motion.c: motions and text objects. Positions are byte offsets between clusters.
 */
#include "editor/vi_motion.h"
#include "text/text.h"

#include <string.h>

/* Characters and lines */

static uint32_t character(const struct editor *e, size_t pos)
{
    uint32_t cp;
    if (pos >= e->text.len)
        return 0;
    text_decode(e->text.data + pos, e->text.len - pos, &cp);
    return cp;
}

static bool ends_line(const struct editor *e, size_t pos)
{
    return pos >= e->text.len || e->text.data[pos] == '\n';
}

static bool starts_line(const struct editor *e, size_t pos)
{
    return pos == 0 || e->text.data[pos - 1] == '\n';
}

static bool is_empty_line(const struct editor *e, size_t pos)
{
    return starts_line(e, pos) && ends_line(e, pos);
}

size_t vi_first(const struct editor *e, size_t pos)
{
    pos = editor_line_start(e, pos);
    while (!ends_line(e, pos) && strchr(" \t", e->text.data[pos]))
        pos++;
    return pos;
}

/* The start of the line n lines down or up; false: not that many. */
static bool move_lines(const struct editor *e, int n, size_t *pos)
{
    *pos = editor_line_start(e, *pos);
    for (; n > 0; n--) {
        size_t end = editor_line_end(e, *pos);
        if (end == e->text.len)
            return false;
        *pos = end + 1;
    }
    for (; n < 0; n++) {
        if (*pos == 0)
            return false;
        *pos = editor_line_start(e, *pos - 1);
    }
    return true;
}

size_t vi_line_down(const struct editor *e, size_t pos, int lines)
{
    size_t start = editor_line_start(e, pos), to = pos;
    int column = text_width(e->text.data + start, pos - start);

    move_lines(e, lines, &to);
    return to + text_fit(e->text.data + to, editor_line_end(e, to) - to, column, NULL);
}

static bool go_line(const struct editor *e, int line, size_t *pos)
{
    *pos = 0;
    while (--line > 0 && move_lines(e, 1, pos))
        ;
    return true;
}

/* Words. `big`: everything but white space is one class. */

static enum editor_class class_of(const struct editor *e, size_t pos, bool big)
{
    enum editor_class class = editor_class(e, pos);
    return big && class != EDITOR_SPACE ? EDITOR_WORD : class;
}

static bool is_space(const struct editor *e, size_t pos)
{
    return editor_class(e, pos) == EDITOR_SPACE;
}

static size_t word_on(const struct editor *e, size_t pos, bool big)
{
    enum editor_class class = class_of(e, pos, big);

    while (class != EDITOR_SPACE && pos < e->text.len && class_of(e, pos, big) == class)
        pos = editor_right_of(e, pos);
    if (class == EDITOR_SPACE && is_empty_line(e, pos) && pos < e->text.len)
        pos++;
    while (pos < e->text.len && is_space(e, pos) && !is_empty_line(e, pos))
        pos++;
    return pos;
}

static size_t word_back(const struct editor *e, size_t pos, bool big)
{
    if (pos > 0)
        pos = editor_left_of(e, pos);
    while (pos > 0 && is_space(e, pos) && !is_empty_line(e, pos))
        pos = editor_left_of(e, pos);
    enum editor_class class = class_of(e, pos, big);
    while (class != EDITOR_SPACE && pos > 0 && class_of(e, editor_left_of(e, pos), big) == class)
        pos = editor_left_of(e, pos);
    return pos;
}

/* The last character of the word at or after pos + 1. */
static size_t word_end(const struct editor *e, size_t pos, bool big)
{
    size_t last = pos;

    pos = editor_right_of(e, pos);
    while (pos < e->text.len && is_space(e, pos))
        pos = editor_right_of(e, pos);
    for (enum editor_class class = class_of(e, pos, big);
         pos < e->text.len && class_of(e, pos, big) == class;) {
        last = pos;
        pos = editor_right_of(e, pos);
    }
    return last;
}

static size_t word_end_back(const struct editor *e, size_t pos, bool big)
{
    for (enum editor_class class = class_of(e, pos, big);
         class != EDITOR_SPACE && pos > 0 && class_of(e, pos, big) == class;)
        pos = editor_left_of(e, pos);
    while (pos > 0 && is_space(e, pos) && !is_empty_line(e, pos))
        pos = editor_left_of(e, pos);
    return pos;
}

/* Paragraphs: lines up to an empty one */

static size_t paragraph_on(const struct editor *e, size_t pos)
{
    pos = editor_line_start(e, pos);
    while (is_empty_line(e, pos) && pos < e->text.len)
        pos++;
    while (!is_empty_line(e, pos))
        if (!move_lines(e, 1, &pos))
            return e->text.len;
    return pos;
}

static size_t paragraph_back(const struct editor *e, size_t pos)
{
    pos = editor_line_start(e, pos);
    while (is_empty_line(e, pos) && pos > 0)
        pos--;
    pos = editor_line_start(e, pos);
    while (!is_empty_line(e, pos))
        if (!move_lines(e, -1, &pos))
            return 0;
    return pos;
}

/* Within the line */

bool vi_search_line(const struct editor *e, const struct vi_find *find, int n, bool again,
                    struct vi_motion *out)
{
    bool on = find->how == 'f' || find->how == 't', till = find->how == 't' || find->how == 'T';
    size_t pos = e->cursor, start = editor_line_start(e, pos), end = editor_line_end(e, pos);

    if (find->how == 0)
        return false;
    if (again && till && n <= 1) { /* already next to one */
        size_t beside = on ? editor_right_of(e, pos) : pos > start ? editor_left_of(e, pos) : pos;
        n += beside < end && character(e, beside) == find->what;
    }
    for (int met = 0; met < (n > 1 ? n : 1);) {
        if (on ? pos >= end || editor_right_of(e, pos) >= end : pos <= start)
            return false;
        pos = on ? editor_right_of(e, pos) : editor_left_of(e, pos);
        met += character(e, pos) == find->what;
    }
    if (till)
        pos = on ? editor_left_of(e, pos) : editor_right_of(e, pos);
    *out = (struct vi_motion){.to = pos, .inclusive = on};
    return true;
}

static struct vi_find turned(struct vi_find find)
{
    static const char from[] = "fFtT", to[] = "FfTt";
    const char *at = find.how ? strchr(from, (int)find.how) : NULL;
    return (struct vi_find){at ? (uint32_t)to[at - from] : 0, find.what};
}

/* Brackets */

static const char brackets[] = "()[]{}<>";

/* From pos forward or back to the bracket that matches an unbalanced one. */
static bool partner(const struct editor *e, size_t pos, char own, char other, bool on, size_t *out)
{
    int depth = 0;

    for (;;) {
        depth += e->text.data[pos] == own;
        depth -= e->text.data[pos] == other;
        if (depth == 0) {
            *out = pos;
            return true;
        }
        if (on ? pos + 1 >= e->text.len : pos == 0)
            return false;
        pos += on ? 1 : (size_t)-1;
    }
}

static bool match_bracket(const struct editor *e, struct vi_motion *out)
{
    for (size_t pos = e->cursor; !ends_line(e, pos); pos++) {
        const char *at = memchr(brackets, e->text.data[pos], 6);
        if (!at)
            continue;
        bool opens = (at - brackets) % 2 == 0;
        out->inclusive = true;
        return partner(e, pos, *at, opens ? at[1] : at[-1], opens, &out->to);
    }
    return false;
}

/* The table of motions */

static size_t move_word(const struct editor *e, uint32_t key, int n)
{
    size_t pos = e->cursor;
    for (; n > 0; n--) {
        switch (key) {
        case 'w':
        case 'W': pos = word_on(e, pos, key == 'W'); break;
        case 'b':
        case 'B': pos = word_back(e, pos, key == 'B'); break;
        case 'e':
        case 'E': pos = word_end(e, pos, key == 'E'); break;
        case '}': pos = paragraph_on(e, pos); break;
        case '{': pos = paragraph_back(e, pos); break;
        default: /* ge, gE */ pos = word_end_back(e, pos, key == 'E' + VI_G); break;
        }
    }
    return pos;
}

static size_t move_characters(const struct editor *e, bool on, int n)
{
    size_t pos = e->cursor;
    for (; n > 0; n--) {
        if (on ? ends_line(e, pos) : starts_line(e, pos))
            break;
        pos = on ? editor_right_of(e, pos) : editor_left_of(e, pos);
    }
    return pos;
}

static bool line_motion(const struct editor *e, uint32_t key, int n, struct vi_motion *out)
{
    int times = n > 0 ? n : 1;
    size_t pos = e->cursor;
    bool ok = true;

    out->lines = true;
    switch (key) {
    case 'j': ok = move_lines(e, times, &pos); break;
    case 'k': ok = move_lines(e, -times, &pos); break;
    case '+': ok = move_lines(e, times, &pos); break;
    case '-': ok = move_lines(e, -times, &pos); break;
    case '_': ok = move_lines(e, times - 1, &pos); break;
    case 'G': go_line(e, n > 0 ? n : INT32_MAX, &pos); break;
    default: /* gg */ go_line(e, times, &pos); break;
    }
    out->to = key == 'j' || key == 'k' ? vi_line_down(e, e->cursor, key == 'j' ? times : -times)
                                       : vi_first(e, pos);
    return ok;
}

bool vi_motion(const struct editor *e, uint32_t key, int n, const struct vi_find *find,
               struct vi_motion *out, bool *known_out)
{
    int times = n > 0 ? n : 1;
    struct vi_find other = turned(*find);
    size_t start = editor_line_start(e, e->cursor), end = editor_line_end(e, e->cursor);

    *out = (struct vi_motion){.to = e->cursor};
    *known_out = true;
    switch (key) {
    case 'h': out->to = move_characters(e, false, times); return true;
    case 'l': out->to = move_characters(e, true, times); return true;
    case '0': out->to = start; return true;
    case '^': out->to = vi_first(e, e->cursor); return true;
    case '|':
        out->to = start + text_fit(e->text.data + start, end - start, times - 1, NULL);
        return true;
    case '$':
        if (!move_lines(e, times - 1, &out->to))
            return false;
        out->to = editor_line_end(e, out->to);
        return true;
    case 'e':
    case 'E':
    case 'e' + VI_G:
    case 'E' + VI_G: out->inclusive = true; /* fall through */
    case 'w':
    case 'W':
    case 'b':
    case 'B':
    case '{':
    case '}': out->to = move_word(e, key, times); return out->to != e->cursor || key == 'w';
    case ';': return vi_search_line(e, find, times, true, out);
    case ',': return vi_search_line(e, &other, times, true, out);
    case '%': return match_bracket(e, out);
    case 'j':
    case 'k':
    case '+':
    case '-':
    case '_':
    case 'G':
    case 'g' + VI_G: return line_motion(e, key, n, out);
    default: *known_out = false; return false;
    }
}

/* Text objects */

static bool word_object(const struct editor *e, bool big, bool around, int n, struct vi_span *out)
{
    size_t from = e->cursor, to = from, end = editor_line_end(e, from);
    size_t start = editor_line_start(e, from);
    enum editor_class class = class_of(e, from, big);

    if (start == end)
        return false;
    while (from > start && class_of(e, editor_left_of(e, from), big) == class)
        from = editor_left_of(e, from);
    for (n = n > 0 ? n : 1; n > 0 && to < end; n--) {
        for (int part = 0; part < 1 + around && to < end; part++)
            for (enum editor_class here = class_of(e, to, big);
                 to < end && class_of(e, to, big) == here;) {
                if (around && part == 1 && class != EDITOR_SPACE && here != EDITOR_SPACE)
                    break; /* no space after the word */
                to = editor_right_of(e, to);
            }
    }
    /* "aw" without a trailing space takes the leading one. */
    if (around && class != EDITOR_SPACE && !is_space(e, editor_left_of(e, to)))
        while (from > start && is_space(e, editor_left_of(e, from)))
            from = editor_left_of(e, from);
    *out = (struct vi_span){from, to, false};
    return true;
}

static bool quote_object(const struct editor *e, char quote, bool around, struct vi_span *out)
{
    size_t end = editor_line_end(e, e->cursor), open = end;
    bool inside = false;

    for (size_t i = editor_line_start(e, e->cursor); i < end; i++) {
        if (e->text.data[i] == '\\')
            i++;
        else if (e->text.data[i] == quote && !inside) {
            inside = true;
            open = i;
        } else if (e->text.data[i] == quote) {
            inside = false;
            if (i < e->cursor)
                continue;
            *out = (struct vi_span){open + !around, i + around, false};
            size_t space = out->to;
            while (around && space < end && strchr(" \t", e->text.data[space]))
                space++;
            out->to = space;
            return true;
        }
    }
    return false;
}

static bool bracket_object(const struct editor *e, uint32_t key, bool around, int n,
                           struct vi_span *out)
{
    const char *at = strchr(brackets, key == 'b' ? '(' : key == 'B' ? '{' : (int)key);
    size_t from = e->cursor, to;
    char open = brackets[(at - brackets) & ~1], close = brackets[(at - brackets) | 1];

    if (e->text.len == 0 || from == e->text.len)
        return false;
    for (n = n > 0 ? n : 1; n > 0; n--) {
        /* A bracket under the cursor; else the enclosing one. */
        if (e->text.data[from] == close && from == e->cursor) {
            if (!partner(e, from, close, open, false, &from))
                return false;
        } else if (e->text.data[from] != open || from != e->cursor) {
            for (int depth = 0;;) {
                if (from == 0)
                    return false;
                from--;
                depth += e->text.data[from] == close;
                if (e->text.data[from] == open && depth-- == 0)
                    break;
            }
        }
    }
    if (!partner(e, from, open, close, true, &to))
        return false;
    *out = (struct vi_span){from + !around, to + around, false};
    return true;
}

static bool paragraph_object(const struct editor *e, bool around, struct vi_span *out)
{
    size_t from = editor_line_start(e, e->cursor), to = from, before = from;
    bool empty = is_empty_line(e, from);

    while (move_lines(e, -1, &before) && is_empty_line(e, before) == empty)
        from = before;
    for (int part = 0; part < 1 + around; part++, empty = !empty)
        while (to < e->text.len && is_empty_line(e, to) == empty) {
            to = editor_line_end(e, to);
            to += to < e->text.len;
        }
    *out = (struct vi_span){from, to, true};
    return to > from;
}

bool vi_object(const struct editor *e, uint32_t key, bool around, int n, struct vi_span *out)
{
    switch (key) {
    case 'w':
    case 'W': return word_object(e, key == 'W', around, n, out);
    case '"':
    case '\'':
    case '`': return quote_object(e, (char)key, around, out);
    case 'p': return paragraph_object(e, around, out);
    case 'b':
    case 'B': return bracket_object(e, key, around, n, out);
    default:
        return key < 0x80 && key > 0 && strchr(brackets, (int)key) &&
               bracket_object(e, key, around, n, out);
    }
}
