/*
 * command.c: commands that take arguments or affect what follows them.
 */
#include "math/parse.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum command {
    DO_ACCENT,
    DO_ARROW,
    DO_BAR,
    DO_BEGIN,
    DO_BIG,
    DO_BINOMIAL,
    DO_BOX,
    DO_BRACE,
    DO_CANCEL,
    DO_CLASS,
    DO_COLOR,
    DO_COLORED,
    DO_FENCE,
    DO_FONT,
    DO_FONT_SWITCH,
    DO_FRACTION,
    DO_GROUP,
    DO_LEFT,
    DO_LENGTH,
    DO_LINES,
    DO_MIDDLE,
    DO_MODULO,
    DO_NOT,
    DO_NOTHING,
    DO_OPERATOR,
    DO_OVER,
    DO_PHANTOM,
    DO_ROOT,
    DO_SPACE,
    DO_TEXT,
    DO_UNDER,
    DO_WORD,
};

struct command_row {
    const char *name;
    enum command what;
    uint32_t with; /* by command: a form, an accent, a width */
};

/* Grouped by meaning, not sorted: looked up once per command. */
static const struct command_row commands[] = {
    {"frac", DO_FRACTION, FRACTION_PLAIN},
    {"dfrac", DO_FRACTION, FRACTION_PLAIN},
    {"cfrac", DO_FRACTION, FRACTION_PLAIN},
    {"tfrac", DO_FRACTION, FRACTION_SMALL},
    {"binom", DO_BINOMIAL, 0},
    {"dbinom", DO_BINOMIAL, 0},
    {"tbinom", DO_BINOMIAL, 0},
    {"sqrt", DO_ROOT, 0},
    {"left", DO_LEFT, 0},
    {"middle", DO_MIDDLE, 0},
    {"text", DO_TEXT, 0},
    {"textrm", DO_TEXT, 0},
    {"textbf", DO_TEXT, 0},
    {"textit", DO_TEXT, 0},
    {"textsf", DO_TEXT, 0},
    {"texttt", DO_TEXT, 0},
    {"textnormal", DO_TEXT, 0},
    {"mbox", DO_TEXT, 0},
    {"hbox", DO_TEXT, 0},
    {"mathrm", DO_WORD, 0},
    {"mathsf", DO_WORD, 0},
    {"mathtt", DO_WORD, 0},
    {"mathit", DO_WORD, 0},
    {"mathnormal", DO_WORD, 0},
    {"operatorname", DO_OPERATOR, 0},
    {"operatorname*", DO_OPERATOR, 1},
    {"mathbf", DO_FONT, FONT_BOLD},
    {"boldsymbol", DO_FONT, FONT_BOLD},
    {"bm", DO_FONT, FONT_BOLD},
    {"pmb", DO_FONT, FONT_BOLD},
    {"mathbb", DO_FONT, FONT_DOUBLE},
    {"mathds", DO_FONT, FONT_DOUBLE},
    {"Bbb", DO_FONT, FONT_DOUBLE},
    {"mathcal", DO_FONT, FONT_SCRIPT},
    {"mathscr", DO_FONT, FONT_SCRIPT},
    {"mathfrak", DO_FONT, FONT_FRAKTUR},
    {"bf", DO_FONT_SWITCH, FONT_BOLD},
    {"cal", DO_FONT_SWITCH, FONT_SCRIPT},
    {"rm", DO_FONT_SWITCH, FONT_PLAIN},
    {"it", DO_FONT_SWITCH, FONT_PLAIN},
    {"hat", DO_ACCENT, 0x302},
    {"widehat", DO_ACCENT, 0x302},
    {"bar", DO_ACCENT, 0x304},
    {"tilde", DO_ACCENT, 0x303},
    {"widetilde", DO_ACCENT, 0x303},
    {"vec", DO_ACCENT, 0x20d7},
    {"overrightarrow", DO_ACCENT, 0x20d7},
    {"overleftarrow", DO_ACCENT, 0x20d6},
    {"overleftrightarrow", DO_ACCENT, 0x20e1},
    {"dot", DO_ACCENT, 0x307},
    {"ddot", DO_ACCENT, 0x308},
    {"dddot", DO_ACCENT, 0x20db},
    {"ddddot", DO_ACCENT, 0x20dc},
    {"check", DO_ACCENT, 0x30c},
    {"widecheck", DO_ACCENT, 0x30c},
    {"breve", DO_ACCENT, 0x306},
    {"acute", DO_ACCENT, 0x301},
    {"grave", DO_ACCENT, 0x300},
    {"mathring", DO_ACCENT, 0x30a},
    {"overline", DO_BAR, SIDE_OVER},
    {"underline", DO_BAR, SIDE_UNDER},
    {"underbar", DO_BAR, SIDE_UNDER},
    {"overbrace", DO_BRACE, SIDE_OVER},
    {"underbrace", DO_BRACE, SIDE_UNDER},
    {"overset", DO_OVER, 0},
    {"stackrel", DO_OVER, 0},
    {"underset", DO_UNDER, 0},
    {"xrightarrow", DO_ARROW, 0x2192},
    {"xleftarrow", DO_ARROW, 0x2190},
    {"xleftrightarrow", DO_ARROW, 0x2194},
    {"xRightarrow", DO_ARROW, 0x21d2},
    {"xLeftarrow", DO_ARROW, 0x21d0},
    {"xmapsto", DO_ARROW, 0x21a6},
    {"xhookrightarrow", DO_ARROW, 0x21aa},
    {"boxed", DO_BOX, 0},
    {"fbox", DO_BOX, 1},
    {"cancel", DO_CANCEL, 0},
    {"bcancel", DO_CANCEL, 0},
    {"xcancel", DO_CANCEL, 0},
    {"phantom", DO_PHANTOM, 0},
    {"hphantom", DO_PHANTOM, 0},
    {"not", DO_NOT, 0},
    {"color", DO_COLOR, 0},
    {"textcolor", DO_COLORED, 0},
    {"colorbox", DO_COLORED, 0},
    {"mathop", DO_CLASS, CLASS_OP},
    {"mathbin", DO_CLASS, CLASS_BIN},
    {"mathrel", DO_CLASS, CLASS_REL},
    {"mathord", DO_CLASS, CLASS_ORD},
    {"mathopen", DO_CLASS, CLASS_OPEN},
    {"mathclose", DO_CLASS, CLASS_CLOSE},
    {"mathpunct", DO_CLASS, CLASS_PUNCT},
    {"mathinner", DO_CLASS, CLASS_INNER},
    {"ensuremath", DO_GROUP, 0},
    {"smash", DO_GROUP, 0},
    {"substack", DO_LINES, 0},
    {"begin", DO_BEGIN, 0},
    {"pmod", DO_MODULO, 'p'},
    {"mod", DO_MODULO, 'm'},
    {"pod", DO_MODULO, 'o'},
    {"abs", DO_FENCE, '|'},
    {"norm", DO_FENCE, 0x2016},
    {"ket", DO_FENCE, '>'},
    {"bra", DO_FENCE, '<'},
    {"braket", DO_FENCE, 'b'},
    {"big", DO_BIG, CLASS_INNER},
    {"Big", DO_BIG, CLASS_INNER},
    {"bigg", DO_BIG, CLASS_INNER},
    {"Bigg", DO_BIG, CLASS_INNER},
    {"bigl", DO_BIG, CLASS_OPEN},
    {"Bigl", DO_BIG, CLASS_OPEN},
    {"biggl", DO_BIG, CLASS_OPEN},
    {"Biggl", DO_BIG, CLASS_OPEN},
    {"bigr", DO_BIG, CLASS_CLOSE},
    {"Bigr", DO_BIG, CLASS_CLOSE},
    {"biggr", DO_BIG, CLASS_CLOSE},
    {"Biggr", DO_BIG, CLASS_CLOSE},
    {"bigm", DO_BIG, CLASS_REL},
    {"Bigm", DO_BIG, CLASS_REL},
    {"biggm", DO_BIG, CLASS_REL},
    {"Biggm", DO_BIG, CLASS_REL},
    {" ", DO_SPACE, 1},
    {",", DO_SPACE, 1},
    {":", DO_SPACE, 1},
    {">", DO_SPACE, 1},
    {";", DO_SPACE, 1},
    {"!", DO_NOTHING, 0},
    {"/", DO_NOTHING, 0},
    {"\n", DO_SPACE, 1},
    {"quad", DO_SPACE, 2},
    {"qquad", DO_SPACE, 4},
    {"enspace", DO_SPACE, 1},
    {"thinspace", DO_SPACE, 1},
    {"medspace", DO_SPACE, 1},
    {"thickspace", DO_SPACE, 1},
    {"space", DO_SPACE, 1},
    {"nobreakspace", DO_SPACE, 1},
    {"negthinspace", DO_NOTHING, 0},
    {"hspace", DO_LENGTH, 2},
    {"mspace", DO_LENGTH, 1},
    {"vspace", DO_LENGTH, 0},
    {"label", DO_LENGTH, 0},
    {"vphantom", DO_LENGTH, 0},
    {"displaystyle", DO_NOTHING, 0},
    {"textstyle", DO_NOTHING, 0},
    {"scriptstyle", DO_NOTHING, 0},
    {"scriptscriptstyle", DO_NOTHING, 0},
    {"nonumber", DO_NOTHING, 0},
    {"notag", DO_NOTHING, 0},
    {"mathstrut", DO_NOTHING, 0},
    {"strut", DO_NOTHING, 0},
    {"allowbreak", DO_NOTHING, 0},
    {"nobreak", DO_NOTHING, 0},
    {"relax", DO_NOTHING, 0},
    {"large", DO_NOTHING, 0},
    {"Large", DO_NOTHING, 0},
    {"small", DO_NOTHING, 0},
    {"normalsize", DO_NOTHING, 0},
    {"hfill", DO_SPACE, 2},
};

