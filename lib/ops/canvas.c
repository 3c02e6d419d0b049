#include "ops/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/half.h"
#include "ops/resample.h"

/* ---- types ---- */

int canvas_labels(const struct array *from, uint32_t **to, struct err *err)
{
    size_t count = array_count(from);
    uint32_t *labels = malloc(count * sizeof *labels + 1);
    if (!labels)
        return err_memory(err, "labels");
    *to = labels;
    for (size_t i = 0; i < count; i++)
        switch (from->dtype) {
        case DTYPE_BOOL:
        case DTYPE_U8:
            labels[i] = ((const uint8_t *)from->data)[i];
            break;
        case DTYPE_U16:
            labels[i] = ((const uint16_t *)from->data)[i];
            break;
        case DTYPE_U32:
            labels[i] = ((const uint32_t *)from->data)[i];
            break;
        default:
            free(labels);
            *to = NULL;
            return err_set(err, STATUS_DATA, "labels are whole numbers of 8 to 32 bits, not %s",
                           dtype_name(from->dtype));
        }
    return 0;
}

int canvas_floats(const struct array *from, struct array *to, struct err *err)
{
    if (from->dtype != DTYPE_F16 && from->dtype != DTYPE_F32)
        return err_set(err, STATUS_DATA, "float16 or float32 is needed, not %s",
                       dtype_name(from->dtype));
    if (array_new(to, DTYPE_F32, from->ndim, from->shape, err))
        return -1;
    if (from->dtype == DTYPE_F16)
        half_to_floats(to->data, from->data, array_count(from));
    else if (array_count(from))
        memcpy(to->data, from->data, array_bytes(from));
    return 0;
}

/* ---- tiles in ---- */

int canvas_new(struct canvas *canvas, size_t width, size_t height, size_t planes,
               bool has_uncertainty, struct err *err)
{
    *canvas = (struct canvas){.width = width, .height = height, .planes = planes};
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
        return err_set(err, STATUS_DATA, "an image of %zu x %zu pixels", width, height);
    if (planes == 0 || planes > 255)
        return err_set(err, STATUS_DATA, "probabilities of %zu classes", planes);
    canvas->truth = band_new(width * sizeof(uint32_t));
    if (blend_new(&canvas->probability, BLEND_MEAN, planes, (int64_t)width, (int64_t)height, err))
        return -1;
    if (has_uncertainty &&
        blend_new(&canvas->uncertainty, BLEND_MEAN, 1, (int64_t)width, (int64_t)height, err)) {
        blend_free(&canvas->probability);
        return -1;
    }
    canvas->has_uncertainty = has_uncertainty;
    return 0;
}

void canvas_free(struct canvas *canvas)
{
    blend_free(&canvas->probability);
    if (canvas->has_uncertainty)
        blend_free(&canvas->uncertainty);
    band_free(&canvas->truth);
    *canvas = (struct canvas){0};
}

static int paste(struct canvas *canvas, const uint32_t *tile, size_t height, size_t width,
                 int64_t x, int64_t y, struct err *err)
{
    int64_t bottom = y + (int64_t)height;
    bottom = bottom < (int64_t)canvas->height ? bottom : (int64_t)canvas->height;
    if (bottom > canvas->truth.bottom && band_extend(&canvas->truth, bottom, err))
        return -1;
    for (int64_t v = y < 0 ? 0 : y; v < bottom; v++) {
        uint32_t *row = band_row(&canvas->truth, v);
        const uint32_t *from = tile + (size_t)(v - y) * width;
        for (size_t u = 0; u < width; u++) {
            int64_t to = x + (int64_t)u;
            if (to >= 0 && to < (int64_t)canvas->width)
                row[to] = from[u];
        }
    }
    return 0;
}

static bool has_shape(const struct array *array, size_t height, size_t width)
{
    return array->ndim == 2 && array->shape[0] == height && array->shape[1] == width;
}

