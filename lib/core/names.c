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
