#include "train/vos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vos {
    struct vos_options options;
    int classes;
    float *queue;      /* classes x options.queue x classes */
    int64_t *position; /* classes x 2: entries there are, the next to be overwritten */
};

int vos_new(struct vos **vos, const struct vos_options *options, int classes, struct err *err)
{
    if (classes > GAUSSIANS_MAX_CLASSES)
        return err_set(err, STATUS_USAGE, "outliers for %d classes: at most %d", classes,
                       GAUSSIANS_MAX_CLASSES);
    struct vos *v = calloc(1, sizeof *v);
    size_t k = (size_t)classes;
    if (!v)
        return err_memory(err, "queues of logits");
    v->options = *options;
    v->classes = classes;
    v->queue = calloc(k * k * (size_t)options->queue, sizeof *v->queue);
    v->position = calloc(2 * k, sizeof *v->position);
    if (!v->queue || !v->position) {
        vos_free(v);
        return err_memory(err, "queues of logits");
    }
    *vos = v;
    return 0;
}

void vos_free(struct vos *vos)
{
    if (!vos)
        return;
    free(vos->queue);
    free(vos->position);
    free(vos);
}

static float *entry(const struct vos *v, int k, int64_t i)
{
    return v->queue + ((size_t)k * (size_t)v->options.queue + (size_t)i) * (size_t)v->classes;
}

/* ---- pixels by class ---- */

struct pixels {                               /* of a batch, sorted by class */
    int64_t *where;                           /* flat indices */
    int64_t begin[GAUSSIANS_MAX_CLASSES + 1]; /* of each class in `where` */
};

static int sort_pixels(struct pixels *pixels, const uint8_t *labels, int64_t n, int classes,
                       struct err *err)
{
    int64_t next[GAUSSIANS_MAX_CLASSES];
    pixels->where = malloc((size_t)n * sizeof *pixels->where);
    if (!pixels->where)
        return err_memory(err, "a list of pixels");
    memset(pixels->begin, 0, sizeof pixels->begin);
    for (int64_t i = 0; i < n; i++)
        pixels->begin[labels[i] + 1]++;
    for (int k = 0; k < classes; k++) {
        pixels->begin[k + 1] += pixels->begin[k];
        next[k] = pixels->begin[k];
    }
    for (int64_t i = 0; i < n; i++)
        pixels->where[next[labels[i]]++] = i;
    return 0;
}

static int64_t pixels_of(const struct pixels *pixels, int k)
{
    return pixels->begin[k + 1] - pixels->begin[k];
}

/* Brings `count` random ones of n to the front. */
static void choose(struct rng *rng, int64_t *items, int64_t n, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t j = i + (int64_t)rng_below(rng, (uint64_t)(n - i));
        int64_t other = items[i];
        items[i] = items[j];
        items[j] = other;
    }
}

/* ---- candidates ---- */

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The least square norm that makes a candidate an outlier: of the `keep` with the largest
 * ones, or what the density epsilon asks for. */
static double least_norm(const double *norm, int64_t sample, int64_t keep, double *sorted)
{
    memcpy(sorted, norm, (size_t)sample * sizeof *sorted);
    qsort(sorted, (size_t)sample, sizeof *sorted, descending);
    return sorted[keep - 1];
}

/* Normal vectors of `dims` numbers with a square norm of at least `least`, or when that is
 * below 0 the *keep ones of largest norm, thus of least likelihood, among `sample`.  *keep
 * becomes their number.  New memory. */
static float *unlikely(struct rng *rng, int64_t sample, double least, int dims, int64_t *keep)
{
    size_t n = (size_t)sample, m = (size_t)dims;
    float *all = malloc(n * m * sizeof *all), *kept = malloc((size_t)*keep * m * sizeof *kept + 1);
    double *norm = calloc(n, sizeof *norm), *sorted = malloc(n * sizeof *sorted);
    if (all && kept && norm && sorted) {
        for (size_t i = 0; i < n * m; i++) {
            double z = rng_normal(rng);
            all[i] = (float)z;
            norm[i / m] += z * z;
        }
        if (least < 0)
            least = least_norm(norm, sample, *keep, sorted);
        int64_t got = 0;
        for (size_t i = 0; i < n && got < *keep; i++)
            if (norm[i] >= least)
                memcpy(kept + (size_t)got++ * m, all + i * m, m * sizeof *kept);
        *keep = got;
    } else {
        free(kept);
        kept = NULL;
    }
    free(all);
    free(norm);
    free(sorted);
    return kept;
}

/* ---- Gaussians that carry gradients ---- */