static int check_tile(const struct canvas *canvas, const struct array *probability,
                      const struct array *truth, const struct array *uncertainty, struct err *err)
{
    const size_t *p = probability->shape;
    if (probability->ndim != 3 || p[0] != canvas->planes)
        return err_set(err, STATUS_DATA, "probabilities of another shape or number of classes");
    if (truth && !has_shape(truth, p[1], p[2]))
        return err_set(err, STATUS_DATA, "mask and prob are not of the same size");
    if (canvas->has_uncertainty != (uncertainty != NULL))
        return err_set(err, STATUS_DATA, "only some tiles have an uncertainty");
    if (uncertainty && !has_shape(uncertainty, p[1], p[2]))
        return err_set(err, STATUS_DATA, "uncertainty and prob are not of the same size");
    return 0;
}

static int blend_floats(struct blend *blend, const struct array *from, int64_t x, int64_t y,
                        struct err *err)
{
    struct array values;
    if (canvas_floats(from, &values, err))
        return -1;
    struct array tile = values;
    if (values.ndim == 2)
        tile =
            array_view(DTYPE_F32, 3, (size_t[]){1, values.shape[0], values.shape[1]}, values.data);
    int rc = blend_add(blend, &tile, x, y, err);
    array_free(&values);
    return rc;
}

int canvas_add(struct canvas *canvas, const struct array *probability, const struct array *truth,
               const struct array *uncertainty, int64_t x, int64_t y, struct err *err)
{
    uint32_t *labels = NULL;
    if (check_tile(canvas, probability, truth, uncertainty, err) ||
        (truth && canvas_labels(truth, &labels, err)))
        return -1;
    size_t height = probability->shape[1], width = probability->shape[2];
    canvas->tile_area += height * width;
    int rc = labels ? paste(canvas, labels, height, width, x, y, err) : 0;
    free(labels);
    if (rc == 0)
        rc = blend_floats(&canvas->probability, probability, x, y, err);
    if (rc == 0 && uncertainty)
        rc = blend_floats(&canvas->uncertainty, uncertainty, x, y, err);
    return rc;
}

/* planes x h x w, or h x w, as planes of another size: *to is new. */
static int resize(const struct array *from, size_t height, size_t width, struct array *to,
                  struct err *err)
{
    struct array floats;
    int lead = from->ndim - 2;
    size_t planes = lead ? from->shape[0] : 1, h = from->shape[lead], w = from->shape[lead + 1];
    size_t shape[3] = {planes, height, width};
    if (canvas_floats(from, &floats, err))
        return -1;
    int rc = array_new(to, DTYPE_F32, 2 + lead, shape + !lead, err);
    for (size_t k = 0; rc == 0 && k < planes; k++) {
        struct array a =
            array_view(DTYPE_F32, 2, (size_t[]){h, w}, (float *)floats.data + k * h * w);
        struct array b =
            array_view(DTYPE_F32, 2, shape + 1, (float *)to->data + k * height * width);
        rc = resample_smooth(&a, &b, err);
        if (rc)
            array_free(to);
    }
    array_free(&floats);
    return rc;
}

int canvas_add_resized(struct canvas *canvas, const struct array *probability,
                       const struct array *uncertainty, int64_t x, int64_t y, size_t height,
                       size_t width, struct err *err)
{
    struct array p = {0}, u = {0};
    if (probability->ndim != 3 || (uncertainty && uncertainty->ndim != 2))
        return err_set(err, STATUS_DATA, "probabilities of another shape");
    if (probability->shape[1] == height && probability->shape[2] == width)
        return canvas_add(canvas, probability, NULL, uncertainty, x, y, err);
    if (height / 1024 > probability->shape[1] || width / 1024 > probability->shape[2])
        return err_set(err, STATUS_DATA, "a tile that is enlarged more than 1024 times");
    int rc = resize(probability, height, width, &p, err);
    if (rc == 0 && uncertainty)
        rc = resize(uncertainty, height, width, &u, err);
    if (rc == 0)
        rc = canvas_add(canvas, &p, NULL, uncertainty ? &u : NULL, x, y, err);
    array_free(&p);
    array_free(&u);
    return rc;
}

