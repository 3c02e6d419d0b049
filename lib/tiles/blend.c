#include "tiles/blend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/target.h"

#define GAUSS_SIGMA 0.125
#define GAUSS_FLOOR 1e-3f

enum blend_mode blend_of(const struct sample *sample)
{
    return sample_array(sample, "flows") ? BLEND_GAUSS : BLEND_MEAN;
}

int blend_new(struct blend *blend, enum blend_mode mode, size_t planes, int64_t width,
              int64_t height, struct err *err)
{
    size_t values, bytes;
    if (!num_add(planes, 1, &values) || !num_mul(values, (size_t)width, &values) ||
        !num_mul(values, sizeof(float), &bytes))
        return err_memory(err, "blending");
    *blend = (struct blend){
        .mode = mode, .width = width, .height = height, .planes = planes, .band = band_new(bytes)};
    return 0;
}

void blend_free(struct blend *blend)
{
    band_free(&blend->band);
    free(blend->taper[0]);
    free(blend->taper[1]);
    *blend = (struct blend){0};
}

/* ---- weights ---- */

static float taper_at(enum blend_mode mode, size_t i, size_t size)
{
    if (mode != BLEND_GAUSS)
        return 1;
    double distance = ((double)i + 0.5) / (double)size - 0.5;
    double z = distance / GAUSS_SIGMA;
    return fmaxf((float)exp(-0.5 * z * z), GAUSS_FLOOR);
}

static int need_taper(struct blend *blend, int axis, size_t size, struct err *err)
{
    if (blend->taper_size[axis] == size)
        return 0;
    float *taper = realloc(blend->taper[axis], size * sizeof *taper);
    if (!taper)
        return err_memory(err, "blending");
    for (size_t i = 0; i < size; i++)
        taper[i] = taper_at(blend->mode, i, size);
    blend->taper[axis] = taper;
    blend->taper_size[axis] = size;
    return 0;
}

/* ---- adding ---- */

CLONES(static, void, add_weighted,
       (float *sum, const float *values, const float *weights, float weight, size_t n),
       (sum, values, weights, weight, n))
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * weights[i] * values[i];
}

CLONES(static, void, add_weights, (float *sum, const float *weights, float weight, size_t n),
       (sum, weights, weight, n))
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * weights[i];
}

static size_t most_probable(const float *pixel, size_t planes, size_t stride)
{
    size_t best = 0;
    for (size_t k = 1; k < planes; k++)
        if (pixel[k * stride] > pixel[best * stride])
            best = k;
    return best;
}

static void add_votes(float *row, size_t width, const float *pixels, size_t planes, size_t stride,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (planes == 1)
            row[i] += pixels[i] >= 0.5f;
        else
            row[most_probable(pixels + i, planes, stride) * width + i] += 1;
    }
}

struct blend_span blend_clip(int64_t start, size_t size, int64_t length)
{
    int64_t first = start < 0 ? 0 : start;
    int64_t end = start + (int64_t)size < length ? start + (int64_t)size : length;
    return (struct blend_span){(size_t)(first - start), end > first ? (size_t)(end - first) : 0};
}

static void add_tile_row(struct blend *blend, const struct array *tile, size_t j, int64_t y,
                         int64_t x, size_t skip, size_t n)
{
    size_t width = (size_t)blend->width, plane = tile->shape[1] * tile->shape[2];
    float *row = (float *)band_row(&blend->band, y) + x + (int64_t)skip;
    const float *pixels = (const float *)tile->data + j * tile->shape[2] + skip;
    const float *across = blend->taper[0] + skip;
    float down = blend->taper[1][j];
    if (blend->mode == BLEND_VOTE)
        add_votes(row, width, pixels, blend->planes, plane, n);
    else
        for (size_t k = 0; k < blend->planes; k++)
            add_weighted(row + k * width, pixels + k * plane, across, down, n);
    add_weights(row + blend->planes * width, across, down, n);
}

int blend_add(struct blend *blend, const struct array *tile, int64_t x, int64_t y, struct err *err)
{
    if (tile->ndim != 3 || tile->dtype != DTYPE_F32 || tile->shape[0] != blend->planes)
        return err_set(err, STATUS_DATA, "a tile of another kind than the first");
    struct blend_span across = blend_clip(x, tile->shape[2], blend->width);
    struct blend_span down = blend_clip(y, tile->shape[1], blend->height);
    if (!across.n || !down.n)
        return 0;
    int64_t first = y + (int64_t)down.skip;
    if (first < blend->band.top)
        return err_set(err, STATUS_DATA, "tiles are not in the order of their rows");
    if (need_taper(blend, 0, tile->shape[2], err) || need_taper(blend, 1, tile->shape[1], err) ||
        band_extend(&blend->band, first + (int64_t)down.n, err))
        return -1;
    for (size_t j = 0; j < down.n; j++)
        add_tile_row(blend, tile, down.skip + j, first + (int64_t)j, x, across.skip, across.n);
    return 0;
}

/* ---- the result ---- */

int64_t blend_pixels(const struct blend *blend, int64_t y, int64_t x, size_t n, float *to)
{
    if (y < blend->band.top || y >= blend->band.bottom) {
        memset(to, 0, blend->planes * n * sizeof *to);
        return (int64_t)n;
    }
    size_t width = (size_t)blend->width;
    const float *row = (const float *)band_row(&blend->band, y) + x;
    const float *weights = row + blend->planes * width;
    int64_t uncovered = 0;
    for (size_t i = 0; i < n; i++)
        uncovered += weights[i] == 0;
    for (size_t k = 0; k < blend->planes; k++)
        for (size_t i = 0; i < n; i++)
            to[k * n + i] = weights[i] > 0 ? row[k * width + i] / weights[i] : 0;
    return uncovered;
}

int64_t blend_row(const struct blend *blend, int64_t y, float *to)
{
    return blend_pixels(blend, y, 0, (size_t)blend->width, to);
}

void blend_drop(struct blend *blend, int64_t top)
{
    band_drop(&blend->band, top);
}

void blend_labels(const float *row, size_t planes, size_t width, float threshold, uint8_t *labels)
{
    if (planes == 1 || (planes == 2 && threshold > 0)) {
        float limit = threshold > 0 ? threshold : 0.5f;
        const float *foreground = row + (planes - 1) * width;
        for (size_t x = 0; x < width; x++)
            labels[x] = foreground[x] >= limit;
        return;
    }
    for (size_t x = 0; x < width; x++)
        labels[x] = (uint8_t)most_probable(row + x, planes, width);
}
