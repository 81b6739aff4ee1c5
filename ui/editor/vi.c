/*
 * vi.c: vi's commands. Each key is a step of a small state machine: count, operator, count, motion.
 */
#include "editor/vi.h"
#include "editor/vi_edit.h"

#include <string.h>

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

/* The command is complete: it is repeatable if it changed something. */
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
    editor_begin_group(e);
}

static enum vi_request request(struct vi *vi, enum vi_request what)
{
    vi->times = what == VI_REPEAT ? vi_count(vi) : vi_times(vi);
    vi->no_repeat = true;
    return what;
}

static void insert_command(struct vi *vi, struct editor *e, uint32_t key)
{
    size_t start = editor_line_start(e, e->cursor), end = editor_line_end(e, e->cursor);

    switch (key) {
    case 'i': vi_insert_at(vi, e, e->cursor); break;
    case 'a': vi_insert_at(vi, e, e->cursor < end ? editor_right_of(e, e->cursor) : end); break;
    case 'I': vi_insert_at(vi, e, vi_first(e, start)); break;
    case 'A': vi_insert_at(vi, e, end); break;
    case 'o':
    case 'O': vi_open_line(vi, e, key == 'o'); break;
    case 'R':
        vi_insert(vi, e, e->cursor);
        vi->mode = VI_REPLACE;
        break;
    case 's':
        editor_begin_group(e);
        vi_delete(vi, e, true);
        vi_insert(vi, e, e->cursor);
        break;
    default: vi_on_lines(vi, e, 'c'); break; /* S */
    }
}

static enum vi_request command(struct vi *vi, struct editor *e, uint32_t key)
{
    if (key < 0x80 && strchr("iaIAoORsS", (int)key)) {
        insert_command(vi, e, key);
        return VI_DONE;
    }
    switch (key) {
    case 'x': vi_delete(vi, e, true); break;
    case 'X': vi_delete(vi, e, false); break;
    case '~': vi_other_case(vi, e); break;
    case 'J': vi_join(vi, e, true); break;
    case 'D': vi_to_line_end(vi, e, 'd'); break;
    case 'C': vi_to_line_end(vi, e, 'c'); break;
    case 'Y': vi_on_lines(vi, e, 'y'); break;
    case 'p':
    case 'P': vi_put(vi, e, key == 'p'); break;
    case 'u': vi_go_back(vi, e, true); break;
    case 'v':
    case 'V':
        vi->anchor = e->cursor;
        vi->mode = key == 'v' ? VI_VISUAL : VI_VISUAL_LINES;
        break;
    case '/':
    case '?': return request(vi, VI_SEARCH);
    case '.': return request(vi, VI_REPEAT);
    default: break;
    }
    return VI_DONE;
}

/* Visual mode */

bool vi_selected(const struct vi *vi, const struct editor *e, size_t span[2])
{
    if (!selects(vi))
        return false;
    size_t anchor = vi->anchor < e->text.len ? vi->anchor : e->text.len;
    size_t from = anchor < e->cursor ? anchor : e->cursor;
    size_t to = anchor < e->cursor ? e->cursor : anchor;
    struct vi_span lines = vi_whole_lines(e, from, to);
    span[0] = vi->mode == VI_VISUAL ? from : lines.from;
    span[1] = vi->mode == VI_VISUAL ? editor_right_of(e, to) : lines.to;
    return true;
}

/* A command on the selection; false: unknown key. */
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
        vi_put_over(vi, e, span);
        vi->mode = VI_NORMAL;
        return true;
    case 'J':
        e->cursor = span[0];
        vi->mode = VI_NORMAL;
        for (size_t i = span[0]; i + 1 < span[1]; i++)
            vi->count += e->text.data[i] == '\n';
        vi->count++;
        vi_join(vi, e, true);
        return true;
    default: return false;
    }
    struct vi_span all = {span[0], span[1], lines};
    if (lines)
        all = vi_whole_lines(e, span[0], span[1] > span[0] ? span[1] - 1 : span[0]);
    vi->mode = VI_NORMAL;
    e->cursor = span[0];
    vi_operate(vi, e, &all);
    return true;
}

