#include "core/names.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

int names_add(struct names *names, const char *name, struct err *err)
{
    char *copy = strdup(name);
    char **node = copy ? tsearch(copy, &names->tree, compare) : NULL;
    int is_new = node && *node == copy;
    if (!is_new)
        free(copy);
    return node ? is_new : err_memory(err, "names");
}

bool names_has(const struct names *names, const char *name)
{
    return tfind(name, &names->tree, compare) != NULL;
}

void names_free(struct names *names)
{
    while (names->tree) {
        char *name = *(char **)names->tree;
        tdelete(name, &names->tree, compare);
        free(name);
    }
}

const char *names_stem(const char *path, size_t *length)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    *length = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return base;
}

int names_choose_stem(struct names *names, const char *name, const char *key, char *stem,
                      size_t size, struct err *err)
{
    size_t length;
    const char *base = names_stem(name, &length);
    snprintf(stem, size, "%.*s", (int)length, base);
    int is_new = *stem ? names_add(names, stem, err) : 0;
    if (is_new)
        return is_new;
    snprintf(stem, size, "%s", key);
    for (char *p = stem; *p; p++)
        *p = *p == '/' ? '_' : *p;
    return names_add(names, stem, err);
}

/* The stem with its number, from 2; -1 when there is no room. */
static int number_stem(char *stem, size_t size, size_t length, size_t number)
{
    return (size_t)snprintf(stem + length, size - length, "-%zu", number) < size - length ? 0 : -1;
}

/* A number that is free, sought in steps that double and then halve: there may be many
 * names of one stem. */
static int choose_number(const struct names *names, char *stem, size_t size, size_t length)
{
    size_t used = 1, unused = 2;
    while (number_stem(stem, size, length, unused) == 0 && names_has(names, stem)) {
        used = unused;
        unused *= 2;
    }
    while (unused - used > 1) {
        size_t middle = used + (unused - used) / 2;
        if (number_stem(stem, size, length, middle) == 0 && names_has(names, stem))
            used = middle;
        else
            unused = middle;
    }
    return number_stem(stem, size, length, unused);
}

int names_new_stem(struct names *names, const char *name, char *stem, size_t size, struct err *err)
{
    size_t length;
    const char *base = names_stem(name, &length);
    if (length == 0 || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
        return err_set(err, STATUS_CREATE, "'%s' gives a file no name", name);
    bool fits = length < size;
    if (fits)
        snprintf(stem, size, "%.*s", (int)length, base);
    if (fits && names_has(names, stem))
        fits = choose_number(names, stem, size, length) == 0;
    if (!fits)
        return err_set(err, STATUS_CREATE, "'%s': a file name that is too long", name);
    return names_add(names, stem, err) < 0 ? -1 : 0;
}
