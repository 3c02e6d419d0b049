/* The largest value of an image, found while its rows are copied, which costs no more than the
 * copy. */
#ifndef CORE_PEAK_H
#define CORE_PEAK_H

#include "core/array.h"

/* Copies n values of uint16 or float32; `to` and `from` are apart.  The largest of them, of
 * floats the largest magnitude; infinite when one of them is no finite number. */
double peak_copy(enum dtype dtype, const void *from, size_t n, void *to);

#endif
