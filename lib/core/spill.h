/* Large arrays that may be larger than memory: a mapping of a temporary file
 * (core/io.h), whose pages the system writes out when it needs the room.
 * Small ones are plain memory. */
#ifndef CORE_SPILL_H
#define CORE_SPILL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

#define SPILL_LIMIT ((size_t)1 << 30) /* bytes from which a file is used */

struct spill {
    void *data; /* zeroed, aligned for any type */
    size_t bytes;
    int fd;          /* of the file, -1 without one */
    bool mapped;     /* else it was allocated */
    size_t reserved; /* bytes of it that have room on the disk */
};

/* Room on the disk is reserved, so that a full disk is an error here and not a
 * signal later.  The caller ends it with spill_free. */
int spill_new(struct spill *spill, size_t bytes, struct err *err) MUST_CHECK;

/* The same with a limit of one's own. */
int spill_new_above(struct spill *spill, size_t bytes, size_t limit, struct err *err) MUST_CHECK;

/* Room for sizes that somebody else claims: nothing is reserved before spill_reserve
 * is called for the first `bytes` of it, which must happen before they are touched. */
int spill_new_claimed(struct spill *spill, size_t bytes, size_t limit, struct err *err) MUST_CHECK;
int spill_reserve(struct spill *spill, size_t bytes, struct err *err) MUST_CHECK;

/* A cleared or zeroed one is fine. */
void spill_free(struct spill *spill);

#endif
