/* Parts of a mask that touch, cut where a map has its valleys.
 *
 * Pixels are taken from the highest value of the map down; each joins the basin
 * of its highest neighbor that has been taken, or begins one.  Two basins that
 * meet at a saddle become one unless both their peaks are high enough above it,
 * so that rough maps do not shatter an object (watershed by dynamics: Grimaud
 * 1992; Najman and Schmitt 1996). */
#ifndef OBJECTS_WATERSHED_H
#define OBJECTS_WATERSHED_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Splits the objects of `labels` (height x width, numbered 1 to count) in place,
 * each alone.  Basins stay apart where the saddle is lower than (1 - depth) times
 * the lower of the two peaks; depth in [0, 1].  map: height x width, positive
 * inside objects, or NULL for the Euclidean distance to the object's outside,
 * where the image's border is not an outside and valleys are at least 2 deep.  Labels are numbered
 * anew, *count is how many there are then.  Memory follows the largest object. */
int watershed_split(uint32_t *labels, size_t height, size_t width, const float *map, double depth,
                    uint32_t *count, struct err *err) MUST_CHECK;

#endif
