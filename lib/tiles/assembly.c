#include "tiles/assembly.h"

#include <stdlib.h>
#include <string.h>

#include "core/convert.h"
#include "core/num.h"

static bool wants(const struct assembly *a, enum picture_part part)
{
    return a->options.wanted >> part & 1;
}

/* ---- begin and end ---- */

static int add_layer(struct assembly *a, enum assembly_layer layer, size_t planes, enum dtype dtype,
                     struct err *err)
{
    struct mosaic_options options = {.width = (int64_t)a->options.width,
                                     .height = (int64_t)a->options.height,
                                     .blended = layer < LAYER_TRUTH,
                                     .labels = layer == LAYER_TRUTH,
                                     .planes = planes,
                                     .dtype = dtype,
                                     .blend = a->options.blend};
    a->has[layer] = true;
    if (mosaic_new(&a->layers[layer], &options, err))
        return -1;
    mosaic_skip(&a->layers[layer], a->next_row);
    return 0;
}

int assembly_new(struct assembly *assembly, const struct assembly_options *options, struct err *err)
{
    struct assembly *a = assembly;
    size_t w = options->width, h = options->height;
    *a = (struct assembly){.options = *options, .picture = {.height = h, .width = w}};
    if (w == 0 || h == 0 || w > INT32_MAX || h > INT32_MAX)
        return err_set(err, STATUS_DATA, "an image of %zu x %zu pixels", w, h);
    if (options->planes == 0 || options->planes > 255)
        return err_set(err, STATUS_DATA, "probabilities of %zu classes", options->planes);
    a->options.band = options->band ? options->band : ASSEMBLY_BAND;
    a->classes = malloc(w);
    if (!a->classes)
        return err_memory(err, "a row");
    if (add_layer(a, LAYER_VALUES, options->planes, DTYPE_F32, err) ||
        (options->has_uncertainty && add_layer(a, LAYER_UNCERTAINTY, 1, DTYPE_F32, err)) ||
        (options->has_flows && add_layer(a, LAYER_FLOWS, 2, DTYPE_F32, err)) ||
        (wants(a, PICTURE_TRUTH) && add_layer(a, LAYER_TRUTH, 1, DTYPE_U32, err)))
        return -1;
    return 0;
}

void assembly_free(struct assembly *assembly)
{
    for (int layer = 0; layer < LAYERS; layer++)
        mosaic_free(&assembly->layers[layer]);
    free(assembly->classes);
    picture_free(&assembly->picture);
    *assembly = (struct assembly){0};
}

/* ---- room ---- */

static bool is_given(const struct assembly *a, enum picture_part part)
{
    bool has_flows = a->options.has_flows;
    if (part == PICTURE_FOREGROUND && a->options.planes > 2 && !has_flows)
        return false;
    if ((part == PICTURE_FLOWS && !has_flows) || (part == PICTURE_VALUES && has_flows) ||
        (part == PICTURE_IMAGE && !a->has[LAYER_IMAGE]))
        return false;
    return wants(a, part);
}

static size_t planes_of(const struct assembly *a, enum picture_part part)
{
    return part == PICTURE_VALUES ? a->options.planes : part == PICTURE_FLOWS ? 2 : 1;
}

/* Bytes of a row of a part, all planes of it together. */
static size_t row_bytes(const struct assembly *a, enum picture_part part)
{
    const struct mosaic_options *image = &a->layers[LAYER_IMAGE].options;
    size_t pixel = part == PICTURE_IMAGE ? image->planes * dtype_size(image->dtype)
                                         : planes_of(a, part) * sizeof(uint32_t);
    return a->options.width * pixel;
}

static void set_pointers(struct assembly *a)
{
    struct picture *p = &a->picture;
    const struct mosaic_options *image = &a->layers[LAYER_IMAGE].options;
    picture_point(p);
    if (p->room[PICTURE_IMAGE].data)
        p->image = array_view(image->dtype, 3,
                              (size_t[]){a->options.height, a->options.width, image->planes},
                              p->room[PICTURE_IMAGE].data);
}

/* Makes room for the first `rows` rows of all parts; planes lie apart, so that values and
 * flows need all of theirs. */
static int make_room(struct assembly *a, size_t rows, struct err *err)
{
    size_t height = a->options.height;
    bool in_planes = is_given(a, PICTURE_VALUES) || is_given(a, PICTURE_FLOWS);
    if (in_planes && a->allowed && a->options.width > a->allowed / height)
        return err_set(err, STATUS_DATA, "an image of %zu x %zu pixels with almost no tiles",
                       a->options.width, height);
    for (int part = 0; part < PICTURE_PARTS; part++) {
        struct spill *room = &a->picture.room[part];
        size_t row = row_bytes(a, part), bytes;
        if (!is_given(a, part))
            continue;
        if (!num_mul(row, height, &bytes) || bytes > SIZE_MAX / 2)
            return err_memory(err, "an image");
        if ((!room->data && spill_new_claimed(room, bytes, SPILL_LIMIT, err)) ||
            spill_reserve(room, planes_of(a, part) > 1 ? bytes : rows * row, err))
            return -1;
    }
    set_pointers(a);
    return 0;
}