/* ---- image out ---- */

void picture_free(struct picture *picture)
{
    free(picture->prediction);
    free(picture->truth);
    free(picture->foreground);
    free(picture->uncertainty);
    *picture = (struct picture){0};
}

static int allocate(struct picture *p, size_t count, bool has_foreground, struct err *err)
{
    p->prediction = calloc(count, sizeof *p->prediction);
    p->truth = calloc(count, sizeof *p->truth);
    p->foreground = calloc(count, sizeof *p->foreground);
    p->uncertainty = calloc(count, sizeof *p->uncertainty);
    if (!p->prediction || !p->truth || !p->foreground || !p->uncertainty)
        return err_memory(err, "an image to score");
    if (!has_foreground) {
        free(p->foreground);
        p->foreground = NULL;
    }
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

static void finish_row(const struct canvas *c, size_t y, float threshold, float *row,
                       uint8_t *classes, struct picture *p)
{
    size_t w = c->width, at = y * w;
    if ((int64_t)y >= c->probability.band.bottom)
        return;
    blend_row(&c->probability, (int64_t)y, row);
    blend_labels(row, c->planes, w, threshold, classes);
    if ((int64_t)y < c->truth.bottom)
        memcpy(p->truth + at, band_row(&c->truth, (int64_t)y), w * sizeof *p->truth);
    for (size_t x = 0; x < w; x++) {
        p->prediction[at + x] = classes[x];
        p->uncertainty[at + x] = doubt(row, c->planes, w, x);
    }
    if (p->foreground)
        memcpy(p->foreground + at, row + (c->planes - 1) * w, w * sizeof *row);
    if (c->has_uncertainty)
        blend_row(&c->uncertainty, (int64_t)y, p->uncertainty + at);
}

/* The size comes from the stream: it must fit the tiles that came. */
static int check_size(const struct canvas *canvas, struct err *err)
{
    size_t count = canvas->width * canvas->height;
    if (count > ((size_t)1 << 26) && count / 1024 > canvas->tile_area)
        return err_set(err, STATUS_DATA, "an image of %zu x %zu pixels with almost no tiles",
                       canvas->width, canvas->height);
    return 0;
}

int canvas_values(const struct canvas *canvas, float **values, struct err *err)
{
    size_t w = canvas->width, plane = w * canvas->height;
    if (check_size(canvas, err))
        return -1;
    float *row = malloc(canvas->planes * w * sizeof *row);
    *values = row ? calloc(canvas->planes * plane, sizeof **values) : NULL;
    if (!*values) {
        free(row);
        return err_memory(err, "an image");
    }
    for (size_t y = 0; y < canvas->height && (int64_t)y < canvas->probability.band.bottom; y++) {
        blend_row(&canvas->probability, (int64_t)y, row);
        for (size_t k = 0; k < canvas->planes; k++)
            memcpy(*values + k * plane + y * w, row + k * w, w * sizeof *row);
    }
    free(row);
    return 0;
}

int canvas_finish(const struct canvas *canvas, float threshold, struct picture *picture,
                  struct err *err)
{
    *picture = (struct picture){0};
    size_t count = canvas->width * canvas->height;
    if (check_size(canvas, err))
        return -1;
    float *row = malloc(canvas->planes * canvas->width * sizeof *row);
    uint8_t *classes = malloc(canvas->width);
    int rc = row && classes ? allocate(picture, count, canvas->planes <= 2, err)
                            : err_memory(err, "an image to score");
    for (size_t y = 0; rc == 0 && y < canvas->height; y++)
        finish_row(canvas, y, threshold, row, classes, picture);
    free(row);
    free(classes);
    if (rc)
        picture_free(picture);
    return rc;
}
