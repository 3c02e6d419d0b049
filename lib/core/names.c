#include "core/names.h"

#include <search.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The tree has the names of these. */
struct known {
    size_t copies; /* numbers that names made of it have taken */
    char name[];
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static struct known *known_of(char *name)
{
    return (struct known *)(void *)(name - offsetof(struct known, name));
}

/* The name's entry, and whether it is new; NULL when out of memory. */
static struct known *add(struct names *names, const char *name, bool *is_new)
{
    size_t size = strlen(name) + 1;
    struct known *entry = malloc(sizeof *entry + size);
    if (!entry)
        return NULL;
    entry->copies = 1;
    memcpy(entry->name, name, size);
    char **node = tsearch(entry->name, &names->tree, compare);
    *is_new = node && *node == entry->name;
    if (!*is_new)
        free(entry);
    return node ? known_of(*node) : NULL;
}

int names_add(struct names *names, const char *name, struct err *err)
{
    bool is_new;
    return add(names, name, &is_new) ? is_new : err_memory(err, "names");
}

const char *names_keep(struct names *names, const char *name, struct err *err)
{
    bool is_new;
    struct known *entry = add(names, name, &is_new);
    if (!entry)
        err_memory(err, "names");
    return entry ? entry->name : NULL;
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
        free(known_of(name));
    }
}

/* Adds the name that is there, or with the first number that is free; 1 when there is no
 * room for that, -1 when out of memory. */
static int add_numbered(struct names *names, char *name, size_t size)
{
    bool is_new;
    size_t length = strlen(name), room = size - length;
    struct known *first = add(names, name, &is_new), *last = first;
    while (last && !is_new) {
        if ((size_t)snprintf(name + length, room, "-%zu", ++first->copies) >= room)
            return 1;
        last = add(names, name, &is_new);
    }
    return last ? 0 : -1;
}

int names_number(struct names *names, const char *name, char *to, size_t size, struct err *err)
{
    snprintf(to, size, "%.*s", (int)size - 1 - NAMES_NUMBER, name);
    return add_numbered(names, to, size) ? err_memory(err, "names") : 0;
}

/* Where the components so far end when the last of them is taken back; NULL when none can be. */
static char *last_component(char *begin, char *end)
{
    char *last = end;
    while (last > begin && last[-1] != '/')
        last--;
    return last == end || strncmp(last, "..", (size_t)(end - last)) == 0 ? NULL : last;
}

void names_plain_path(char *path)
{
    char *root = path + (*path == '/'), *to = root;
    for (const char *from = root; *from;) {
        size_t length = strcspn(from, "/");
        char *last = last_component(root, to);
        bool up = length == 2 && memcmp(from, "..", 2) == 0;
        if (up && last) {
            to = last > root ? last - 1 : last;
        } else if (length && !(length == 1 && *from == '.') && !(up && root > path && to == root)) {
            if (to > root)
                *to++ = '/';
            memmove(to, from, length);
            to += length;
        }
        from += length + (from[length] == '/');
    }
    *to = '\0';
}

/* ".ome" before a TIFF's ending belongs to the ending. */
static bool is_ome(const char *base, const char *dot)
{
    return dot - base > 4 && strncasecmp(dot - 4, ".ome", 4) == 0 &&
           (strncasecmp(dot, ".tif", 4) == 0 || strcasecmp(dot, ".btf") == 0 ||
            strcasecmp(dot, ".tf2") == 0 || strcasecmp(dot, ".tf8") == 0);
}

const char *names_stem(const char *path, size_t *length)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    if (dot && is_ome(base, dot))
        dot -= 4;
    *length = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    return base;
}

int names_new_stem(struct names *names, const char *name, char *stem, size_t size, struct err *err)
{
    size_t length;
    const char *base = names_stem(name, &length);
    if (length == 0 || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
        return err_set(err, STATUS_CREATE, "'%s' gives a file no name", name);
    snprintf(stem, size, "%.*s", (int)length, base);
    int failed = length < size ? add_numbered(names, stem, size) : 1;
    if (failed > 0)
        return err_set(err, STATUS_CREATE, "'%s': a file name that is too long", name);
    return failed ? err_memory(err, "names") : 0;
}
