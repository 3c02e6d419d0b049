#include "model/gaussians.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

static void add_means(struct gaussians *g, const float *logits, const uint8_t *labels, size_t count)
{
    int m = g->classes;
    for (size_t i = 0; i < count; i++) {
        g->count[labels[i]]++;
        for (int j = 0; j < m; j++)
            g->mean[labels[i]][j] += logits[i * (size_t)m + (size_t)j];
    }
    for (int k = 0; k < m; k++)
        for (int j = 0; j < m && g->count[k]; j++)
            g->mean[k][j] /= (double)g->count[k];
}

static void add_covariance(struct gaussians *g, const float *logits, const uint8_t *labels,
                           size_t count)
{
    int m = g->classes;
    double centred[GAUSSIANS_MAX_CLASSES];
    for (size_t i = 0; i < count; i++) {
        for (int j = 0; j < m; j++)
            centred[j] = logits[i * (size_t)m + (size_t)j] - g->mean[labels[i]][j];
        for (int a = 0; a < m; a++)
            for (int b = 0; b <= a; b++)
                g->covariance[a][b] += centred[a] * centred[b];
    }
    for (int a = 0; a < m; a++)
        for (int b = 0; b <= a; b++)
            g->covariance[b][a] = g->covariance[a][b] /= (double)count;
}

/* L of L L' = covariance. */
int gaussians_factorise(struct gaussians *g, struct err *err)
{
    for (int j = 0; j < g->classes; j++)
        for (int i = j; i < g->classes; i++) {
            double sum = g->covariance[i][j];
            for (int k = 0; k < j; k++)
                sum -= g->factor[i][k] * g->factor[j][k];
            if (i == j && !(sum > 0))
                return err_set(err, STATUS_DATA, "the covariance of the logits is singular");
            g->factor[i][j] = i == j ? sqrt(sum) : sum / g->factor[j][j];
        }
    return 0;
}

int gaussians_fit(struct gaussians *g, const float *logits, const uint8_t *labels, size_t count,
                  int classes, double ridge, struct err *err)
{
    memset(g, 0, sizeof *g);
    if (classes < 1 || classes > GAUSSIANS_MAX_CLASSES || count == 0)
        return err_set(err, STATUS_DATA, "no Gaussians of %zu vectors in %d classes", count,
                       classes);
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= classes)
            return err_set(err, STATUS_DATA, "label %d where there are %d classes", labels[i],
                           classes);
    g->classes = classes;
    add_means(g, logits, labels, count);
    add_covariance(g, logits, labels, count);
    for (int j = 0; j < classes; j++)
        g->covariance[j][j] += ridge;
    return gaussians_factorise(g, err);
}

double gaussians_log_density(const struct gaussians *g, int k, const double *vector)
{
    double solved[GAUSSIANS_MAX_CLASSES], distance = 0, log_root = 0;
    for (int i = 0; i < g->classes; i++) { /* L solved = vector - mean */
        double sum = vector[i] - g->mean[k][i];
        for (int j = 0; j < i; j++)
            sum -= g->factor[i][j] * solved[j];
        solved[i] = sum / g->factor[i][i];
        distance += solved[i] * solved[i];
        log_root += log(g->factor[i][i]);
    }
    return -0.5 * distance - log_root - 0.5 * g->classes * log(2 * PI);
}
