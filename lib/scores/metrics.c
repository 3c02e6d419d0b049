#include "scores/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/target.h"
#include "objects/edt.h"
#include "objects/morphology.h"

/* ---- overlap ---- */

#define CHUNK 4096

CLONES(static, uint32_t, count_both,
       (const uint8_t *restrict a, const uint8_t *restrict b, uint32_t count, uint32_t *only_a,
        uint32_t *only_b),
       (a, b, count, only_a, only_b))
{
    uint32_t both = 0, in_a = 0, in_b = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pa = a[i] != 0, pb = b[i] != 0;
        both += pa & pb;
        in_a += pa;
        in_b += pb;
    }
    *only_a = in_a - both;
    *only_b = in_b - both;
    return both;
}

void confusion_add(struct confusion *confusion, const uint8_t *prediction, const uint8_t *truth,
                   size_t count)
{
    for (size_t at = 0; at < count; at += CHUNK) {
        uint32_t n = (uint32_t)(count - at < CHUNK ? count - at : CHUNK), fp, fn;
        uint32_t tp = count_both(prediction + at, truth + at, n, &fp, &fn);
        confusion->tp += tp;
        confusion->fp += fp;
        confusion->fn += fn;
        confusion->tn += n - tp - fp - fn;
    }
}

static double ratio(double part, double whole, double undefined)
{
    return whole > 0 ? part / whole : undefined;
}

/* The released code: an empty truth is a perfect Dice unless the prediction is
 * empty too, and the IoU is smoothed by 1e-6. */
static struct overlap released_rules(struct overlap o, const struct confusion *c)
{
    double predicted = (double)(c->tp + c->fp), real = (double)(c->tp + c->fn);
    if (predicted == 0)
        o.dsc = 0;
    else if (real == 0)
        o.dsc = 1;
    o.iou = ((double)c->tp + 1e-6) / ((double)(c->tp + c->fp + c->fn) + 1e-6);
    return o;
}

struct overlap overlap_of(const struct confusion *c, enum convention convention)
{
    bool medpy = convention == CONVENTION_MEDPY;
    double tp = (double)c->tp, fp = (double)c->fp, fn = (double)c->fn, tn = (double)c->tn;
    double identical = medpy ? 1 : NAN, zero = medpy ? 0 : NAN;
    struct overlap o = {
        .dsc = ratio(2 * tp, 2 * tp + fp + fn, identical),
        .iou = ratio(tp, tp + fp + fn, identical),
        .sensitivity = ratio(tp, tp + fn, zero),
        .specificity = ratio(tn, tn + fp, zero),
        .precision = ratio(tp, tp + fp, zero),
    };
    return convention == CONVENTION_RELEASED ? released_rules(o, c) : o;
}

/* ---- surface distances ---- */

/* A part of the image that holds both masks: distances need no more of it. */
struct crop {
    size_t top, left, height, width;
};

static bool row_is_empty(const uint8_t *row, size_t width)
{
    return width == 0 || (row[0] == 0 && memcmp(row, row + 1, width - 1) == 0);
}

static void widen(const uint8_t *row, size_t width, size_t *left, size_t *right)
{
    size_t x = 0;
    while (x < *left && !row[x])
        x++;
    *left = x < *left ? x : *left;
    for (x = width; x > *right && !row[x - 1]; x--)
        ;
    *right = x > *right ? x : *right;
}

static struct crop crop_of(const uint8_t *a, const uint8_t *b, size_t height, size_t width)
{
    size_t top = height, bottom = 0, left = width, right = 0;
    for (size_t y = 0; y < height; y++) {
        const uint8_t *rows[] = {a + y * width, b + y * width};
        for (int i = 0; i < 2; i++) {
            if (row_is_empty(rows[i], width))
                continue;
            top = y < top ? y : top;
            bottom = y + 1;
            widen(rows[i], width, &left, &right);
        }
    }
    return (struct crop){top, left, bottom > top ? bottom - top : 0,
                         right > left ? right - left : 0};
}

/* Distances of points, a row of them at a time. */
struct distances {
    double *values;
    size_t count, room;
    uint32_t *columns; /* of the points of a row */
};

