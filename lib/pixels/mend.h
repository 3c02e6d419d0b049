/* Pixels that no microscope meant: values that are no number, and hot pixels of a sensor. */
#ifndef PIXELS_MEND_H
#define PIXELS_MEND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/array.h"

struct mended {
    uint64_t not_finite, hot; /* values replaced */
};

/* Mends the first `height` rows and `width` columns of an image, H x W x C, in place; what lies
 * beyond is padding; peak: of what is mended, as core/peak.h says.  uint16 and float32; other types
 * are left alone.
 *
 * NaN and infinities become the mean of their finite neighbors, of eight; where there are none,
 * the nearest finite value before them in their row, else after them, else 0.
 *
 * A hot pixel is one that lies more than eight times as far above the channel's least value as
 * 99.9 % of its values, alone or with one other, and four times as far as every neighbor: a
 * point that a lens drew is wider.  It becomes the mean of its other neighbors. */
void mend_pixels(struct array *image, double peak, size_t height, size_t width,
                 struct mended *mended);

#endif
