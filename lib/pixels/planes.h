/* lib/pixels: arrays of pixels to arrays of pixels: resampling, normalizing, planes for networks,
 * augmentation, drawing of synthetic cells. No files (image), no objects (objects), no places in a
 * larger image (tiles). */

/* Interleaved pixels as the float planes that a network sees. */
#ifndef PIXELS_PLANES_H
#define PIXELS_PLANES_H

#include "core/array.h"

/* H x W x C (uint8, uint16, float32) to `channels` planes of H x W at `out`:
 * (value - offset) * gain, for a gain of 0 by normalise_image.  The number of channels changes as
 * in core/channels.h. */
int planes_of(const struct array *image, double offset, double gain, int channels, float *out,
              struct err *err) MUST_CHECK;

/* H x W labels to one byte a pixel.  With two classes every label but 0 is 1; with
 * more, a label of `classes` or above is an error. */
int planes_classes(const struct array *mask, int classes, uint8_t *out, struct err *err) MUST_CHECK;

#endif
