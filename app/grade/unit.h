/* unit.h - units of measure behind a number: what kind of thing, and how much of it. */
#ifndef APP_GRADE_UNIT_H
#define APP_GRADE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

enum dimension {
    UNIT_NONE, /* no unit, or none of the table */
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
    long num, den; /* of these the unit that the dimension is measured in makes up one */
};

/* The unit with that name, singular or plural; false: none of the table. */
bool unit_find(const char *word, size_t len, struct unit *out);

#endif
