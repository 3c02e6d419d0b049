/* Measures of uncertainty against the same in double on the host. */
#include "predict/uncertainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predict/gaussians.h"
#include "tests/tap.h"

enum { K = 3, SIDE = 4, PIXELS = SIDE * SIDE };

static struct err err;
static float logits[K * PIXELS]; /* K x H x W */

static double logit(int k, int pixel)
{
    return logits[k * PIXELS + pixel];
}

static void draw_logits(void)
{
    for (int i = 0; i < K * PIXELS; i++)
        logits[i] = 5 * sinf(1.7f * (float)i);
}

static nn_tensor *tensor(void)
{
    return nn_from_host(logits, DTYPE_F32, 4, (int64_t[]){1, K, SIDE, SIDE});
}

static void compare(const nn_tensor *map, double (*expected)(int pixel), const char *name)
{
    float got[PIXELS];
    double worst = 0, low = 1, high = 0;
    if (nn_to_host(map, got, DTYPE_F32, sizeof got)) {
        ok(false, "%s: %s", name, nn_error());
        return;
    }
    for (int i = 0; i < PIXELS; i++) {
        worst = fmax(worst, fabs(got[i] - expected(i)));
        low = fmin(low, got[i]);
        high = fmax(high, got[i]);
    }
    ok(worst < 1e-5, "%s (off by %.1g)", name, worst);
    ok(low >= 0 && high <= 1 && high > low, "it is within 0 and 1: %.3f to %.3f", low, high);
}

static double sum_of_powers(int pixel)
{
    double sum = 0;
    for (int k = 0; k < K; k++)
        sum += exp(logit(k, pixel));
    return sum;
}

static double entropy(int pixel)
{
    double sum = 0;
    for (int k = 0; k < K; k++) {
        double p = exp(logit(k, pixel)) / sum_of_powers(pixel);
        sum -= p * log(p);
    }
    return sum / log(K);
}

static double energy(int pixel)
{
    return 1 / (1 + sum_of_powers(pixel));
}

static struct gaussians gaussians = {
    .classes = K,
    .mean = {{4, -2, 0}, {-3, 3, 1}, {0, 0, -2}},
    .covariance = {{2, 0.5, 0.1}, {0.5, 1, -0.2}, {0.1, -0.2, 3}},
};

/* D^2 from the density: log p = -D^2/2 + log p at the mean. */
static double mahalanobis(int pixel)
{
    double v[K], nearest = INFINITY;
    for (int k = 0; k < K; k++)
        v[k] = logit(k, pixel);
    for (int k = 0; k < K; k++)
        nearest = fmin(nearest, 2 * (gaussians_log_density(&gaussians, k, gaussians.mean[k]) -
                                     gaussians_log_density(&gaussians, k, v)));
    return nearest / K / (1 + nearest / K);
}

static void check_measures(void)
{
    if (nn_scope_begin() || gaussians_factorize(&gaussians, &err))
        exit(1);
    compare(uncertainty_entropy(nn_softmax(tensor(), 1)), entropy, "entropy");
    compare(uncertainty_energy(tensor()), energy, "energy");
    compare(uncertainty_mahalanobis(tensor(), &gaussians), mahalanobis, "mahalanobis");
    nn_scope_end();
}

static void check_reading(void)
{
    struct gaussians g;
    struct weights w = {0};
    ok(gaussians_read(&g, &w, 2, &err) == -1 && strstr(err.message, "--vos"),
       "weights without Gaussians: %s", err.message);
    if (weights_set_metadata(&w, "logit_means", "[[1,-2],[-1,2.5]]", &err) ||
        weights_set_metadata(&w, "logit_covariance", "[[4,2],[2,5]]", &err))
        exit(1);
    ok(!gaussians_read(&g, &w, 2, &err) && g.mean[1][1] == 2.5 && g.factor[0][0] == 2 &&
           g.factor[1][0] == 1 && g.factor[1][1] == 2,
       "Gaussians from metadata");
    ok(gaussians_read(&g, &w, 3, &err) == -1, "of another number of classes");
    ok(gaussians_read(&g, &w, 1, &err) == -1, "or of more: %s", err.message);
    if (weights_set_metadata(&w, "logit_covariance", "[[4,4],[4,4]]", &err))
        exit(1);
    ok(gaussians_read(&g, &w, 2, &err) == -1 && err.status == STATUS_DATA,
       "a covariance that is none: %s", err.message);
    weights_free(&w);
}

int main(void)
{
    tap_plan(11);
    draw_logits();
    check_measures();
    check_reading();
    return tap_done();
}
