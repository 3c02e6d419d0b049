/* Flows that lead away from the nearest border, FLOW_DISTANCE of objects/flows.h: their hill, and
 * cells out of them.  What separates two cells is where flows part, so that pixels need to go
 * only a few steps, and a cell is what still touches after these: its core, however long or
 * branched, where a middle would have to draw pixels round corners. */
#ifndef OBJECTS_RIDGES_H
#define OBJECTS_RIDGES_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define RIDGE_FLAT  1e-3 /* slope of a hill, over two pixels, that has no direction */
#define RIDGE_STEPS 6    /* pixels that a pixel goes */

/* Euclidean distance to what is not inside, smoothed by a Gaussian, which rounds its ridges.
 * inside: height x width, 1 or 0, with a margin of zeros; hill: as large. */
int ridge_hill(const float *inside, size_t height, size_t width, double *hill,
               struct err *err) MUST_CHECK;

/* Where pixels end that go at most `count` steps (height x width vectors of length 1 or less,
 * vertical and horizontal side by side) and stop before one that turns away from their first:
 * such a hill is straight up to its ridge.  start, end: `pixels` indices. */
void ridge_reach(const float *steps, size_t height, size_t width, int count, const uint32_t *start,
                 uint32_t *end, size_t pixels);

/* Labels pixels whose ends touch, or lie side by side as the pixels do, with numbers above 0;
 * labels: height x width, the others stay. */
int ridge_gather(const uint32_t *start, const uint32_t *end, size_t pixels, size_t height,
                 size_t width, uint32_t *labels, struct err *err) MUST_CHECK;

#endif