/* The lower factor of a K x K matrix, number by number. */
static nn_tensor *cholesky(const nn_tensor *a, int n)
{
    nn_tensor *l[GAUSSIANS_MAX_CLASSES][GAUSSIANS_MAX_CLASSES];
    nn_tensor *rows[GAUSSIANS_MAX_CLASSES];
    nn_tensor *zero = nn_full(0, NULL, 0, DTYPE_F32, nn_device(a));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            l[i][j] = zero;
            if (j > i)
                continue;
            nn_tensor *sum = nn_select(nn_select(a, 0, i), 0, j);
            for (int k = 0; k < j; k++)
                sum = nn_sub(sum, nn_mul(l[i][k], l[j][k]));
            l[i][j] = i == j ? nn_sqrt(sum) : nn_div(sum, l[j][j]);
        }
    for (int i = 0; i < n; i++)
        rows[i] = nn_stack((const nn_tensor *const *)l[i], (size_t)n, 0);
    return nn_stack((const nn_tensor *const *)rows, (size_t)n, 0);
}

static nn_tensor *diagonal(int n, double value, int device)
{
    float data[GAUSSIANS_MAX_CLASSES * GAUSSIANS_MAX_CLASSES] = {0};
    for (int i = 0; i < n; i++)
        data[i * n + i] = (float)value;
    return nn_to_device(nn_from_host(data, DTYPE_F32, 2, (int64_t[]){n, n}), device);
}

/* (x - mean)' (x - mean) */
static nn_tensor *scatter(const nn_tensor *x, const nn_tensor *mean)
{
    nn_tensor *centered = nn_sub(x, mean);
    return nn_matmul(nn_transpose(centered, 0, 1), centered);
}

/* Mean of the queue's entries and their scatter about it, on the host. */
static void old_moments(const struct vos *v, int k, float *mean, float *spread)
{
    int m = v->classes;
    int64_t n = v->position[2 * k];
    double sum[GAUSSIANS_MAX_CLASSES] = {0};
    double squares[GAUSSIANS_MAX_CLASSES][GAUSSIANS_MAX_CLASSES] = {{0}};
    for (int64_t i = 0; i < n; i++)
        for (int a = 0; a < m; a++)
            sum[a] += entry(v, k, i)[a];
    for (int a = 0; a < m; a++)
        mean[a] = (float)(n ? sum[a] / (double)n : 0);
    for (int64_t i = 0; i < n; i++)
        for (int a = 0; a < m; a++)
            for (int b = 0; b < m; b++)
                squares[a][b] +=
                    (entry(v, k, i)[a] - (double)mean[a]) * (entry(v, k, i)[b] - (double)mean[b]);
    for (int a = 0; a < m; a++)
        for (int b = 0; b < m; b++)
            spread[a * m + b] = (float)squares[a][b];
}

/* The class's mean over old and fresh entries, and its part of the scatter. */
static nn_tensor *class_mean(const struct vos *v, int k, const nn_tensor *fresh, nn_tensor **spread)
{
    int64_t m = v->classes, old = v->position[2 * k], n = fresh ? nn_size(fresh, 0) : 0;
    float mean[GAUSSIANS_MAX_CLASSES], square[GAUSSIANS_MAX_CLASSES * GAUSSIANS_MAX_CLASSES];
    old_moments(v, k, mean, square);
    nn_tensor *before = nn_from_host(mean, DTYPE_F32, 2, (int64_t[]){1, m});
    nn_tensor *rest = nn_from_host(square, DTYPE_F32, 2, (int64_t[]){m, m});
    if (!fresh) {
        *spread = rest;
        return before;
    }
    before = nn_to_device(before, nn_device(fresh));
    rest = nn_to_device(rest, nn_device(fresh));
    nn_tensor *sum = nn_sum_dims(fresh, 1, (int64_t[]){0}, true);
    double share = 1 / (double)(old + n);
    nn_tensor *now = nn_add(nn_affine(before, (double)old * share, 0), nn_affine(sum, share, 0));
    nn_tensor *moved = nn_affine(scatter(before, now), (double)old, 0);
    *spread = nn_add(nn_add(rest, moved), scatter(fresh, now));
    return now;
}

/* Fresh entries take the place of the oldest. */
static int enqueue(struct vos *v, int k, const nn_tensor *fresh, struct err *err)
{
    int64_t n = nn_size(fresh, 0), m = v->classes, *position = &v->position[2 * k];
    float *rows = malloc((size_t)(n * m) * sizeof *rows);
    if (!rows)
        return err_memory(err, "logits");
    int failed = nn_to_host(fresh, rows, DTYPE_F32, (size_t)(n * m) * sizeof *rows);
    for (int64_t i = 0; i < n && !failed; i++) {
        memcpy(entry(v, k, position[1]), rows + i * m, (size_t)m * sizeof *rows);
        position[1] = (position[1] + 1) % v->options.queue;
        position[0] += position[0] < v->options.queue;
    }
    free(rows);
    return failed ? nn_to_err(err, "logits") : 0;
}

