#include "core/strided.h"

#include <string.h>

bool strided_is_contiguous(int ndim, const size_t *shape, const size_t *stride)
{
    size_t expected = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        if (shape[i] != 1 && stride[i] != expected)
            return false;
        expected *= shape[i];
    }
    return true;
}

/* One row along the last axis. */
static void copy_row(char *to, const char *from, size_t n, size_t step, size_t size)
{
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * size, from + i * step * size, size);
}

void strided_copy(struct array *to, const void *from, const size_t *stride)
{
    size_t index[ARRAY_MAX_DIMS] = {0}, size = dtype_size(to->dtype);
    int last = to->ndim - 1;
    size_t row = to->ndim ? to->shape[last] : 1, step = to->ndim ? stride[last] : 1;
    if (array_count(to) == 0)
        return;
    char *out = to->data;
    for (;;) {
        size_t offset = 0;
        for (int i = 0; i < last; i++)
            offset += index[i] * stride[i];
        copy_row(out, (const char *)from + offset * size, row, step, size);
        out += row * size;
        int axis = last - 1;
        while (axis >= 0 && ++index[axis] == to->shape[axis])
            index[axis--] = 0;
        if (axis < 0)
            return;
    }
}
