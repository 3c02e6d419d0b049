/* lib/pixels/resample against its formula, evaluated pixel by pixel in double. */
#include "pixels/resample.h"

#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "tests/tap.h"

static double triangle(size_t k, double center, double support)
{
    return fmax(0, 1 - fabs((double)k + 0.5 - center) / support);
}

/* Weighted mean over both axes at once. */
static double reference(const float *image, const size_t *from, const size_t *to, size_t channels,
                        size_t y, size_t x, size_t c)
{
    double ratio[2] = {(double)from[0] / (double)to[0], (double)from[1] / (double)to[1]};
    double cy = ((double)y + 0.5) * ratio[0], cx = ((double)x + 0.5) * ratio[1];
    double sum = 0, weights = 0;
    for (size_t j = 0; j < from[0]; j++)
        for (size_t i = 0; i < from[1]; i++) {
            double w = triangle(j, cy, fmax(1, ratio[0])) * triangle(i, cx, fmax(1, ratio[1]));
            weights += w;
            sum += w * (double)image[(j * from[1] + i) * channels + c];
        }
    return sum / weights;
}

static double worst_error(const size_t *from_shape, const size_t *to_shape)
{
    struct array from, to;
    struct err err;
    size_t channels = from_shape[2];
    struct rng rng = rng_new(1, "resample");
    if (array_new(&from, DTYPE_F32, 3, from_shape, &err) ||
        array_new(&to, DTYPE_F32, 3, to_shape, &err))
        return INFINITY;
    float *pixels = from.data, *results = to.data;
    for (size_t i = 0; i < array_count(&from); i++)
        pixels[i] = (float)rng_uniform(&rng);
    double worst = resample_smooth(&from, &to, &err) ? INFINITY : 0;
    for (size_t y = 0; y < to_shape[0]; y++)
        for (size_t x = 0; x < to_shape[1]; x++)
            for (size_t c = 0; c < channels; c++)
                worst =
                    fmax(worst, fabs(reference(pixels, from_shape, to_shape, channels, y, x, c) -
                                     (double)results[(y * to_shape[1] + x) * channels + c]));
    array_free(&from);
    array_free(&to);
    return worst;
}

static void test_formula(void)
{
    static const size_t cases[][2][3] = {
        {{7, 9, 1}, {7, 9, 1}},   {{10, 10, 3}, {5, 5, 3}}, {{13, 17, 3}, {4, 5, 3}},
        {{5, 6, 1}, {11, 19, 1}}, {{31, 8, 2}, {3, 23, 2}}, {{1, 1, 1}, {4, 4, 1}},
        {{40, 30, 1}, {1, 1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(worst_error(cases[i][0], cases[i][1]) < 2e-6, "%zu x %zu x %zu to %zu x %zu",
           cases[i][0][0], cases[i][0][1], cases[i][0][2], cases[i][1][0], cases[i][1][1]);
}

static void test_integers(void)
{
    uint8_t small[4] = {0, 255, 255, 0}, same[4], one[1];
    uint16_t deep[6] = {65535, 65535, 65535, 65535, 65535, 65535}, narrow[2];
    struct err err;
    struct array from = array_view(DTYPE_U8, 2, (size_t[]){2, 2}, small);
    struct array to = array_view(DTYPE_U8, 2, (size_t[]){2, 2}, same);
    ok(resample_smooth(&from, &to, &err) == 0 && !memcmp(small, same, 4),
       "the same size is a copy");
    to = array_view(DTYPE_U8, 2, (size_t[]){1, 1}, one);
    ok(resample_smooth(&from, &to, &err) == 0 && one[0] == 128, "127.5 is rounded up");
    from = array_view(DTYPE_U16, 2, (size_t[]){2, 3}, deep);
    to = array_view(DTYPE_U16, 2, (size_t[]){1, 2}, narrow);
    ok(resample_smooth(&from, &to, &err) == 0 && narrow[0] == 65535 && narrow[1] == 65535,
       "white stays white in 16 bits");
    ok(resample_smooth(&to, &(struct array){.dtype = DTYPE_U8, .ndim = 2}, &err) == -1 &&
           err.status == STATUS_BUG,
       "unlike types are refused");
}

static void test_labels(void)
{
    uint32_t labels[4] = {1, 70000, 3, 4}, larger[16], back[4];
    static const uint32_t expected[16] = {1, 1, 70000, 70000, 1, 1, 70000, 70000,
                                          3, 3, 4,     4,     3, 3, 4,     4};
    struct err err;
    struct array from = array_view(DTYPE_U32, 2, (size_t[]){2, 2}, labels);
    struct array to = array_view(DTYPE_U32, 2, (size_t[]){4, 4}, larger);
    ok(resample_labels(&from, &to, &err) == 0 && !memcmp(larger, expected, sizeof larger),
       "labels are repeated");
    struct array again = array_view(DTYPE_U32, 2, (size_t[]){2, 2}, back);
    ok(resample_labels(&to, &again, &err) == 0 && !memcmp(labels, back, sizeof back),
       "and come back");
    ok(resample_labels(&from, &(struct array){.dtype = DTYPE_U8, .ndim = 2}, &err) == -1,
       "unlike types are refused");
}

int main(void)
{
    tap_plan(14);
    test_formula();
    test_integers();
    test_labels();
    return tap_done();
}