/* ---- placing ---- */

struct outliers {
    int64_t count;
    int64_t *where;    /* rows that are replaced */
    nn_tensor *values; /* count x K */
    nn_tensor **parts; /* of values, while they are collected */
    size_t part_count;
};

/* Rows of x (N x K) replaced by the outliers. */
static nn_tensor *place(const nn_tensor *x, const struct outliers *o, struct err *err)
{
    int64_t n = nn_size(x, 0);
    int64_t *source = calloc((size_t)n, sizeof *source);
    uint8_t *replaced = calloc((size_t)n, 1);
    nn_tensor *result = NULL;
    if (source && replaced) {
        for (int64_t i = 0; i < o->count; i++) {
            source[o->where[i]] = i;
            replaced[o->where[i]] = 1;
        }
        int device = nn_device(x);
        nn_tensor *from = nn_to_device(nn_from_host(source, DTYPE_I64, 1, &n), device);
        nn_tensor *mask = nn_from_host(replaced, DTYPE_BOOL, 2, (int64_t[]){n, 1});
        result = nn_where(nn_to_device(mask, device), nn_index_select(o->values, 0, from), x);
        if (!result)
            nn_to_err(err, "outliers");
    } else {
        err_memory(err, "outliers");
    }
    free(source);
    free(replaced);
    return result;
}

/* The square norm from which on the density of mean + L z is below epsilon, equation (9);
 * -1 without one. */
static int norm_of_epsilon(const struct vos *v, const nn_tensor *factor, double *least,
                           struct err *err)
{
    double logarithm = log(v->options.epsilon) + v->classes / 2.0 * log(2 * acos(-1)), item;
    *least = -1;
    if (v->options.epsilon <= 0)
        return 0;
    for (int i = 0; i < v->classes; i++) {
        if (nn_item(nn_select(nn_select(factor, 0, i), 0, i), &item))
            return nn_to_err(err, "Gaussians of the logits");
        logarithm += log(item);
    }
    *least = fmax(-2 * logarithm, 0);
    return 0;
}

/* mean + z L' for at most *count unlikely z; *count becomes their number, and the result is
 * NULL when it is 0. */
static int draw(const struct vos *v, const nn_tensor *mean, const nn_tensor *factor, int64_t *count,
                struct rng *rng, nn_tensor **values, struct err *err)
{
    double least;
    *values = NULL;
    if (norm_of_epsilon(v, factor, &least, err))
        return -1;
    float *z = unlikely(rng, v->options.sample, least, v->classes, count);
    if (!z)
        return err_memory(err, "candidates for outliers");
    if (*count > 0) {
        nn_tensor *noise = nn_from_host(z, DTYPE_F32, 2, (int64_t[]){*count, v->classes});
        noise = nn_to_device(noise, nn_device(mean));
        *values = nn_add(nn_matmul(noise, nn_transpose(factor, 0, 1)), mean);
    }
    free(z);
    return *values || *count == 0 ? 0 : nn_to_err(err, "outliers");
}

/* ---- by class, as in the paper ---- */

struct class_state {
    nn_tensor *fresh[GAUSSIANS_MAX_CLASSES], *mean[GAUSSIANS_MAX_CLASSES];
    nn_tensor *factor;
};

static int estimate(struct vos *v, const nn_tensor *x, struct pixels *pixels, struct rng *rng,
                    struct class_state *state, struct err *err)
{
    int64_t total = 0, limit = v->options.queue / 10 > 0 ? v->options.queue / 10 : 1;
    nn_tensor *sum = NULL, *spread;
    for (int k = 0; k < v->classes; k++) {
        int64_t n = pixels_of(pixels, k) < limit ? pixels_of(pixels, k) : limit;
        int64_t *where = pixels->where + pixels->begin[k];
        choose(rng, where, pixels_of(pixels, k), n);
        nn_tensor *index = nn_to_device(nn_from_host(where, DTYPE_I64, 1, &n), nn_device(x));
        state->fresh[k] = n ? nn_index_select(x, 0, index) : NULL;
        state->mean[k] = nn_to_device(class_mean(v, k, state->fresh[k], &spread), nn_device(x));
        spread = nn_to_device(spread, nn_device(x));
        sum = k ? nn_add(sum, spread) : spread;
        total += v->position[2 * k] + n;
    }
    nn_tensor *covariance = nn_affine(sum, 1 / (double)total, 0);
    covariance = nn_add(covariance, diagonal(v->classes, v->options.ridge, nn_device(x)));
    state->factor = cholesky(covariance, v->classes);
    return state->factor ? 0 : nn_to_err(err, "Gaussians of the logits");
}

