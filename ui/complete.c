/*
 * complete.c: completion of slash commands. What they do is not known here.
 */
#include "complete.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

void complete_init(struct complete *c, const struct ui_command *commands, size_t n)
{
    *c = (struct complete){.commands = commands, .n_commands = n};
}

void complete_update(struct complete *c, const char *draft, size_t len)
{
    c->n = c->selected = 0;
    c->dismissed = false;
    if (len == 0 || draft[0] != '/' || memchr(draft, ' ', len) || memchr(draft, '\n', len))
        return;
    for (size_t i = 0; i < c->n_commands && c->n < COMPLETE_MAX; i++)
        if (strncmp(c->commands[i].name, draft, len) == 0)
            c->matches[c->n++] = i;
}

bool complete_is_open(const struct complete *c)
{
    return c->n > 0 && !c->dismissed;
}

void complete_dismiss(struct complete *c)
{
    c->dismissed = true;
}

void complete_move(struct complete *c, int rows)
{
    int n = (int)c->n;
    if (n > 0)
        c->selected = (size_t)(((int)c->selected + rows % n + n) % n);
}

const struct ui_command *complete_chosen(const struct complete *c)
{
    return complete_is_open(c) ? &c->commands[c->matches[c->selected]] : NULL;
}

int complete_rows(const struct complete *c)
{
    if (!complete_is_open(c))
        return 0;
    return c->n < COMPLETE_ROWS ? (int)c->n : COMPLETE_ROWS;
}

static int label_width(const struct ui_command *command)
{
    return text_width(command->name, strlen(command->name)) + 1 +
           text_width(command->args, strlen(command->args));
}

void complete_draw(const struct complete *c, struct grid *g, int row, int col, int rows, int width)
{
    size_t top = c->selected < (size_t)rows ? 0 : c->selected + 1 - (size_t)rows;
    int help_col = 0;

    for (size_t i = 0; i < c->n; i++) {
        int n = label_width(&c->commands[c->matches[i]]);
        if (n > help_col)
            help_col = n;
    }
    grid_blank(g, row, col, rows, width);
    for (int i = 0; i < rows && top + (size_t)i < c->n; i++) {
        const struct ui_command *command = &c->commands[c->matches[top + (size_t)i]];
        int at = col + 2;
        at += grid_label(g, row + i, at, width - 3, command->name, STYLE_KEY) + 1;
        grid_label(g, row + i, at, col + width - 1 - at, command->args, STYLE_DIM);
        if (help_col + 16 < width)
            grid_label(g, row + i, col + 2 + help_col + 2, width - help_col - 5, command->help,
                       STYLE_DIM);
        if (top + (size_t)i == c->selected)
            grid_restyle(g, row + i, col, width, STYLE_SELECTED);
    }
}