static int reserve(struct distances *d, size_t more, struct err *err)
{
    if (d->count + more <= d->room)
        return 0;
    size_t room = 2 * d->room + more + 4096;
    double *values = realloc(d->values, room * sizeof *values);
    if (!values)
        return err_memory(err, "surface distances");
    d->values = values;
    d->room = room;
    return 0;
}

/* Points are few: eight pixels at a time are looked at. */
static size_t find_points(const uint8_t *row, size_t width, uint32_t *columns)
{
    size_t count = 0;
    for (size_t x = 0; x < width;) {
        uint64_t eight = 1;
        if (x + 8 <= width)
            memcpy(&eight, row + x, sizeof eight);
        size_t end = !eight ? x : x + 8 < width ? x + 8 : width;
        for (size_t i = x; i < end; i++)
            if (row[i])
                columns[count++] = (uint32_t)i;
        x += 8;
    }
    return count;
}

static int collect(struct edt *edt, const uint8_t *surface, const struct crop *crop,
                   struct distances *to, struct err *err)
{
    for (size_t y = 0; y < crop->height; y++) {
        size_t count = find_points(surface + y * crop->width, crop->width, to->columns);
        if (reserve(to, count, err))
            return -1;
        double *values = to->values + to->count;
        edt_at(edt, y, to->columns, count, values);
        for (size_t i = 0; i < count; i++)
            values[i] = sqrt(values[i]);
        to->count += count;
    }
    return 0;
}

/* Appends the distances from each surface to the other. */
static int both_ways(const uint8_t *a, const uint8_t *b, const struct crop *crop, double size_y,
                     double size_x, struct distances *distances, struct err *err)
{
    struct edt *edt;
    if (edt_new(&edt, b, crop->height, crop->width, size_y, size_x, err))
        return -1;
    distances->columns = calloc(crop->width + 1, sizeof *distances->columns);
    int rc = distances->columns ? collect(edt, a, crop, distances, err)
                                : err_memory(err, "surface distances");
    if (rc == 0) {
        edt_set_sites(edt, a);
        rc = collect(edt, b, crop, distances, err);
    }
    edt_free(edt);
    free(distances->columns);
    return rc;
}

static uint8_t *surface_in_crop(const uint8_t *mask, size_t width, const struct crop *crop,
                                struct err *err)
{
    size_t count = crop->height * crop->width;
    bool whole_rows = crop->width == width;
    uint8_t *part = whole_rows ? NULL : malloc(count + 1), *surface = malloc(count + 1);
    if (!surface || (!part && !whole_rows)) {
        free(part);
        free(surface);
        err_memory(err, "a mask's surface");
        return NULL;
    }
    mask += crop->top * width + crop->left;
    for (size_t y = 0; part && y < crop->height; y++)
        memcpy(part + y * crop->width, mask + y * width, crop->width);
    morphology_surface(part ? part : mask, crop->height, crop->width, surface);
    free(part);
    return surface;
}

static void summarize(struct surface *s, struct distances *d)
{
    double sum = 0;
    s->hd = 0;
    for (size_t i = 0; i < d->count; i++) {
        sum += d->values[i];
        s->hd = d->values[i] > s->hd ? d->values[i] : s->hd;
    }
    s->assd = sum / (double)d->count;
    s->hd95 = quantile(d->values, d->count, 0.95);
}

static int measure(struct surface *s, const uint8_t *prediction, const uint8_t *truth,
                   size_t height, size_t width, double size_y, double size_x, struct err *err)
{
    struct crop crop = crop_of(prediction, truth, height, width);
    struct distances d = {0};
    uint8_t *p = surface_in_crop(prediction, width, &crop, err);
    uint8_t *t = p ? surface_in_crop(truth, width, &crop, err) : NULL;
    int rc = p && t ? both_ways(p, t, &crop, size_y, size_x, &d, err) : -1;
    if (rc == 0)
        summarize(s, &d);
    free(p);
    free(t);
    free(d.values);
    return rc;
}

