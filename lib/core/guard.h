/* What an output may not replace: an input of this run, what this run has written
 * already, and, under a name that the program made up (core/destination.h), a file that
 * is not the program's own from an earlier run.  outfile_open and outfile_commit ask
 * here; who opens an input does it with io_open (core/io.h), which notes it.
 *
 * Files are the same when device and inode are, or the folder's real path and the name.
 * All may be called from several threads. */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include <stddef.h>

#include "core/err.h"

/* Notes an input, opened or to be opened; a path without a file is fine.  0, or -1 with
 * errno when there is no memory. */
int guard_input(const char *path) MUST_CHECK;

/* The same of inputs that the program will come to while it writes. */
int guard_inputs(char *const *paths, int count, struct err *err) MUST_CHECK;

/* The name was made up for what `source`, a path, gave: a file that is there is replaced
 * only if this program made it from the same source and nobody has changed it since, as
 * the list GUARD_LIST in its folder says.  "" for a source that is no file. */
int guard_made_up(const char *path, const char *source, struct err *err) MUST_CHECK;
#define GUARD_LIST ".morphoseg"

/* Such files may be replaced whosoever they are: --force. */
void guard_force(void);

/* This run may write that file more than once, and may have read it. */
int guard_rewrites(const char *path, struct err *err) MUST_CHECK;

/* An output begins, is about to get its name, has got it, or is given up: the first two
 * are STATUS_CREATE when it would replace what it may not. */
int guard_begin(const char *path, struct err *err) MUST_CHECK;
int guard_check(const char *path, struct err *err) MUST_CHECK;
int guard_written(const char *path, struct err *err) MUST_CHECK;
void guard_give_up(const char *path);

#endif