/* Keys */

static bool move_or_operate(struct vi *vi, struct editor *e, uint32_t key)
{
    struct vi_motion m;
    bool known;

    if (vi_change_word(vi, e, key, &m)) {
        struct vi_span span = vi_span_of(vi, e, key, &m);
        vi_operate(vi, e, &span);
        return true;
    }
    if (!vi_motion(e, key, vi_count(vi), &vi->find, &m, &known))
        return known;
    if (vi->op) {
        struct vi_span span = vi_span_of(vi, e, key, &m);
        if (span.to > span.from || span.lines || vi->op == 'c')
            vi_operate(vi, e, &span);
    } else {
        e->cursor = m.to;
    }
    return true;
}

/* The key after f, r, g, i and the like. */
static enum vi_request second_key(struct vi *vi, struct editor *e, uint32_t key)
{
    uint32_t wait = vi->wait;
    struct vi_span span;
    struct vi_motion m;

    vi->wait = 0;
    switch (wait) {
    case 'r': vi_replace(vi, e, key); break;
    case 'g':
        if (key == 'u' || key == 'U' || key == '~') {
            vi->op = key;
            vi->op_count = vi->count;
            vi->count = 0;
            return VI_DONE; /* a motion follows */
        }
        if (key == 'J')
            vi_join(vi, e, false);
        else
            move_or_operate(vi, e, key + VI_G);
        break;
    case 'i':
    case 'a':
        if (!vi_object(e, key, wait == 'a', vi_count(vi), &span))
            break;
        if (selects(vi)) {
            vi->anchor = span.from;
            e->cursor = editor_left_of(e, span.to);
        } else {
            vi_operate(vi, e, &span);
        }
        break;
    case '"': return VI_DONE; /* there is only one register; the command continues */
    default:
        vi->find = (struct vi_find){wait, key};
        if (!vi_search_line(e, &vi->find, vi_count(vi), false, &m))
            break;
        if (vi->op) {
            span = vi_span_of(vi, e, wait, &m);
            vi_operate(vi, e, &span);
        } else {
            e->cursor = m.to;
        }
        break;
    }
    reset(vi);
    return VI_DONE;
}

static enum vi_request first_key(struct vi *vi, struct editor *e, uint32_t key)
{
    enum vi_request result = VI_DONE;
    bool object = (key == 'i' || key == 'a') && (vi->op || selects(vi));

    if (key >= '0' + (vi->count == 0) && key <= '9') {
        vi->count = vi->count < VI_COUNT_MAX ? vi->count * 10 + (int)(key - '0') : VI_COUNT_MAX;
        return VI_DONE;
    }
    if (object || (key < 0x80 && strchr("fFtTg\"", (int)key)) || (key == 'r' && !vi->op)) {
        vi->wait = key;
        return VI_DONE;
    }
    if (vi->op && key == vi->op) {
        vi_on_lines(vi, e, key);
    } else if (selects(vi) && on_selection(vi, e, key)) {
        /* done */
    } else if (!vi->op && !selects(vi) && (key == 'j' || key == 'k')) {
        result = request(vi, key == 'k' ? VI_UP : VI_DOWN);
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

/* Special keys, mapped to the characters with the same effect. */
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

static enum vi_request escape(struct vi *vi, struct editor *e)
{
    bool open = vi->op || vi->wait || vi->count || selects(vi);
    if (inserts(vi)) {
        record(vi, (struct key){KEY_ESC, 0});
        vi_leave_insert(vi, e);
        end_record(vi, e);
        return VI_DONE;
    }
    vi->mode = VI_NORMAL;
    reset(vi);
    return open ? VI_DONE : VI_PASS;
}

enum vi_request vi_key(struct vi *vi, struct editor *e, struct key key)
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
        vi_go_back(vi, e, false);
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
    enum vi_request result = vi->wait ? second_key(vi, e, cp) : first_key(vi, e, cp);
    if (vi->mode == VI_NORMAL && !vi->op && !vi->wait && !vi->count)
        end_record(vi, e);
    vi_settle(vi, e);
    return result;
}
