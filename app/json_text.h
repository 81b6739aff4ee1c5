/* json_text.h - text from outside as a JSON string, which must be UTF-8. */
#ifndef APP_JSON_TEXT_H
#define APP_JSON_TEXT_H

#include <jansson.h>

/* Each bad part becomes U+FFFD. A new reference; NULL only where memory is short. */
json_t *json_text(const char *text);

#endif
