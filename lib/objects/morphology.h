/* Shapes of binary masks and label images: surfaces, holes, borders, smoothing.
 * Masks are height x width bytes, foreground where they are not 0; outside the
 * image is background. */
#ifndef OBJECTS_MORPHOLOGY_H
#define OBJECTS_MORPHOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* surface = mask minus its erosion by the 4-neighborhood, as 0 and 1.  The two
 * may not overlap. */
void morphology_surface(const uint8_t *mask, size_t height, size_t width, uint8_t *surface);

/* Gives background that the border cannot reach through 4-connected background pixels,
 * in pieces of at most max_area pixels (0: of any size), the label of the object around
 * it; a hole with several around it is left. */
int labels_fill_holes(uint32_t *labels, size_t height, size_t width, uint64_t max_area,
                      struct err *err) MUST_CHECK;

/* Majority in the disc of `radius` pixels: smooths outlines without moving straight ones.
 * Pixels outside the image do not vote. */
int labels_smooth(uint32_t *labels, size_t height, size_t width, int radius,
                  struct err *err) MUST_CHECK;

/* Removes objects that touch the image's border. */
int labels_clear_border(uint32_t *labels, size_t height, size_t width, struct err *err) MUST_CHECK;

/* Removes objects of fewer than min_area pixels. */
int labels_remove_small(uint32_t *labels, size_t height, size_t width, uint64_t min_area,
                        struct err *err) MUST_CHECK;

/* Numbers the objects 1, 2, ... in the order of their first pixels, rows first. */
int labels_renumber(uint32_t *labels, size_t height, size_t width, uint32_t *count,
                    struct err *err) MUST_CHECK;

/* The largest label; 0 when there is none. */
uint32_t labels_max(const uint32_t *labels, size_t count);

#endif
