/* tree.c - the conversation in memory: turns as a tree, and the path through it. history.c
 * copies it to the store. */
#include "app/chat/history.h"

#include <stdlib.h>

#include "app/clock.h"
#include "app/mem.h"

void history_mark_changed(struct history *h, bool urgent)
{
    if (h->changed_ms == 0)
        h->changed_ms = clock_ms();
    h->urgent = h->urgent || urgent;
}

static void free_turn(struct turn *turn)
{
    for (int k = 0; k < STORE_KINDS; k++)
        str_done(&turn->text[k]);
    for (int i = 0; i < turn->n_kept; i++)
        free(turn->kept[i]);
    free(turn);
}

struct turn *history_new_turn(struct history *h, struct turn *parent, enum store_role role,
                              enum store_state state)
{
    struct turn *t = mem_alloc(sizeof *t);
    h->all = mem_realloc(h->all, (h->n_all + 1) * sizeof *h->all);
    h->all[h->n_all++] = t;
    *t = (struct turn){
        .number = (int64_t)h->n_all,
        .role = role,
        .state = state,
        .parent = parent,
        .depth = parent->depth + 1,
    };
    if (parent->last)
        parent->last->next = t;
    else
        parent->first = t;
    parent->last = t;
    return t;
}

void history_clear(struct history *h)
{
    for (size_t i = 0; i < h->n_all; i++)
        free_turn(h->all[i]);
    free(h->all);
    free(h->turns);
    h->all = h->turns = NULL;
    h->n_all = h->n_turns = 0;
    h->root = (struct turn){0};
    h->leaf = &h->root;
}

/* The next turn of the path: the child it last went through, else the newest. NULL: the end. */
static struct turn *way_on(const struct turn *turn)
{
    return turn->chosen ? turn->chosen : turn->last;
}

void history_set_leaf(struct history *h, struct turn *leaf)
{
    h->leaf = leaf ? leaf : &h->root;
    h->n_turns = h->leaf->depth;
    h->turns = mem_realloc(h->turns, (h->n_turns + 1) * sizeof *h->turns);
    for (struct turn *t = h->leaf; t != &h->root; t = t->parent) {
        h->turns[t->depth - 1] = t;
        t->parent->chosen = t;
    }
    history_mark_changed(h, true);
}

void history_checkout(struct history *h, struct turn *turn)
{
    for (struct turn *on; (on = way_on(turn));)
        turn = on;
    history_set_leaf(h, turn);
}

bool history_is_on_path(const struct history *h, const struct turn *turn)
{
    return turn->depth > 0 && turn->depth <= h->n_turns && h->turns[turn->depth - 1] == turn;
}

struct turn *history_turn(const struct history *h, int64_t number)
{
    return number > 0 && (size_t)number <= h->n_all ? h->all[number - 1] : NULL;
}

/* Versions */

size_t turn_versions(const struct turn *turn, size_t *at)
{
    size_t n = 0;
    for (const struct turn *t = turn->parent->first; t; t = t->next) {
        n++;
        if (t == turn)
            *at = n;
    }
    return n;
}

struct turn *turn_version(const struct turn *turn, size_t n)
{
    struct turn *t = turn->parent->first;
    while (t && n > 1) {
        t = t->next;
        n--;
    }
    return n == 1 ? t : NULL;
}

/* Exchanges: a question and what answers it */

struct turn *turn_question(struct turn *turn)
{
    while (turn->depth > 0 && turn->role != STORE_USER)
        turn = turn->parent;
    return turn->depth > 0 ? turn : NULL;
}

struct turn *history_question(const struct history *h, size_t n)
{
    for (size_t i = 0; i < h->n_turns; i++)
        if (h->turns[i]->role == STORE_USER && --n == 0)
            return h->turns[i];
    return NULL;
}

size_t history_questions(const struct history *h)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_turns; i++)
        n += h->turns[i]->role == STORE_USER;
    return n;
}

bool history_undo(struct history *h)
{
    struct turn *question = turn_question(h->leaf);
    if (!question)
        return false;
    history_set_leaf(h, question->parent);
    return true;
}

bool history_redo(struct history *h)
{
    struct turn *t = way_on(h->leaf), *on;
    if (!t)
        return false;
    while ((on = way_on(t)) && on->role != STORE_USER)
        t = on;
    history_set_leaf(h, t);
    return true;
}

size_t history_n_undone(const struct history *h)
{
    size_t n = 0;
    for (const struct turn *t = way_on(h->leaf); t; t = way_on(t))
        n += t->role == STORE_USER;
    return n;
}

/* The window */

size_t history_window(const struct history *h, size_t n)
{
    for (size_t i = n < h->n_turns ? n : h->n_turns; i > 0; i--)
        if (h->turns[i - 1]->window_start)
            return i - 1;
    return 0;
}

void history_set_window(struct history *h, struct turn *turn)
{
    for (size_t i = 0; i < h->n_turns; i++)
        h->turns[i]->window_start = h->turns[i] == turn;
    h->window_changed = true;
    history_mark_changed(h, true);
}
