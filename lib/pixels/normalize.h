/* The range of values of a whole image, gathered row by row, exact: the extremes
 * or percentiles, from which a network's offset and gain follow. */
#ifndef PIXELS_NORMALIZE_H
#define PIXELS_NORMALIZE_H

#include <stdint.h>

#include "core/array.h"

/* Counts of the values seen.  Floats are counted by the upper half of their
 * bits, in order; a second pass over the image (normalize_refine) counts the
 * lower half of those that share the upper half with a percentile. */
struct normalize {
    enum dtype dtype; /* uint8, uint16 or float32 */
    uint64_t *counts; /* 65536 */
    uint64_t total;   /* finite values */
    struct normalize_edge {
        uint64_t rank;   /* in order of size, from 0 */
        uint32_t upper;  /* its bin in `counts` */
        uint64_t before; /* values in the bins before it */
        uint64_t *lower; /* 65536 counts within the bin; floats only */
    } edges[2];
};

/* Percentiles in [0, 100], low < high: 0 and 100 are the extremes.  The caller
 * ends it with normalize_free. */
int normalize_new(struct normalize *normalize, enum dtype dtype, struct err *err) MUST_CHECK;
void normalize_free(struct normalize *normalize);

/* Counts `n` values.  NaN and infinities are left out. */
void normalize_count(struct normalize *normalize, const void *values, size_t n);

/* Call after the first pass.  Returns 1 when a second pass with normalize_refine
 * is needed (floats), 0 when not, -1 when no value is finite (STATUS_DATA). */
int normalize_choose(struct normalize *normalize, double low, double high,
                     struct err *err) MUST_CHECK;
void normalize_refine(struct normalize *normalize, const void *values, size_t n);

/* The percentiles that networks see as 0 and 1. */
#define NORMALIZE_LOW  1
#define NORMALIZE_HIGH 99

/* Offset and gain with which an image's own percentiles are 0 and 1.  An image without
 * finite values or with one value alone becomes 0. */
int normalize_image(const struct array *image, double *offset, double *gain,
                    struct err *err) MUST_CHECK;

/* The values at the two percentiles: the one whose rank is nearest. */
void normalize_range(const struct normalize *normalize, double *low, double *high);

#endif
