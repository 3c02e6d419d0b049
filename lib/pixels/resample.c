#include "pixels/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/target.h"

/* For each output along one axis: the first input, how many, and their weights. */
struct taps {
    size_t width; /* weights kept for each output */
    size_t *first, *count;
    float *weights;
};

static void free_taps(struct taps *taps)
{
    free(taps->first);
    free(taps->count);
    free(taps->weights);
}

static void fill_tap(struct taps *taps, size_t i, size_t n_from, size_t n_to)
{
    double ratio = (double)n_from / (double)n_to;
    double support = ratio > 1 ? ratio : 1;
    double center = ((double)i + 0.5) * ratio;
    double low = floor(center - support), high = ceil(center + support);
    size_t first = low > 0 ? (size_t)low : 0;
    size_t end = high < (double)n_from ? (size_t)high : n_from;
    float *weights = taps->weights + i * taps->width;
    double sum = 0;
    for (size_t k = first; k < end; k++)
        sum += fmax(0, 1 - fabs((double)k + 0.5 - center) / support);
    for (size_t k = first; k < end; k++)
        weights[k - first] = (float)(fmax(0, 1 - fabs((double)k + 0.5 - center) / support) / sum);
    taps->first[i] = first;
    taps->count[i] = end - first;
}

static int make_taps(struct taps *taps, size_t n_from, size_t n_to, struct err *err)
{
    double ratio = (double)n_from / (double)n_to;
    taps->width = (size_t)(2 * ceil(ratio > 1 ? ratio : 1)) + 2;
    taps->first = malloc(n_to * sizeof *taps->first);
    taps->count = malloc(n_to * sizeof *taps->count);
    taps->weights = calloc(n_to * taps->width, sizeof *taps->weights);
    if (!taps->first || !taps->count || !taps->weights)
        return err_memory(err, "resampling");
    for (size_t i = 0; i < n_to; i++)
        fill_tap(taps, i, n_from, n_to);
    return 0;
}

/* ---- rows to floats and back ---- */

static void row_to_floats(const struct array *array, size_t y, size_t values, float *to)
{
    const unsigned char *row =
        (const unsigned char *)array->data + y * values * dtype_size(array->dtype);
    if (array->dtype == DTYPE_F32)
        memcpy(to, row, values * sizeof *to);
    else if (array->dtype == DTYPE_U16)
        for (size_t i = 0; i < values; i++)
            to[i] = ((const uint16_t *)(const void *)row)[i];
    else
        for (size_t i = 0; i < values; i++)
            to[i] = row[i];
}

static float clamp(float value, float max)
{
    return value < 0 ? 0 : value > max ? max : value;
}

static void floats_to_row(const float *from, size_t values, struct array *array, size_t y)
{
    unsigned char *row = (unsigned char *)array->data + y * values * dtype_size(array->dtype);
    if (array->dtype == DTYPE_F32)
        memcpy(row, from, values * sizeof *from);
    else if (array->dtype == DTYPE_U16)
        for (size_t i = 0; i < values; i++)
            ((uint16_t *)(void *)row)[i] = (uint16_t)clamp(from[i] + 0.5f, 65535);
    else
        for (size_t i = 0; i < values; i++)
            row[i] = (unsigned char)clamp(from[i] + 0.5f, 255);
}

/* ---- the two passes ---- */

CLONES(static, void, shrink_row,
       (const float *from, const struct taps *taps, size_t width, size_t channels, float *to),
       (from, taps, width, channels, to))
{
    for (size_t x = 0; x < width; x++) {
        const float *weights = taps->weights + x * taps->width;
        const float *pixels = from + taps->first[x] * channels;
        for (size_t c = 0; c < channels; c++) {
            float sum = 0;
            for (size_t k = 0; k < taps->count[x]; k++)
                sum += weights[k] * pixels[k * channels + c];
            to[x * channels + c] = sum;
        }
    }
}

CLONES(static, void, add_row, (float *sum, const float *row, float weight, size_t values),
       (sum, row, weight, values))
{
    for (size_t i = 0; i < values; i++)
        sum[i] += weight * row[i];
}

struct passes {
    struct taps across, down;
    float *input, *narrow, *sum; /* a row of the input; all its rows made narrow; a row out */
};

static void free_passes(struct passes *passes)
{
    free_taps(&passes->across);
    free_taps(&passes->down);
    free(passes->input);
    free(passes->narrow);
    free(passes->sum);
}

