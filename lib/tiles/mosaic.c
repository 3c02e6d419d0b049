#include "tiles/mosaic.h"

#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/limits.h"
#include "core/num.h"
#include "pixels/resample.h"

#define MAX_ENLARGE 128 /* times that a tile is enlarged to its place */

static size_t pixel_bytes(const struct mosaic *m)
{
    return m->options.planes * dtype_size(m->options.dtype);
}

int mosaic_new(struct mosaic *mosaic, const struct mosaic_options *options, struct err *err)
{
    struct mosaic *m = mosaic;
    size_t width = (size_t)options->width;
    *m = (struct mosaic){.options = *options};
    m->pixels = band_new(width * pixel_bytes(m));
    m->covered = band_new(width);
    if (!options->blended)
        return 0;
    m->row = calloc(width * options->planes, sizeof *m->row);
    if (!m->row)
        return err_memory(err, "a row");
    return blend_new(&m->blend, options->blend, options->planes, options->width, options->height,
                     err);
}

void mosaic_free(struct mosaic *mosaic)
{
    blend_free(&mosaic->blend);
    band_free(&mosaic->pixels);
    band_free(&mosaic->covered);
    free(mosaic->row);
    *mosaic = (struct mosaic){0};
}

size_t mosaic_row_bytes(const struct mosaic *mosaic)
{
    return mosaic->options.blended ? mosaic->blend.band.row_bytes
                                   : mosaic->pixels.row_bytes + mosaic->covered.row_bytes;
}

/* ---- tiles in ---- */

/* A view of `tile`, or a new array of the size of its place.  axis: the first of the
 * two that are height and width. */
static int to_place(const struct array *tile, int axis, int64_t width, int64_t height, bool labels,
                    struct array *placed, struct err *err)
{
    size_t h = (size_t)height, w = (size_t)width;
    *placed = *tile;
    placed->memory = NULL;
    if (tile->shape[axis] == h && tile->shape[axis + 1] == w)
        return 0;
    if (h / MAX_ENLARGE > tile->shape[axis] || w / MAX_ENLARGE > tile->shape[axis + 1])
        return err_set(err, STATUS_DATA, "a tile of %zu x %zu cannot fill %zu x %zu pixels",
                       tile->shape[axis + 1], tile->shape[axis], w, h);
    return resample_new(tile, axis, h, w, labels, placed, err);
}

/* A view of `tile` as float32 planes, or a new array of them. */
static int to_planes(const struct array *tile, struct array *planes, struct err *err)
{
    size_t shape[3] = {1, tile->shape[0], tile->shape[1]};
    const size_t *dimensions = tile->ndim == 3 ? tile->shape : shape;
    if (tile->dtype == DTYPE_F32) {
        *planes = array_view(DTYPE_F32, 3, dimensions, tile->data);
        return 0;
    }
    if (array_new(planes, DTYPE_F32, 3, dimensions, err))
        return -1;
    return convert_floats(tile, planes->data, err);
}

static int blend_tile(struct mosaic *m, const struct array *tile, int64_t x, int64_t y,
                      int64_t width, int64_t height, struct err *err)
{
    struct array planes = {0}, placed = {0};
    int rc = to_planes(tile, &planes, err);
    if (rc == 0)
        rc = to_place(&planes, 1, width, height, false, &placed, err);
    if (rc == 0)
        rc = blend_add(&m->blend, &placed, x, y, err);
    array_free(&placed);
    array_free(&planes);
    return rc;
}

/* Copies the part of the tile that is inside the image. */
static void copy_rows(struct mosaic *m, const struct array *tile, int64_t x, int64_t y)
{
    size_t pixel = pixel_bytes(m);
    struct blend_span across = blend_clip(x, tile->shape[1], m->options.width);
    struct blend_span down = blend_clip(y, tile->shape[0], m->options.height);
    if (!across.n || !down.n)
        return;
    size_t left = (size_t)(x + (int64_t)across.skip), width = tile->shape[1];
    int64_t top = y + (int64_t)down.skip;
    const unsigned char *from = tile->data;
    band_paste(&m->pixels, top, left * pixel, from + (down.skip * width + across.skip) * pixel,
               width * pixel, across.n * pixel, down.n);
    for (size_t j = 0; j < down.n; j++)
        memset((unsigned char *)band_row(&m->covered, top + (int64_t)j) + left, 1, across.n);
}

