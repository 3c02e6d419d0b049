#include "pixels/mend.h"

#include <math.h>
#include <string.h>

#include "core/target.h"

#define BINS         1024
#define SHARE        0.999 /* of the values that are no hot pixels */
#define FAR          8.0   /* times the height of that share, above the least value */
#define SHARP        4.0   /* times the height of the highest neighbor */
#define LEAST_PIXELS 256   /* of fewer nobody knows what is usual */
#define LONGEST      32768
#define SAMPLE       29 /* pixels apart */
#define SURELY_MANY  4
#define MAX_ROUNDS   4 /* a hotter pixel hides others */

/* One channel of an image. */
struct channel {
    enum dtype dtype;
    void *values;
    size_t height, width; /* of what is mended */
    size_t row, step;     /* values from row to row, from pixel to pixel */
};

static const void *row_of(const struct channel *c, size_t y)
{
    return (const char *)c->values + y * c->row * dtype_size(c->dtype);
}

static double value_at(const struct channel *c, size_t y, size_t x)
{
    size_t i = y * c->row + x * c->step;
    return c->dtype == DTYPE_U16 ? ((const uint16_t *)c->values)[i]
                                 : (double)((const float *)c->values)[i];
}

static void put_value(struct channel *c, size_t y, size_t x, double value)
{
    size_t i = y * c->row + x * c->step;
    if (c->dtype == DTYPE_U16)
        ((uint16_t *)c->values)[i] = (uint16_t)(value + 0.5);
    else
        ((float *)c->values)[i] = (float)value;
}

/* How many of n values may be hot. */
static double most_hot(const struct channel *c)
{
    return fmax(2, (1 - SHARE) * (double)(c->width * c->height));
}

/* Calls for each of the up to eight neighbors. */
#define EACH_NEIGHBOR(c, y, x, ny, nx)                                                             \
    for (size_t ny = (y) ? (y)-1 : 0; ny <= (y) + 1 && ny < (c)->height; ny++)                     \
        for (size_t nx = (x) ? (x)-1 : 0; nx <= (x) + 1 && nx < (c)->width; nx++)                  \
            if (ny != (y) || nx != (x))

/* ---- no numbers ---- */

static double mean_of_finite(const struct channel *c, size_t y, size_t x)
{
    double sum = 0;
    int count = 0;
    EACH_NEIGHBOR(c, y, x, ny, nx)
    {
        double value = value_at(c, ny, nx);
        if (isfinite(value)) {
            sum += value;
            count++;
        }
    }
    return count ? sum / count : NAN;
}

static double nearest_in_row(const struct channel *c, size_t y, size_t x)
{
    for (size_t i = x; i-- > 0;)
        if (isfinite(value_at(c, y, i)))
            return value_at(c, y, i);
    for (size_t i = x + 1; i < c->width; i++)
        if (isfinite(value_at(c, y, i)))
            return value_at(c, y, i);
    return 0;
}

static uint64_t mend_row(struct channel *c, size_t y)
{
    uint64_t count = 0;
    for (size_t x = 0; x < c->width; x++) {
        if (isfinite(value_at(c, y, x)))
            continue;
        double mean = mean_of_finite(c, y, x);
        put_value(c, y, x, isfinite(mean) ? mean : nearest_in_row(c, y, x));
        count++;
    }
    return count;
}

/* ---- hot pixels ---- */

struct reach {
    double least, most;
};

/* What is looked for in a row of n values, `step` apart.  Neighbors, step 1, have loops of their
 * own, which the compiler can vectorize. */
#define REACH(step)                                                                                \
    for (size_t i = 0; i < n; i++) {                                                               \
        least = v[i * (step)] < least ? v[i * (step)] : least;                                     \
        most = v[i * (step)] > most ? v[i * (step)] : most;                                        \
    }
/* Counts that are as wide as the values are the fastest; they begin anew before they overflow. */
#define COUNT(type, step)                                                                          \
    for (size_t at = 0; at < n; at += LONGEST) {                                                   \
        size_t end = n - at < LONGEST ? n : at + LONGEST;                                          \
        type some = 0;                                                                             \
        for (size_t i = at; i < end; i++)                                                          \
            some += v[i * (step)] > limit;                                                         \
        count += some;                                                                             \
    }
#define DEFINE_LOOKS(name, type, counter)                                                          \
    CLONES(static, struct reach, reach_of_##name, (const type *v, size_t n, size_t step),          \
           (v, n, step))                                                                           \
    {                                                                                              \
        type least = v[0], most = v[0];                                                            \
        if (step == 1)                                                                             \
            REACH(1)                                                                               \
        else                                                                                       \
            REACH(step)                                                                            \
        return (struct reach){(double)least, (double)most};                                        \
    }                                                                                              \
    CLONES(static, size_t, count_of_##name, (const type *v, size_t n, size_t step, type limit),    \
           (v, n, step, limit))                                                                    \
    {                                                                                              \
        size_t count = 0;                                                                          \
        if (step == 1)                                                                             \
            COUNT(counter, 1)                                                                      \
        else                                                                                       \
            COUNT(counter, step)                                                                   \
        return count;                                                                              \
    }

DEFINE_LOOKS(u16, uint16_t, uint16_t)
DEFINE_LOOKS(f32, float, uint32_t)

