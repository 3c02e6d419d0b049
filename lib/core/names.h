/* A set of names, and the stems of files' names. */
#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* Zero-initialized it is empty. */
struct names {
    void *tree; /* of tsearch(3) */
};

/* Notes a copy of the name down: 1, or 0 when it was there. */
int names_add(struct names *names, const char *name, struct err *err) MUST_CHECK;

/* The set's own copy of the name, new or not: one and the same of equal names.  NULL when
 * out of memory. */
const char *names_keep(struct names *names, const char *name, struct err *err) MUST_CHECK;
bool names_has(const struct names *names, const char *name);
void names_free(struct names *names);

/* Notes down, and writes to `to`, the first of NAME, NAME-2, NAME-3, ... that was not
 * there; long names are cut so that it fits.  A thousand equal names take a thousand steps. */
#define NAMES_NUMBER 21 /* bytes that a number takes at most */
int names_number(struct names *names, const char *name, char *to, size_t size,
                 struct err *err) MUST_CHECK;

/* The same of the stem of a path, for files made of it; not cut.  STATUS_CREATE for a name
 * that gives a file no name, or one that is too long. */
int names_new_stem(struct names *names, const char *name, char *stem, size_t size,
                   struct err *err) MUST_CHECK;

/* Takes "." and empty components out of a path, and each ".." with what stands before it, by its
 * letters alone: `./a//b/../c` and `a/c` are one name then. */
void names_plain_path(char *path);

/* The last component of a path, and the length of its stem: without the last
 * ending, of which .ome.tif is one; but a name that begins with its only dot is all stem.
 * Borrowed. */
const char *names_stem(const char *path, size_t *length);

#endif