static int paste_tile(struct mosaic *m, const struct array *tile, int64_t x, int64_t y,
                      int64_t width, int64_t height, struct err *err)
{
    struct array placed;
    size_t planes = tile->ndim == 3 ? tile->shape[2] : 1;
    int64_t bottom = y + height < m->options.height ? y + height : m->options.height;
    if (tile->dtype != m->options.dtype || planes != m->options.planes)
        return err_set(err, STATUS_DATA, "a tile of another kind than the first");
    if (y < m->next_row && m->next_row > 0)
        return err_set(err, STATUS_DATA, "tiles are not in the order of their rows");
    if (band_extend(&m->pixels, bottom, err) || band_extend(&m->covered, bottom, err) ||
        to_place(tile, 0, width, height, m->options.labels, &placed, err))
        return -1;
    copy_rows(m, &placed, x, y);
    array_free(&placed);
    return 0;
}

/* Before anything is made of what the place only says: the tile there, and rows down to it. */
static int check_place(const struct mosaic *m, int64_t x, int64_t y, int64_t width, int64_t height,
                       struct err *err)
{
    int64_t most = INT32_MAX, bottom = y + height;
    if (width < 1 || height < 1 || width > most || height > most || x < -most || x > most ||
        y < -most || y > most)
        return err_set(err, STATUS_DATA, "a place that cannot be");
    bottom = bottom < m->options.height ? bottom : m->options.height;
    size_t rows = bottom > m->next_row ? (size_t)(bottom - m->next_row) : 0, tile, bytes;
    if (!num_mul((size_t)width * (size_t)height, pixel_bytes(m), &tile) ||
        !num_mul(rows, mosaic_row_bytes(m), &bytes) || !num_add(bytes, tile, &bytes))
        bytes = SIZE_MAX;
    return limits_check_memory(bytes, "a tile", err);
}

int mosaic_add(struct mosaic *mosaic, const struct array *tile, int64_t x, int64_t y, int64_t width,
               int64_t height, struct err *err)
{
    if (check_place(mosaic, x, y, width, height, err))
        return -1;
    return (mosaic->options.blended ? blend_tile : paste_tile)(mosaic, tile, x, y, width, height,
                                                               err);
}

/* ---- rows out ---- */

int64_t mosaic_bottom(const struct mosaic *mosaic)
{
    return mosaic->options.blended ? mosaic->blend.band.bottom : mosaic->pixels.bottom;
}

void mosaic_skip(struct mosaic *mosaic, int64_t until)
{
    blend_drop(&mosaic->blend, until);
    band_drop(&mosaic->pixels, until);
    band_drop(&mosaic->covered, until);
    mosaic->next_row = until > mosaic->next_row ? until : mosaic->next_row;
}

static int give_blended(struct mosaic *m, int64_t until, mosaic_take *take, void *user,
                        struct err *err)
{
    for (; m->next_row < until; m->next_row++) {
        m->uncovered += blend_row(&m->blend, m->next_row, m->row);
        if (take(user, m->row, 1, err))
            return -1;
    }
    blend_drop(&m->blend, until);
    return 0;
}

static int64_t count_uncovered(const unsigned char *covered, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += covered[i];
    return (int64_t)(n - sum);
}

static int give_pasted(struct mosaic *m, int64_t until, mosaic_take *take, void *user,
                       struct err *err)
{
    if (band_extend(&m->pixels, until, err) || band_extend(&m->covered, until, err))
        return -1;
    while (m->next_row < until) {
        int64_t count = band_contiguous(&m->pixels, m->next_row, until - m->next_row);
        for (int64_t y = m->next_row; y < m->next_row + count; y++)
            m->uncovered += count_uncovered(band_row(&m->covered, y), (size_t)m->options.width);
        if (take(user, band_row(&m->pixels, m->next_row), count, err))
            return -1;
        m->next_row += count;
    }
    band_drop(&m->pixels, until);
    band_drop(&m->covered, until);
    return 0;
}

int mosaic_give(struct mosaic *mosaic, int64_t until, mosaic_take *take, void *user,
                struct err *err)
{
    until = until < mosaic->options.height ? until : mosaic->options.height;
    return (mosaic->options.blended ? give_blended : give_pasted)(mosaic, until, take, user, err);
}
