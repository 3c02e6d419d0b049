/* What samples and their members are called. */
#include "stream/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/names.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool sample_key_is_valid(const char *key)
{
    bool at_start = true;
    for (const char *p = key; *p; p++) {
        if (p - key >= SAMPLE_MAX_NAME || (!is_word(*p) && *p != '/') ||
            (at_start && (*p == '-' || *p == '/')))
            return false;
        at_start = *p == '/';
    }
    return !at_start;
}

bool member_name_is_valid(const char *name)
{
    bool at_start = true;
    for (const char *p = name; *p; p++) {
        if (p - name >= SAMPLE_MAX_NAME || (*p == '.' ? at_start : !is_word(*p)))
            return false;
        at_start = *p == '.';
    }
    return !at_start;
}

char *sample_key_from_path(const char *path)
{
    size_t length;
    const char *base = names_stem(path, &length);
    if (length > SAMPLE_MAX_NAME)
        length = SAMPLE_MAX_NAME;
    char *key = malloc(length + 2);
    if (!key)
        return NULL;
    for (size_t i = 0; i < length; i++)
        key[i] = is_word(base[i]) ? base[i] : '_';
    if (length == 0)
        key[length++] = '_';
    if (key[0] == '-')
        key[0] = '_';
    key[length] = 0;
    return key;
}

void sample_image_key(const char *key, char *image, size_t size)
{
    snprintf(image, size, "%s", key);
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(image, '/');
        if (slash)
            *slash = '\0';
    }
}

/* ---- keys of other programs ---- */

/* Whether a component, which ends at a slash or the end, can be in a key at all. */
static bool is_sensible(const char *component, size_t length)
{
    bool is_dots = length <= 2 && strspn(component, ".") >= length;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)component[i] < 0x20 || component[i] == 0x7f)
            return false;
    return length && !is_dots && component[0] != '-';
}

static bool all_are_sensible(const char *key)
{
    for (;;) {
        size_t length = strcspn(key, "/");
        if (!is_sensible(key, length))
            return false;
        if (!key[length])
            return true;
        key += length + 1;
    }
}

bool key_make_valid(const char *key, char valid[SAMPLE_MAX_NAME + 1])
{
    static const size_t most = SAMPLE_MAX_NAME - 9;
    size_t n = 0;
    if (sample_key_is_valid(key)) {
        snprintf(valid, SAMPLE_MAX_NAME + 1, "%s", key);
        return true;
    }
    if (!all_are_sensible(key))
        return false;
    for (const char *p = key; *p && n < most; p++) {
        bool continues = ((unsigned char)*p & 0xc0) == 0x80; /* a character of UTF-8 */
        if (is_word(*p) || *p == '/')
            valid[n++] = *p;
        else if (!continues || n == 0 || valid[n - 1] != '_')
            valid[n++] = '_';
    }
    if (valid[n - 1] == '/')
        valid[n - 1] = '_';
    snprintf(valid + n, SAMPLE_MAX_NAME + 1 - n, "-%08" PRIx32, crc32c(0, key, strlen(key)));
    return sample_key_is_valid(valid);
}

bool member_name_make_valid(char *name)
{
    for (char *p = name; *p; p++) {
        bool lone_dot = *p == '.' && p > name && p[-1] != '.' && p[1] && p[1] != '.';
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
        if (!is_word(*p) && !lone_dot)
            *p = '_';
    }
    return member_name_is_valid(name);
}
