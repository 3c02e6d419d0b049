/* Descriptors, read and written to the end: over signals and short counts.  What
 * fails without a struct err leaves errno. */
#ifndef CORE_IO_H
#define CORE_IO_H

#include <stddef.h>
#include <sys/types.h>

#include "core/err.h"

/* What messages call an input: its path, or "standard input" for "-".  Borrowed. */
const char *io_input_name(const char *path);

/* Opens an input, "-" is standard input, which no output may replace from then on
 * (core/guard.h).  A new descriptor, or -1. */
int io_open(const char *path) MUST_CHECK;

/* What one read gives: 0 at the end, -1 on failure. */
ssize_t io_read(int fd, void *to, size_t size) MUST_CHECK;

/* How many bytes there are: fewer than `size` only at the end of the file; -1 on failure. */
ssize_t io_read_at(int fd, void *to, size_t size, off_t offset) MUST_CHECK;

/* All of it, or -1. */
int io_write(int fd, const void *from, size_t size) MUST_CHECK;
int io_write_at(int fd, const void *from, size_t size, off_t offset) MUST_CHECK;

/* A new file without a name, gone when it is closed: in $TMPDIR, or in /var/tmp (else
 * /tmp) when that is not set.  Its descriptor, or -1. */
int io_temporary(struct err *err) MUST_CHECK;

/* Such a file with what can still be read from `fd`, which `name` stands for in
 * messages; at its begin.  Its descriptor, or -1. */
int io_seekable_copy(int fd, const char *name, struct err *err) MUST_CHECK;

/* A path that can be opened more than once for an input, "-" or a pipe's: the input's own,
 * or one of a copy in such a file, which messages call as the input.  One copy at a time:
 * the next call ends it.  NULL on failure. */
const char *io_reopenable(const char *path, struct err *err);

/* A path that opens the descriptor's file anew, at its begin. */
#define IO_PATH_SIZE 32
void io_path(int fd, char path[IO_PATH_SIZE]);

#endif
