#include "predict/cellpose_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As in Cellpose 3.1: tiles of 224 pixels that overlap by a tenth, a border of zeros
 * of 8 pixels or more that makes sides multiples of 16. */
#define TILE    224
#define OVERLAP 0.1
#define BORDER  8
#define ROUND   16
#define BATCH   8
#define OUTPUTS 3

static nn_tensor *parameter_of(const struct model *model, const char *name)
{
    size_t count;
    const struct model_parameter *p = model_parameters(model, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(p[i].name, name) == 0)
            return p[i].tensor;
    return NULL;
}

static bool is_diameter(double diameter)
{
    return diameter > 0 && isfinite(diameter);
}

int cellpose_diameters(const struct model *model, double *mean, double *labels, struct err *err)
{
    nn_tensor *of_mean = parameter_of(model, "diam_mean"),
              *of_labels = parameter_of(model, "diam_labels");
    *mean = *labels = 0;
    if ((of_mean && nn_item(of_mean, mean)) || (of_labels && nn_item(of_labels, labels)))
        return nn_to_err(err, "diameters");
    if (!is_diameter(*mean) || !is_diameter(*labels))
        return err_set(err, STATUS_DATA, "'%s' knows no diameter of cells",
                       model_architecture(model));
    return 0;
}

int cellpose_set_diameters(struct model *model, double mean, double labels, struct err *err)
{
    nn_tensor *of_mean = parameter_of(model, "diam_mean"),
              *of_labels = parameter_of(model, "diam_labels");
    if (!of_mean || !of_labels || !is_diameter(mean) || !is_diameter(labels))
        return err_set(err, STATUS_BUG, "no diameters to set");
    bool gradients = nn_set_gradients(false);
    int failed = nn_fill_(of_mean, mean) || nn_fill_(of_labels, labels);
    nn_set_gradients(gradients);
    return failed ? nn_to_err(err, "diameters") : 0;
}

/* ---- tiles of one dimension ---- */

struct tiling {
    int64_t length, size, count;
};

static struct tiling tiling_of(int64_t length)
{
    struct tiling t = {.length = length, .size = length < TILE ? length : TILE, .count = 1};
    if (length > TILE)
        t.count = (int64_t)ceil((1 + 2 * OVERLAP) * (double)length / TILE);
    return t;
}

static int64_t tile_start(const struct tiling *t, int64_t i)
{
    return t->count > 1
               ? (int64_t)((double)i * ((double)(t->length - t->size) / (double)(t->count - 1)))
               : 0;
}

/* The weight of a tile's pixels along one dimension: 1 inside, falling like a
 * logistic function 20 pixels from the edge of a whole tile. */
static nn_tensor *taper(const struct tiling *t, int device)
{
    float weights[TILE];
    for (int64_t i = 0; i < t->size; i++) {
        double place = (double)(TILE / 2 - t->size / 2 + i);
        double from_middle = fabs(place - (TILE - 1) / 2.0);
        weights[i] = (float)(1 / (1 + exp((from_middle - (TILE / 2.0 - 20)) / 7.5)));
    }
    return nn_to_device(nn_from_host(weights, DTYPE_F32, 1, &t->size), device);
}

/* ---- all tiles of an image ---- */

struct evaluation {
    struct model *model;
    const nn_tensor *image;
    struct tiling rows, columns;
    nn_tensor *taper, *sum, *weight;
    nn_tensor *style; /* sum over tiles */
};

static nn_tensor *place(const nn_tensor *map, const struct evaluation *m, int64_t i)
{
    int64_t y = tile_start(&m->rows, i / m->columns.count);
    int64_t x = tile_start(&m->columns, i % m->columns.count);
    return nn_narrow(nn_narrow(map, 2, y, m->rows.size), 3, x, m->columns.size);
}

static int run_tiles(struct evaluation *m, int64_t first, int64_t count, struct err *err)
{
    const nn_tensor *parts[BATCH];
    struct model_output out;
    for (int64_t i = 0; i < count; i++)
        parts[i] = place(m->image, m, first + i);
    nn_tensor *batch = nn_cat(parts, (size_t)count, 0);
    if (!batch)
        return nn_to_err(err, "cut tiles");
    if (model_forward(m->model, batch, &out, err))
        return -1;
    nn_tensor *weighted = nn_mul(out.logits, m->taper);
    nn_tensor *style = nn_to_dtype(nn_sum_dims(out.style, 1, (int64_t[]){0}, false), DTYPE_F32);
    m->style = m->style ? nn_add(m->style, style) : style;
    for (int64_t i = 0; i < count; i++)
        if (nn_add_(place(m->sum, m, first + i), nn_narrow(weighted, 0, i, 1), 1) ||
            nn_add_(place(m->weight, m, first + i), m->taper, 1))
            return nn_to_err(err, "average tiles");
    return 0;
}