/* ---- finished rows ---- */

/* How unsure the most probable class is, 0 to 1. */
static float uncertainty(const float *row, size_t planes, size_t width, size_t x)
{
    float best = 0;
    for (size_t k = 0; k < planes; k++)
        best = row[k * width + x] > best ? row[k * width + x] : best;
    if (planes == 1)
        best = best > 0.5f ? best : 1 - best;
    return planes == 1 ? 2 * (1 - best) : (1 - best) * (float)planes / (float)(planes - 1);
}

static void copy_planes(const struct assembly *a, const float *row, size_t planes, size_t y,
                        float *to)
{
    size_t w = a->options.width;
    for (size_t k = 0; k < planes; k++)
        memcpy(to + (k * a->options.height + y) * w, row + k * w, w * sizeof *row);
}

static void finish_labels(const struct assembly *a, const float *row, uint32_t *labels)
{
    size_t w = a->options.width;
    blend_labels(row, a->options.planes, w, a->options.threshold, a->classes);
    for (size_t x = 0; x < w; x++)
        labels[x] = a->classes[x];
}

static void finish_foreground(const struct assembly *a, const float *row, float *to)
{
    size_t w = a->options.width, planes = a->options.planes;
    if (planes <= 2)
        memcpy(to, row + (planes - 1) * w, w * sizeof *row);
    for (size_t x = 0; planes > 2 && x < w; x++)
        to[x] = 1 - row[x];
}

static int take_values(void *user, void *rows, int64_t count, struct err *err)
{
    struct assembly *a = user;
    struct picture *p = &a->picture;
    const float *row = rows;
    size_t w = a->options.width, y = (size_t)a->layers[LAYER_VALUES].next_row;
    (void)count; /* one, of what is blended */
    (void)err;
    if (p->prediction)
        finish_labels(a, row, p->prediction + y * w);
    if (p->foreground)
        finish_foreground(a, row, p->foreground + y * w);
    if (p->values)
        copy_planes(a, row, a->options.planes, y, p->values);
    for (size_t x = 0; p->uncertainty && !a->has[LAYER_UNCERTAINTY] && x < w; x++)
        p->uncertainty[y * w + x] = uncertainty(row, a->options.planes, w, x);
    return 0;
}

static int take_uncertainty(void *user, void *rows, int64_t count, struct err *err)
{
    struct assembly *a = user;
    size_t w = a->options.width, y = (size_t)a->layers[LAYER_UNCERTAINTY].next_row;
    (void)count;
    (void)err;
    if (a->picture.uncertainty)
        memcpy(a->picture.uncertainty + y * w, rows, w * sizeof(float));
    return 0;
}

static int take_flows(void *user, void *rows, int64_t count, struct err *err)
{
    struct assembly *a = user;
    (void)count;
    (void)err;
    if (a->picture.flows)
        copy_planes(a, rows, 2, (size_t)a->layers[LAYER_FLOWS].next_row, a->picture.flows);
    return 0;
}

static void copy_rows(struct assembly *a, enum assembly_layer layer, enum picture_part part,
                      const void *rows, int64_t count)
{
    size_t row = row_bytes(a, part), y = (size_t)a->layers[layer].next_row;
    char *room = a->picture.room[part].data;
    if (room)
        memcpy(room + y * row, rows, (size_t)count * row);
}

static int take_truth(void *user, void *rows, int64_t count, struct err *err)
{
    (void)err;
    copy_rows(user, LAYER_TRUTH, PICTURE_TRUTH, rows, count);
    return 0;
}

static int take_image(void *user, void *rows, int64_t count, struct err *err)
{
    (void)err;
    copy_rows(user, LAYER_IMAGE, PICTURE_IMAGE, rows, count);
    return 0;
}

/* Rows below all tiles stay as they are, 0. */
static int finish_until(struct assembly *a, int64_t until, struct err *err)
{
    static mosaic_take *const takers[LAYERS] = {take_values, take_uncertainty, take_flows,
                                                take_truth, take_image};
    if (until <= a->next_row)
        return 0;
    if (make_room(a, (size_t)until, err))
        return -1;
    for (int layer = 0; layer < LAYERS; layer++) {
        struct mosaic *mosaic = &a->layers[layer];
        int64_t bottom = mosaic_bottom(mosaic);
        if (!a->has[layer])
            continue;
        if (mosaic_give(mosaic, bottom < until ? bottom : until, takers[layer], a, err))
            return -1;
        mosaic_skip(mosaic, until);
    }
    a->next_row = until;
    return 0;
}

