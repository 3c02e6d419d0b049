/* Means and standard deviations of images under the objects of a label image, row by
 * row, so that the images need not be in memory. */
#ifndef OBJECTS_UNDER_H
#define OBJECTS_UNDER_H

#include "objects/regions.h"

struct under {
    size_t planes;
    const struct boxes *boxes; /* borrowed */
    struct tally {
        double origin, sum, squares, count; /* sums of differences from the first value */
    } * tallies;                            /* objects x planes */
};

/* For the objects of `boxes`, which stay the caller's.  The caller ends it with
 * under_free. */
int under_new(struct under *under, const struct boxes *boxes, size_t planes,
              struct err *err) MUST_CHECK;
void under_free(struct under *under);

/* The next row: `width` labels, and the values above them, width x planes. */
void under_row(struct under *under, const uint32_t *labels, const float *values, size_t width);

/* Of the object that is boxes->items[object]; the standard deviation is over n.  NaN
 * for an object that was in no row. */
double under_mean(const struct under *under, size_t object, size_t plane);
double under_sd(const struct under *under, size_t object, size_t plane);

#endif
