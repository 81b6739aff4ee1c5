/* pattern.c - the table of fallbacks and the step over it. */
#include "text/pattern.h"

#include <stdlib.h>
#include <string.h>

bool pattern_step(struct pattern *p, char c)
{
    while (p->state > 0 && p->text[p->state] != c)
        p->state = p->back[p->state];
    p->state += p->text[p->state] == c;
    return p->state == p->len;
}

int pattern_init(struct pattern *p, const char *text)
{
    size_t len = strlen(text);
    *p = (struct pattern){.text = strdup(text), .back = calloc(len, sizeof *p->back), .len = len};
    if (!p->text || !p->back) {
        pattern_done(p);
        return -1;
    }
    /* A text's fallbacks are the states that the text itself, from its second byte on, drives it
     * through; each step needs only the fallbacks found before it. */
    for (size_t i = 1; i < len; i++) {
        p->back[i] = p->state;
        pattern_step(p, text[i]);
    }
    p->state = 0;
    return 0;
}

void pattern_done(struct pattern *p)
{
    free(p->text);
    free(p->back);
    *p = (struct pattern){0};
}
