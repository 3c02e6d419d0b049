/* Class-conditional Gaussians of logits with one covariance for all classes,
 * equations (6) to (8) of Zhang et al. 2025, in double on the host. */
#ifndef PREDICT_GAUSSIANS_H
#define PREDICT_GAUSSIANS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "weights/weights.h"

#define GAUSSIANS_MAX_CLASSES 64

struct gaussians {
    int classes; /* also the number of logits, m */
    double mean[GAUSSIANS_MAX_CLASSES][GAUSSIANS_MAX_CLASSES];
    double covariance[GAUSSIANS_MAX_CLASSES][GAUSSIANS_MAX_CLASSES];
    double factor[GAUSSIANS_MAX_CLASSES][GAUSSIANS_MAX_CLASSES]; /* its Cholesky factor, lower */
    uint64_t count[GAUSSIANS_MAX_CLASSES];
};

/* From `count` vectors of `classes` logits and their labels: means by class,
 * covariance about them over all N (not N - 1), `ridge` added to its diagonal.  A
 * class without vectors has mean 0.  STATUS_DATA when the covariance is not
 * positive definite. */
int gaussians_fit(struct gaussians *g, const float *logits, const uint8_t *labels, size_t count,
                  int classes, double ridge, struct err *err) MUST_CHECK;

/* The factor from the covariance; STATUS_DATA when that is not positive definite. */
int gaussians_factorize(struct gaussians *g, struct err *err) MUST_CHECK;

/* As the metadata "logit_means" and "logit_covariance" of weights, JSON. */
int gaussians_add(const struct gaussians *g, struct weights *weights, struct err *err) MUST_CHECK;

/* Out of it; STATUS_DATA when there are none, or none of `classes` classes. */
int gaussians_read(struct gaussians *g, const struct weights *weights, int classes,
                   struct err *err) MUST_CHECK;

/* The logarithm of the density (9) of class k at a vector.  For tests. */
double gaussians_log_density(const struct gaussians *g, int k, const double *vector);

#endif
