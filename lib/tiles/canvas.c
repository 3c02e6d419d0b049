#include "tiles/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/num.h"
#include "pixels/resample.h"

static bool wants(const struct canvas *canvas, enum picture_part part)
{
    return canvas->rules.wanted >> part & 1;
}

/* ---- begin and end ---- */

int canvas_new(struct canvas *canvas, const struct canvas_rules *rules, struct err *err)
{
    size_t w = rules->width, h = rules->height, planes = rules->planes;
    *canvas = (struct canvas){.rules = *rules, .picture = {.height = h, .width = w}};
    if (w == 0 || h == 0 || w > INT32_MAX || h > INT32_MAX)
        return err_set(err, STATUS_DATA, "an image of %zu x %zu pixels", w, h);
    if (planes == 0 || planes > 255)
        return err_set(err, STATUS_DATA, "probabilities of %zu classes", planes);
    canvas->rules.band = rules->band ? rules->band : CANVAS_BAND;
    canvas->truth = band_new(w * sizeof(uint32_t));
    if (blend_new(&canvas->values, BLEND_MEAN, planes, (int64_t)w, (int64_t)h, err))
        return -1;
    if ((rules->has_uncertainty &&
         blend_new(&canvas->uncertainty, BLEND_MEAN, 1, (int64_t)w, (int64_t)h, err)) ||
        (rules->has_flows &&
         blend_new(&canvas->flows, BLEND_MEAN, 2, (int64_t)w, (int64_t)h, err))) {
        canvas_free(canvas);
        return -1;
    }
    return 0;
}

void canvas_free(struct canvas *canvas)
{
    blend_free(&canvas->values);
    blend_free(&canvas->uncertainty);
    blend_free(&canvas->flows);
    band_free(&canvas->truth);
    band_free(&canvas->image);
    picture_free(&canvas->picture);
    *canvas = (struct canvas){0};
}

/* ---- finished rows ---- */

static bool is_given(const struct canvas *canvas, enum picture_part part)
{
    bool has_flows = canvas->rules.has_flows;
    if (part == PICTURE_FOREGROUND && canvas->rules.planes > 2 && !has_flows)
        return false;
    if ((part == PICTURE_FLOWS && !has_flows) || (part == PICTURE_VALUES && has_flows))
        return false;
    return wants(canvas, part) && (part != PICTURE_IMAGE || canvas->image_like.ndim);
}

static size_t planes_of(const struct canvas *canvas, enum picture_part part)
{
    return part == PICTURE_VALUES ? canvas->rules.planes : part == PICTURE_FLOWS ? 2 : 1;
}

/* Bytes of a row of a part, all planes of it together. */
static size_t row_bytes(const struct canvas *canvas, enum picture_part part)
{
    size_t values = planes_of(canvas, part);
    return part == PICTURE_IMAGE ? canvas->image.row_bytes
                                 : canvas->rules.width * values * sizeof(uint32_t);
}

/* The size comes from the stream: it must fit the tiles that came. */
static int check_size(const struct canvas *canvas, size_t rows, struct err *err)
{
    size_t count = canvas->rules.width * rows;
    if (count > ((size_t)1 << 26) && count / 1024 > canvas->tile_area)
        return err_set(err, STATUS_DATA, "an image of %zu x %zu pixels with almost no tiles",
                       canvas->rules.width, canvas->rules.height);
    return 0;
}

static void set_pointers(struct canvas *canvas)
{
    struct picture *p = &canvas->picture;
    picture_point(p);
    if (p->room[PICTURE_IMAGE].data)
        p->image = array_view(
            canvas->image_like.dtype, 3,
            (size_t[]){canvas->rules.height, canvas->rules.width, canvas->image_like.shape[2]},
            p->room[PICTURE_IMAGE].data);
}

/* Makes room for the first `rows` rows of all parts; planes lie apart, so that
 * values and flows need all of theirs. */
