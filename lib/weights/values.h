/* The numbers in weights: casts, comparison, checks. */
#ifndef WEIGHTS_VALUES_H
#define WEIGHTS_VALUES_H

#include <stdbool.h>

#include "weights/weights.h"

/* Elements of all floating-point tensors, running statistics included. */
size_t weights_parameters(const struct weights *weights);

/* Casts every floating-point tensor to float16, bfloat16 or float32, rounding to
 * nearest even (float64 by way of float32).  STATUS_DATA when a finite value
 * would become infinite. */
int weights_cast(struct weights *weights, enum dtype dtype, struct err *err) MUST_CHECK;

/* Makes every floating-point tensor the mean of itself and of those of that name in the
 * `count` others, computed in float64 and stored in its own type (float64 as float32); integers
 * stay.  STATUS_DATA when a tensor is missing there or of another shape, or when one has a name
 * that `weights` has not: then some may have been changed. */
int weights_mean(struct weights *weights, const struct weights *others, size_t count,
                 struct err *err) MUST_CHECK;

/* Infinities and NaNs in an array. */
size_t weights_count_not_finite(const struct array *array);

/* The largest |a - b| of two arrays of one shape, any element types; 0 for equal
 * infinities and for two NaNs, infinity where only one is NaN. */
double weights_max_difference(const struct array *a, const struct array *b);

#endif
