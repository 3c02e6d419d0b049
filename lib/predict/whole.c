#include "predict/whole.h"

#include <stdlib.h>
#include <string.h>

#include "core/half.h"

void whole_new(struct whole *whole, const struct whole_options *options)
{
    const struct windows_image *image = options->view->image;
    *whole = (struct whole){.options = *options,
                            .windows = windows_over(image->width, image->height, options->scale)};
}

void whole_free(struct whole *whole)
{
    for (int map = 0; map < INFERENCE_MAPS; map++)
        if (whole->maps[map].ndim)
            blend_free(&whole->maps[map].blend);
    memset(whole->maps, 0, sizeof whole->maps);
}

/* ---- windows ---- */

static int add_map(struct whole *whole, struct whole_map *map, const struct array *array,
                   struct windows_part at, struct err *err)
{
    size_t height = array->shape[array->ndim - 2], width = array->shape[array->ndim - 1];
    size_t planes = array->ndim == 3 ? array->shape[0] : 1;
    struct array values;
    if (!map->ndim) {
        if (blend_new(&map->blend, BLEND_GAUSS, planes, whole->windows.x.length,
                      whole->windows.y.length, err))
            return -1;
        map->dtype = array->dtype;
        map->ndim = array->ndim;
    }
    if (window_planes(array, 0, 0, height, width, &values, err))
        return -1;
    int result = blend_add(&map->blend, &values, at.x, at.y, err);
    array_free(&values);
    return result;
}

/* Window i has its answer, in the image's pixels, which is freed. */
static int add_answer(struct whole *whole, int64_t i, struct inference_result *result,
                      struct err *err)
{
    struct windows_part at = windows_place(&whole->windows, i);
    int failed = 0;
    for (int map = 0; map < INFERENCE_MAPS && !failed; map++)
        if (inference_map(result, map)->data)
            failed = add_map(whole, &whole->maps[map], inference_map(result, map), at, err);
    inference_free(result);
    return failed;
}

static bool has_answer(const struct whole *whole, int64_t i)
{
    return whole->options.answers && whole->options.answers[i].is_done;
}

/* Windows from the next on that are computed together: of those that have no answer and lie above
 * row `known`. */
static size_t count_batch(const struct whole *whole, int64_t known)
{
    size_t n = 0;
    for (int64_t i = whole->next;
         i < grid_count(&whole->windows) && n < whole->options.batch && !has_answer(whole, i) &&
         windows_place(&whole->windows, i).y + whole->windows.y.size <= known;
         i++)
        n++;
    return n;
}

/* The next n windows; all results are taken over. */
static int add_answers(struct whole *whole, size_t n, struct inference_result *results,
                       struct err *err)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++)
        if (failed)
            inference_free(&results[i]);
        else
            failed = add_answer(whole, whole->next + (int64_t)i, &results[i], err);
    return failed;
}

static int compute_batch(struct whole *whole, size_t n, struct err *err)
{
    const struct whole_options *options = &whole->options;
    struct windows_part *parts = calloc(n, sizeof *parts);
    struct inference_result *results = calloc(n, sizeof *results);
    int result = parts && results ? 0 : err_memory(err, "an image's windows");
    for (size_t i = 0; i < n && !result; i++)
        parts[i] = windows_place(&whole->windows, whole->next + (int64_t)i);
    if (!result)
        result = view_parts(options->view, parts, n, options->scale, 0, 0, results, err);
    if (!result)
        result = add_answers(whole, n, results, err);
    free(parts);
    free(results);
    return result;
}

static int compute_next(struct whole *whole, int64_t known, struct err *err)
{
    if (has_answer(whole, whole->next)) {
        struct whole_answer *answer = &whole->options.answers[whole->next++];
        answer->is_done = false;
        return add_answer(whole, whole->next - 1, &answer->result, err);
    }
    size_t n = count_batch(whole, known);
    int result = compute_batch(whole, n, err);
    whole->next += (int64_t)n;
    return result;
}

/* ---- parts ---- */

/* A row of a plane, of which n values are there; the last is repeated. */
static void put_row(const float *values, size_t n, struct array *to, size_t at, size_t width)
{
    size_t size = dtype_size(to->dtype);
    char *row = (char *)to->data + at * size;
    if (to->dtype == DTYPE_F16)
        half_from_floats((uint16_t *)(void *)row, values, n);
    else
        memcpy(row, values, n * size);
    for (size_t x = n; x < width; x++)
        memcpy(row + x * size, row + (n - 1) * size, size);
}

static int part_of_map(const struct whole_map *map, struct windows_part part, struct array *to,
                       struct err *err)
{
    size_t shape[3] = {map->blend.planes};
    size_t height = (size_t)part.height, width = (size_t)part.width;
    size_t n = blend_clip(part.x, (size_t)part.width, map->blend.width).n;
    shape[map->ndim - 2] = height;
    shape[map->ndim - 1] = width;
    float *values = malloc(map->blend.planes * n * sizeof *values);
    if (!values)
        return err_memory(err, "a tile's answer");
    if (array_new(to, map->dtype, map->ndim, shape, err)) {
        free(values);
        return -1;
    }
    for (int64_t y = 0; y < part.height; y++) {
        int64_t row = part.y + y < map->blend.height ? part.y + y : map->blend.height - 1;
        blend_pixels(&map->blend, row, part.x, n, values);
        for (size_t k = 0; k < map->blend.planes; k++)
            put_row(values + k * n, n, to, (k * height + (size_t)y) * width, width);
    }
    free(values);
    return 0;
}

/* Rows above are finished. */
static int64_t finished(const struct whole *whole)
{
    return whole->next < grid_count(&whole->windows) ? windows_place(&whole->windows, whole->next).y
                                                     : whole->windows.y.length;
}

int64_t whole_reach(const struct whole *whole, int64_t bottom)
{
    const struct grid_axis *down = &whole->windows.y;
    int64_t row = 0;
    while (row + 1 < down->count && grid_start(down, row + 1) < bottom)
        row++;
    return grid_start(down, row) + down->size;
}

int whole_part(struct whole *whole, struct windows_part part, int64_t known,
               struct inference_result *result, struct err *err)
{
    int64_t bottom = part.y + part.height;
    if (bottom > whole->windows.y.length)
        bottom = whole->windows.y.length;
    *result = (struct inference_result){0};
    while (finished(whole) < bottom)
        if (compute_next(whole, known, err))
            return -1;
    for (int map = 0; map < INFERENCE_MAPS; map++)
        if (whole->maps[map].ndim &&
            part_of_map(&whole->maps[map], part, inference_map(result, map), err)) {
            inference_free(result);
            return -1;
        }
    return 0;
}

/* Not what windows will add to. */
int64_t whole_drop(struct whole *whole, int64_t top)
{
    int64_t until = top < finished(whole) ? top : finished(whole);
    for (int map = 0; map < INFERENCE_MAPS; map++)
        if (whole->maps[map].ndim)
            blend_drop(&whole->maps[map].blend, until);
    return finished(whole);
}
