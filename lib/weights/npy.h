/* Private to lib/weights: NumPy's .npy (numpy.lib.format, versions 1.0 to 3.0). */
#ifndef WEIGHTS_NPY_H
#define WEIGHTS_NPY_H

#include <stdbool.h>

#include "core/array.h"

struct npy {
    enum dtype dtype;
    bool object;  /* the elements are a pickle; `dtype` has no meaning */
    bool swapped; /* big-endian */
    bool fortran;
    int ndim;
    size_t shape[ARRAY_MAX_DIMS];
    size_t data; /* where the elements begin */
};

/* Reads the header.  Elements other than objects must fill the rest exactly. */
int npy_parse(const unsigned char *bytes, size_t size, struct npy *npy, struct err *err) MUST_CHECK;

/* An element type as NumPy writes it, "<f4". */
int npy_parse_type(const char *descr, struct npy *npy, struct err *err) MUST_CHECK;

/* The elements at `data` as a new array. */
int npy_copy(struct array *array, const struct npy *npy, const void *data,
             struct err *err) MUST_CHECK;

#endif
