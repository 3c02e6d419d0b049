/* Private to lib/image: the row filters of PNG (specification, section 9). */
#ifndef IMAGE_PNG_FILTER_H
#define IMAGE_PNG_FILTER_H

#include <stddef.h>
#include <stdint.h>

/* Writes the filter's number and the filtered row, size + 1 bytes, choosing
 * among none, sub and up by the least sum of absolute values, the
 * specification's heuristic.  `above` is the row before (zeros for the first);
 * `pixel` the bytes of a pixel. */
void png_filter_row(const uint8_t *row, const uint8_t *above, size_t size, size_t pixel,
                    uint8_t *to);

#endif
