/* Rows of probabilities and of labels as the samples of images. */
#ifndef TILES_MAPS_H
#define TILES_MAPS_H

#include "core/array.h"

/* The labels of planes x width probabilities (blend_labels) as they are drawn: of one or two
 * classes 0 and 255, of more their numbers. */
void maps_labels(const float *row, size_t planes, size_t width, float threshold, uint8_t *labels);

/* The probability of class `class` of planes x width, or, with -1, of all but the
 * background: the last plane of one or two, else the sum of the others.  `to` may be
 * the row. */
void maps_probability(const float *row, size_t planes, size_t width, int class, float *to);

/* Values of [0, 1] as 0 to 65535; what is outside, or not a number, is clipped. */
void maps_to_16_bits(const float *from, uint16_t *to, size_t n);

/* planes x width to width x planes. */
void maps_interleave(const float *from, float *to, size_t planes, size_t width);

/* Labels 0 and 1, uint8 or uint16, as 0 and `unit`; STATUS_DATA when there is another. */
int maps_to_unit(void *labels, enum dtype dtype, int64_t unit, size_t n,
                 struct err *err) MUST_CHECK;

#endif