/* Outliers of each class for the pixels of an image, or of a whole batch, whose first pixel is
 * number `first` of the batch. */
static int add_outliers(const struct vos *v, struct pixels *pixels, int64_t first,
                        const struct class_state *state, struct rng *rng, struct outliers *o,
                        struct err *err)
{
    for (int k = 0; k < v->classes; k++) {
        int64_t n = pixels_of(pixels, k), count = v->options.select < n ? v->options.select : n;
        int64_t *where = pixels->where + pixels->begin[k];
        nn_tensor *values;
        if (!count)
            continue;
        choose(rng, where, n, count);
        if (draw(v, state->mean[k], state->factor, &count, rng, &values, err))
            return -1;
        for (int64_t i = 0; i < count; i++)
            o->where[o->count++] = first + where[i];
        if (count)
            o->parts[o->part_count++] = values;
    }
    return 0;
}

static int add_outliers_of_images(const struct vos *v, const uint8_t *labels, int64_t images,
                                  int64_t size, const struct class_state *state, struct rng *rng,
                                  struct outliers *o, struct err *err)
{
    int result = 0;
    for (int64_t i = 0; i < images && result == 0; i++) {
        struct pixels pixels;
        if (sort_pixels(&pixels, labels + i * size, size, v->classes, err))
            return -1;
        result = add_outliers(v, &pixels, i * size, state, rng, o, err);
        free(pixels.where);
    }
    return result;
}

/* x, the batch's logits as rows, with outliers in place of some; NULL: see err. */
static nn_tensor *class_outliers(const struct vos *v, const nn_tensor *x, const uint8_t *labels,
                                 int64_t images, struct pixels *pixels,
                                 const struct class_state *state, struct rng *rng, struct err *err)
{
    size_t rows = (size_t)nn_size(x, 0), parts = (size_t)images * (size_t)v->classes;
    struct outliers o = {.where = malloc(rows * sizeof *o.where),
                         .parts = malloc(parts * sizeof *o.parts)};
    nn_tensor *result = NULL;
    int failed =
        !o.where || !o.parts ? err_memory(err, "outliers")
        : v->options.per == VOS_PER_IMAGE
            ? add_outliers_of_images(v, labels, images, (int64_t)rows / images, state, rng, &o, err)
            : add_outliers(v, pixels, 0, state, rng, &o, err);
    if (!failed && o.count == 0) {
        result = nn_affine(x, 1, 0);
    } else if (!failed) {
        o.values = nn_cat((const nn_tensor *const *)o.parts, o.part_count, 0);
        result = place(x, &o, err);
    }
    free(o.where);
    free(o.parts);
    return result;
}

static int step_by_class(struct vos *v, const nn_tensor *logits, const uint8_t *labels,
                         struct rng *rng, nn_tensor **synthetic, struct err *err)
{
    int64_t b = nn_size(logits, 0), h = nn_size(logits, 2), w = nn_size(logits, 3);
    nn_tensor *x = nn_permute(logits, 4, (int64_t[]){0, 2, 3, 1});
    struct pixels pixels;
    struct class_state state;
    x = nn_reshape2(x, b * h * w, v->classes);
    if (sort_pixels(&pixels, labels, b * h * w, v->classes, err))
        return -1;
    int result = estimate(v, x, &pixels, rng, &state, err);
    for (int k = 0; k < v->classes && result == 0; k++)
        if (state.fresh[k])
            result = enqueue(v, k, nn_detach(state.fresh[k]), err);
    if (result == 0 && synthetic) {
        nn_tensor *rows = class_outliers(v, x, labels, b, &pixels, &state, rng, err);
        rows = nn_reshape4(rows, b, h, w, v->classes);
        *synthetic = nn_permute(rows, 4, (int64_t[]){0, 3, 1, 2});
        result = *synthetic ? 0 : -1;
    }
    free(pixels.where);
    return result;
}

/* ---- as released ---- */

