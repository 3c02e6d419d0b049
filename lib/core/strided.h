/* Arrays that lie in memory with any steps between their elements. */
#ifndef CORE_STRIDED_H
#define CORE_STRIDED_H

#include <stdbool.h>

#include "core/array.h"

/* Whether those strides, in elements, are those of C order. */
bool strided_is_contiguous(int ndim, const size_t *shape, const size_t *stride);

/* Fills `to` in C order from elements at `from` with those strides, in elements. */
void strided_copy(struct array *to, const void *from, const size_t *stride);

#endif
