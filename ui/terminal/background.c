/*
 * background.c: queries the terminal's background and parses its replies. Sends nothing itself.
 */
#include "terminal/background.h"

#include <stdlib.h>
#include <string.h>

const char background_query[] = "\033]11;?\033\\\033[c";

enum ui_theme background_guess(void)
{
    const char *says = getenv("COLORFGBG"), *last = says ? strrchr(says, ';') : NULL;
    char *end;

    if (!last)
        return UI_THEME_DARK;
    long color = strtol(last + 1, &end, 10);
    /* Of the 16 colours: white and the bright ones, except bright black, which is grey. */
    bool light = end != last + 1 && *end == '\0' && (color == 7 || (color > 8 && color < 16));
    return light ? UI_THEME_LIGHT : UI_THEME_DARK;
}

/* Parses one channel of "rgb:ffff/8080/0000" as 0 to 1 and advances *s past it. */
static double channel(const char **s)
{
    char *end;
    size_t digits = strspn(*s, "0123456789abcdefABCDEF");
    long value = strtol(*s, &end, 16);
    *s = end + (*end == '/');
    return digits >= 1 && digits <= 4 ? (double)value / (double)((1L << 4 * digits) - 1) : 0;
}

bool background_answer(const char *report, enum ui_theme *theme_out)
{
    size_t len = strlen(report);

    *theme_out = UI_THEME_AUTO;
    if (strncmp(report, "\033[?", 3) == 0 && report[len - 1] == 'c')
        return true;
    if (strncmp(report, "\033]11;rgb", 8) != 0)
        return false;
    const char *s = report + 8 + (report[8] == 'a');
    if (*s++ != ':')
        return false;
    double red = channel(&s), green = channel(&s), blue = channel(&s);
    *theme_out = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 ? UI_THEME_LIGHT : UI_THEME_DARK;
    return true;
}
