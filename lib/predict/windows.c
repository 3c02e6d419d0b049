#include "predict/windows.h"

#include <math.h>
#include <string.h>

#include "core/half.h"
#include "pixels/resample.h"
#include "tiles/tiling.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- where they are ---- */

static struct grid_axis axis_over(int64_t length, double scale)
{
    int64_t size = smaller(length, llround(TILING_SIZE / scale));
    int64_t step = smaller(size, llround((TILING_SIZE - TILING_OVERLAP) / scale));
    return grid_axis_new(length, size, step, GRID_SHIFT);
}

struct grid windows_over(int64_t width, int64_t height, double scale)
{
    return (struct grid){.x = axis_over(width, scale), .y = axis_over(height, scale)};
}

struct windows_part windows_place(const struct grid *windows, int64_t i)
{
    return (struct windows_part){grid_start(&windows->x, i % windows->x.count),
                                 grid_start(&windows->y, i / windows->x.count), windows->x.size,
                                 windows->y.size};
}

/* ---- what they show ---- */

/* What lies outside of the image, or below the rows that are there, repeats the border. */
static int region_of(const struct windows_image *image, struct windows_part at,
                     struct array *region, struct err *err)
{
    size_t bytes = image->channels * dtype_size(image->dtype);
    size_t shape[] = {(size_t)at.height, (size_t)at.width, image->channels};
    int64_t right = image->width - 1, bottom = smaller(image->height, image->rows.bottom) - 1;
    if (array_new(region, image->dtype, 3, shape, err))
        return -1;
    size_t inside = (size_t)larger(0, smaller(at.width, right + 1 - at.x));
    char *to = region->data;
    for (int64_t y = at.y; y < at.y + at.height; y++, to += (size_t)at.width * bytes) {
        const char *row = band_row(&image->rows, smaller(y, bottom));
        memcpy(to, row + (size_t)smaller(at.x, right) * bytes, inside * bytes);
        for (size_t x = inside; x < (size_t)at.width; x++)
            memcpy(to + x * bytes, row + (size_t)right * bytes, bytes);
    }
    return 0;
}

/* Of one axis of a window: pixels of the window before, in and after what it is of. */
struct span {
    int64_t before, in, after;
};

static struct span span_of(int64_t start, int64_t length, int64_t room, int64_t image, double scale)
{
    struct span span = {.in = (int64_t)ceil((double)length * scale)};
    int64_t margin = larger(0, (room - span.in) / 2);
    span.before = smaller(margin, (int64_t)((double)start * scale));
    int64_t beyond = (int64_t)((double)image * scale - (double)start * scale) - span.in;
    span.after = larger(0, smaller(margin, beyond));
    return span;
}

int window_cut(const struct windows_image *image, struct windows_part part, double scale,
               int64_t height, int64_t width, struct window *window, struct err *err)
{
    struct span across = span_of(part.x, part.width, width, image->width, scale);
    struct span down = span_of(part.y, part.height, height, image->height, scale);
    int64_t columns = across.before + across.in + across.after;
    int64_t rows = down.before + down.in + down.after;
    struct windows_part at = {part.x - llround((double)across.before / scale),
                              part.y - llround((double)down.before / scale),
                              llround((double)columns / scale), llround((double)rows / scale)};
    struct array region;
    *window = (struct window){.scale = scale,
                              .top = (size_t)down.before,
                              .left = (size_t)across.before,
                              .height = (size_t)part.height,
                              .width = (size_t)part.width};
    if (region_of(image, at, &region, err))
        return -1;
    if (scale == 1) {
        window->image = region;
        return 0;
    }
    int result =
        resample_new(&region, 0, (size_t)rows, (size_t)columns, false, &window->image, err);
    array_free(&region);
    return result;
}

/* ---- the way back ---- */

int window_planes(const struct array *map, size_t top, size_t left, size_t height, size_t width,
                  struct array *planes, struct err *err)
{
    int first = map->ndim - 2;
    size_t count = first ? map->shape[0] : 1, shape[] = {count, height, width};
    if (array_new(planes, DTYPE_F32, 3, shape, err))
        return -1;
    float *out = planes->data;
    for (size_t k = 0; k < count; k++)
        for (size_t y = 0; y < height; y++, out += width) {
            size_t at = (k * map->shape[first] + top + y) * map->shape[first + 1] + left;
            if (map->dtype == DTYPE_F16)
                half_to_floats(out, (const uint16_t *)map->data + at, width);
            else
                memcpy(out, (const float *)map->data + at, width * sizeof *out);
        }
    return 0;
}

/* The planes take the place of *map, of its type and axes. */
static int take_planes(struct array *map, const struct array *planes, struct err *err)
{
    int first = map->ndim - 2;
    size_t shape[3] = {map->shape[0]}, n = array_count(planes);
    struct array taken;
    shape[first] = planes->shape[1];
    shape[first + 1] = planes->shape[2];
    if (array_new(&taken, map->dtype, map->ndim, shape, err))
        return -1;
    if (map->dtype == DTYPE_F16)
        half_from_floats(taken.data, planes->data, n);
    else
        memcpy(taken.data, planes->data, n * sizeof(float));
    array_free(map);
    *map = taken;
    return 0;
}

/* A pixel more on each side, where there is one, so that the part's border is no border. */
static int bring_back(struct array *map, const struct window *window, struct err *err)
{
    struct array cut = {0}, large = {0}, own = {0};
    if (!map->data)
        return 0;
    int first = map->ndim - 2;
    double pixels = 1 / window->scale; /* of the part, of one of the window */
    size_t top = window->top > 0, left = window->left > 0;
    size_t bottom =
        smaller((int64_t)map->shape[first],
                (int64_t)(window->top + 1) + (int64_t)ceil((double)window->height * window->scale));
    size_t right =
        smaller((int64_t)map->shape[first + 1],
                (int64_t)(window->left + 1) + (int64_t)ceil((double)window->width * window->scale));
    size_t height = bottom - (window->top - top), width = right - (window->left - left);
    int result =
        window_planes(map, window->top - top, window->left - left, height, width, &cut, err);
    if (!result)
        result = resample_new(&cut, 1, (size_t)llround((double)height * pixels),
                              (size_t)llround((double)width * pixels), false, &large, err);
    if (!result)
        result =
            window_planes(&large, (size_t)((double)top * pixels), (size_t)((double)left * pixels),
                          window->height, window->width, &own, err);
    if (!result)
        result = take_planes(map, &own, err);
    array_free(&cut);
    array_free(&large);
    array_free(&own);
    return result;
}

int window_back(struct inference_result *result, const struct window *window, struct err *err)
{
    if (window->scale == 1)
        return 0;
    for (int map = 0; map < INFERENCE_MAPS; map++)
        if (bring_back(inference_map(result, map), window, err)) {
            inference_free(result);
            return -1;
        }
    return 0;
}
