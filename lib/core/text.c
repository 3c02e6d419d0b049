#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The character at `p`, and in *length its bytes; none where they are no UTF-8 (RFC 3629). */
static uint32_t next_character(const unsigned char *p, size_t *length)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    *length = 0;
    for (size_t n = 1; n <= 4; n++) {
        if ((*p & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        uint32_t code = *p & (unsigned char)~forms[n - 1].mask;
        for (size_t i = 1; i < n; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (p[i] & 0x3f);
        }
        if (code >= forms[n - 1].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff))
            *length = n;
        return code;
    }
    return 0;
}

size_t text_utf8_length(const char *text)
{
    size_t length;
    next_character((const unsigned char *)text, &length);
    return length;
}

static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* What the first character, or a byte that is none, is shown as; returns the bytes of `text`
 * that this stands for. */
static size_t show_next(char shown[4 * TEXT_GROWTH + 1], const char *text)
{
    size_t length;
    uint32_t code = next_character((const unsigned char *)text, &length);
    if (length && !is_harmful(code)) {
        memcpy(shown, text, length);
        shown[length] = '\0';
        return length;
    }
    length = length ? length : 1;
    for (size_t i = 0; i < length; i++)
        snprintf(shown + 4 * i, 5, "\\x%02x", (unsigned char)text[i]);
    return length;
}

size_t text_harmless(char *to, size_t size, const char *text)
{
    char shown[4 * TEXT_GROWTH + 1];
    size_t used = 0;
    while (*text) {
        text += show_next(shown, text);
        size_t length = strlen(shown);
        if (used + length >= size)
            break;
        memcpy(to + used, shown, length);
        used += length;
    }
    to[used] = '\0';
    return used;
}

void text_put(FILE *to, const char *text)
{
    char shown[4 * TEXT_GROWTH + 1];
    while (*text) {
        text += show_next(shown, text);
        fputs(shown, to);
    }
}

/* Line feeds between members are JSON's own; inside strings there are none. */
void text_put_json(FILE *to, const char *json)
{
    while (*json) {
        size_t length;
        uint32_t code = next_character((const unsigned char *)json, &length);
        bool hide = length && code >= 0x7f && is_harmful(code);
        if (hide)
            fprintf(to, "\\u%04x", (unsigned)code);
        else
            fwrite(json, 1, length ? length : 1, to);
        json += length ? length : 1;
    }
}

const char *text_duration(char *to, size_t size, double seconds)
{
    if (seconds < 90)
        snprintf(to, size, "%.0f s", seconds);
    else if (seconds < 90 * 60)
        snprintf(to, size, "%.0f min", seconds / 60);
    else if (seconds < 48 * 3600)
        snprintf(to, size, "%.1f h", seconds / 3600);
    else
        snprintf(to, size, "%.1f days", seconds / 86400);
    return to;
}

bool text_has(const char *text, size_t size, const char *word)
{
    size_t length = strlen(word);
    for (const char *end = text + size; (size_t)(end - text) >= length; text++) {
        text = memchr(text, word[0], (size_t)(end - text) - length + 1);
        if (!text)
            return false;
        if (memcmp(text, word, length) == 0)
            return true;
    }
    return false;
}