static int make_room(struct canvas *canvas, size_t rows, struct err *err)
{
    size_t height = canvas->rules.height;
    bool in_planes = is_given(canvas, PICTURE_VALUES) || is_given(canvas, PICTURE_FLOWS);
    if (check_size(canvas, in_planes ? height : rows, err))
        return -1;
    for (int part = 0; part < PICTURE_PARTS; part++) {
        struct spill *room = &canvas->picture.room[part];
        size_t row = row_bytes(canvas, part), bytes;
        if (!is_given(canvas, part))
            continue;
        if (!num_mul(row, height, &bytes) || bytes > SIZE_MAX / 2)
            return err_memory(err, "an image");
        if ((!room->data && spill_new_claimed(room, bytes, SPILL_LIMIT, err)) ||
            spill_reserve(room, planes_of(canvas, part) > 1 ? bytes : rows * row, err))
            return -1;
    }
    set_pointers(canvas);
    return 0;
}

/* How unsure the most probable class is, 0 to 1. */
static float doubt(const float *row, size_t planes, size_t width, size_t x)
{
    float best = 0;
    for (size_t k = 0; k < planes; k++)
        best = row[k * width + x] > best ? row[k * width + x] : best;
    if (planes == 1)
        best = best > 0.5f ? best : 1 - best;
    return planes == 1 ? 2 * (1 - best) : (1 - best) * (float)planes / (float)(planes - 1);
}

static void finish_labels(const struct canvas *canvas, const float *row, uint8_t *classes,
                          uint32_t *labels)
{
    size_t w = canvas->rules.width;
    blend_labels(row, canvas->rules.planes, w, canvas->rules.threshold, classes);
    for (size_t x = 0; x < w; x++)
        labels[x] = classes[x];
}

static void copy_planes(const struct canvas *canvas, const float *row, size_t planes, size_t y,
                        float *to)
{
    size_t w = canvas->rules.width;
    for (size_t k = 0; k < planes; k++)
        memcpy(to + (k * canvas->rules.height + y) * w, row + k * w, w * sizeof *row);
}

static void finish_foreground(const struct canvas *canvas, const float *row, float *to)
{
    size_t w = canvas->rules.width, planes = canvas->rules.planes;
    if (planes <= 2)
        memcpy(to, row + (planes - 1) * w, w * sizeof *row);
    for (size_t x = 0; planes > 2 && x < w; x++)
        to[x] = 1 - row[x];
}

static void finish_values(struct canvas *canvas, size_t y, float *row, uint8_t *classes)
{
    struct picture *p = &canvas->picture;
    size_t w = canvas->rules.width, planes = canvas->rules.planes, at = y * w;
    if ((int64_t)y >= canvas->values.band.bottom)
        return;
    blend_row(&canvas->values, (int64_t)y, row);
    if (p->prediction)
        finish_labels(canvas, row, classes, p->prediction + at);
    if (p->foreground)
        finish_foreground(canvas, row, p->foreground + at);
    if (p->values)
        copy_planes(canvas, row, planes, y, p->values);
    if (p->doubt && canvas->rules.has_uncertainty)
        blend_row(&canvas->uncertainty, (int64_t)y, p->doubt + at);
    else if (p->doubt)
        for (size_t x = 0; x < w; x++)
            p->doubt[at + x] = doubt(row, planes, w, x);
    if (p->flows) {
        blend_row(&canvas->flows, (int64_t)y, row);
        copy_planes(canvas, row, 2, y, p->flows);
    }
}

static void copy_row(const struct band *band, const struct spill *room, size_t y)
{
    if (room->data && (int64_t)y < band->bottom)
        memcpy((char *)room->data + y * band->row_bytes, band_row(band, (int64_t)y),
               band->row_bytes);
}

static int finish_until(struct canvas *canvas, int64_t until, struct err *err)
{
    size_t w = canvas->rules.width;
    if (until <= canvas->next_row)
        return 0;
    if (make_room(canvas, (size_t)until, err))
        return -1;
    size_t planes = canvas->rules.planes > 2 ? canvas->rules.planes : 2;
    float *row = malloc(planes * w * sizeof *row);
    uint8_t *classes = malloc(w);
    int rc = row && classes ? 0 : err_memory(err, "a row");
    for (; rc == 0 && canvas->next_row < until; canvas->next_row++) {
        size_t y = (size_t)canvas->next_row;
        finish_values(canvas, y, row, classes);
        copy_row(&canvas->truth, &canvas->picture.room[PICTURE_TRUTH], y);
        copy_row(&canvas->image, &canvas->picture.room[PICTURE_IMAGE], y);
    }
    free(row);
    free(classes);
    blend_drop(&canvas->values, until);
    blend_drop(&canvas->uncertainty, until);
    blend_drop(&canvas->flows, until);
    band_drop(&canvas->truth, until);
    band_drop(&canvas->image, until);
    return rc;
}

