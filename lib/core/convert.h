/* Values of any type an array may have, as the one type that work is done in. */
#ifndef CORE_CONVERT_H
#define CORE_CONVERT_H

#include "core/array.h"

/* All elements of `from` as labels.  STATUS_DATA unless it has booleans or whole
 * numbers, none of them below 0 or above 2^32 - 1. */
int convert_labels(const struct array *from, uint32_t *to, struct err *err) MUST_CHECK;

/* Element i of an array of booleans or whole numbers; negative ones wrap round. */
uint64_t convert_label_at(const struct array *labels, size_t i);

/* All elements of `from`, float16 or float32, else STATUS_DATA. */
int convert_floats(const struct array *from, float *to, struct err *err) MUST_CHECK;

/* The first `keep` of every `channels` values, for `count` pixels of type uint8,
 * uint16, uint32 or float32. */
void convert_pixels(const void *from, enum dtype dtype, size_t channels, size_t keep, size_t count,
                    float *to);

#endif
