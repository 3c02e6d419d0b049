/* One image out of overlapping tiles: the weighted mean of what they say of each
 * pixel.  Only the rows between the first that is not finished and the last that
 * a tile has reached are in memory.
 *
 *   BLEND_MEAN   every tile counts the same (MorphoSeg, section 5.6)
 *   BLEND_GAUSS  the middle of a tile counts more: a Gaussian of sigma = 1/8 of
 *                its side, as in nnU-Net (Isensee et al., Nat. Methods 18, 2021),
 *                never below 1/1000 of its peak
 *   BLEND_VOTE   each tile has one vote a pixel, for its most probable plane;
 *                with a single plane it votes 1 where that is at least 0.5 */
#ifndef TILES_BLEND_H
#define TILES_BLEND_H

#include "core/array.h"
#include "core/band.h"
#include "stream/sample.h"

enum blend_mode { BLEND_MEAN, BLEND_GAUSS, BLEND_VOTE };

/* Of the tiles of an image unless it was told otherwise: BLEND_MEAN, but BLEND_GAUSS where a
 * network tells cells apart, by flows in the sample: rims of tiles must not show then. */
enum blend_mode blend_of(const struct sample *sample);

struct blend {
    enum blend_mode mode;
    int64_t width, height;
    size_t planes;
    struct band band; /* a row: planes x width sums, then width weights, float */
    float *taper[2];  /* weights across and down a tile */
    size_t taper_size[2];
};

/* The caller ends it with blend_free. */
int blend_new(struct blend *blend, enum blend_mode mode, size_t planes, int64_t width,
              int64_t height, struct err *err) MUST_CHECK;
void blend_free(struct blend *blend);

/* The part of [start, start + size) that is inside [0, length): `n` from start + skip on. */
struct blend_span {
    size_t skip, n;
};
struct blend_span blend_clip(int64_t start, size_t size, int64_t length);

/* Adds a planes x h x w float32 tile with its corner at (x, y); what reaches past
 * the image is ignored.  STATUS_DATA when it begins above the resident rows or
 * has another number of planes. */
int blend_add(struct blend *blend, const struct array *tile, int64_t x, int64_t y,
              struct err *err) MUST_CHECK;

/* The mean of row y, planes x width floats; 0 where no tile was.  Returns how
 * many pixels no tile has covered. */
int64_t blend_row(const struct blend *blend, int64_t y, float *to);

/* The same of n pixels from x on, planes x n floats. */
int64_t blend_pixels(const struct blend *blend, int64_t y, int64_t x, size_t n, float *to);

/* Forgets the rows above `top`. */
void blend_drop(struct blend *blend, int64_t top);

/* The class of each of `width` pixels, from planes x width probabilities: with
 * one plane, or with two and threshold > 0, 1 where the last plane is at least
 * the threshold (one plane and threshold 0: 0.5); else the most probable plane,
 * of equals the first. */
void blend_labels(const float *row, size_t planes, size_t width, float threshold, uint8_t *labels);

#endif