static int start_evaluation(struct evaluation *m, struct model *model, const nn_tensor *image,
                            struct err *err)
{
    int device = nn_device(image);
    int64_t height = nn_size(image, 2), width = nn_size(image, 3);
    *m = (struct evaluation){.model = model, .image = image};
    m->rows = tiling_of(height);
    m->columns = tiling_of(width);
    nn_tensor *down = nn_reshape4(taper(&m->rows, device), 1, 1, m->rows.size, 1);
    m->taper = nn_mul(down, nn_reshape4(taper(&m->columns, device), 1, 1, 1, m->columns.size));
    m->sum = nn_full(4, (int64_t[]){1, OUTPUTS, height, width}, 0, DTYPE_F32, device);
    m->weight = nn_full(4, (int64_t[]){1, 1, height, width}, 0, DTYPE_F32, device);
    return m->taper && m->sum && m->weight ? 0 : nn_to_err(err, "average tiles");
}

/* All tiles, into m->sum, m->weight and m->style. */
static int run_evaluation(struct evaluation *m, struct model *model, const nn_tensor *image,
                          struct err *err)
{
    if (start_evaluation(m, model, image, err))
        return -1;
    int64_t count = m->rows.count * m->columns.count;
    for (int64_t i = 0; i < count; i += BATCH) {
        if (nn_scope_begin())
            return nn_to_err(err, "average tiles");
        int failed = run_tiles(m, i, count - i < BATCH ? count - i : BATCH, err);
        m->style = nn_scope_end_keep(failed ? NULL : m->style);
        if (failed)
            return -1;
    }
    return 0;
}

/* ---- scaling and the border ---- */

/* How many zeros come before and after a side. */
static void border(int64_t length, int64_t *before, int64_t *after)
{
    int64_t missing = (ROUND - length % ROUND) % ROUND;
    *before = BORDER + missing / 2;
    *after = BORDER + missing - missing / 2;
}

static nn_tensor *resized(const nn_tensor *x, int64_t height, int64_t width)
{
    if (nn_size(x, 2) == height && nn_size(x, 3) == width)
        return (nn_tensor *)x;
    return nn_upsample_bilinear(x, height, width, false);
}

struct frame {
    int64_t top, bottom, left, right;
};

/* Scaled, and with its border. */
static nn_tensor *framed(const nn_tensor *x, double scale, struct frame *f)
{
    int64_t height = (int64_t)fmax(1, floor((double)nn_size(x, 2) * scale));
    int64_t width = (int64_t)fmax(1, floor((double)nn_size(x, 3) * scale));
    border(height, &f->top, &f->bottom);
    border(width, &f->left, &f->right);
    return nn_pad2d(resized(x, height, width), f->left, f->right, f->top, f->bottom, 0);
}

nn_tensor *cellpose_eval(struct model *model, const nn_tensor *x, double scale, struct err *err)
{
    struct frame f;
    struct evaluation m;
    nn_tensor *image = framed(x, scale, &f);
    if (!image) {
        nn_to_err(err, "scale an image");
        return NULL;
    }
    if (run_evaluation(&m, model, image, err))
        return NULL;
    nn_tensor *y = nn_pad2d(nn_div(m.sum, m.weight), -f.left, -f.right, -f.top, -f.bottom, 0);
    y = resized(y, nn_size(x, 2), nn_size(x, 3));
    if (!y)
        nn_to_err(err, "scale an answer");
    return y;
}

nn_tensor *cellpose_style(struct model *model, const nn_tensor *x, struct err *err)
{
    struct frame f;
    struct evaluation m;
    nn_tensor *image = framed(x, 1, &f);
    if (!image) {
        nn_to_err(err, "frame an image");
        return NULL;
    }
    if (run_evaluation(&m, model, image, err))
        return NULL;
    nn_tensor *norm = nn_sqrt(nn_sum_dims(nn_square(m.style), 1, (int64_t[]){0}, true));
    nn_tensor *style = nn_div(m.style, norm);
    if (!style)
        nn_to_err(err, "a style");
    return style;
}
