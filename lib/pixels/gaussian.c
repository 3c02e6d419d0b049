#include "pixels/gaussian.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/target.h"

enum { MAX_RADIUS = 128 };

struct kernel {
    int radius;
    float weight[2 * MAX_RADIUS + 1];
};

static void make_kernel(struct kernel *kernel, double sigma)
{
    double radius = ceil(3 * sigma);
    kernel->radius = radius > MAX_RADIUS ? MAX_RADIUS : (int)radius;
    double sum = 0;
    for (int k = -kernel->radius; k <= kernel->radius; k++)
        sum += exp(-0.5 * k * k / (sigma * sigma));
    for (int k = -kernel->radius; k <= kernel->radius; k++)
        kernel->weight[k + kernel->radius] = (float)(exp(-0.5 * k * k / (sigma * sigma)) / sum);
}

/* out += weight * in; the compiler makes vector code of it. */
CLONES(static, void, add_scaled,
       (float *restrict out, const float *restrict in, float weight, size_t n),
       (out, in, weight, n))
{
    for (size_t i = 0; i < n; i++)
        out[i] += weight * in[i];
}

static size_t clamp_index(int64_t i, size_t n)
{
    return i < 0 ? 0 : i >= (int64_t)n ? n - 1 : (size_t)i;
}

/* `line` holds a row with its ends repeated; `out` is a row. */
static void blur_row(float *out, float *line, size_t width, size_t channels,
                     const struct kernel *kernel)
{
    for (int64_t x = -kernel->radius; x < (int64_t)width + kernel->radius; x++)
        memcpy(line + (size_t)(x + kernel->radius) * channels,
               out + clamp_index(x, width) * channels, channels * sizeof *line);
    memset(out, 0, width * channels * sizeof *out);
    for (int k = 0; k <= 2 * kernel->radius; k++)
        add_scaled(out, line + (size_t)k * channels, kernel->weight[k], width * channels);
}

/* Down the columns, in place: rows that were overwritten are kept as long as they are needed. */
static void blur_columns(float *data, float *kept, size_t height, size_t n,
                         const struct kernel *kernel)
{
    size_t room = (size_t)kernel->radius + 1;
    for (size_t y = 0; y < height; y++) {
        memcpy(kept + y % room * n, data + y * n, n * sizeof *data);
        memset(data + y * n, 0, n * sizeof *data);
        for (int k = -kernel->radius; k <= kernel->radius; k++) {
            size_t from = clamp_index((int64_t)y + k, height);
            const float *row = from > y ? data + from * n : kept + from % room * n;
            add_scaled(data + y * n, row, kernel->weight[k + kernel->radius], n);
        }
    }
}

int gaussian_blur(float *data, size_t height, size_t width, size_t channels, double sigma,
                  struct err *err)
{
    if (sigma < 0.1 || height == 0 || width == 0)
        return 0;
    struct kernel kernel;
    make_kernel(&kernel, sigma);
    size_t n = width * channels;
    float *kept = malloc(((size_t)kernel.radius + 1) * n * sizeof *kept);
    float *line = malloc((width + 2 * MAX_RADIUS) * channels * sizeof *line);
    int result = kept && line ? 0 : err_memory(err, "a smoothed image");
    for (size_t y = 0; y < height && result == 0; y++)
        blur_row(data + y * n, line, width, channels, &kernel);
    if (result == 0)
        blur_columns(data, kept, height, n, &kernel);
    free(kept);
    free(line);
    return result;
}
