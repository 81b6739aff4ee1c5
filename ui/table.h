/*
 * table.h: a table's cells, gathered and then laid out: columns as wide as they need to be,
 * narrower with their text wrapped where the window is too small, and scrolling sideways where it
 * is far too small.
 */
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include "lines.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TABLE_COLUMNS_MAX = 64, /* cells beyond share the last column */
};

enum table_align { TABLE_LEFT, TABLE_CENTER, TABLE_RIGHT };

/* Of a table that goes on in the next piece of the text. */
struct table_columns {
    int n;
    uint16_t width[TABLE_COLUMNS_MAX];
};

struct table_cell {
    struct runs runs;
    enum table_align align;
};

struct table {
    int columns;
    struct table_cell *cells; /* row by row, [n / columns, columns] */
    size_t n, cap;
};

void table_free(struct table *t);

/* Takes the runs, which are empty then. False: out of memory. */
bool table_add(struct table *t, struct runs *runs, enum table_align align);

/*
 * Lays the table out. `goes_on`: its columns are those of `columns`, and the first row, its header,
 * was shown; else they are set.
 */
void table_lay(const struct table *t, struct lines *l, struct margin *margin, int width,
               bool goes_on, struct table_columns *columns);

#endif