int assembly_finish(struct assembly *assembly, struct picture *picture, struct err *err)
{
    if (finish_until(assembly, (int64_t)assembly->options.height, err))
        return -1;
    *picture = assembly->picture;
    assembly->picture = (struct picture){0};
    return 0;
}

/* ---- tiles in ---- */

/* Whether an array is where it should be, and as large as the values are there. */
static int check_array(const struct array *array, const char *name, bool wanted, int axis,
                       const struct array *values, struct err *err)
{
    if (wanted != (array != NULL))
        return err_set(err, STATUS_DATA, "only some tiles have %s", name);
    if (array &&
        (array->ndim < axis + 2 || array->ndim > 3 || array->shape[axis] != values->shape[1] ||
         array->shape[axis + 1] != values->shape[2]))
        return err_set(err, STATUS_DATA, "%s and prob are not of the same size", name);
    return 0;
}

static int check_tile(const struct assembly *a, const struct assembly_tile *tile, struct err *err)
{
    const struct array *values = tile->values;
    if (values->ndim != 3 || values->shape[0] != a->options.planes)
        return err_set(err, STATUS_DATA, "probabilities of another shape or number of classes");
    if (tile->height < 1 || tile->width < 1 || array_count(values) == 0)
        return err_set(err, STATUS_DATA, "a tile without pixels");
    if (check_array(tile->uncertainty, "uncertainty", a->has[LAYER_UNCERTAINTY], 0, values, err) ||
        check_array(tile->flows, "flows", a->has[LAYER_FLOWS], 1, values, err) ||
        (wants(a, PICTURE_TRUTH) && check_array(tile->truth, "mask", true, 0, values, err)) ||
        (tile->image && check_array(tile->image, "image", true, 0, values, err)))
        return -1;
    if (tile->image && tile->image->ndim != 3)
        return err_set(err, STATUS_DATA, "an image without channels");
    return 0;
}

static int put(struct assembly *a, enum assembly_layer layer, const struct array *array,
               const struct assembly_tile *tile, struct err *err)
{
    if (!array)
        return 0;
    return mosaic_add(&a->layers[layer], array, tile->x, tile->y, tile->width, tile->height, err);
}

static int put_truth(struct assembly *a, const struct assembly_tile *tile, struct err *err)
{
    struct array labels;
    if (!a->has[LAYER_TRUTH])
        return 0;
    if (array_new(&labels, DTYPE_U32, 2, tile->truth->shape, err))
        return -1;
    int rc = convert_labels(tile->truth, labels.data, err);
    if (rc == 0)
        rc = put(a, LAYER_TRUTH, &labels, tile, err);
    array_free(&labels);
    return rc;
}

/* The first image says of what type all are. */
static int put_image(struct assembly *a, const struct assembly_tile *tile, struct err *err)
{
    if (!tile->image || !wants(a, PICTURE_IMAGE))
        return 0;
    if (!a->has[LAYER_IMAGE] &&
        add_layer(a, LAYER_IMAGE, tile->image->shape[2], tile->image->dtype, err))
        return -1;
    return put(a, LAYER_IMAGE, tile->image, tile, err);
}

/* Finishes the rows above the tile when there are too many to keep. */
static int make_way(struct assembly *a, const struct assembly_tile *tile, struct err *err)
{
    int64_t height = (int64_t)a->options.height, bottom = tile->y + tile->height;
    size_t row = 0;
    for (int layer = 0; layer < LAYERS; layer++)
        row += a->has[layer] ? mosaic_row_bytes(&a->layers[layer]) : 0;
    bottom = bottom < height ? bottom : height;
    if (bottom <= a->next_row || (size_t)(bottom - a->next_row) <= a->options.band / row)
        return 0;
    return finish_until(a, tile->y < bottom ? tile->y : bottom, err);
}

int assembly_add(struct assembly *assembly, const struct assembly_tile *tile, struct err *err)
{
    struct assembly *a = assembly;
    if (check_tile(a, tile, err) || make_way(a, tile, err) ||
        put(a, LAYER_VALUES, tile->values, tile, err) ||
        put(a, LAYER_UNCERTAINTY, tile->uncertainty, tile, err) ||
        put(a, LAYER_FLOWS, tile->flows, tile, err) || put_truth(a, tile, err) ||
        put_image(a, tile, err))
        return -1;
    return 0;
}
