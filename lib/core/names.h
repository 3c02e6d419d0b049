/* A set of names, and the stems of files' names. */
#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* Zero-initialised it is empty. */
struct names {
    void *tree; /* of tsearch(3) */
};

/* Notes a copy of the name down: 1, or 0 when it was there. */
int names_add(struct names *names, const char *name, struct err *err) MUST_CHECK;
bool names_has(const struct names *names, const char *name);
void names_free(struct names *names);

/* Notes a stem down that was not there, for the file of something that is called `name`,
 * a path or "", and has a key too: the stem of the name, else the key with '_' for its
 * '/'.  1, or 0 when both were there; then `stem` is the second.  Cut to `size` bytes. */
int names_choose_stem(struct names *names, const char *name, const char *key, char *stem,
                      size_t size, struct err *err) MUST_CHECK;

/* The same where there is no key: the stem of the name, else with "-2", "-3" and so on.
 * STATUS_CREATE for a name that gives a file no name, or one that is too long. */
int names_new_stem(struct names *names, const char *name, char *stem, size_t size,
                   struct err *err) MUST_CHECK;

/* The last component of a path, and the length of its stem: without the last
 * ending, but a name that begins with its only dot is all stem.  Borrowed. */
const char *names_stem(const char *path, size_t *length);

#endif
