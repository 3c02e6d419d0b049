/* Output that appears whole under its final name or not at all: a temporary file
 * in the same folder is written, flushed to disk, closed and renamed.  "-" is
 * standard output; an existing path that is not a regular file (a pipe, a
 * device) is written as it is.
 *
 * No output replaces an input of the run, nor what the run wrote before, nor, where the
 * program made its name up, what is not its own: STATUS_CREATE (core/guard.h).  A
 * file that is named by the user and none of these is replaced. */
#ifndef CORE_OUTFILE_H
#define CORE_OUTFILE_H

#include <stddef.h>

#include "core/err.h"

struct outfile;

/* A new outfile; the caller ends it with outfile_commit or outfile_abort. */
int outfile_open(struct outfile **out, const char *path, struct err *err) MUST_CHECK;

/* At once. */
int outfile_write(struct outfile *out, const void *data, size_t size, struct err *err) MUST_CHECK;

/* Small pieces, which are written when there are many of them, before what is written at once. */
int outfile_put(struct outfile *out, const void *data, size_t size, struct err *err) MUST_CHECK;

/* Likewise a formatted text of less than 1024 bytes. */
int outfile_print(struct outfile *out, struct err *err, const char *format, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;

/* Likewise a name of others as core/text shows it. */
int outfile_put_name(struct outfile *out, const char *name, struct err *err) MUST_CHECK;

/* Borrowed; for libraries that write to a descriptor, before anything is put.  Seekable unless the
 * output is a pipe or a device. */
int outfile_fd(const struct outfile *out);

/* The name for messages: the path, or "standard output".  Borrowed. */
const char *outfile_name(const struct outfile *out);

/* Both free `out`, also when they fail.  outfile_abort(NULL) does nothing. */
int outfile_commit(struct outfile *out, struct err *err) MUST_CHECK;
void outfile_abort(struct outfile *out);

/* Removes the temporary files of all open outfiles; safe in a signal handler. */
void outfile_remove_all(void);

#endif