static int step_released(struct vos *v, const nn_tensor *logits, struct rng *rng,
                         nn_tensor **synthetic, struct err *err)
{
    int64_t b = nn_size(logits, 0), h = nn_size(logits, 2), w = nn_size(logits, 3);
    int64_t n = b * h * w, m = v->classes, count = v->options.select < n ? v->options.select : n;
    nn_tensor *x = nn_reshape2(nn_permute(logits, 4, (int64_t[]){0, 2, 3, 1}), n, m);
    nn_tensor *mean = nn_mean_dims(x, 1, (int64_t[]){0}, true);
    nn_tensor *covariance = nn_affine(scatter(x, mean), 1 / (double)(n > 1 ? n - 1 : 1), 0);
    covariance = nn_add(covariance, diagonal(v->classes, v->options.ridge, nn_device(x)));
    struct outliers o = {.count = count, .where = malloc((size_t)n * sizeof *o.where)};
    if (!o.where)
        return err_memory(err, "outliers");
    for (int64_t i = 0; i < n; i++)
        o.where[i] = i;
    choose(rng, o.where, n, count);
    *synthetic = NULL;
    if (!draw(v, mean, cholesky(covariance, v->classes), &o.count, rng, &o.values, err)) {
        nn_tensor *rows = nn_reshape2(nn_contiguous(logits), n, m);
        *synthetic = nn_reshape4(o.count ? place(rows, &o, err) : rows, b, m, h, w);
    }
    free(o.where);
    return *synthetic ? 0 : -1;
}

int vos_step(struct vos *vos, const nn_tensor *logits, const uint8_t *labels, struct rng *rng,
             nn_tensor **synthetic, struct err *err)
{
    if (vos->options.sample < vos->options.select)
        return err_set(err, STATUS_USAGE, "outliers: cannot select more than are sampled");
    if (nn_ndim(logits) != 4 || nn_size(logits, 1) != vos->classes)
        return err_set(err, STATUS_BUG, "outliers: logits of another shape");
    if (vos->options.mode == VOS_RELEASED)
        return synthetic ? step_released(vos, logits, rng, synthetic, err) : 0;
    return step_by_class(vos, logits, labels, rng, synthetic, err);
}

/* ---- state ---- */

int vos_gaussians(const struct vos *vos, struct gaussians *g, struct err *err)
{
    size_t m = (size_t)vos->classes, total = 0, at = 0;
    for (int k = 0; k < vos->classes; k++)
        total += (size_t)vos->position[2 * k];
    float *rows = malloc(total * m * sizeof *rows + 1);
    uint8_t *labels = malloc(total + 1);
    int result = rows && labels ? 0 : err_memory(err, "logits");
    for (int k = 0; k < vos->classes && result == 0; k++) {
        size_t n = (size_t)vos->position[2 * k];
        memcpy(rows + at * m, entry(vos, k, 0), n * m * sizeof *rows);
        memset(labels + at, k, n);
        at += n;
    }
    if (result == 0)
        result = gaussians_fit(g, rows, labels, total, vos->classes, vos->options.ridge, err);
    free(rows);
    free(labels);
    return result;
}

static struct array queue_view(const struct vos *vos)
{
    size_t k = (size_t)vos->classes;
    return array_view(DTYPE_F32, 3, (size_t[]){k, (size_t)vos->options.queue, k}, vos->queue);
}

static struct array position_view(const struct vos *vos)
{
    return array_view(DTYPE_I64, 2, (size_t[]){(size_t)vos->classes, 2}, vos->position);
}

int vos_export(const struct vos *vos, struct weights *weights, struct err *err)
{
    struct array queue = queue_view(vos), position = position_view(vos);
    return weights_add(weights, "vos.queue", &queue, err) ||
                   weights_add(weights, "vos.position", &position, err)
               ? -1
               : 0;
}

static int copy_in(struct array *to, const struct weights *weights, const char *name,
                   struct err *err)
{
    const struct array *from = weights_find(weights, name);
    if (!from || from->dtype != to->dtype || !array_same_shape(from, to))
        return err_set(err, STATUS_DATA, "no '%s' of the right shape", name);
    memcpy(to->data, from->data, array_bytes(to));
    return 0;
}

int vos_import(struct vos *vos, const struct weights *weights, struct err *err)
{
    struct array queue = queue_view(vos), position = position_view(vos);
    if (copy_in(&queue, weights, "vos.queue", err) ||
        copy_in(&position, weights, "vos.position", err))
        return -1;
    for (int k = 0; k < vos->classes; k++)
        if (vos->position[2 * k] < 0 || vos->position[2 * k] > vos->options.queue ||
            vos->position[2 * k + 1] < 0 || vos->position[2 * k + 1] >= vos->options.queue)
            return err_set(err, STATUS_DATA, "'vos.position' is out of range");
    return 0;
}