/* A node built from its arguments. */
static int with(struct math_parser *p, int n, int a, int b, int c)
{
    if (p->failed)
        return 0;
    node(p, n)->a = a;
    node(p, n)->b = b;
    node(p, n)->c = c;
    return n;
}

static int form_of(struct math_parser *p, int n, uint32_t form)
{
    if (!p->failed)
        node(p, n)->form = (uint8_t)form;
    return p->failed ? 0 : n;
}

static int fenced(struct math_parser *p, int inside, int open, int close)
{
    int n = math_node(p, MATH_DELIM, CLASS_OPEN);
    if (!p->failed && open)
        node(p, open)->class = CLASS_OPEN;
    if (!p->failed && close)
        node(p, close)->class = CLASS_CLOSE;
    return with(p, n, inside, open, close);
}

static int parse_fraction(struct math_parser *p, enum math_fraction form)
{
    int n = math_node(p, MATH_FRACTION, CLASS_INNER);
    if (math_take(p, '[')) { /* \cfrac[l] */
        while (p->at < p->len && !math_next_is(p, ']'))
            p->at++;
        if (!math_take(p, ']'))
            return math_fail(p);
    }
    int above = math_parse_argument(p), below = math_parse_argument(p);
    return form_of(p, with(p, n, above, below, 0), form);
}

