/* Where results go: standard output, one file, or a folder with a file for each image. */
#ifndef CORE_DESTINATION_H
#define CORE_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct destination {
    const char *path, *suffix; /* suffix: in a folder, what names have after the stem */
    bool is_folder;
};

bool path_is_folder(const char *path);

/* One that is there will do; another program may be making it just now. */
int folder_make(const char *path, struct err *err) MUST_CHECK;

/* A folder is a path that is one or ends in a slash, which is made then.  STATUS_USAGE
 * for an empty path or a suffix with a slash.  Both are borrowed. */
int destination_set(struct destination *destination, const char *path, const char *suffix,
                    struct err *err) MUST_CHECK;

bool destination_is_stdout(const struct destination *destination);

/* The file for what comes from `source`, the path of an input: in a folder the stem, the
 * suffix and `.ending`, which is watched over from then on (guard_made_up in
 * core/guard.h).  STATUS_CREATE for a name that is too long. */
int destination_file(const struct destination *destination, const char *stem, const char *source,
                     const char *ending, char *path, size_t size, struct err *err) MUST_CHECK;

#endif
