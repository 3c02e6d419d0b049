#include "draw/preview.h"

#include <math.h>
#include <stdlib.h>

#include "core/num.h"
#include "image/values.h"
#include "pixels/resample.h"

#define SAMPLES 65536

/* What is kept of an image while it is read. */
struct reading {
    struct image_values values;
    int64_t width, height, factor; /* pixels that become one of the picture, in each direction */
    float *row;                    /* width x channels */
    double *sums;                  /* a row of the picture: w x channels */
    float *small;                  /* the picture, h x w x channels */
    float *samples;
    size_t sample_count, step; /* every step-th value is a sample */
    double sum, squares;
    uint64_t count, at_top;
    float top; /* the largest value of the type, or infinity */
};

static float largest_value(const struct image_info *info)
{
    if (info->bits == 8)
        return 255;
    return info->bits == 16 ? (float)((1 << info->significant_bits) - 1) : INFINITY;
}

static size_t small_width(const struct reading *r)
{
    return (size_t)((r->width + r->factor - 1) / r->factor);
}

static size_t small_height(const struct reading *r)
{
    return (size_t)((r->height + r->factor - 1) / r->factor);
}

static int start(struct reading *r, const char *path, int64_t side, struct err *err)
{
    if (image_values_open(&r->values, path, 3, IMAGE_AS_STORED, err))
        return -1;
    const struct image_info *info = r->values.info;
    size_t channels = (size_t)r->values.channels;
    r->width = info->width;
    r->height = info->height;
    int64_t longer = r->width > r->height ? r->width : r->height;
    r->factor = (longer + side - 1) / side;
    r->top = largest_value(info);
    size_t all = (size_t)r->width * (size_t)r->height * channels;
    r->step = all / SAMPLES + 1;
    r->row = malloc((size_t)r->width * channels * sizeof *r->row);
    r->sums = calloc(small_width(r) * channels, sizeof *r->sums);
    r->small = malloc(small_width(r) * small_height(r) * channels * sizeof *r->small);
    r->samples = malloc((SAMPLES + 1) * sizeof *r->samples);
    return r->row && r->sums && r->small && r->samples ? 0 : err_memory(err, "a preview");
}

static void end(struct reading *r)
{
    image_values_close(&r->values);
    free(r->row);
    free(r->sums);
    free(r->small);
    free(r->samples);
}

static void count_row(struct reading *r)
{
    size_t n = (size_t)r->width * (size_t)r->values.channels;
    for (size_t i = 0; i < n; i++) {
        float value = r->row[i];
        if (!isfinite(value))
            value = r->row[i] = 0;
        r->sum += (double)value;
        r->squares += (double)value * (double)value;
        r->at_top += value >= r->top;
        if (r->count++ % r->step == 0 && r->sample_count < SAMPLES)
            r->samples[r->sample_count++] = value;
    }
}

static void add_row(struct reading *r)
{
    size_t channels = (size_t)r->values.channels;
    for (size_t x = 0; x < (size_t)r->width; x++)
        for (size_t c = 0; c < channels; c++)
            r->sums[x / (size_t)r->factor * channels + c] += (double)r->row[x * channels + c];
}

/* The sums of `rows` rows become row y of the picture. */
static void finish_row(struct reading *r, size_t y, int64_t rows)
{
    size_t channels = (size_t)r->values.channels, width = small_width(r);
    for (size_t x = 0; x < width; x++) {
        int64_t left = r->width - (int64_t)x * r->factor;
        int64_t columns = left < r->factor ? left : r->factor;
        for (size_t c = 0; c < channels; c++) {
            size_t i = x * channels + c;
            r->small[y * width * channels + i] = (float)(r->sums[i] / (double)(rows * columns));
            r->sums[i] = 0;
        }
    }
}

static int read_rows(struct reading *r, struct err *err)
{
    for (int64_t y = 0; y < r->height; y++) {
        if (image_values_row(&r->values, r->row, err))
            return -1;
        count_row(r);
        add_row(r);
        int64_t rows = y % r->factor + 1;
        if (rows == r->factor || y + 1 == r->height)
            finish_row(r, (size_t)(y / r->factor), rows);
    }
    return 0;
}

