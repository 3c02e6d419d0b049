#include "predict/rescale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/half.h"
#include "nn/nn.h"
#include "pixels/resample.h"

/* Tiles that are computed as they are before it is decided: neighbors in groups, so that the
 * batches between them are whole. */
#define GROUPS 4
#define GROUP  8
/* And those of them that are shown at other sizes: where the network sees most. */
#define PROBES 6
/* So much surer it must be where cells are shown smaller, and where larger, which is four times the
 * work: than of what it sees as they are, and than this, below which sureness says little. */
#define SURER_SMALLER 1.075
#define SURE_SMALLER  0.32
#define SURER_LARGER  1.12
#define SURE_LARGER   0.15 /* where cells are small, most of their pixels are at a border */
/* Less will do where it is sure of so many times as much of the image. */
#define MUCH_MORE      8
#define SURE_MUCH_MORE 0.18
/* A quarter is tried where half is about as good, since by steps it gets better. */
#define HALF_AS_GOOD 0.6
/* Larger tiles are not shown twice as large: that may be more than fits in memory. */
#define LARGE (512 * 512)
/* And of so large a part of what it was sure of. */
#define KEPT 0.9
/* A smaller share of pixels that may be cells says nothing. */
#define SEEN 0.01

/* ---- windows ---- */

struct rect {
    int64_t x, y, width, height;
};

