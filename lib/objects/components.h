/* Connected components of a mask, row by row with union-find over runs, so that
 * an image needs no more memory than two rows and a number for each run that
 * began a new object (He, Chao and Suzuki 2008).
 *
 * Labels given by components_row are provisional; after the last row
 * components_final turns them into 1, 2, ... in the order of the objects' first
 * pixels, rows first, however the image was cut into bands. */
#ifndef OBJECTS_COMPONENTS_H
#define OBJECTS_COMPONENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct components;

/* connectivity: 4 or 8.  The caller frees it with components_free. */
int components_new(struct components **components, size_t width, int connectivity,
                   struct err *err) MUST_CHECK;

/* The next row: mask 0 is background, and pixels of different values are never of
 * one object.  provisional: `width` values out. */
int components_row(struct components *components, const uint32_t *mask, uint32_t *provisional,
                   struct err *err) MUST_CHECK;

/* After the last row: how many objects there are. */
uint32_t components_finish(struct components *components);

/* After components_finish: replaces provisional labels by final ones. */
void components_final(const struct components *components, uint32_t *labels, size_t count);

void components_free(struct components *components);

/* A whole image at once: mask and labels are height x width, and may be the same. */
int components_label(const uint32_t *mask, size_t height, size_t width, int connectivity,
                     uint32_t *labels, uint32_t *count, struct err *err) MUST_CHECK;
int components_label_mask(const uint8_t *mask, size_t height, size_t width, int connectivity,
                          uint32_t *labels, uint32_t *count, struct err *err) MUST_CHECK;

#endif
