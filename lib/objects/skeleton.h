/* The skeleton of a binary shape, one pixel wide, and its measures. */
#ifndef OBJECTS_SKELETON_H
#define OBJECTS_SKELETON_H

#include <stddef.h>
#include <stdint.h>

#include "objects/runs.h"

#define SKELETON_SLACK 4

/* Thins `mask` (height x width, 0 and 1, its outermost rows and columns all 0) in
 * place as Guo and Hall (1989, algorithm A1) do.  runs: `count`, of the pixels that are
 * 1; `work` has room for a number for each of these; SKELETON_SLACK bytes after the mask
 * are read too. */
void skeleton_thin(uint8_t *mask, size_t height, size_t width, const struct run *runs, size_t count,
                   uint32_t *work);

struct skeleton {
    double length;         /* steps between neighbors: 1, diagonal sqrt(2) */
    uint32_t ends, points; /* pixels with one neighbor; groups of pixels with three or more */
};

/* Measures such a skeleton, of an object of these runs; pixels become 1, 2 (end) or 3
 * (branch point). */
void skeleton_measure(uint8_t *mask, size_t width, const struct run *runs, size_t count,
                      struct skeleton *skeleton);

#endif
