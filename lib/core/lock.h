/* A lock that one process at a time holds, and that ends with the process however it
 * ends: flock(2) on an empty file, which is removed when the lock is let go and stays, to
 * no harm, after a kill.
 *
 * Where the file system knows no locks, there is none: nobody is refused then. */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include "core/err.h"

struct lock;

/* Takes the lock of this name; the caller ends it with lock_free.  STATUS_CREATE when
 * another process has it (`what` says what it does), or a file that is no lock is there. */
int lock_take(struct lock **lock, const char *path, const char *what, struct err *err) MUST_CHECK;

/* NULL is fine. */
void lock_free(struct lock *lock);

/* Locks an open file of one's own until it is closed: 0; 1 when another process has it. */
int lock_file(int fd) MUST_CHECK;

#endif
