/* unit.h - units of measure: the dimension, and the factor to its base unit. */
#ifndef APP_GRADE_UNIT_H
#define APP_GRADE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

enum dimension {
    UNIT_NONE, /* no unit, or not in the table */
    UNIT_LENGTH,
    UNIT_TIME,
    UNIT_MASS,
    UNIT_VOLUME,
    UNIT_MONEY,
    UNIT_ANGLE,
    UNIT_PERCENT,
    UNIT_COUNT, /* thousand, million: part of the number */
};

struct unit {
    enum dimension dimension;
    int power;     /* 2: of an area */
    long num, den; /* the factor to the base unit of the dimension */
};

/* Finds a unit by its name, singular or plural; false: not in the table. */
bool unit_find(const char *word, size_t len, struct unit *out);

#endif
