/* Connected components of a mask, row by row with union-find over runs, so that
 * an image needs no more memory besides than two rows and a number for each run that
 * began a new object (He, Chao and Suzuki 2008).  Objects are numbered 1, 2, ... in the
 * order of their first pixels, rows first. */
#ifndef OBJECTS_COMPONENTS_H
#define OBJECTS_COMPONENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* mask 0 is background, and pixels of different values are never of one object;
 * connectivity: 4 or 8.  mask and labels are height x width, and may be the same. */
int components_label(const uint32_t *mask, size_t height, size_t width, int connectivity,
                     uint32_t *labels, uint32_t *count, struct err *err) MUST_CHECK;

#endif
