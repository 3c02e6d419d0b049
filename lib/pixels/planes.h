/* lib/pixels: arrays of pixels to arrays of pixels: resampling, normalizing, planes for networks,
 * augmentation, drawing of synthetic cells. No files (image), no objects (objects), no places in a
 * larger image (tiles). Many files: a third of them draw what synth shows, one for each family of
 * looks. */

/* Interleaved pixels as the float planes that a network sees. */
#ifndef PIXELS_PLANES_H
#define PIXELS_PLANES_H

#include "core/array.h"

/* How many planes a network that takes `wanted` channels is given of an image of `have`: all, where
 * the numbers agree; three colors without alpha; else one, gray, of which the network makes what
 * it takes.  0: such an image is not for it. */
int planes_seen(size_t have, int wanted);

/* Whether an image can be seen so: STATUS_DATA when not, or when it has no pixels. */
int planes_check(const struct array *image, int wanted, struct err *err) MUST_CHECK;

/* A side, rounded up to a multiple. */
size_t planes_side(size_t side, size_t multiple);

/* H x W x C (uint8, uint16, float32) to `channels` planes at `out`, whose sides are multiples of
 * `multiple`: the last row and column are repeated for that.  A value becomes
 * (value - offset) * gain, for a gain of 0 by normalize_image.  Color becomes gray by its luma
 * (ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B, not rounded); gray is repeated; alpha is left out. */
int planes_of(const struct array *image, double offset, double gain, int channels, size_t multiple,
              float *out, struct err *err) MUST_CHECK;

/* H x W labels to one byte a pixel.  With two classes every label but 0 is 1; with
 * more, a label of `classes` or above is an error. */
int planes_classes(const struct array *mask, int classes, uint8_t *out, struct err *err) MUST_CHECK;

#endif
