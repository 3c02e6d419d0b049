#include "predict/rescale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/half.h"

/* Windows that are computed as they are before it is decided: neighbors in groups, so that the
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
/* Where it is well sure of cells that are shown smaller, as sure is enough: it sees more of each.
 */
#define WELL_SURE 0.6
#define AS_SURE   0.97
/* Less will do where it is sure of so many times as much of the image, and cells are no large
 * share of it: else it may be the ground that it takes for cells. */
#define MUCH_MORE      8
#define SURE_MUCH_MORE 0.18
#define LARGE_SHARE    0.3
/* A quarter is tried where half is about as good, since by steps it gets better, and where it is
 * well sure, about as good as half is enough. */
#define HALF_AS_GOOD    0.6
#define QUARTER_AS_GOOD 0.9
/* It must be sure of so large a part of what it was sure of. */
#define KEPT 0.9
/* A smaller share of pixels that may be cells says nothing. */
#define SEEN 0.01

static int64_t count_known(const struct grid *windows, int64_t known)
{
    int64_t rows = 0;
    while (rows < windows->y.count && grid_start(&windows->y, rows) + windows->y.size <= known)
        rows++;
    return rows * windows->x.count;
}

int rescale_new(struct rescale_image *image, const struct view *view, int64_t known,
                struct err *err)
{
    *image = (struct rescale_image){.view = view};
    image->windows = windows_over(view->image->width, view->image->height, 1);
    image->count = count_known(&image->windows, known);
    image->answers = calloc((size_t)grid_count(&image->windows), sizeof *image->answers);
    return image->answers ? 0 : err_memory(err, "an image's windows");
}

void rescale_free(struct rescale_image *image)
{
    for (int64_t i = 0; image->answers && i < image->count; i++)
        if (image->answers[i].is_done)
            inference_free(&image->answers[i].result);
    free(image->answers);
    image->answers = NULL;
}

/* ---- how sure ---- */

static float value_at(const struct array *array, size_t i)
{
    return array->dtype == DTYPE_F16 ? half_to_float(((const uint16_t *)array->data)[i])
                                     : ((const float *)array->data)[i];
}

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

/* `after` is of a part of the window whose first pixel is at y, x. */
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
    if (sure->after > MUCH_MORE * sure->before && seen < LARGE_SHARE * (double)sure->pixels)
        least = fmin(least, SURE_MUCH_MORE);
    return sure->after / seen / fmax(least, sure_before(sure));
}

static bool is_well_sure(const struct sure *sure)
{
    return sure->after >= WELL_SURE * (double)sure->seen_after;
}

/* So much surer it must be of what is shown smaller. */
static double enough_smaller(const struct sure *sure)
{
    return is_well_sure(sure) ? AS_SURE : SURER_SMALLER;
}

static bool is_better_quarter(const struct sure *quarter, double as_half)
{
    double enough = is_well_sure(quarter) ? QUARTER_AS_GOOD * as_half : as_half;
    return surer(quarter, SURE_SMALLER) > fmax(enough, enough_smaller(quarter));
}

/* ---- the choice ---- */

/* Windows as they are; n is at most GROUP. */
static int compute(struct rescale_image *image, int64_t at, size_t n, struct err *err)
{
    struct windows_part parts[GROUP] = {0};
    struct inference_result results[GROUP];
    for (size_t i = 0; i < n; i++)
        parts[i] = windows_place(&image->windows, at + (int64_t)i);
    if (view_parts(image->view, parts, n, 1, 0, 0, results, err))
        return -1;
    for (size_t i = 0; i < n; i++)
        image->answers[at + (int64_t)i] = (struct whole_answer){true, results[i]};
    return 0;
}

/* Groups of windows, evenly spread over the image; all of a small one. */
static int compute_groups(struct rescale_image *image, struct err *err)
{
    int64_t count = image->count, groups = (count + GROUP - 1) / GROUP;
    int64_t chosen = groups < GROUPS ? groups : GROUPS;
    for (int64_t g = 0; g < chosen; g++) {
        int64_t at = (2 * g + 1) * groups / (2 * chosen) * GROUP, left = count - at;
        if (compute(image, at, (size_t)(left < GROUP ? left : GROUP), err))
            return -1;
    }
    return 0;
}

struct probe {
    int64_t window;
    double sum; /* of what the network sees in it */
};

static int compare_probes(const void *a, const void *b)
{
    const struct probe *p = a, *q = b;
    return p->sum != q->sum ? (p->sum < q->sum) - (p->sum > q->sum)
                            : (p->window > q->window) - (p->window < q->window);
}

static struct windows_part middle_of(struct windows_part all)
{
    int64_t width = all.width / 2, height = all.height / 2;
    return (struct windows_part){all.x + all.width / 4, all.y + all.height / 4,
                                 width > 1 ? width : 1, height > 1 ? height : 1};
}

static double seen_in(const struct array *prob)
{
    double sum = 0;
    for (size_t i = 0; i < prob->shape[1] * prob->shape[2]; i++)
        sum += fmax(0, 0.8 - value_at(prob, i));
    return sum;
}

/* The windows to be shown at other sizes: how many. */
static size_t choose_probes(const struct rescale_image *image, struct probe probes[PROBES])
{
    struct probe all[GROUPS * GROUP] = {0};
    size_t n = 0;
    for (int64_t i = 0; i < image->count; i++)
        if (image->answers[i].is_done)
            all[n++] = (struct probe){i, seen_in(&image->answers[i].result.prob)};
    qsort(all, n, sizeof *all, compare_probes);
    size_t count = n < PROBES ? n : PROBES;
    memcpy(probes, all, count * sizeof *probes);
    return count;
}

static int show_probe(const struct rescale_image *image, int64_t at, double scale,
                      struct sure *sure, struct err *err)
{
    struct inference_result result;
    struct windows_part whole = windows_place(&image->windows, at);
    struct windows_part part = scale > 1 ? middle_of(whole) : whole;
    if (view_parts(image->view, &part, 1, scale, whole.height, whole.width, &result, err))
        return -1;
    add_sure(sure, &image->answers[at].result, (size_t)(part.y - whole.y),
             (size_t)(part.x - whole.x), &result);
    inference_free(&result);
    return 0;
}

/* The network looks at the probes at that size, too. */
static int show_probes(const struct rescale_image *image, const struct probe *probes, size_t count,
                       double scale, struct sure *sure, struct err *err)
{
    *sure = (struct sure){0};
    for (size_t i = 0; i < count; i++)
        if (show_probe(image, probes[i].window, scale, sure, err))
            return -1;
    return 0;
}

int rescale_choose(struct rescale_image *image, double *scale, struct err *err)
{
    struct probe probes[PROBES];
    struct sure half, quarter, twice;
    *scale = 1;
    if (compute_groups(image, err))
        return -1;
    size_t count = choose_probes(image, probes);
    if (show_probes(image, probes, count, 0.5, &half, err))
        return -1;
    double as_half = surer(&half, SURE_SMALLER);
    if (as_half > enough_smaller(&half))
        *scale = 0.5;
    if (*scale < 1 || (as_half > HALF_AS_GOOD && sure_before(&half) < SURE_SMALLER)) {
        if (show_probes(image, probes, count, 0.25, &quarter, err))
            return -1;
        if (is_better_quarter(&quarter, as_half))
            *scale = 0.25;
    }
    if (*scale < 1)
        return 0;
    if (show_probes(image, probes, count, 2, &twice, err))
        return -1;
    if (surer(&twice, SURE_LARGER) > SURER_LARGER)
        *scale = 2;
    return 0;
}
