/* A whole file in memory: a private mapping, or a copy of what cannot be mapped. */
#ifndef CORE_FILEMAP_H
#define CORE_FILEMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct filemap {
    void *data; /* may be written to, which leaves the file alone; NULL for an empty file */
    size_t size;
    bool mapped; /* else allocated */
};

/* path: "-" for standard input.  STATUS_NO_INPUT when it is not there or is a folder.
 * The caller ends it with filemap_close. */
int filemap_open(struct filemap *map, const char *path, struct err *err) MUST_CHECK;

/* The same of an open file that is read from where it is; it stays open. */
int filemap_read(struct filemap *map, int fd, struct err *err) MUST_CHECK;

/* A closed or zeroed one is fine. */
void filemap_close(struct filemap *map);

#endif
