/*
 * table.h: a table's cells, collected and then laid out: columns as wide as their content, narrower
 * and wrapped if the window is too small, or scrolling sideways if it is far too small.
 */
#ifndef UI_MARKDOWN_TABLE_H
#define UI_MARKDOWN_TABLE_H

#include "markdown/lines.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TABLE_COLUMNS_MAX = 64, /* excess cells share the last column */
};

enum table_align { TABLE_LEFT, TABLE_CENTER, TABLE_RIGHT };

/* For a table that continues in the next piece of the text. */
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

/* Takes over the runs and leaves them empty. False: out of memory. */
bool table_add(struct table *t, struct runs *runs, enum table_align align);

/*
 * Lays out the table. `continues`: uses the widths in `columns`, and skips the first row, the
 * header already shown; else sets them.
 */
void table_layout(const struct table *t, struct lines *l, struct margin *margin, int width,
                  bool continues, struct table_columns *columns);

#endif