/* Darkest and brightest of what is shown. */
static void range(struct reading *r, float *low, float *high)
{
    *low = 0;
    *high = 255;
    if (r->values.info->bits == 8)
        return;
    qsort(r->samples, r->sample_count, sizeof *r->samples, num_compare_floats);
    *low = r->samples[r->sample_count / 1000];
    *high = r->samples[r->sample_count - 1 - r->sample_count / 1000];
}

static int draw(struct reading *r, struct preview *preview, struct err *err)
{
    float low, high;
    size_t channels = r->values.channels == 3 ? 3 : 1, from = (size_t)r->values.channels;
    size_t pixels = small_width(r) * small_height(r);
    if (array_new(&preview->picture, DTYPE_U8, 3,
                  (size_t[]){small_height(r), small_width(r), channels}, err))
        return -1;
    range(r, &low, &high);
    float scale = high > low ? 255 / (high - low) : 0;
    uint8_t *to = preview->picture.data;
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < channels; c++) {
            float value = (r->small[i * from + c] - low) * scale;
            to[i * channels + c] = (uint8_t)fminf(fmaxf(value + 0.5f, 0), 255);
        }
    return 0;
}

static double deviation(double sum, double squares, double count)
{
    return count > 0 ? sqrt(fmax(squares / count - sum / count * (sum / count), 0)) : 0;
}

/* Of the picture's first channel, before it was scaled to 8 bits. */
static double sharpness(const struct reading *r)
{
    size_t width = small_width(r), height = small_height(r), step = (size_t)r->values.channels;
    double sum = 0, squares = 0, plain = 0, plain_squares = 0, count = 0;
    for (size_t y = 1; y + 1 < height; y++)
        for (size_t x = 1; x + 1 < width; x++) {
            const float *p = r->small + (y * width + x) * step;
            double v = (double)*p;
            double edge = (double)p[step] + (double)*(p - step) + (double)p[width * step] +
                          (double)*(p - width * step) - 4 * v;
            sum += edge;
            squares += edge * edge;
            plain += v;
            plain_squares += v * v;
            count++;
        }
    double own = deviation(plain, plain_squares, count);
    return own > 0 ? deviation(sum, squares, count) / own : 0;
}

static void measure(const struct reading *r, struct preview *preview)
{
    double count = (double)r->count, spread = deviation(r->sum, r->squares, count);
    preview->width = r->width;
    preview->height = r->height;
    preview->pixel_width = r->values.info->pixel_width;
    preview->pixel_height = r->values.info->pixel_height;
    preview->mean = r->sum / count;
    preview->saturated = (double)r->at_top / count;
    preview->contrast = r->sum != 0 ? spread / fabs(preview->mean) : 0;
    preview->sharpness = sharpness(r);
}

int preview_make(struct preview *preview, const char *path, int64_t side, struct err *err)
{
    struct reading r = {0};
    *preview = (struct preview){0};
    int rc = start(&r, path, side, err) || read_rows(&r, err) || draw(&r, preview, err) ? -1 : 0;
    if (rc == 0)
        measure(&r, preview);
    end(&r);
    return rc;
}

void preview_free(struct preview *preview)
{
    array_free(&preview->picture);
}

int preview_write(const struct preview *preview, int64_t side, const char *path, struct err *err)
{
    const size_t *shape = preview->picture.shape;
    double shrink = (double)side / (double)(shape[0] > shape[1] ? shape[0] : shape[1]);
    struct array smaller = {0};
    const struct array *picture = &preview->picture;
    if (shrink < 1) {
        size_t height = (size_t)fmax((double)shape[0] * shrink, 1);
        size_t width = (size_t)fmax((double)shape[1] * shrink, 1);
        if (resample_new(picture, 0, height, width, false, &smaller, err))
            return -1;
        picture = &smaller;
    }
    struct image_info info = {.width = (int64_t)picture->shape[1],
                              .height = (int64_t)picture->shape[0],
                              .channels = (int)picture->shape[2],
                              .bits = 8};
    int rc = image_save(path, &info, picture->data, err);
    array_free(&smaller);
    return rc;
}
