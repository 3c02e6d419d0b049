/* Images of another size.
 *
 * Pixel centers lie at half-integers: output i has its center at
 * (i + 1/2) * n_from / n_to of the input.  resample_smooth weights the inputs
 * with a triangle of half-width max(1, n_from / n_to) about that point, cut at
 * the border and normalized: bilinear when enlarging, without aliasing when
 * shrinking.  resample_labels takes the input whose cell holds the point, so
 * that no label is made up. */
#ifndef PIXELS_RESAMPLE_H
#define PIXELS_RESAMPLE_H

#include <stdbool.h>

#include "core/array.h"

/* `from` and `to`: H x W x C (or H x W) with the same C and type, one of uint8,
 * uint16, float32; `to` is allocated.  Integers are rounded to nearest.
 * STATUS_BUG for other shapes, STATUS_MEMORY. */
int resample_smooth(const struct array *from, struct array *to, struct err *err) MUST_CHECK;

/* `from` and `to`: H x W of the same integer type; `to` is allocated. */
int resample_labels(const struct array *from, struct array *to, struct err *err) MUST_CHECK;

/* A new array of another height and width.  `axis` is the first of those two: 0 for
 * H x W or H x W x C, 1 for K x H x W float32, whose planes are resampled smoothly
 * each.  With `labels` it is resample_labels. */
int resample_new(const struct array *from, int axis, size_t height, size_t width, bool labels,
                 struct array *to, struct err *err) MUST_CHECK;

#endif
