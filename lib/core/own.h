/* Whose a file in a folder is: programs that make names up note in a hidden list there
 * what they wrote, so that a later run knows its own files again.
 *
 * The list has a line a file: program, source, name, bytes, time of its last change,
 * between tabs.  A file is one's own when such a line is true of it: who edits it by hand,
 * or puts another in its place, has made it his. */
#ifndef CORE_OWN_H
#define CORE_OWN_H

#include <sys/stat.h>

#include "core/err.h"

/* Whether this program wrote the file, as it is, for the source: 1 or 0; -1 on failure.
 * The path is absolute; a source that is no file is nobody's. */
int own_is(const char *path, const char *source, const struct stat *st, struct err *err) MUST_CHECK;

/* Notes it down. */
int own_note(const char *path, const char *source, const struct stat *st,
             struct err *err) MUST_CHECK;

#endif
