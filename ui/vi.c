/*
 * vi.c: the commands of vi. Each key is a step of a small machine: count, operator, count, motion.
 */
#include "vi.h"
#include "text.h"

#include <string.h>

enum { COUNT_MAX = 9999 };

static bool inserts(const struct vi *vi)
{
    return vi->mode == VI_INSERT || vi->mode == VI_REPLACE;
}

static bool selects(const struct vi *vi)
{
    return vi->mode == VI_VISUAL || vi->mode == VI_VISUAL_LINES;
}

const char *vi_sign(const struct vi *vi)
{
    static const char *const signs[] = {
        [VI_INSERT] = "›", [VI_REPLACE] = "R",      [VI_NORMAL] = ":",
        [VI_VISUAL] = "v", [VI_VISUAL_LINES] = "V",
    };
    return signs[vi->mode];
}

void vi_settle(const struct vi *vi, struct editor *e)
{
    size_t start = editor_line_start(e, e->cursor);
    if (!inserts(vi) && e->cursor > start && e->cursor == editor_line_end(e, e->cursor))
        e->cursor = editor_left_of(e, e->cursor);
}

static void reset(struct vi *vi)
{
    vi->count = vi->op_count = 0;
    vi->op = vi->wait = 0;
}

static int counted(const struct vi *vi)
{
    int n = vi->count, m = vi->op_count;
    n = n > 0 && m > 0 ? n * m : n + m;
    return n < COUNT_MAX ? n : COUNT_MAX;
}

static int times(const struct vi *vi)
{
    int n = counted(vi);
    return n > 0 ? n : 1;
}

/* Recording, for '.' */

static void record(struct vi *vi, struct key key)
{
    if (vi->replaying || vi->no_repeat)
        return;
    if (vi->now.n < VI_KEYS_MAX)
        vi->now.keys[vi->now.n++] = key;
    else
        vi->no_repeat = true;
}

static void begin_record(struct vi *vi, const struct editor *e)
{
    if (vi->replaying)
        return;
    vi->now.n = 0;
    vi->now.count = 0;
    vi->no_repeat = false;
    vi->revision = e->revision;
}

/* The command is over: it can be repeated if it changed something. */
static void end_record(struct vi *vi, const struct editor *e)
{
    if (!vi->replaying && !vi->no_repeat && vi->now.n > 0 && e->revision != vi->revision)
        vi->last = vi->now;
    vi->now.n = 0;
}

/* Inserting */

void vi_start(struct vi *vi, struct editor *e)
{
    vi->mode = VI_INSERT;
    vi->insert_times = 1;
    vi->now.n = 0;
    vi->no_repeat = true;
    reset(vi);
    editor_hold(e);
}

static void insert_from(struct vi *vi, struct editor *e, size_t pos)
{
    e->cursor = pos;
    vi->inserted_from = pos;
    vi->insert_times = 1;
    vi->insert_lines = false;
    vi->mode = VI_INSERT;
    if (!e->holding)
        editor_hold(e);
}

static void insert_again(struct vi *vi, struct editor *e)
{
    size_t from = vi->inserted_from;
    struct bytes text = {0};

    if (vi->insert_times < 2 || e->cursor <= from)
        return;
    if (vi->insert_lines)
        bytes_add(&text, "\n", 1);
    bytes_add(&text, e->text.data + from, e->cursor - from);
    for (int i = 1; i < vi->insert_times; i++)
        if (!editor_insert(e, text.data, text.len, false))
            break;
    bytes_free(&text);
}

static void leave_insert(struct vi *vi, struct editor *e)
{
    if (vi->mode == VI_INSERT)
        insert_again(vi, e);
    vi->mode = VI_NORMAL;
    vi->insert_times = 1;
    editor_settle(e);
    editor_release(e);
    if (e->cursor > editor_line_start(e, e->cursor))
        e->cursor = editor_left_of(e, e->cursor);
}