int canvas_finish(struct canvas *canvas, struct picture *picture, struct err *err)
{
    if (finish_until(canvas, (int64_t)canvas->rules.height, err))
        return -1;
    *picture = canvas->picture;
    canvas->picture = (struct picture){0};
    return 0;
}

/* ---- tiles in ---- */

static bool has_shape(const struct array *array, int ndim, size_t height, size_t width)
{
    return array->ndim == ndim && array->shape[0] == height && array->shape[1] == width;
}

static int check_tile(const struct canvas *canvas, const struct canvas_tile *tile, struct err *err)
{
    const struct array *values = tile->values;
    if (values->ndim != 3 || values->shape[0] != canvas->rules.planes)
        return err_set(err, STATUS_DATA, "probabilities of another shape or number of classes");
    size_t h = values->shape[1], w = values->shape[2];
    if (h == 0 || w == 0 || tile->height == 0 || tile->width == 0)
        return err_set(err, STATUS_DATA, "a tile without pixels");
    if (llabs(tile->x) > INT32_MAX || llabs(tile->y) > INT32_MAX || tile->height > INT32_MAX ||
        tile->width > INT32_MAX)
        return err_set(err, STATUS_DATA, "a place that cannot be");
    if (tile->truth && !has_shape(tile->truth, 2, h, w))
        return err_set(err, STATUS_DATA, "mask and prob are not of the same size");
    if (canvas->rules.has_uncertainty != (tile->uncertainty != NULL))
        return err_set(err, STATUS_DATA, "only some tiles have an uncertainty");
    if (canvas->rules.has_flows != (tile->flows != NULL))
        return err_set(err, STATUS_DATA, "only some tiles have flows");
    if (tile->flows && (tile->flows->ndim != 3 || tile->flows->shape[0] != 2 ||
                        tile->flows->shape[1] != h || tile->flows->shape[2] != w))
        return err_set(err, STATUS_DATA, "flows and prob are not of the same size");
    if (tile->uncertainty && !has_shape(tile->uncertainty, 2, h, w))
        return err_set(err, STATUS_DATA, "uncertainty and prob are not of the same size");
    if (tile->image && !has_shape(tile->image, 3, h, w))
        return err_set(err, STATUS_DATA, "image and prob are not of the same size");
    if (tile->height / 1024 > h || tile->width / 1024 > w)
        return err_set(err, STATUS_DATA, "a tile that is enlarged more than 1024 times");
    return 0;
}

/* `from` in the size of the tile's place; *placed is a view or new.  axis: the first of
 * the two that are height and width. */
static int to_place(const struct array *from, int axis, const struct canvas_tile *tile, bool labels,
                    struct array *placed, struct err *err)
{
    if (from->shape[axis] == tile->height && from->shape[axis + 1] == tile->width) {
        *placed = *from;
        placed->memory = NULL;
        return 0;
    }
    return resample_new(from, axis, tile->height, tile->width, labels, placed, err);
}

static int blend_tile(struct blend *blend, const struct array *from, const struct canvas_tile *tile,
                      struct err *err)
{
    struct array floats, placed = {0};
    size_t shape[3] = {1, from->shape[0], from->shape[1]};
    if (array_new(&floats, DTYPE_F32, 3, from->ndim == 3 ? from->shape : shape, err))
        return -1;
    int rc = convert_floats(from, floats.data, err);
    if (rc == 0)
        rc = to_place(&floats, 1, tile, false, &placed, err);
    if (rc == 0)
        rc = blend_add(blend, &placed, tile->x, tile->y, err);
    array_free(&placed);
    array_free(&floats);
    return rc;
}