static int named(struct math_parser *p, const char *name)
{
    return math_symbol_node(p, math_symbol(name, strlen(name)));
}

static int parse_binomial(struct math_parser *p)
{
    int n = parse_fraction(p, FRACTION_CHOOSE);
    return p->failed ? 0 : fenced(p, n, named(p, "("), named(p, ")"));
}

/* The delimiter after \left, \right, \middle and \big; 0 for the invisible one. */
static int parse_delimiter(struct math_parser *p)
{
    const struct math_symbol *symbol = NULL;
    math_skip_spaces(p);
    if (p->at >= p->len)
        return math_fail(p);
    struct math_name name = math_take_command(p);
    if (name.len > 0) {
        symbol = math_symbol(name.s, name.len);
    } else {
        char c = p->s[p->at++];
        if (c == '.')
            return 0;
        const char *as = c == '<' ? "langle" : c == '>' ? "rangle" : c == '|' ? "vert" : "slash";
        if (strchr("<>|/", c) && c)
            symbol = math_symbol(as, strlen(as));
        else
            symbol = math_symbol(&c, 1);
    }
    if (!symbol || !(symbol->flags & SYMBOL_DELIM))
        return math_fail(p);
    return math_symbol_node(p, symbol);
}

static int parse_left(struct math_parser *p)
{
    int open = parse_delimiter(p), inside = p->failed ? 0 : math_parse_row(p, false);
    if (p->failed || !name_is(math_take_command(p), "right"))
        return math_fail(p);
    return fenced(p, inside, open, parse_delimiter(p));
}

static int parse_root(struct math_parser *p)
{
    int n = math_node(p, MATH_ROOT, CLASS_ORD), degree = math_parse_optional(p);
    return with(p, n, p->failed ? 0 : math_parse_argument(p), degree, 0);
}