static void open_line(struct vi *vi, struct editor *e, bool below)
{
    size_t at = below ? editor_line_end(e, e->cursor) : editor_line_start(e, e->cursor);
    int n = times(vi);
    editor_hold(e);
    editor_replace(e, at, at, "\n", 1);
    insert_from(vi, e, below ? at + 1 : at);
    vi->insert_times = n;
    vi->insert_lines = true;
}

static void insert_at(struct vi *vi, struct editor *e, size_t pos)
{
    int n = times(vi);
    insert_from(vi, e, pos);
    vi->insert_times = n;
}

/* Operators */

/* Whole lines, with the newline behind them or, at the end of the text, the one before. */
static void delete_lines(struct editor *e, size_t from, size_t to)
{
    if (to == e->text.len && from > 0 && (to == from || e->text.data[to - 1] != '\n'))
        from--;
    editor_replace(e, from, to, "", 0);
    e->cursor = vi_first(e, e->cursor < e->text.len ? e->cursor : e->text.len);
}

static void change(struct vi *vi, struct editor *e, const struct vi_span *span)
{
    size_t to = span->to;
    if (span->lines && to > span->from && e->text.data[to - 1] == '\n')
        to--;
    editor_hold(e);
    editor_replace(e, span->from, to, "", 0);
    insert_from(vi, e, span->from);
}

static void operate(struct vi *vi, struct editor *e, const struct vi_span *span)
{
    size_t at = e->cursor;
    uint32_t op = vi->op;

    if (op == 'd' || op == 'c' || op == 'y')
        editor_copy(e, span->from, span->to, span->lines);
    switch (op) {
    case 'd':
        if (span->lines)
            delete_lines(e, span->from, span->to);
        else
            editor_replace(e, span->from, span->to, "", 0);
        break;
    case 'c': change(vi, e, span); break;
    case 'y':
        if (!span->lines || editor_line_start(e, at) != span->from)
            e->cursor = span->from;
        break;
    default:
        editor_change_case(e, span->from, span->to,
                           op == 'u'   ? EDITOR_LOWER
                           : op == 'U' ? EDITOR_UPPER
                                       : EDITOR_OTHER);
        e->cursor = span->from;
        break;
    }
}

static struct vi_span whole_lines(const struct editor *e, size_t from, size_t to)
{
    size_t end = editor_line_end(e, to);
    return (struct vi_span){editor_line_start(e, from), end + (end < e->text.len), true};
}

/* What an operator takes of a motion. */
static struct vi_span span_of(const struct vi *vi, const struct editor *e, uint32_t key,
                              const struct vi_motion *m)
{
    size_t from = m->to < e->cursor ? m->to : e->cursor, to = m->to < e->cursor ? e->cursor : m->to;

    if (m->lines)
        return whole_lines(e, from, to);
    if (m->inclusive)
        return (struct vi_span){from, editor_right_of(e, to), false};
    if ((key == 'w' || key == 'W') && editor_line_end(e, from) < to) {
        /* The last word's end, not the first word of the next line. */
        size_t end = to;
        while (end > from && strchr(" \t\n", e->text.data[end - 1]) &&
               editor_line_start(e, end) > from)
            end--;
        to = end;
    } else if (to > from && editor_line_start(e, to) == to && editor_line_end(e, from) < to) {
        to--; /* not the newline before it either */
        if (from <= vi_first(e, from) && vi->op != 'c' && (key == '{' || key == '}'))
            return whole_lines(e, from, to);
    }
    return (struct vi_span){from, to, false};
}