int surface_of(struct surface *surface, const uint8_t *prediction, const uint8_t *truth,
               size_t height, size_t width, double size_y, double size_x,
               enum convention convention, struct err *err)
{
    size_t count = height * width;
    bool empty = row_is_empty(prediction, count) || row_is_empty(truth, count);
    bool full = !memchr(prediction, 0, count) || !memchr(truth, 0, count);
    double undefined = convention == CONVENTION_RELEASED ? 0 : NAN;
    *surface = (struct surface){undefined, undefined, undefined};
    if (empty || (full && convention == CONVENTION_NNUNET))
        return 0;
    return measure(surface, prediction, truth, height, width, size_y, size_x, err);
}

/* ---- quantiles ---- */

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

static double median3(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Hoare's selection: values[k] becomes the k-th smallest, smaller ones before it. */
static void select_kth(double *values, size_t count, size_t k)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = median3(values[low], values[low + (high - low) / 2], values[high]);
        size_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&values[i++], &values[j--]);
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
}

double quantile(double *values, size_t count, double q)
{
    if (count == 0)
        return NAN;
    double position = q * (double)(count - 1);
    size_t k = (size_t)position;
    select_kth(values, count, k);
    if (k + 1 >= count)
        return values[k];
    double next = INFINITY, t = position - (double)k, below = values[k];
    for (size_t i = k + 1; i < count; i++)
        next = values[i] < next ? values[i] : next;
    return t < 0.5 ? below + (next - below) * t : next - (next - below) * (1 - t);
}

/* ---- probabilities ---- */

static double probability_of(float p)
{
    return isnan(p) ? 0.5 : p < 0 ? 0 : p > 1 ? 1 : p;
}

void calibration_add(struct calibration *c, const float *probability, const uint8_t *truth,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double p = probability_of(probability[i]), real = truth[i] != 0;
        double confidence = p > 0.5 ? p : 1 - p;
        int bin = (int)(confidence * CALIBRATION_BINS);
        bin = bin < CALIBRATION_BINS ? bin : CALIBRATION_BINS - 1;
        c->count[bin]++;
        c->confidence[bin] += confidence;
        c->correct[bin] += (p > 0.5) == (truth[i] != 0);
        c->squared += (p - real) * (p - real);
    }
    c->total += count;
}

double calibration_ece(const struct calibration *c)
{
    double sum = 0;
    for (int i = 0; i < CALIBRATION_BINS; i++)
        sum += fabs(c->confidence[i] - (double)c->correct[i]);
    return ratio(sum, (double)c->total, NAN);
}

double calibration_brier(const struct calibration *c)
{
    return ratio(c->squared, (double)c->total, NAN);
}

void risk_add(struct risk *risk, const float *uncertainty, const uint8_t *wrong, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float u = uncertainty[i];
        int level = u > 0 ? u < 1 ? (int)(u * RISK_LEVELS) : RISK_LEVELS - 1 : 0;
        risk->count[level]++;
        risk->wrong[level] += wrong[i] != 0;
    }
}

double risk_at(const struct risk *risk, double coverage)
{
    double total = 0, covered = 0, wrong = 0;
    for (int i = 0; i < RISK_LEVELS; i++)
        total += (double)risk->count[i];
    double wanted = coverage * total;
    for (int i = 0; i < RISK_LEVELS && covered < wanted; i++) {
        double n = (double)risk->count[i], share = fmin(1, n ? (wanted - covered) / n : 0);
        covered += share * n;
        wrong += share * (double)risk->wrong[i];
    }
    return ratio(wrong, covered, NAN);
}

/* The trapezoidal rule over the levels; below the first level's pixels the risk is theirs. */
double risk_area(const struct risk *risk)
{
    double total = 0, covered = 0, wrong = 0, area = 0, last = NAN;
    for (int i = 0; i < RISK_LEVELS; i++)
        total += (double)risk->count[i];
    for (int i = 0; i < RISK_LEVELS; i++) {
        if (!risk->count[i])
            continue;
        covered += (double)risk->count[i];
        wrong += (double)risk->wrong[i];
        double now = wrong / covered;
        area += (double)risk->count[i] / total * (isnan(last) ? now : (last + now) / 2);
        last = now;
    }
    return total > 0 ? area : NAN;
}