static struct reach reach_of(const struct channel *c)
{
    struct reach reach = {INFINITY, -INFINITY};
    for (size_t y = 0; y < c->height; y++) {
        const void *row = row_of(c, y);
        struct reach found = c->dtype == DTYPE_U16 ? reach_of_u16(row, c->width, c->step)
                                                   : reach_of_f32(row, c->width, c->step);
        reach.least = fmin(reach.least, found.least);
        reach.most = fmax(reach.most, found.most);
    }
    return reach;
}

static size_t count_above(const struct channel *c, double limit)
{
    size_t count = 0;
    for (size_t y = 0; y < c->height; y++) {
        const void *row = row_of(c, y);
        count += c->dtype == DTYPE_U16 ? count_of_u16(row, c->width, c->step, (uint16_t)limit)
                                       : count_of_f32(row, c->width, c->step, (float)limit);
    }
    return count;
}

/* Whether a channel with no value over `peak` has surely no hot pixel: too many values are so
 * high that it is not far above them.  A look at some dozen is enough for most images: of one
 * high value in a thousand it would not find four. */
static bool is_surely_cool(const struct channel *c, double peak)
{
    size_t high = 0;
    double least = INFINITY;
    for (size_t y = 0; y < c->height; y += SAMPLE)
        for (size_t x = y % SAMPLE; x < c->width; x += SAMPLE)
            least = fmin(least, value_at(c, y, x));
    double limit = least + (peak - least) / FAR;
    for (size_t y = 0; y < c->height; y += SAMPLE)
        for (size_t x = y % SAMPLE; x < c->width; x += SAMPLE)
            high += value_at(c, y, x) > limit;
    return high >= SURELY_MANY || (double)count_above(c, limit) > most_hot(c);
}

/* Whether so few values are high that the largest may lie far above the others. */
static bool may_be_hot(const struct channel *c, const struct reach *reach)
{
    double limit = reach->least + (reach->most - reach->least) / FAR;
    return reach->most > reach->least && (double)count_above(c, limit) <= most_hot(c);
}

/* The upper edge of the bin in which the share of the values ends. */
static double height_of_share(const struct channel *c, const struct reach *e)
{
    uint64_t bins[BINS] = {0}, seen = 0;
    double scale = BINS / (e->most - e->least);
    for (size_t y = 0; y < c->height; y++)
        for (size_t x = 0; x < c->width; x++) {
            double bin = (value_at(c, y, x) - e->least) * scale;
            bins[bin < BINS - 1 ? (size_t)bin : BINS - 1]++;
        }
    size_t bin = 0;
    double share = (double)(c->width * c->height) - most_hot(c);
    while (bin < BINS - 1 && (double)(seen += bins[bin]) < share)
        bin++;
    return (double)(bin + 1) / scale;
}

static int hot_neighbors(const struct channel *c, size_t y, size_t x, double limit)
{
    int count = 0;
    EACH_NEIGHBOR(c, y, x, ny, nx)
    count += value_at(c, ny, nx) > limit;
    return count;
}

/* The mean of the neighbors that are not hot too; NAN when the pixel is part of something. */
static double mean_around(const struct channel *c, size_t y, size_t x, double least, double limit)
{
    double height = value_at(c, y, x) - least, sum = 0;
    int hot = 0, count = 0;
    EACH_NEIGHBOR(c, y, x, ny, nx)
    {
        double value = value_at(c, ny, nx);
        if (value - least > limit) {
            hot += hot_neighbors(c, ny, nx, least + limit);
            continue;
        }
        if (SHARP * (value - least) > height)
            return NAN;
        sum += value;
        count++;
    }
    return hot <= 1 && count ? sum / count : NAN;
}

static uint64_t mend_hot(struct channel *c, const struct reach *e)
{
    double limit = FAR * height_of_share(c, e);
    uint64_t count = 0;
    for (size_t y = 0; limit < e->most - e->least && y < c->height; y++)
        for (size_t x = 0; x < c->width; x++) {
            if (!(value_at(c, y, x) - e->least > limit))
                continue;
            double mean = mean_around(c, y, x, e->least, limit);
            if (isfinite(mean)) {
                put_value(c, y, x, mean);
                count++;
            }
        }
    return count;
}

/* ---- a channel, an image ---- */

static void mend_channel(struct channel *c, double peak, struct mended *mended)
{
    bool finite = isfinite(peak);
    for (size_t y = 0; !finite && y < c->height; y++)
        mended->not_finite += mend_row(c, y);
    if (c->height * c->width < LEAST_PIXELS || (finite && is_surely_cool(c, peak)))
        return;
    for (int round = 0; round < MAX_ROUNDS; round++) {
        struct reach reach = reach_of(c);
        uint64_t hot = may_be_hot(c, &reach) ? mend_hot(c, &reach) : 0;
        mended->hot += hot;
        if (!hot)
            return;
    }
}

void mend_pixels(struct array *image, double peak, size_t height, size_t width,
                 struct mended *mended)
{
    size_t channels = image->shape[2];
    *mended = (struct mended){0};
    if ((image->dtype != DTYPE_U16 && image->dtype != DTYPE_F32) || height * width == 0)
        return;
    for (size_t i = 0; i < channels; i++) {
        struct channel c = {.dtype = image->dtype,
                            .values = (char *)image->data + i * dtype_size(image->dtype),
                            .height = height,
                            .width = width,
                            .row = image->shape[1] * channels,
                            .step = channels};
        mend_channel(&c, peak, mended);
    }
}
