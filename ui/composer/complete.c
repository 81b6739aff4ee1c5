/*
 * complete.c: completion of slash commands and their arguments. Does not know what they do.
 */
#include "composer/complete.h"
#include "text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void complete_init(struct complete *c, const struct ui_command *commands, size_t n)
{
    *c = (struct complete){.commands = commands, .n_commands = n};
}

static void clear(struct complete *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->offers[i].own);
    c->n = c->selected = 0;
}

void complete_done(struct complete *c)
{
    clear(c);
    free(c->offers);
    c->offers = NULL;
}

static bool add(struct complete *c, struct complete_offer offer)
{
    if (!c->offers && !(c->offers = calloc(COMPLETE_MAX, sizeof *c->offers)))
        return false;
    if (c->n == COMPLETE_MAX)
        return false;
    c->offers[c->n++] = offer;
    return true;
}

struct asked {
    struct complete *complete;
    const char *typed;
    size_t len;
};

static void offer(void *sink, const char *word, const char *help)
{
    struct asked *asked = sink;
    char *own;

    if (strncmp(word, asked->typed, asked->len) != 0 || strpbrk(word, "\n\r"))
        return;
    /* The help text follows the word's NUL. */
    size_t n = strlen(word) + 1, m = help ? strlen(help) + 1 : 1;
    if (!(own = malloc(n + m)))
        return;
    memcpy(own, word, n);
    memcpy(own + n, help ? help : "", m);
    if (!add(asked->complete, (struct complete_offer){own, "", own + n, own}))
        free(own);
}

static void offer_arguments(struct complete *c, const char *draft, size_t len, size_t name)
{
    struct asked asked = {.complete = c};

    c->from = name;
    while (c->from < len && draft[c->from] == ' ')
        c->from++;
    asked.typed = draft + c->from;
    asked.len = len - c->from;
    if (c->source)
        c->source(c->source_ud, draft, offer, &asked);
    /* A word typed in full needs no list. */
    if (c->n == 1 && strlen(c->offers[0].word) == asked.len)
        clear(c);
}

void complete_update(struct complete *c, const char *draft, size_t len)
{
    if (c->held) {
        c->held = c->n > 1;
        if (c->n > c->selected && c->from <= len &&
            strcmp(draft + c->from, c->offers[c->selected].word) == 0)
            return;
    }
    clear(c);
    c->dismissed = c->moved = c->held = false;
    c->from = 0;
    if (len == 0 || draft[0] != '/' || draft[1] == '/' || memchr(draft, '\n', len))
        return;
    const char *space = memchr(draft, ' ', len);
    if (space) {
        offer_arguments(c, draft, len, (size_t)(space - draft));
        return;
    }
    for (size_t i = 0; i < c->n_commands; i++) {
        const struct ui_command *command = &c->commands[i];
        if (strncmp(command->name, draft, len) == 0 &&
            !add(c, (struct complete_offer){command->name, command->args, command->help, NULL}))
            return;
    }
}

bool complete_is_open(const struct complete *c)
{
    return c->n > 0 && !c->dismissed;
}

void complete_dismiss(struct complete *c)
{
    c->dismissed = true;
    c->held = false;
}

void complete_move(struct complete *c, int rows)
{
    int n = (int)c->n;
    if (n > 0)
        c->selected = (size_t)(((int)c->selected + rows % n + n) % n);
    c->moved = true;
}

const struct complete_offer *complete_chosen(const struct complete *c)
{
    return complete_is_open(c) ? &c->offers[c->selected] : NULL;
}

size_t complete_common(const struct complete *c)
{
    size_t common = c->n > 0 ? strlen(c->offers[0].word) : 0;
    for (size_t i = 1; i < c->n; i++)
        for (size_t k = 0; k < common; k++)
            if (c->offers[i].word[k] != c->offers[0].word[k])
                common = k;
    return common > 0 ? text_whole(c->offers[0].word, common) : 0;
}

int complete_rows(const struct complete *c)
{
    if (!complete_is_open(c))
        return 0;
    return c->n < COMPLETE_ROWS ? (int)c->n : COMPLETE_ROWS;
}

static int label_width(const struct complete_offer *offer)
{
    return text_width(offer->word, strlen(offer->word)) + 1 +
           text_width(offer->args, strlen(offer->args));
}

void complete_draw(const struct complete *c, struct grid *g, struct area area)
{
    int row = area.row, col = area.col, rows = area.height, width = area.width;
    size_t top = c->selected < (size_t)rows ? 0 : c->selected + 1 - (size_t)rows;
    int help_col = 0;

    for (size_t i = top; i < c->n && i < top + (size_t)rows; i++) {
        int n = label_width(&c->offers[i]);
        if (n > help_col)
            help_col = n;
    }
    grid_blank(g, area);
    for (int i = 0; i < rows && top + (size_t)i < c->n; i++) {
        const struct complete_offer *o = &c->offers[top + (size_t)i];
        int at = col + 2;
        at += grid_label(g, row + i, at, width - 3, o->word, STYLE_KEY) + 1;
        grid_label(g, row + i, at, col + width - 1 - at, o->args, STYLE_DIM);
        if (help_col + 16 < width)
            grid_label(g, row + i, col + 2 + help_col + 2, width - help_col - 5, o->help,
                       STYLE_DIM);
        if (top + (size_t)i == c->selected && (c->from == 0 || c->moved))
            grid_restyle(g, row + i, col, width, STYLE_SELECTED);
    }
}