static int new_passes(struct passes *passes, const struct array *from, const struct array *to,
                      size_t channels, struct err *err)
{
    size_t values = to->shape[1] * channels;
    *passes = (struct passes){0};
    passes->input = malloc(from->shape[1] * channels * sizeof(float));
    passes->narrow = malloc(from->shape[0] * values * sizeof(float));
    passes->sum = malloc(values * sizeof(float));
    if (!passes->input || !passes->narrow || !passes->sum)
        return err_memory(err, "resampling");
    if (make_taps(&passes->across, from->shape[1], to->shape[1], err))
        return -1;
    return make_taps(&passes->down, from->shape[0], to->shape[0], err);
}

static void run_passes(struct passes *passes, const struct array *from, struct array *to,
                       size_t channels)
{
    size_t values = to->shape[1] * channels;
    for (size_t y = 0; y < from->shape[0]; y++) {
        row_to_floats(from, y, from->shape[1] * channels, passes->input);
        shrink_row(passes->input, &passes->across, to->shape[1], channels,
                   passes->narrow + y * values);
    }
    for (size_t y = 0; y < to->shape[0]; y++) {
        const struct taps *down = &passes->down;
        memset(passes->sum, 0, values * sizeof(float));
        for (size_t k = 0; k < down->count[y]; k++)
            add_row(passes->sum, passes->narrow + (down->first[y] + k) * values,
                    down->weights[y * down->width + k], values);
        floats_to_row(passes->sum, values, to, y);
    }
}

static bool has_pixels(const struct array *array)
{
    return (array->ndim == 2 || array->ndim == 3) && array_count(array) > 0;
}

static size_t channels_of(const struct array *array)
{
    return array->ndim == 3 ? array->shape[2] : 1;
}

int resample_smooth(const struct array *from, struct array *to, struct err *err)
{
    bool known = from->dtype == DTYPE_U8 || from->dtype == DTYPE_U16 || from->dtype == DTYPE_F32;
    if (!known || from->dtype != to->dtype || !has_pixels(from) || !has_pixels(to) ||
        channels_of(from) != channels_of(to))
        return err_set(err, STATUS_BUG, "resampling between unlike images");
    struct passes passes;
    int result = new_passes(&passes, from, to, channels_of(from), err);
    if (result == 0)
        run_passes(&passes, from, to, channels_of(from));
    free_passes(&passes);
    return result;
}

static size_t nearest(size_t i, size_t n_from, size_t n_to)
{
    return (2 * i + 1) * n_from / (2 * n_to);
}

int resample_labels(const struct array *from, struct array *to, struct err *err)
{
    if (from->dtype != to->dtype || from->ndim != 2 || to->ndim != 2 || !has_pixels(from))
        return err_set(err, STATUS_BUG, "resampling between unlike label images");
    size_t size = dtype_size(from->dtype), width = to->shape[1];
    for (size_t y = 0; y < to->shape[0]; y++) {
        const unsigned char *row = (const unsigned char *)from->data +
                                   nearest(y, from->shape[0], to->shape[0]) * from->shape[1] * size;
        unsigned char *out = (unsigned char *)to->data + y * width * size;
        for (size_t x = 0; x < width; x++)
            memcpy(out + x * size, row + nearest(x, from->shape[1], width) * size, size);
    }
    return 0;
}

/* The k-th of the planes of an array K x H x W. */
static struct array plane_of(const struct array *array, size_t k)
{
    size_t size = array->shape[1] * array->shape[2];
    return array_view(array->dtype, 2, array->shape + 1, (float *)array->data + k * size);
}

static int resample_planes(const struct array *from, struct array *to, struct err *err)
{
    for (size_t k = 0; k < from->shape[0]; k++) {
        struct array a = plane_of(from, k), b = plane_of(to, k);
        if (resample_smooth(&a, &b, err))
            return -1;
    }
    return 0;
}

int resample_new(const struct array *from, int axis, size_t height, size_t width, bool labels,
                 struct array *to, struct err *err)
{
    size_t shape[3] = {from->shape[0], from->shape[1], from->shape[2]};
    shape[axis] = height;
    shape[axis + 1] = width;
    if (array_new(to, from->dtype, from->ndim, shape, err))
        return -1;
    int result = labels      ? resample_labels(from, to, err)
                 : axis == 1 ? resample_planes(from, to, err)
                             : resample_smooth(from, to, err);
    if (result)
        array_free(to);
    return result;
}