static struct rect place_of(const struct rescale_tile *tile)
{
    const struct array *image = tile->input.image;
    return (struct rect){tile->x, tile->y, (int64_t)image->shape[1], (int64_t)image->shape[0]};
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Pixels of a tile that lie in the image. */
static void paste(struct array *pixels, const struct rescale_tile *tile)
{
    const struct array *from = tile->input.image;
    size_t bytes = from->shape[2] * dtype_size(from->dtype);
    size_t width = (size_t)smaller((int64_t)from->shape[1], (int64_t)pixels->shape[1] - tile->x);
    size_t height = (size_t)smaller((int64_t)from->shape[0], (int64_t)pixels->shape[0] - tile->y);
    for (size_t y = 0; y < height; y++)
        memcpy((char *)pixels->data +
                   (((size_t)tile->y + y) * pixels->shape[1] + (size_t)tile->x) * bytes,
               (const char *)from->data + y * from->shape[1] * bytes, width * bytes);
}

static int join(struct rescale_image *image, struct err *err)
{
    const struct array *like = image->tiles[0].input.image;
    size_t shape[] = {(size_t)image->height, (size_t)image->width, like->shape[2]};
    if (array_new(&image->pixels, like->dtype, 3, shape, err))
        return -1;
    for (size_t i = 0; i < image->count; i++)
        paste(&image->pixels, &image->tiles[i]);
    return 0;
}

/* What lies outside of the image repeats its border. */
static int region_of(const struct array *pixels, struct rect at, struct array *region,
                     struct err *err)
{
    size_t bytes = pixels->shape[2] * dtype_size(pixels->dtype);
    size_t shape[] = {(size_t)at.height, (size_t)at.width, pixels->shape[2]};
    int64_t right = (int64_t)pixels->shape[1] - 1, bottom = (int64_t)pixels->shape[0] - 1;
    if (array_new(region, pixels->dtype, 3, shape, err))
        return -1;
    char *to = region->data;
    for (int64_t y = at.y; y < at.y + at.height; y++) {
        const char *row =
            (const char *)pixels->data + (size_t)smaller(y, bottom) * pixels->shape[1] * bytes;
        for (int64_t x = at.x; x < at.x + at.width; x++, to += bytes)
            memcpy(to, row + (size_t)smaller(x, right) * bytes, bytes);
    }
    return 0;
}

/* Of one axis of a window: pixels of the window before, in and after what it is of. */
struct span {
    int64_t before, in, after;
};

static struct span span_of(int64_t start, int64_t length, int64_t tile, int64_t image, double scale)
{
    struct span span = {.in = (int64_t)ceil((double)length * scale)};
    int64_t margin = larger(0, (tile - span.in) / 2);
    span.before = smaller(margin, (int64_t)((double)start * scale));
    int64_t beyond = (int64_t)((double)image * scale - (double)start * scale) - span.in;
    span.after = larger(0, smaller(margin, beyond));
    return span;
}

/* The window of a part of a tile. */
static int window_of(const struct rescale_image *image, const struct rescale_tile *tile,
                     struct rect part, double scale, struct rescale_window *window, struct err *err)
{
    struct rect place = place_of(tile);
    struct span across = span_of(part.x, part.width, place.width, image->width, scale);
    struct span down = span_of(part.y, part.height, place.height, image->height, scale);
    int64_t width = across.before + across.in + across.after;
    int64_t height = down.before + down.in + down.after;
    struct rect at = {part.x - llround((double)across.before / scale),
                      part.y - llround((double)down.before / scale), llround((double)width / scale),
                      llround((double)height / scale)};
    struct array region;
    *window = (struct rescale_window){.scale = scale,
                                      .top = (size_t)down.before,
                                      .left = (size_t)across.before,
                                      .height = (size_t)part.height,
                                      .width = (size_t)part.width};
    if (region_of(&image->pixels, at, &region, err))
        return -1;
    int result =
        resample_new(&region, 0, (size_t)height, (size_t)width, false, &window->image, err);
    array_free(&region);
    return result;
}

int rescale_window(const struct rescale_image *image, size_t tile, double scale,
                   struct rescale_window *window, struct err *err)
{
    const struct rescale_tile *of = &image->tiles[tile];
    return window_of(image, of, place_of(of), scale, window, err);
}

/* ---- back to the tile ---- */

static float value_at(const struct array *array, size_t i)
{
    return array->dtype == DTYPE_F16 ? half_to_float(((const uint16_t *)array->data)[i])
                                     : ((const float *)array->data)[i];
}

/* Rows and columns of planes from top, left on, as float32. */
static int cut_planes(const struct array *from, size_t top, size_t left, size_t height,
                      size_t width, struct array *to, struct err *err)
{
    int first = from->ndim - 2;
    size_t planes = first ? from->shape[0] : 1, shape[] = {planes, height, width};
    if (array_new(to, DTYPE_F32, 3, shape, err))
        return -1;
    float *out = to->data;
    for (size_t k = 0; k < planes; k++)
        for (size_t y = 0; y < height; y++, out += width) {
            size_t at = (k * from->shape[first] + top + y) * from->shape[first + 1] + left;
            if (from->dtype == DTYPE_F16)
                half_to_floats(out, (const uint16_t *)from->data + at, width);
            else
                memcpy(out, (const float *)from->data + at, width * sizeof *out);
        }
    return 0;
}

/* The planes take the place of *array, of its type and axes. */
static int take_planes(struct array *array, const struct array *planes, struct err *err)
{
    int first = array->ndim - 2;
    size_t shape[3] = {array->shape[0]}, n = array_count(planes);
    struct array taken;
    shape[first] = planes->shape[1];
    shape[first + 1] = planes->shape[2];
    if (array_new(&taken, array->dtype, array->ndim, shape, err))
        return -1;
    if (array->dtype == DTYPE_F16)
        half_from_floats(taken.data, planes->data, n);
    else
        memcpy(taken.data, planes->data, n * sizeof(float));
    array_free(array);
    *array = taken;
    return 0;
}

/* A pixel more on each side, where there is one, so that the tile's border is no border. */
static int bring_back(struct array *array, const struct rescale_window *window, struct err *err)
{
    struct array cut = {0}, large = {0}, own = {0};
    if (!array->data)
        return 0;
    int first = array->ndim - 2;
    double pixels = 1 / window->scale; /* of the tile, of one of the window */
    size_t top = window->top > 0, left = window->left > 0;
    size_t bottom =
        smaller((int64_t)array->shape[first],
                (int64_t)(window->top + 1) + (int64_t)ceil((double)window->height * window->scale));
    size_t right =
        smaller((int64_t)array->shape[first + 1],
                (int64_t)(window->left + 1) + (int64_t)ceil((double)window->width * window->scale));
    size_t height = bottom - (window->top - top), width = right - (window->left - left);
    int result =
        cut_planes(array, window->top - top, window->left - left, height, width, &cut, err);
    if (!result)
        result = resample_new(&cut, 1, (size_t)llround((double)height * pixels),
                              (size_t)llround((double)width * pixels), false, &large, err);
    if (!result)
        result = cut_planes(&large, (size_t)((double)top * pixels), (size_t)((double)left * pixels),
                            window->height, window->width, &own, err);
    if (!result)
        result = take_planes(array, &own, err);
    array_free(&cut);
    array_free(&large);
    array_free(&own);
    return result;
}

int rescale_back(struct inference_result *result, const struct rescale_window *window,
                 struct err *err)
{
    if (bring_back(&result->prob, window, err) || bring_back(&result->logits, window, err) ||
        bring_back(&result->flows, window, err) || bring_back(&result->uncertainty, window, err)) {
        inference_free(result);
        return -1;
    }
    return 0;
}

/* ---- how sure ---- */

/* Of the same pixels, as they are and at another size. */
struct sure {
    double before, after;           /* sums of what it is sure of */
    size_t seen_before, seen_after; /* pixels that may be cells */
    size_t pixels;
};

static double cell_at(const struct inference_result *result, size_t i)
{
    return 1 - value_at(&result->prob, i);
}

/* 0 outside of cells. */
static double sure_at(const struct inference_result *result, size_t i, double cell)
{
    const struct array *flows = &result->flows;
    size_t plane = flows->shape[1] * flows->shape[2];
    return cell > 0.5 ? (2 * cell - 1) * hypot(value_at(flows, i), value_at(flows, plane + i)) : 0;
}

/* `after` is of a part of the tile whose first pixel is at y, x. */
static void add_sure(struct sure *sure, const struct inference_result *before, size_t y, size_t x,
                     const struct inference_result *after)
{
    size_t height = after->prob.shape[1], width = after->prob.shape[2];
    for (size_t i = 0; i < height * width; i++) {
        size_t j = (y + i / width) * before->prob.shape[2] + x + i % width;
        double was = cell_at(before, j), is = cell_at(after, i);
        sure->before += sure_at(before, j, was);
        sure->after += sure_at(after, i, is);
        sure->seen_before += was > 0.2;
        sure->seen_after += is > 0.2;
    }
    sure->pixels += height * width;
}

static double sure_before(const struct sure *sure)
{
    double seen = (double)sure->seen_before;
    return seen > SEEN * (double)sure->pixels ? sure->before / seen : 0;
}

/* How much surer it is after than before, and than `least`; 0 where cells are lost, or hardly any
 * are seen. */
static double surer(const struct sure *sure, double least)
{
    double seen = (double)sure->seen_after;
    if (seen <= SEEN * (double)sure->pixels || sure->after < KEPT * sure->before)
        return 0;
    if (sure->after > MUCH_MORE * sure->before)
        least = fmin(least, SURE_MUCH_MORE);
    return sure->after / seen / fmax(least, sure_before(sure));
}

/* ---- the choice ---- */

/* How many tiles from `at` on are computed at a time. */
static size_t neighbors(const struct rescale_image *image, size_t at, size_t most)
{
    const struct array *first = image->tiles[at].input.image;
    size_t n = 1;
    while (n < most && at + n < image->count &&
           array_same_shape(first, image->tiles[at + n].input.image))
        n++;
    return n;
}

static int compute(struct model *model, int device, const struct inference_options *what,
                   struct rescale_image *image, size_t at, size_t n, struct err *err)
{
    struct inference_input inputs[GROUP];
    struct inference_result results[GROUP];
    for (size_t i = 0; i < n; i++)
        inputs[i] = image->tiles[at + i].input;
    nn_mind_others();
    if (inference_run(model, device, what, inputs, n, results, err))
        return -1;
    for (size_t i = 0; i < n; i++) {
        image->tiles[at + i].result = results[i];
        image->tiles[at + i].is_done = true;
    }
    return 0;
}

/* Groups of tiles, evenly spread over the image; all of a small one. */
static int compute_groups(struct model *model, int device, const struct inference_options *what,
                          struct rescale_image *image, struct err *err)
{
    size_t groups = (image->count + GROUP - 1) / GROUP, chosen = groups < GROUPS ? groups : GROUPS;
    for (size_t g = 0; g < chosen; g++) {
        size_t at = (2 * g + 1) * groups / (2 * chosen) * GROUP;
        size_t end = at + GROUP < image->count ? at + GROUP : image->count;
        for (size_t n; at < end; at += n) {
            n = neighbors(image, at, end - at);
            if (compute(model, device, what, image, at, n, err))
                return -1;
        }
    }
    return 0;
}

struct probe {
    const struct rescale_tile *tile;
    double sum;                /* of what the network sees in it */
    struct rect whole, middle; /* parts of it */
};

static int compare_probes(const void *a, const void *b)
{
    const struct probe *p = a, *q = b;
    return p->sum != q->sum ? (p->sum < q->sum) - (p->sum > q->sum)
                            : (p->tile > q->tile) - (p->tile < q->tile);
}

static struct rect middle_of(struct rect all)
{
    return (struct rect){all.x + all.width / 4, all.y + all.height / 4, larger(1, all.width / 2),
                         larger(1, all.height / 2)};
}

static double seen_in(const struct rescale_tile *tile)
{
    const struct array *prob = &tile->result.prob;
    double sum = 0;
    for (size_t i = 0; i < prob->shape[1] * prob->shape[2]; i++)
        sum += fmax(0, 0.8 - value_at(prob, i));
    return sum;
}

/* The tiles to be shown at other sizes, into probes[]: how many. */
static int choose_probes(const struct rescale_image *image, struct probe probes[PROBES],
                         size_t *count, struct err *err)
{
    struct probe *all = malloc((image->count + 1) * sizeof *all);
    size_t n = 0;
    if (!all)
        return err_memory(err, "an image's tiles");
    for (size_t i = 0; i < image->count; i++) {
        const struct rescale_tile *tile = &image->tiles[i];
        if (!tile->is_done)
            continue;
        struct rect whole = place_of(tile);
        all[n++] = (struct probe){tile, seen_in(tile), whole, middle_of(whole)};
    }
    qsort(all, n, sizeof *all, compare_probes);
    *count = n < PROBES ? n : PROBES;
    memcpy(probes, all, *count * sizeof *probes);
    free(all);
    return 0;
}

static int show_probe(struct model *model, int device, const struct inference_options *what,
                      const struct rescale_image *image, const struct probe *probe, double scale,
                      struct sure *sure, struct err *err)
{
    struct rescale_window window;
    struct inference_result result;
    struct inference_input input = probe->tile->input;
    struct rect part = scale > 1 ? probe->middle : probe->whole;
    if (window_of(image, probe->tile, part, scale, &window, err))
        return -1;
    input.image = &window.image;
    nn_mind_others();
    int failed = inference_run(model, device, what, &input, 1, &result, err);
    array_free(&window.image);
    if (failed || rescale_back(&result, &window, err))
        return -1;
    add_sure(sure, &probe->tile->result, (size_t)(part.y - probe->tile->y),
             (size_t)(part.x - probe->tile->x), &result);
    inference_free(&result);
    return 0;
}

/* The network looks at the probes at that size, too. */
static int show_probes(struct model *model, int device, const struct inference_options *what,
                       const struct rescale_image *image, const struct probe *probes, size_t count,
                       double scale, struct sure *sure, struct err *err)
{
    *sure = (struct sure){0};
    for (size_t i = 0; i < count; i++)
        if (show_probe(model, device, what, image, &probes[i], scale, sure, err))
            return -1;
    return 0;
}

static bool has_large(const struct rescale_image *image)
{
    for (size_t i = 0; i < image->count; i++) {
        const struct array *tile = image->tiles[i].input.image;
        if (tile->shape[0] * tile->shape[1] > LARGE)
            return true;
    }
    return false;
}

int rescale_choose(struct model *model, int device, const struct inference_options *what,
                   struct rescale_image *image, double *scale, struct err *err)
{
    struct probe probes[PROBES];
    struct sure half, quarter, twice;
    size_t count = 0;
    *scale = 1;
    if (join(image, err) || compute_groups(model, device, what, image, err) ||
        choose_probes(image, probes, &count, err) ||
        show_probes(model, device, what, image, probes, count, 0.5, &half, err))
        return -1;
    double as_half = surer(&half, SURE_SMALLER);
    if (as_half > SURER_SMALLER)
        *scale = 0.5;
    if (as_half > SURER_SMALLER || (as_half > HALF_AS_GOOD && sure_before(&half) < SURE_SMALLER)) {
        if (show_probes(model, device, what, image, probes, count, 0.25, &quarter, err))
            return -1;
        if (surer(&quarter, SURE_SMALLER) > fmax(as_half, SURER_SMALLER))
            *scale = 0.25;
    }
    if (*scale < 1 || has_large(image))
        return 0;
    if (show_probes(model, device, what, image, probes, count, 2, &twice, err))
        return -1;
    if (surer(&twice, SURE_LARGER) > SURER_LARGER)
        *scale = 2;
    return 0;
}
