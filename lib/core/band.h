/* The rows of a tall image that are in memory just now: a ring of rows
 * [top, bottom) that grows below and is dropped above. */
#ifndef CORE_BAND_H
#define CORE_BAND_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct band {
    size_t row_bytes;
    int64_t top, bottom;
    int64_t capacity; /* rows */
    unsigned char *rows;
};

/* An empty band at row 0; nothing is allocated yet.  The caller ends it with
 * band_free. */
struct band band_new(size_t row_bytes);
void band_free(struct band *band);

/* Makes rows up to `bottom` resident; new ones are zero. */
int band_extend(struct band *band, int64_t bottom, struct err *err) MUST_CHECK;

/* Forgets the rows above `top`, which may lie below what is resident. */
void band_drop(struct band *band, int64_t top);

/* Row y, top <= y < bottom.  Borrowed until the next band_extend. */
void *band_row(const struct band *band, int64_t y);

/* Copies `rows` rows of `bytes` each, `stride` bytes apart, to rows from y on, which are
 * resident, `at` bytes from their beginning. */
void band_paste(const struct band *band, int64_t y, size_t at, const void *from, size_t stride,
                size_t bytes, size_t rows);

/* The number of rows from y on, at most `rows`, that lie one after the other
 * in memory. */
int64_t band_contiguous(const struct band *band, int64_t y, int64_t rows);

#endif
