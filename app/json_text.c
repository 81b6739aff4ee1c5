/* json_text.c - see json_text.h. */
#include "app/json_text.h"

#include <string.h>

#include "app/str.h"

json_t *json_text(const char *text)
{
    struct str valid = {0};
    str_add_valid(&valid, text, strlen(text));
    json_t *value = json_string(str_get(&valid));
    str_done(&valid);
    return value;
}
