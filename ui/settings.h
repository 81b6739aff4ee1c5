/*
 * settings.h: settings made before the screen opens, behind `struct ui_settings`.
 */
#ifndef UI_SETTINGS_H
#define UI_SETTINGS_H

#include "keys/keymap.h"
#include "terminal/theme.h"
#include "ui.h"

struct ui_settings {
    struct keymap keymap;
    struct theme_overrides overrides;
};

#endif
