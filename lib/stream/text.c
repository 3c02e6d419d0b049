#include "stream/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the UTF-8 sequence at `s`, 0 when it is none. */
static size_t utf8_length(const char *s)
{
    for (size_t n = 1; n <= 4 && s[n - 1]; n++) {
        json_t *text = json_stringn(s, n);
        json_decref(text);
        if (text)
            return n;
    }
    return 0;
}

json_t *text_to_json(const char *text)
{
    json_t *json = json_string(text);
    if (json)
        return json;
    char *escaped = malloc(3 * strlen(text) + 1), *to = escaped;
    if (!escaped)
        return NULL;
    for (const char *p = text; *p;) {
        size_t n = utf8_length(p);
        to += n ? sprintf(to, "%.*s", (int)n, p) : sprintf(to, "%%%02X", (unsigned char)*p);
        p += n ? n : 1;
    }
    json = json_string(escaped);
    free(escaped);
    return json;
}
