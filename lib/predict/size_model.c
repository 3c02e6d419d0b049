#include "predict/size_model.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/half.h"

#define LEAST_DIAMETER 5.0
#define MAX_WIDTH      65536
#define RIDGE          1.0

void size_model_free(struct size_model *model)
{
    free(model->a);
    free(model->smean);
    *model = (struct size_model){0};
}

static int make(struct size_model *model, size_t width, struct err *err)
{
    *model = (struct size_model){.width = width};
    model->a = calloc(width + 1, sizeof *model->a);
    model->smean = calloc(width + 1, sizeof *model->smean);
    if (model->a && model->smean)
        return 0;
    size_model_free(model);
    return err_memory(err, "a size model");
}

/* ---- files ---- */

static const struct array *find(const struct weights *weights, const char *prefix, const char *name)
{
    char full[200];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return weights_find(weights, full);
}

bool size_model_in(const struct weights *weights, const char *prefix)
{
    return find(weights, prefix, "A") != NULL;
}

static int read_numbers(const struct weights *weights, const char *prefix, const char *name,
                        size_t count, double *to, struct err *err)
{
    const struct array *array = find(weights, prefix, name);
    if (!array || array_count(array) != count ||
        (array->dtype != DTYPE_F64 && array->dtype != DTYPE_F32 && array->dtype != DTYPE_F16))
        return err_set(err, STATUS_DATA, "a size model without '%s%s' of %zu elements", prefix,
                       name, count);
    for (size_t i = 0; i < count; i++) {
        to[i] = array->dtype == DTYPE_F64   ? ((const double *)array->data)[i]
                : array->dtype == DTYPE_F32 ? ((const float *)array->data)[i]
                                            : half_to_float(((const uint16_t *)array->data)[i]);
        if (!isfinite(to[i]))
            return err_set(err, STATUS_DATA, "'%s%s' has values that are not finite", prefix, name);
    }
    return 0;
}

int size_model_read(struct size_model *model, const struct weights *weights, const char *prefix,
                    struct err *err)
{
    const struct array *a = find(weights, prefix, "A");
    size_t width = a ? array_count(a) : 0;
    if (width == 0 || width > MAX_WIDTH)
        return err_set(err, STATUS_DATA, "there is no size model: no '%sA'", prefix);
    if (make(model, width, err))
        return -1;
    if (read_numbers(weights, prefix, "A", width, model->a, err) ||
        read_numbers(weights, prefix, "smean", width, model->smean, err) ||
        read_numbers(weights, prefix, "ymean", 1, &model->ymean, err) ||
        read_numbers(weights, prefix, "diam_mean", 1, &model->diam_mean, err)) {
        size_model_free(model);
        return -1;
    }
    if (model->diam_mean > 0)
        return 0;
    size_model_free(model);
    return err_set(err, STATUS_DATA, "a size model whose 'diam_mean' is not above 0");
}

static int add(struct weights *weights, const char *prefix, const char *name,
               const struct array *array, struct err *err)
{
    char full[200];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return weights_add(weights, full, array, err);
}

int size_model_add(const struct size_model *model, struct weights *weights, const char *prefix,
                   struct err *err)
{
    double ymean = model->ymean, diam_mean = model->diam_mean;
    struct array a = array_view(DTYPE_F64, 1, &model->width, model->a), smean;
    struct array y = array_view(DTYPE_F64, 1, (size_t[]){1}, &ymean);
    struct array d = array_view(DTYPE_F64, 1, (size_t[]){1}, &diam_mean);
    if (array_new(&smean, DTYPE_F32, 1, &model->width, err))
        return -1;
    for (size_t i = 0; i < model->width; i++)
        ((float *)smean.data)[i] = (float)model->smean[i];
    int result = add(weights, prefix, "A", &a, err) || add(weights, prefix, "smean", &smean, err) ||
                         add(weights, prefix, "ymean", &y, err) ||
                         add(weights, prefix, "diam_mean", &d, err)
                     ? -1
                     : 0;
    array_free(&smean);
    return result;
}

/* ---- using it ---- */

double size_model_diameter(const struct size_model *model, const float *style)
{
    double sum = model->ymean;
    for (size_t i = 0; i < model->width; i++)
        sum += model->a[i] * ((double)style[i] - model->smean[i]);
    double diameter = model->diam_mean * exp(sum);
    return isfinite(diameter) ? fmax(LEAST_DIAMETER, diameter) : model->diam_mean;
}

/* ---- fitting it ---- */

/* m = X'X + ridge, row by row, and right = X'y, of centered X and y. */
static void normal_equations(const struct size_model *model, const float *styles,
                             const double *diameters, size_t count, double *m, double *right)
{
    size_t n = model->width;
    for (size_t k = 0; k < count; k++) {
        const float *style = styles + k * n;
        double y = log(diameters[k] / model->diam_mean) - model->ymean;
        for (size_t i = 0; i < n; i++) {
            double x = (double)style[i] - model->smean[i];
            right[i] += x * y;
            for (size_t j = 0; j <= i; j++)
                m[i * n + j] += x * ((double)style[j] - model->smean[j]);
        }
    }
    for (size_t i = 0; i < n; i++)
        m[i * n + i] += RIDGE;
}

/* m x = right for a positive definite matrix, of which the lower half is given, by
 * Cholesky's decomposition in place; x replaces right. */
static void solve(double *m, double *right, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = m[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= m[i * n + k] * m[j * n + k];
            m[i * n + j] = i == j ? sqrt(sum) : sum / m[j * n + j];
        }
        for (size_t k = 0; k < i; k++)
            right[i] -= m[i * n + k] * right[k];
        right[i] /= m[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            right[i] -= m[k * n + i] * right[k];
        right[i] /= m[i * n + i];
    }
}

static void take_means(struct size_model *model, const float *styles, const double *diameters,
                       size_t count)
{
    for (size_t k = 0; k < count; k++) {
        model->ymean += log(diameters[k] / model->diam_mean) / (double)count;
        for (size_t i = 0; i < model->width; i++)
            model->smean[i] += (double)styles[k * model->width + i] / (double)count;
    }
}

int size_model_fit(struct size_model *model, const float *styles, const double *diameters,
                   size_t count, size_t width, double diam_mean, struct err *err)
{
    if (count == 0 || width == 0 || width > MAX_WIDTH)
        return err_set(err, STATUS_DATA, "nothing to fit a size model to");
    if (make(model, width, err))
        return -1;
    model->diam_mean = diam_mean;
    take_means(model, styles, diameters, count);
    double *m = calloc(width * width, sizeof *m);
    if (!m) {
        size_model_free(model);
        return err_memory(err, "a size model");
    }
    normal_equations(model, styles, diameters, count, m, model->a);
    solve(m, model->a, width);
    free(m);
    return 0;
}