/* The word that "cw" changes goes to its end, without the space. */
static bool change_word(struct vi *vi, const struct editor *e, uint32_t key, struct vi_motion *m)
{
    bool known;
    if (vi->op != 'c' || (key != 'w' && key != 'W') || editor_class(e, e->cursor) == 0)
        return false;
    int n = times(vi);
    size_t next = editor_right_of(e, e->cursor);
    bool alone = next == e->text.len ||
                 (key == 'w' ? editor_class(e, next) != editor_class(e, e->cursor)
                             : editor_class(e, next) == 0);
    if (!alone || n > 1)
        return vi_motion(e, key == 'w' ? 'e' : 'E', n - alone, &vi->find, m, &known);
    *m = (struct vi_motion){.to = e->cursor, .inclusive = true};
    return true;
}

/* Commands of one key */

static void delete_characters(struct vi *vi, struct editor *e, bool on)
{
    struct vi_motion m;
    bool known;
    vi_motion(e, on ? 'l' : 'h', times(vi), &vi->find, &m, &known);
    if (m.to == e->cursor)
        return;
    vi->op = 'd';
    operate(vi, e,
            &(struct vi_span){m.to < e->cursor ? m.to : e->cursor,
                              m.to < e->cursor ? e->cursor : m.to, false});
}

static void replace_characters(struct vi *vi, struct editor *e, uint32_t cp)
{
    size_t end = e->cursor, from = end;
    struct bytes text = {0};
    char utf8[4];

    for (int i = 0; i < times(vi); i++) {
        if (end == editor_line_end(e, end)) {
            bytes_free(&text);
            return; /* not so many */
        }
        end = editor_right_of(e, end);
        bytes_add(&text, utf8, text_encode(cp, utf8));
    }
    editor_replace(e, from, end, text.data, text.len);
    e->cursor = editor_left_of(e, e->cursor);
    bytes_free(&text);
}

static void other_case(struct vi *vi, struct editor *e)
{
    struct vi_motion m;
    bool known;
    vi_motion(e, 'l', times(vi), &vi->find, &m, &known);
    editor_change_case(e, e->cursor, m.to, EDITOR_OTHER);
    e->cursor = m.to < e->text.len ? m.to : e->text.len;
}

static void join_lines(struct vi *vi, struct editor *e, bool spaced)
{
    editor_hold(e);
    for (int n = times(vi) > 2 ? times(vi) - 1 : 1; n > 0; n--) {
        size_t end = editor_line_end(e, e->cursor), on = end;
        if (end == e->text.len)
            break;
        on++;
        while (spaced && on < e->text.len && strchr(" \t", e->text.data[on]))
            on++;
        bool space = spaced && on < e->text.len && !strchr(")\n", e->text.data[on]) && end > 0 &&
                     !strchr(" \t\n", e->text.data[end - 1]);
        editor_replace(e, end, on, " ", space);
        e->cursor = end;
    }
    editor_release(e);
}

static void put(struct vi *vi, struct editor *e, bool behind)
{
    const struct bytes *cut = &e->cuts[e->newest];
    size_t at = e->cursor;
    struct bytes text = {0};
    bool lines = e->lines;

    if (cut->len == 0)
        return;
    for (int i = 0; i < times(vi) && text.len <= EDITOR_MAX; i++)
        bytes_add(&text, cut->data, cut->len);
    if (lines) {
        at = behind ? editor_line_end(e, at) : editor_line_start(e, at);
        if (behind) { /* the newline comes first */
            memmove(text.data + 1, text.data, text.len - 1);
            text.data[0] = '\n';
        }
    } else if (behind && at < editor_line_end(e, at)) {
        at = editor_right_of(e, at);
    }
    if (editor_replace(e, at, at, text.data, text.len))
        e->cursor = lines ? vi_first(e, at + behind) : editor_left_of(e, e->cursor);
    bytes_free(&text);
}

static void go_back(struct vi *vi, struct editor *e, bool undo)
{
    vi->no_repeat = true;
    for (int i = 0; i < times(vi); i++)
        if (!(undo ? editor_undo(e) : editor_redo(e)))
            return;
    e->cursor = e->changes[undo ? e->n_changes : e->n_changes - 1].pos;
}

