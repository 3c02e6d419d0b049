#include "predict/uncertainty.h"

#include <math.h>

nn_tensor *uncertainty_entropy(const nn_tensor *prob)
{
    nn_tensor *logs = nn_log(nn_clamp(prob, 1e-12, 1));
    nn_tensor *sum = nn_sum_dims(nn_mul(prob, logs), 1, (int64_t[]){1}, false);
    double classes = (double)nn_size(prob, 1);
    return nn_affine(sum, classes > 1 ? -1 / log(classes) : 0, 0);
}

nn_tensor *uncertainty_energy(const nn_tensor *logits)
{
    return nn_sigmoid(nn_affine(nn_logsumexp(logits, 1, false), -1, 0));
}

/* The inverse of the lower factor, row by row. */
static void invert_factor(const struct gaussians *g, double inverse[][GAUSSIANS_MAX_CLASSES])
{
    for (int j = 0; j < g->classes; j++)
        for (int i = 0; i < g->classes; i++) {
            double sum = i == j;
            for (int k = j; k < i; k++)
                sum -= g->factor[i][k] * inverse[k][j];
            inverse[i][j] = i < j ? 0 : sum / g->factor[i][i];
        }
}

/* A K x K x 1 x 1 kernel and its bias: logits to (logits - mean of class k) in units of
 * the shared Gaussian. */
static void whiten(const struct gaussians *g, int k, float *kernel, float *bias)
{
    double inverse[GAUSSIANS_MAX_CLASSES][GAUSSIANS_MAX_CLASSES];
    invert_factor(g, inverse);
    for (int i = 0; i < g->classes; i++) {
        double sum = 0;
        for (int j = 0; j < g->classes; j++) {
            kernel[i * g->classes + j] = (float)inverse[i][j];
            sum += inverse[i][j] * g->mean[k][j];
        }
        bias[i] = (float)-sum;
    }
}

static nn_tensor *square_distance(const nn_tensor *logits, const struct gaussians *g, int k)
{
    float kernel[GAUSSIANS_MAX_CLASSES * GAUSSIANS_MAX_CLASSES], bias[GAUSSIANS_MAX_CLASSES];
    int64_t n = g->classes;
    whiten(g, k, kernel, bias);
    nn_tensor *weight = nn_from_host(kernel, DTYPE_F32, 4, (int64_t[]){n, n, 1, 1});
    nn_tensor *shift = nn_from_host(bias, DTYPE_F32, 1, &n);
    int device = nn_device(logits);
    if (device >= 0) {
        weight = nn_to_device(weight, device);
        shift = nn_to_device(shift, device);
    }
    nn_tensor *z = nn_conv2d(logits, weight, shift, (struct nn_conv){.stride_h = 1});
    return nn_sum_dims(nn_square(z), 1, (int64_t[]){1}, false);
}

nn_tensor *uncertainty_mahalanobis(const nn_tensor *logits, const struct gaussians *g)
{
    nn_tensor *nearest = NULL;
    for (int k = 0; k < g->classes; k++) {
        nn_tensor *d = square_distance(logits, g, k);
        nearest = k ? nn_minimum(nearest, d) : d;
    }
    nn_tensor *d = nn_affine(nearest, 1.0 / g->classes, 0);
    return nn_div(d, nn_affine(d, 1, 1));
}
