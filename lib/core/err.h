/* How the library reports failure: a function that can fail takes a struct err
 * as its last argument, fills it and returns -1 (or NULL); on success it returns
 * 0 (or more) and leaves it alone.  Only programs print and exit (lib/cli).
 *
 * A message is one line, without the program's name and without a final stop:
 * "what 'file': reason", for example "read 'a.tif': strip 3 is cut". */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include "core/status.h"

#if defined(__GNUC__)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#else
#define PRINTF_LIKE(f, a)
#define MUST_CHECK
#endif

struct err {
    enum status status;
    char message[500];
};

/* Sets the error.  Names in it are as they are in files: lib/cli makes them harmless.
 * What is too long is cut in the middle, so that the reason stays.  Always returns -1, for
 * `return err_set(...)`. */
int err_set(struct err *err, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same, with ": " and strerror(errno) appended. */
int err_errno(struct err *err, enum status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "format: " before the message that is there.  Always returns -1. */
int err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Out of memory for `what`.  Always returns -1. */
int err_memory(struct err *err, const char *what);

/* STATUS_NO_INPUT for a file that is not there or may not be read,
 * STATUS_IO for any other errno of open(2) or read(2). */
enum status err_open_status(int errno_value);

#endif
