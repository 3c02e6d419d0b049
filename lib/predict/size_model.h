/* Cellpose's size model: the diameter of an image's cells from its style vector, by
 * linear regression (Stringer et al., Nat. Methods 18, 2021).
 *
 *     log(diameter / diam_mean) = A . (style - smean) + ymean
 *
 * A file of weights has it as four arrays: A and smean, as many elements as the style
 * has; ymean and diam_mean, one each.  So have the published size_*.npy. */
#ifndef PREDICT_SIZE_MODEL_H
#define PREDICT_SIZE_MODEL_H

#include <stdbool.h>

#include "core/err.h"
#include "model/model.h"
#include "weights/weights.h"

struct size_model {
    size_t width;      /* of the style */
    double *a, *smean; /* `width` elements each */
    double ymean, diam_mean;
};

void size_model_free(struct size_model *model); /* zeroed is fine */

/* From arrays whose names begin with `prefix`; the caller frees it.  Shapes that do not
 * fit each other or numbers that are not finite: STATUS_DATA. */
int size_model_read(struct size_model *model, const struct weights *weights, const char *prefix,
                    struct err *err) MUST_CHECK;
/* Whether there is one. */
bool size_model_in(const struct weights *weights, const char *prefix);

/* Adds the arrays, A as float64, smean as float32. */
int size_model_add(const struct size_model *model, struct weights *weights, const char *prefix,
                   struct err *err) MUST_CHECK;

/* Pixels, at least 5 as published; diam_mean where the estimate is not a number. */
double size_model_diameter(const struct size_model *model, const float *style);

/* Least squares with ridge 1, as published: styles count x width, diameters in pixels.
 * The caller frees it. */
int size_model_fit(struct size_model *model, const float *styles, const double *diameters,
                   size_t count, size_t width, double diam_mean, struct err *err) MUST_CHECK;

#endif
