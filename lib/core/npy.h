/* NumPy's .npy format, versions 1.0 to 3.0 (numpy.lib.format), in memory.  The
 * header is read strictly: three keys, each once, no expressions, no escapes, at
 * most NPY_MAX_HEADER bytes.  Reasons do not name the file. */
#ifndef CORE_NPY_H
#define CORE_NPY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/array.h"

#define NPY_MAX_HEADER 10000 /* NumPy's own limit */

struct npy_header {
    enum dtype dtype;
    bool object;  /* the elements are a pickle; `dtype` has no meaning */
    bool swapped; /* big-endian */
    bool fortran; /* the first index runs fastest */
    int ndim;
    size_t shape[ARRAY_MAX_DIMS];
    size_t size; /* bytes before the elements */
};

/* Reads the header of a file of `size` bytes.  Elements other than objects must
 * fill the rest of the file exactly. */
int npy_read_header(struct npy_header *header, const unsigned char *file, size_t size,
                    struct err *err) MUST_CHECK;

/* Sets dtype, object and swapped from an element type as NumPy writes it, "<f4". */
int npy_parse_type(struct npy_header *header, const char *descr, struct err *err) MUST_CHECK;

/* The elements at `data` as a new array; not for objects. */
int npy_copy(struct array *array, const struct npy_header *header, const void *data,
             struct err *err) MUST_CHECK;

/* Bytes before the elements in the file that holds such an array: a multiple of
 * 64, at most NPY_HEADER_ROOM. */
#define NPY_HEADER_ROOM 512
size_t npy_header_size(const struct array *array);

/* Writes them, version 1.0, little-endian, C order.  STATUS_BUG for bfloat16,
 * which NumPy does not have. */
int npy_write_header(unsigned char *header, const struct array *array, struct err *err) MUST_CHECK;

#endif
