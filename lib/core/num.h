/* lib/core: what every room stands on, and that knows nothing of images, streams or networks:
 * errors and limits, numbers and text, files that appear whole, arrays and their .npy form, memory
 * that spills to disk, random numbers, queues between threads, what the processor can do. What two
 * rooms need goes here only if it is as general as that; else into the earlier of the two. Many
 * files, since each is one small thing that is used alone. */

/* Numbers from text, with a range and no leftovers, their order, and arithmetic on sizes
 * that cannot wrap. */
#ifndef CORE_NUM_H
#define CORE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* The whole of `text` must be a decimal integer (a sign allowed) in [min, max]. */
int num_int(const char *text, int64_t min, int64_t max, int64_t *out, struct err *err) MUST_CHECK;

/* The whole of `text` must be a finite decimal number in [min, max]; the
 * decimal mark is a point whatever the locale. */
int num_real(const char *text, double min, double max, double *out, struct err *err) MUST_CHECK;

/* Writes the number as printf's "%.8g" does, "nan" without a sign, and returns the
 * length; several times as fast. */
#define NUM_PRINT_SIZE 32
size_t num_print(char to[NUM_PRINT_SIZE], double value);

/* For qsort: the smaller number first. */
int num_compare_floats(const void *a, const void *b);
int num_compare_doubles(const void *a, const void *b);

/* *out = a * b; false when that does not fit. */
static inline bool num_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* *out = a + b; false when that does not fit. */
static inline bool num_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

#endif
