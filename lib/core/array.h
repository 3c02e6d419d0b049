/* Dense arrays in C order, the currency between the rooms of lib. */
#ifndef CORE_ARRAY_H
#define CORE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum dtype {
    DTYPE_BOOL,
    DTYPE_U8,
    DTYPE_I8,
    DTYPE_U16,
    DTYPE_I16,
    DTYPE_U32,
    DTYPE_I32,
    DTYPE_U64,
    DTYPE_I64,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F32,
    DTYPE_F64,
};

#define ARRAY_MAX_DIMS 8

/* `data` has the elements, 64-byte aligned when array_new made them.  `memory`
 * is the allocation that array_free frees; NULL for a view of memory that
 * somebody else owns and keeps alive. */
struct array {
    enum dtype dtype;
    int ndim; /* 0 to ARRAY_MAX_DIMS; 0 is a scalar */
    size_t shape[ARRAY_MAX_DIMS];
    void *data;
    void *memory;
};

size_t dtype_size(enum dtype dtype);
const char *dtype_name(enum dtype dtype); /* "uint8", "float32", ... */

/* Number of elements and of bytes; for arrays whose shape was checked. */
size_t array_count(const struct array *array);
size_t array_bytes(const struct array *array);
bool array_same_shape(const struct array *a, const struct array *b);

/* Bytes of such an array, or -1 when that does not fit in size_t / 2. */
int array_check_bytes(enum dtype dtype, int ndim, const size_t *shape, size_t *bytes,
                      struct err *err) MUST_CHECK;

/* A new zeroed array; the caller frees it with array_free. */
int array_new(struct array *array, enum dtype dtype, int ndim, const size_t *shape,
              struct err *err) MUST_CHECK;

/* A view of `data`, which stays the caller's. */
struct array array_view(enum dtype dtype, int ndim, const size_t *shape, void *data);

/* A new copy, also of a view. */
int array_copy(struct array *to, const struct array *from, struct err *err) MUST_CHECK;

/* Turns every element round: from the other byte order, or into it. */
void array_swap_bytes(struct array *array);

/* Frees and clears; a cleared or zero-initialized array is fine. */
void array_free(struct array *array);

#endif