static int parse_accent(struct math_parser *p, struct math_name name, uint32_t mark)
{
    int n = math_node(p, MATH_ACCENT, CLASS_ORD), on = math_parse_argument(p);
    if (p->failed)
        return 0;
    node(p, n)->cp = mark;
    node(p, n)->word = name.s[0] == 'w' ||
                       name.s[0] == 'o'; /* \wide.., \over..: as wide as its base */
    return with(p, n, on, 0, 0);
}

static int parse_font(struct math_parser *p, enum math_font font)
{
    enum math_font before = p->font;
    p->font = font;
    int n = math_parse_argument(p);
    p->font = before;
    return n;
}

static int parse_operator(struct math_parser *p, bool limits)
{
    int n = math_parse_word(p);
    if (n == 0 && !p->failed)
        n = math_parse_argument(p);
    if (p->failed)
        return 0;
    node(p, n)->class = CLASS_OP;
    return form_of(p, n, limits);
}

static int parse_stack(struct math_parser *p, bool over)
{
    int script = math_parse_argument(p), base = math_parse_argument(p);
    if (p->failed)
        return 0;
    int class = node(p, base)->class;
    for (int i = base; node(p, i)->kind == MATH_ROW && class == CLASS_ORD;
         class = node(p, i)->class)
        if ((i = node(p, i)->a) == 0 || node(p, i)->next)
            break;
    int n = math_node(p, MATH_SCRIPTS, (enum math_class) class);
    return form_of(p, with(p, n, base, over ? 0 : script, over ? script : 0), 1);
}

static int parse_arrow(struct math_parser *p, uint32_t cp)
{
    int n = math_node(p, MATH_ARROW, CLASS_REL), under = math_parse_optional(p);
    int over = p->failed ? 0 : math_parse_argument(p);
    return with(p, n, over, under, math_char_node(p, cp));
}

/* The next sign, struck through: Unicode's character for it, or one with a combining stroke. */
static int parse_not(struct math_parser *p)
{
    int n = math_parse_argument(p);
    if (p->failed || node(p, n)->kind != MATH_ATOM || node(p, n)->negated)
        return math_fail(p);
    char *text = p->t->text.data + node(p, n)->text, struck[64];
    size_t len = node(p, n)->len;
    if (len > 32)
        return math_fail(p);
    node(p, n)->negated = true;
    memcpy(struck + 1, text, len);
    if (p->t->ascii) {
        struck[0] = '!';
        math_set_text(p, n, struck, len + 1);
        return n;
    }
    memcpy(struck + 1 + len, "\u0338", 3);
    utf8proc_uint8_t *composed = utf8proc_NFC((utf8proc_uint8_t *)struck + 1);
    if (!composed)
        return math_fail(p);
    math_set_text(p, n, (const char *)composed, strlen((const char *)composed));
    free(composed);
    return n;
}

static int parse_class(struct math_parser *p, enum math_class class)
{
    int n = math_parse_argument(p);
    if (p->failed)
        return 0;
    node(p, n)->class = (uint8_t) class;
    return node(p, n)->kind == MATH_ROW ? form_of(p, n, class == CLASS_OP) : n;
}

static int parse_big(struct math_parser *p, enum math_class class)
{
    int n = parse_delimiter(p);
    if (!p->failed && n && class != CLASS_INNER)
        node(p, n)->class = (uint8_t) class;
    return n;
}

static int parse_middle(struct math_parser *p)
{
    int n = parse_delimiter(p);
    if (p->failed || n == 0)
        return math_fail(p);
    node(p, n)->class = CLASS_REL;
    return form_of(p, n, 1);
}

/* (mod n), mod n, (n). */
static int parse_modulo(struct math_parser *p, uint32_t how)
{
    struct math_list list = {0};
    int row = math_node(p, MATH_ROW, CLASS_ORD), of = math_parse_argument(p);
    int space = form_of(p, math_node(p, MATH_SPACE, CLASS_ORD), 2);
    if (how != 'o') {
        int word = named(p, "bmod");
        if (!p->failed)
            node(p, word)->class = CLASS_OP;
        math_list_add(p, &list, word);
    }
    math_list_add(p, &list, of);
    int inside = with(p, math_node(p, MATH_ROW, CLASS_ORD), list.first, 0, 0);
    if (how != 'm')
        inside = fenced(p, inside, named(p, "("), named(p, ")"));
    list = (struct math_list){0};
    math_list_add(p, &list, space);
    math_list_add(p, &list, inside);
    return with(p, row, list.first, 0, 0);
}

