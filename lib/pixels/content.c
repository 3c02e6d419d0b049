#include "pixels/content.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define BLOCK      8
#define MIN_EXCESS 2.0
#define MIN_BLOCKS 3 /* in a row and a column, so that a plane leaves something */

/* ---- masks ---- */

#define COUNT_NONZERO(type)                                                                        \
    static size_t count_##type(const struct array *mask)                                           \
    {                                                                                              \
        const type *label = mask->data;                                                            \
        size_t n = array_count(mask), count = 0;                                                   \
        for (size_t i = 0; i < n; i++)                                                             \
            count += label[i] != 0;                                                                \
        return count;                                                                              \
    }
COUNT_NONZERO(uint8_t)
COUNT_NONZERO(uint16_t)
COUNT_NONZERO(uint32_t)

double content_foreground(const struct array *mask)
{
    size_t n = array_count(mask), count = 0;
    switch (dtype_size(mask->dtype)) {
    case 1:
        count = count_uint8_t(mask);
        break;
    case 2:
        count = count_uint16_t(mask);
        break;
    case 4:
        count = count_uint32_t(mask);
        break;
    }
    return n ? (double)count / (double)n : 0;
}

/* ---- images ---- */

/* One channel of a window, brought to float. */
static void take_channel(float *to, const struct array *image, const struct content_window *window,
                         size_t channel)
{
    size_t channels = image->shape[2];
    for (size_t y = 0; y < window->height; y++)
        for (size_t x = 0; x < window->width; x++) {
            size_t i = ((window->y + y) * image->shape[1] + window->x + x) * channels + channel;
            *to++ = image->dtype == DTYPE_U8    ? (float)((uint8_t *)image->data)[i]
                    : image->dtype == DTYPE_U16 ? (float)((uint16_t *)image->data)[i]
                                                : ((float *)image->data)[i];
        }
}

/* The standard deviation of white noise, from the mean absolute response of
 * Immerkaer's mask, which no plane and few edges excite. */
static double noise(const float *p, size_t width, size_t height)
{
    double sum = 0;
    if (width < 3 || height < 3)
        return 0;
    for (size_t y = 1; y + 1 < height; y++) {
        const float *a = p + (y - 1) * width, *b = a + width, *c = b + width;
        for (size_t x = 1; x + 1 < width; x++)
            sum += fabsf(a[x - 1] + a[x + 1] + c[x - 1] + c[x + 1] -
                         2 * (a[x] + b[x - 1] + b[x + 1] + c[x]) + 4 * b[x]);
    }
    return sqrt(M_PI / 2) / 6 * sum / (double)((width - 2) * (height - 2));
}

static size_t block_size(size_t width, size_t height)
{
    size_t block = (width < height ? width : height) / MIN_BLOCKS;
    return block < 1 ? 1 : block > BLOCK ? BLOCK : block;
}

static double block_mean(const float *p, size_t width, size_t block)
{
    double sum = 0;
    for (size_t y = 0; y < block; y++)
        for (size_t x = 0; x < block; x++)
            sum += p[y * width + x];
    return sum / (double)(block * block);
}

/* Sums for a plane over a regular grid: with centered coordinates the three terms
 * are orthogonal, so each is fitted alone. */
struct plane {
    double n, z, xz, yz, xx, yy, zz;
};

static void add_block(struct plane *sum, double x, double y, double z)
{
    sum->n++;
    sum->z += z;
    sum->xz += x * z;
    sum->yz += y * z;
    sum->xx += x * x;
    sum->yy += y * y;
    sum->zz += z * z;
}

/* The standard deviation of block means about their plane.  `origin` is about
 * their mean, so that the sums of squares do not cancel. */
static double structure(const float *p, size_t width, size_t height, size_t block, double origin)
{
    size_t columns = width / block, rows = height / block;
    struct plane sum = {0};
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            add_block(&sum, (double)j - ((double)columns - 1) / 2,
                      (double)i - ((double)rows - 1) / 2,
                      block_mean(p + i * block * width + j * block, width, block) - origin);
    double explained = sum.z * sum.z / sum.n;
    explained += sum.xx > 0 ? sum.xz * sum.xz / sum.xx : 0;
    explained += sum.yy > 0 ? sum.yz * sum.yz / sum.yy : 0;
    return sqrt(fmax(sum.zz - explained, 0) / sum.n);
}

static double mean_of(const float *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return sum / (double)n;
}

static struct content measure_channel(const float *p, size_t width, size_t height)
{
    size_t block = block_size(width, height);
    double mean = mean_of(p, width * height);
    double left = structure(p, width, height, block, mean);
    double expected = noise(p, width, height) / (double)block;
    return (struct content){
        .contrast = left > 1e-6 * fabs(mean) ? left / fmax(fabs(mean), left) : 0,
        .excess = expected > 0 ? left / expected : INFINITY,
    };
}

int content_measure(const struct array *image, const struct content_window *window,
                    struct content *content, struct err *err)
{
    *content = (struct content){0};
    if (window->width == 0 || window->height == 0)
        return 0;
    float *channel = malloc(window->width * window->height * sizeof *channel);
    if (!channel)
        return err_memory(err, "a tile");
    for (size_t c = 0; c < image->shape[2]; c++) {
        take_channel(channel, image, window, c);
        struct content one = measure_channel(channel, window->width, window->height);
        if (one.contrast > content->contrast)
            *content = one;
    }
    free(channel);
    return 0;
}

bool content_is_blank(const struct content *content, double contrast)
{
    return content->contrast < contrast || content->excess < MIN_EXCESS;
}
