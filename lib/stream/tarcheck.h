/* A strict look at the raw bytes of a tar archive, beside libarchive, which
 * reports a clean end where an archive was cut between two blocks, does not see
 * what lies in the padding, and accepts much that a tensor stream has no use for.
 *
 * Accepted: regular files and folders with octal sizes, names in ustar headers,
 * pax headers that do not change sizes, GNU long names; then two zero blocks;
 * then the end, more zero blocks, or another archive of that kind. */
#ifndef STREAM_TARCHECK_H
#define STREAM_TARCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define TAR_BLOCK 512

struct tar_check {
    unsigned char block[TAR_BLOCK]; /* a header of which `filled` bytes are here */
    size_t filled;
    uint64_t offset;      /* bytes seen */
    uint64_t left;        /* bytes of the member's data to come */
    unsigned padding;     /* zero bytes to come after them */
    bool extends;         /* the header before was one that the next header completes */
    bool is_pax;          /* the data to come are pax records, gathered in `records` */
    unsigned zero_blocks; /* in a row, up to 2 */
    bool started;
    unsigned char *records;
    size_t records_size;
};

/* Zero-initialize; tar_check_free frees what it gathered. */
int tar_check_feed(struct tar_check *check, const unsigned char *data, size_t size,
                   struct err *err) MUST_CHECK;

/* The bytes have ended: was that the end of the archive? */
int tar_check_end(const struct tar_check *check, struct err *err) MUST_CHECK;

void tar_check_free(struct tar_check *check);

#endif