static int parse_fence(struct math_parser *p, uint32_t how)
{
    int inside = math_parse_argument(p);
    const char *open = how == '|' || how == '>' ? "vert" : how == 0x2016 ? "Vert" : "langle";
    const char *close = how == '|' || how == '<' ? "vert" : how == 0x2016 ? "Vert" : "rangle";
    return p->failed ? 0 : fenced(p, inside, named(p, open), named(p, close));
}

static int parse_lines(struct math_parser *p)
{
    if (!math_take(p, '{'))
        return math_fail(p);
    int n = math_parse_table(p, TABLE_LINES);
    return math_take(p, '}') ? n : math_fail(p);
}

/* \hspace{1cm}: centimetres do not apply to rows of characters. */
static int parse_length(struct math_parser *p, uint32_t columns)
{
    struct math_name ignored;
    math_take(p, '*');
    if (!math_raw_argument(p, &ignored))
        return math_fail(p);
    bool back = ignored.len > 0 && ignored.s[0] == '-';
    return columns && !back ? form_of(p, math_node(p, MATH_SPACE, CLASS_ORD), columns) : 0;
}

static int parse_color(struct math_parser *p, bool colored)
{
    struct math_name ignored;
    if (!math_raw_argument(p, &ignored))
        return math_fail(p);
    return colored ? math_parse_argument(p) : 0;
}

static int parse_around(struct math_parser *p, enum math_kind kind, uint32_t form)
{
    int n = math_node(p, kind, CLASS_ORD);
    return form_of(p, with(p, n, math_parse_argument(p), 0, 0), form);
}

static int parse_box(struct math_parser *p, bool text)
{
    int n = math_node(p, MATH_BOXED, CLASS_ORD);
    return with(p, n, text ? math_parse_text(p) : math_parse_argument(p), 0, 0);
}

static int parse_word(struct math_parser *p)
{
    int n = math_parse_word(p);
    return n || p->failed ? n : parse_font(p, FONT_PLAIN);
}

int math_parse_command(struct math_parser *p, struct math_name name)
{
    const struct command_row *row = NULL;
    for (size_t i = 0; i < sizeof commands / sizeof *commands && !row; i++)
        if (name_is(name, commands[i].name))
            row = &commands[i];
    if (!row) {
        const struct math_symbol *symbol = math_symbol(name.s, name.len);
        bool plain = name.len == 1 && strchr("()[]", name.s[0]);
        return symbol && !plain ? math_symbol_node(p, symbol) : math_fail(p);
    }
    switch (row->what) {
    case DO_ACCENT: return parse_accent(p, name, row->with);
    case DO_ARROW: return parse_arrow(p, row->with);
    case DO_BAR: return parse_around(p, MATH_BAR, row->with);
    case DO_BEGIN: return math_parse_environment(p);
    case DO_BIG: return parse_big(p, (enum math_class)row->with);
    case DO_BINOMIAL: return parse_binomial(p);
    case DO_BOX: return parse_box(p, row->with);
    case DO_BRACE: return parse_around(p, MATH_BRACE, row->with);
    case DO_CANCEL: return parse_around(p, MATH_CANCEL, 0);
    case DO_CLASS: return parse_class(p, (enum math_class)row->with);
    case DO_COLOR: return parse_color(p, false);
    case DO_COLORED: return parse_color(p, true);
    case DO_FENCE: return parse_fence(p, row->with);
    case DO_FONT: return parse_font(p, (enum math_font)row->with);
    case DO_FONT_SWITCH: p->font = (enum math_font)row->with; return 0;
    case DO_FRACTION: return parse_fraction(p, (enum math_fraction)row->with);
    case DO_GROUP: return math_parse_argument(p);
    case DO_LEFT: return parse_left(p);
    case DO_LENGTH: return parse_length(p, row->with);
    case DO_LINES: return parse_lines(p);
    case DO_MIDDLE: return parse_middle(p);
    case DO_MODULO: return parse_modulo(p, row->with);
    case DO_NOT: return parse_not(p);
    case DO_NOTHING: return 0;
    case DO_OPERATOR: return parse_operator(p, row->with);
    case DO_OVER: return parse_stack(p, true);
    case DO_PHANTOM: return parse_around(p, MATH_PHANTOM, 0);
    case DO_ROOT: return parse_root(p);
    case DO_SPACE: return form_of(p, math_node(p, MATH_SPACE, CLASS_ORD), row->with);
    case DO_TEXT: return math_parse_text(p);
    case DO_UNDER: return parse_stack(p, false);
    case DO_WORD: return parse_word(p);
    }
    return 0;
}
