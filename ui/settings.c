/*
 * settings.c: the user's keys and colours, validated as they are set; the screen takes a copy.
 */
#include "settings.h"

#include <stdlib.h>

struct ui_settings *ui_settings_new(void)
{
    struct ui_settings *s = calloc(1, sizeof *s);
    if (s)
        keymap_init(&s->keymap);
    return s;
}

void ui_settings_free(struct ui_settings *s)
{
    free(s);
}

int ui_settings_bind(struct ui_settings *s, const char *place, const char *action, const char *keys,
                     char *err, size_t errlen)
{
    return keymap_bind(&s->keymap, place, action, keys, err, errlen);
}

int ui_settings_color(struct ui_settings *s, const char *role, const char *value, char *err,
                      size_t errlen)
{
    return theme_overrides_set(&s->overrides, role, value, err, errlen);
}

void ui_settings_keys(const struct ui_settings *s,
                      void (*each)(void *ud, const struct ui_key_row *row), void *ud)
{
    const struct keymap *map = &s->keymap;
    char keys[KEYMAP_KEYS_MAX];

    for (int place = 0; place < IN_PLACES; place++)
        for (size_t i = 0; i < map->n_rows; i++) {
            const struct keymap_row *row = &map->rows[i];
            if ((int)row->place != place)
                continue;
            keymap_keys(map, row->place, row->action, keys);
            each(ud, &(struct ui_key_row){
                         .title = keymap_place_title(row->place),
                         .place = keymap_place_name(row->place),
                         .action = row->name,
                         .keys = keys,
                         .help = row->help,
                     });
        }
}
