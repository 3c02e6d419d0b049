#include "core/array.h"

#include <stdlib.h>
#include <string.h>

#include "core/num.h"

#define ALIGNMENT 64

static const struct {
    size_t size;
    const char *name;
} dtypes[] = {
    [DTYPE_BOOL] = {1, "bool"},   [DTYPE_U8] = {1, "uint8"},      [DTYPE_I8] = {1, "int8"},
    [DTYPE_U16] = {2, "uint16"},  [DTYPE_I16] = {2, "int16"},     [DTYPE_U32] = {4, "uint32"},
    [DTYPE_I32] = {4, "int32"},   [DTYPE_U64] = {8, "uint64"},    [DTYPE_I64] = {8, "int64"},
    [DTYPE_F16] = {2, "float16"}, [DTYPE_BF16] = {2, "bfloat16"}, [DTYPE_F32] = {4, "float32"},
    [DTYPE_F64] = {8, "float64"},
};

size_t dtype_size(enum dtype dtype)
{
    return dtypes[dtype].size;
}

const char *dtype_name(enum dtype dtype)
{
    return dtypes[dtype].name;
}

size_t array_count(const struct array *array)
{
    size_t count = 1;
    for (int i = 0; i < array->ndim; i++)
        count *= array->shape[i];
    return count;
}

size_t array_bytes(const struct array *array)
{
    return array_count(array) * dtype_size(array->dtype);
}

bool array_same_shape(const struct array *a, const struct array *b)
{
    return a->ndim == b->ndim &&
           memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0;
}

int array_check_bytes(enum dtype dtype, int ndim, const size_t *shape, size_t *bytes,
                      struct err *err)
{
    if (ndim < 0 || ndim > ARRAY_MAX_DIMS)
        return err_set(err, STATUS_DATA, "%d dimensions, at most %d are supported", ndim,
                       ARRAY_MAX_DIMS);
    size_t product = dtype_size(dtype);
    bool empty = false;
    for (int i = 0; i < ndim; i++) {
        empty |= shape[i] == 0;
        if (shape[i] && (!num_mul(product, shape[i], &product) || product > SIZE_MAX / 2))
            return err_set(err, STATUS_DATA, "an array of that shape has too many bytes");
    }
    *bytes = empty ? 0 : product;
    return 0;
}

int array_new(struct array *array, enum dtype dtype, int ndim, const size_t *shape, struct err *err)
{
    size_t bytes;
    if (array_check_bytes(dtype, ndim, shape, &bytes, err))
        return -1;
    size_t rounded = (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    void *memory = aligned_alloc(ALIGNMENT, rounded);
    if (!memory)
        return err_memory(err, "an array");
    memset(memory, 0, rounded);
    *array = array_view(dtype, ndim, shape, memory);
    array->memory = memory;
    return 0;
}

struct array array_view(enum dtype dtype, int ndim, const size_t *shape, void *data)
{
    struct array view = {.dtype = dtype, .ndim = ndim, .data = data};
    for (int i = 0; i < ndim; i++)
        view.shape[i] = shape[i];
    return view;
}

int array_copy(struct array *to, const struct array *from, struct err *err)
{
    if (array_new(to, from->dtype, from->ndim, from->shape, err))
        return -1;
    size_t bytes = array_bytes(from);
    if (bytes)
        memcpy(to->data, from->data, bytes);
    return 0;
}

void array_swap_bytes(struct array *array)
{
    size_t size = dtype_size(array->dtype), count = array_count(array);
    unsigned char *at = array->data;
    for (size_t i = 0; i < count; i++, at += size)
        for (size_t j = 0; j < size / 2; j++) {
            unsigned char byte = at[j];
            at[j] = at[size - 1 - j];
            at[size - 1 - j] = byte;
        }
}

void array_free(struct array *array)
{
    free(array->memory);
    *array = (struct array){0};
}