/* "D" is "d$" and so on. */
static void to_line_end(struct vi *vi, struct editor *e, uint32_t op)
{
    struct vi_motion m;
    bool known;
    vi->op = op;
    if (vi_motion(e, '$', times(vi), &vi->find, &m, &known))
        operate(vi, e, &(struct vi_span){e->cursor, m.to, false});
}

static void on_lines(struct vi *vi, struct editor *e, uint32_t op)
{
    size_t last = e->cursor;
    vi->op = op;
    last = vi_line_down(e, last, times(vi) - 1);
    struct vi_span span = whole_lines(e, e->cursor, last);
    operate(vi, e, &span);
}

static enum vi_wish wish(struct vi *vi, enum vi_wish what)
{
    vi->times = what == VI_REPEAT ? counted(vi) : times(vi);
    vi->no_repeat = true;
    return what;
}

static void insert_command(struct vi *vi, struct editor *e, uint32_t key)
{
    size_t start = editor_line_start(e, e->cursor), end = editor_line_end(e, e->cursor);

    switch (key) {
    case 'i': insert_at(vi, e, e->cursor); break;
    case 'a': insert_at(vi, e, e->cursor < end ? editor_right_of(e, e->cursor) : end); break;
    case 'I': insert_at(vi, e, vi_first(e, start)); break;
    case 'A': insert_at(vi, e, end); break;
    case 'o':
    case 'O': open_line(vi, e, key == 'o'); break;
    case 'R':
        insert_from(vi, e, e->cursor);
        vi->mode = VI_REPLACE;
        break;
    case 's':
        editor_hold(e);
        delete_characters(vi, e, true);
        insert_from(vi, e, e->cursor);
        break;
    default: on_lines(vi, e, 'c'); break; /* S */
    }
}

static enum vi_wish command(struct vi *vi, struct editor *e, uint32_t key)
{
    if (key < 0x80 && strchr("iaIAoORsS", (int)key)) {
        insert_command(vi, e, key);
        return VI_DONE;
    }
    switch (key) {
    case 'x': delete_characters(vi, e, true); break;
    case 'X': delete_characters(vi, e, false); break;
    case '~': other_case(vi, e); break;
    case 'J': join_lines(vi, e, true); break;
    case 'D': to_line_end(vi, e, 'd'); break;
    case 'C': to_line_end(vi, e, 'c'); break;
    case 'Y': on_lines(vi, e, 'y'); break;
    case 'p':
    case 'P': put(vi, e, key == 'p'); break;
    case 'u': go_back(vi, e, true); break;
    case 'v':
    case 'V':
        vi->anchor = e->cursor;
        vi->mode = key == 'v' ? VI_VISUAL : VI_VISUAL_LINES;
        break;
    case '/':
    case '?': return wish(vi, VI_SEARCH);
    case '.': return wish(vi, VI_REPEAT);
    default: break;
    }
    return VI_DONE;
}

/* What is selected */

bool vi_selected(const struct vi *vi, const struct editor *e, size_t span[2])
{
    if (!selects(vi))
        return false;
    size_t anchor = vi->anchor < e->text.len ? vi->anchor : e->text.len;
    size_t from = anchor < e->cursor ? anchor : e->cursor;
    size_t to = anchor < e->cursor ? e->cursor : anchor;
    struct vi_span lines = whole_lines(e, from, to);
    span[0] = vi->mode == VI_VISUAL ? from : lines.from;
    span[1] = vi->mode == VI_VISUAL ? editor_right_of(e, to) : lines.to;
    return true;
}

static void put_over(struct vi *vi, struct editor *e, const size_t span[2])
{
    struct bytes text = {0};
    const struct bytes *cut = &e->cuts[e->newest];
    if (cut->len > 0 && bytes_add(&text, cut->data, cut->len)) {
        editor_copy(e, span[0], span[1], vi->mode == VI_VISUAL_LINES);
        editor_replace(e, span[0], span[1], text.data, text.len);
        e->cursor = editor_left_of(e, e->cursor);
    }
    bytes_free(&text);
}

