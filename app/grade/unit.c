/* unit.c - see unit.h. Only exact ratios: an inch is 254/10000 of a metre. */
#include "app/grade/unit.h"

#include <ctype.h>
#include <string.h>

#include "app/grade/lex.h"

static const struct {
    const char *names; /* between spaces */
    enum dimension dimension;
    long num, den;
} units[] = {
    {" mm millimeter millimeters millimetre millimetres ", UNIT_LENGTH, 1, 1000},
    {" cm centimeter centimeters centimetre centimetres ", UNIT_LENGTH, 1, 100},
    {" m meter meters metre metres ", UNIT_LENGTH, 1, 1},
    {" km kilometer kilometers kilometre kilometres ", UNIT_LENGTH, 1000, 1},
    {" in inch inches ", UNIT_LENGTH, 254, 10000},
    {" ft foot feet ", UNIT_LENGTH, 3048, 10000},
    {" yd yard yards ", UNIT_LENGTH, 9144, 10000},
    {" mi mile miles ", UNIT_LENGTH, 1609344, 1000},
    {" ms millisecond milliseconds ", UNIT_TIME, 1, 1000},
    {" s sec secs second seconds ", UNIT_TIME, 1, 1},
    {" min mins minute minutes ", UNIT_TIME, 60, 1},
    {" h hr hrs hour hours ", UNIT_TIME, 3600, 1},
    {" day days ", UNIT_TIME, 86400, 1},
    {" week weeks ", UNIT_TIME, 604800, 1},
    {" mg milligram milligrams ", UNIT_MASS, 1, 1000},
    {" g gram grams ", UNIT_MASS, 1, 1},
    {" kg kilogram kilograms ", UNIT_MASS, 1000, 1},
    {" oz ounce ounces ", UNIT_MASS, 45359237, 1600000},
    {" lb lbs pound pounds ", UNIT_MASS, 45359237, 100000},
    {" ml milliliter milliliters millilitre millilitres ", UNIT_VOLUME, 1, 1000},
    {" l liter liters litre litres ", UNIT_VOLUME, 1, 1},
    {" dollar dollars usd ", UNIT_MONEY, 1, 1},
    {" cent cents ", UNIT_MONEY, 1, 100},
    {" degree degrees deg ", UNIT_ANGLE, 1, 1},
    {" percent ", UNIT_PERCENT, 1, 1},
    {" hundred ", UNIT_COUNT, 100, 1},
    {" thousand ", UNIT_COUNT, 1000, 1},
    {" million ", UNIT_COUNT, 1000000, 1},
    {" billion ", UNIT_COUNT, 1000000000, 1},
    {" trillion ", UNIT_COUNT, 1000000000000, 1},
    /* Not converted: only known not to be products of letters. */
    {" mph kph bpm rpm hz pts am pm pct ", UNIT_NONE, 1, 1},
};

bool unit_find(const char *word, size_t len, struct unit *out)
{
    char name[32] = " ";
    if (len == 0 || len + 3 > sizeof name)
        return false;
    for (size_t i = 0; i < len; i++)
        name[1 + i] = (char)tolower((unsigned char)word[i]);
    memcpy(name + 1 + len, " ", 2);
    if (strchr(name + 1, ' ') != name + 1 + len)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strstr(units[i].names, name)) {
            *out = (struct unit){units[i].dimension, 1, units[i].num, units[i].den};
            return true;
        }
    return false;
}

bool grade_is_unit(const char *word, size_t len)
{
    struct unit unit;
    return unit_find(word, len, &unit);
}
