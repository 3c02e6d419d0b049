#include "predict/gaussians.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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
    double centered[GAUSSIANS_MAX_CLASSES];
    for (size_t i = 0; i < count; i++) {
        for (int j = 0; j < m; j++)
            centered[j] = logits[i * (size_t)m + (size_t)j] - g->mean[labels[i]][j];
        for (int a = 0; a < m; a++)
            for (int b = 0; b <= a; b++)
                g->covariance[a][b] += centered[a] * centered[b];
    }
    for (int a = 0; a < m; a++)
        for (int b = 0; b <= a; b++)
            g->covariance[b][a] = g->covariance[a][b] /= (double)count;
}

/* L of L L' = covariance. */
int gaussians_factorize(struct gaussians *g, struct err *err)
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
    return gaussians_factorize(g, err);
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

/* Rows of numbers as JSON. */
static int add_matrix(struct weights *w, const char *key, int n,
                      const double rows[][GAUSSIANS_MAX_CLASSES], struct err *err)
{
    size_t room = (size_t)n * (size_t)n * 26 + (size_t)n * 3 + 3, at = 1;
    char *text = malloc(room);
    if (!text)
        return err_memory(err, "metadata");
    text[0] = '[';
    for (int i = 0; i < n * n; i++) {
        const char *before = i == 0 ? "[" : i % n == 0 ? ",[" : ",";
        at += (size_t)snprintf(text + at, room - at, "%s%.9g%s", before, rows[i / n][i % n],
                               i % n == n - 1 ? "]" : "");
    }
    snprintf(text + at, room - at, "]");
    int result = weights_set_metadata(w, key, text, err);
    free(text);
    return result;
}

int gaussians_add(const struct gaussians *g, struct weights *weights, struct err *err)
{
    return add_matrix(weights, "logit_means", g->classes, g->mean, err) ||
                   add_matrix(weights, "logit_covariance", g->classes, g->covariance, err)
               ? -1
               : 0;
}

static int read_matrix(const struct weights *w, const char *key, int n,
                       double rows[][GAUSSIANS_MAX_CLASSES], struct err *err)
{
    const char *text = weights_metadata(w, key), *at = text;
    if (!text)
        return err_set(err, STATUS_DATA, "no Gaussians of the logits: train with --vos");
    for (int i = 0; i < n * n; i++) {
        char *end;
        at += strspn(at, "[], ");
        double value = strtod(at, &end);
        if (end == at || !isfinite(value))
            return err_set(err, STATUS_DATA, "%s has no %d x %d numbers", key, n, n);
        rows[i / n][i % n] = value;
        at = end;
    }
    if (at[strspn(at, "] ")])
        return err_set(err, STATUS_DATA, "%s has more than %d x %d numbers", key, n, n);
    return 0;
}

int gaussians_read(struct gaussians *g, const struct weights *weights, int classes, struct err *err)
{
    *g = (struct gaussians){.classes = classes};
    if (classes < 1 || classes > GAUSSIANS_MAX_CLASSES)
        return err_set(err, STATUS_DATA, "no Gaussians of %d classes", classes);
    if (read_matrix(weights, "logit_means", classes, g->mean, err) ||
        read_matrix(weights, "logit_covariance", classes, g->covariance, err))
        return -1;
    return gaussians_factorize(g, err);
}