/* A command on the selection; false: the key is none. */
static bool on_selection(struct vi *vi, struct editor *e, uint32_t key)
{
    size_t span[2];
    bool lines = vi->mode == VI_VISUAL_LINES || (key < 0x80 && strchr("DXYCSR", (int)key));

    vi_selected(vi, e, span);
    switch (key) {
    case 'o': {
        size_t other = vi->anchor;
        vi->anchor = e->cursor;
        e->cursor = other;
        return true;
    }
    case 'v':
    case 'V': {
        enum vi_mode mode = key == 'v' ? VI_VISUAL : VI_VISUAL_LINES;
        vi->mode = vi->mode == mode ? VI_NORMAL : mode;
        return true;
    }
    case 'd':
    case 'x':
    case 'D':
    case 'X': vi->op = 'd'; break;
    case 'c':
    case 's':
    case 'C':
    case 'S':
    case 'R': vi->op = 'c'; break;
    case 'y':
    case 'Y': vi->op = 'y'; break;
    case 'u':
    case 'U':
    case '~': vi->op = key; break;
    case 'p':
    case 'P':
        put_over(vi, e, span);
        vi->mode = VI_NORMAL;
        return true;
    case 'J':
        e->cursor = span[0];
        vi->mode = VI_NORMAL;
        for (size_t i = span[0]; i + 1 < span[1]; i++)
            vi->count += e->text.data[i] == '\n';
        vi->count++;
        join_lines(vi, e, true);
        return true;
    default: return false;
    }
    struct vi_span all = {span[0], span[1], lines};
    if (lines)
        all = whole_lines(e, span[0], span[1] > span[0] ? span[1] - 1 : span[0]);
    vi->mode = VI_NORMAL;
    e->cursor = span[0];
    operate(vi, e, &all);
    return true;
}

/* Keys */

static bool move_or_operate(struct vi *vi, struct editor *e, uint32_t key)
{
    struct vi_motion m;
    bool known;

    if (change_word(vi, e, key, &m)) {
        struct vi_span span = span_of(vi, e, key, &m);
        operate(vi, e, &span);
        return true;
    }
    if (!vi_motion(e, key, counted(vi), &vi->find, &m, &known))
        return known;
    if (vi->op) {
        struct vi_span span = span_of(vi, e, key, &m);
        if (span.to > span.from || span.lines || vi->op == 'c')
            operate(vi, e, &span);
    } else {
        e->cursor = m.to;
    }
    return true;
}

/* The key after f, r, g, i and such. */
static enum vi_wish second_key(struct vi *vi, struct editor *e, uint32_t key)
{
    uint32_t wait = vi->wait;
    struct vi_span span;
    struct vi_motion m;

    vi->wait = 0;
    switch (wait) {
    case 'r': replace_characters(vi, e, key); break;
    case 'g':
        if (key == 'u' || key == 'U' || key == '~') {
            vi->op = key;
            vi->op_count = vi->count;
            vi->count = 0;
            return VI_DONE; /* a motion comes */
        }
        if (key == 'J')
            join_lines(vi, e, false);
        else
            move_or_operate(vi, e, key + 256);
        break;
    case 'i':
    case 'a':
        if (!vi_object(e, key, wait == 'a', counted(vi), &span))
            break;
        if (selects(vi)) {
            vi->anchor = span.from;
            e->cursor = editor_left_of(e, span.to);
        } else {
            operate(vi, e, &span);
        }
        break;
    case '"': return VI_DONE; /* there is one register; the command goes on */
    default:
        vi->find = (struct vi_find){wait, key};
        if (!vi_search_line(e, &vi->find, counted(vi), false, &m))
            break;
        if (vi->op) {
            span = span_of(vi, e, wait, &m);
            operate(vi, e, &span);
        } else {
            e->cursor = m.to;
        }
        break;
    }
    reset(vi);
    return VI_DONE;
}