/* Copies the pixels of a tile that are inside the image. */
static int paste(struct canvas *canvas, struct band *band, const struct array *from,
                 const struct canvas_tile *tile, struct err *err)
{
    size_t pixel = band->row_bytes / canvas->rules.width;
    int64_t w = (int64_t)canvas->rules.width, bottom = tile->y + (int64_t)tile->height;
    int64_t left = tile->x > 0 ? tile->x : 0, right = tile->x + (int64_t)tile->width;
    right = right < w ? right : w;
    bottom = bottom < (int64_t)canvas->rules.height ? bottom : (int64_t)canvas->rules.height;
    if (band_extend(band, bottom, err))
        return -1;
    for (int64_t y = tile->y > 0 ? tile->y : 0; y < bottom && left < right; y++) {
        size_t at = (size_t)(y - tile->y) * tile->width + (size_t)(left - tile->x);
        memcpy((char *)band_row(band, y) + (size_t)left * pixel,
               (const char *)from->data + at * pixel, (size_t)(right - left) * pixel);
    }
    return 0;
}

static int paste_truth(struct canvas *canvas, const struct canvas_tile *tile, struct err *err)
{
    struct array labels, placed = {0};
    if (array_new(&labels, DTYPE_U32, 2, tile->truth->shape, err))
        return -1;
    int rc = convert_labels(tile->truth, labels.data, err);
    if (rc == 0)
        rc = to_place(&labels, 0, tile, true, &placed, err);
    if (rc == 0)
        rc = paste(canvas, &canvas->truth, &placed, tile, err);
    array_free(&placed);
    array_free(&labels);
    return rc;
}

/* The first image says of what type all are. */
static int paste_image(struct canvas *canvas, const struct canvas_tile *tile, struct err *err)
{
    struct array *like = &canvas->image_like, placed;
    const struct array *image = tile->image;
    size_t channels = image->shape[2];
    if (!like->ndim) {
        *like = array_view(image->dtype, 3, (size_t[]){1, 1, channels}, NULL);
        canvas->image = band_new(canvas->rules.width * channels * dtype_size(image->dtype));
        band_drop(&canvas->image, canvas->next_row);
    }
    if (image->dtype != like->dtype || channels != like->shape[2])
        return err_set(err, STATUS_DATA, "an image of another kind than the first tile's");
    if (to_place(image, 0, tile, false, &placed, err))
        return -1;
    int rc = paste(canvas, &canvas->image, &placed, tile, err);
    array_free(&placed);
    return rc;
}

/* Finishes the rows above the tile when there are too many to keep. */
static int make_way(struct canvas *canvas, const struct canvas_tile *tile, struct err *err)
{
    int64_t height = (int64_t)canvas->rules.height, bottom = tile->y + (int64_t)tile->height;
    size_t row = canvas->values.band.row_bytes + canvas->uncertainty.band.row_bytes +
                 canvas->flows.band.row_bytes + canvas->truth.row_bytes + canvas->image.row_bytes;
    bottom = bottom < height ? bottom : height;
    if (bottom <= canvas->next_row ||
        (size_t)(bottom - canvas->next_row) <= canvas->rules.band / row)
        return 0;
    return finish_until(canvas, tile->y < bottom ? tile->y : bottom, err);
}

int canvas_add(struct canvas *canvas, const struct canvas_tile *tile, struct err *err)
{
    if (check_tile(canvas, tile, err) || make_way(canvas, tile, err))
        return -1;
    canvas->tile_area += tile->height * tile->width;
    if (blend_tile(&canvas->values, tile->values, tile, err) ||
        (tile->uncertainty && blend_tile(&canvas->uncertainty, tile->uncertainty, tile, err)) ||
        (tile->flows && blend_tile(&canvas->flows, tile->flows, tile, err)))
        return -1;
    if (tile->truth && wants(canvas, PICTURE_TRUTH) && paste_truth(canvas, tile, err))
        return -1;
    return tile->image && wants(canvas, PICTURE_IMAGE) ? paste_image(canvas, tile, err) : 0;
}