static enum vi_wish first_key(struct vi *vi, struct editor *e, uint32_t key)
{
    enum vi_wish result = VI_DONE;
    bool object = (key == 'i' || key == 'a') && (vi->op || selects(vi));

    if (key >= '0' + (vi->count == 0) && key <= '9') {
        vi->count = vi->count < COUNT_MAX ? vi->count * 10 + (int)(key - '0') : COUNT_MAX;
        return VI_DONE;
    }
    if (object || (key < 0x80 && strchr("fFtTg\"", (int)key)) || (key == 'r' && !vi->op)) {
        vi->wait = key;
        return VI_DONE;
    }
    if (vi->op && key == vi->op) {
        on_lines(vi, e, key);
    } else if (selects(vi) && on_selection(vi, e, key)) {
        /* done */
    } else if (!vi->op && !selects(vi) && (key == 'j' || key == 'k')) {
        result = wish(vi, key == 'k' ? VI_UP : VI_DOWN);
    } else if (!move_or_operate(vi, e, key)) {
        if (!vi->op && (key == 'd' || key == 'c' || key == 'y')) {
            vi->op = key;
            vi->op_count = vi->count;
            vi->count = 0;
            return VI_DONE;
        }
        if (!vi->op && !selects(vi))
            result = command(vi, e, key);
    }
    reset(vi);
    return result;
}

/* Keys that are no characters, as the characters that do the same. */
static uint32_t character_of(struct key key)
{
    static const struct {
        uint32_t code, is;
    } same[] = {
        {KEY_LEFT, 'h'}, {KEY_RIGHT, 'l'},  {KEY_UP, 'k'},        {KEY_DOWN, 'j'}, {KEY_HOME, '0'},
        {KEY_END, '$'},  {KEY_DELETE, 'x'}, {KEY_BACKSPACE, 'h'}, {' ', 'l'},
    };
    if (key.mods & (KEY_CTRL | KEY_ALT))
        return 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (same[i].code == key.code)
            return same[i].is;
    return key.code < KEY_ENTER ? key.code : 0;
}

static enum vi_wish escape(struct vi *vi, struct editor *e)
{
    bool open = vi->op || vi->wait || vi->count || selects(vi);
    if (inserts(vi)) {
        record(vi, (struct key){KEY_ESC, 0});
        leave_insert(vi, e);
        end_record(vi, e);
        return VI_DONE;
    }
    vi->mode = VI_NORMAL;
    reset(vi);
    return open ? VI_DONE : VI_PASS;
}

enum vi_wish vi_key(struct vi *vi, struct editor *e, struct key key)
{
    if (key.code == KEY_ESC && !(key.mods & KEY_CTRL))
        return escape(vi, e);
    if (inserts(vi)) {
        record(vi, key);
        return VI_PASS;
    }
    if (!vi->op && !vi->wait && !vi->count && !selects(vi))
        begin_record(vi, e);
    uint32_t cp = vi->wait && key.code < KEY_ENTER && !(key.mods & (KEY_CTRL | KEY_ALT))
                      ? key.code
                      : character_of(key);
    if (key.code == 'r' && key.mods == KEY_CTRL) {
        go_back(vi, e, false);
        reset(vi);
        vi_settle(vi, e);
        return VI_DONE;
    }
    if (cp == 0) {
        reset(vi);
        return VI_PASS;
    }
    bool digit = !vi->wait && !vi->op && cp >= '0' + (vi->count == 0) && cp <= '9';
    if (!vi->op && !vi->wait && !digit)
        vi->now.count = vi->count;
    if (!digit)
        record(vi, key);
    enum vi_wish result = vi->wait ? second_key(vi, e, cp) : first_key(vi, e, cp);
    if (vi->mode == VI_NORMAL && !vi->op && !vi->wait && !vi->count)
        end_record(vi, e);
    vi_settle(vi, e);
    return result;
}
