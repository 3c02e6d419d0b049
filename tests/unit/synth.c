#include "pixels/synth.h"

#include <stdlib.h>

#include "pixels/gaussian.h"
#include "tests/tap.h"

static struct err err;

static void check_look(enum synth_look look)
{
    struct synth_options o = {.look = look, .width = 300, .height = 200, .contrast = 1, .noise = 1};
    struct array image[2], labels[2];
    for (int i = 0; i < 2; i++) {
        struct rng rng = rng_new(5, "image");
        ok(synth_draw(&o, &rng, &image[i], &labels[i], &err) == 0, "look %d is drawn", look);
    }
    ok(memcmp(image[0].data, image[1].data, array_bytes(&image[0])) == 0 &&
           memcmp(labels[0].data, labels[1].data, array_bytes(&labels[0])) == 0,
       "the same seed gives the same bytes");
    const uint32_t *l = labels[0].data;
    const uint8_t *v = image[0].data;
    double inside = 0, spread = 0, mean = 0;
    for (size_t i = 0; i < 300 * 200; i++) {
        inside += l[i] != 0;
        mean += v[i] / 60000.0;
    }
    for (size_t i = 0; i < 300 * 200; i++)
        spread += (v[i] - mean) * (v[i] - mean) / 60000.0;
    ok(inside > 600 && inside < 54000, "some cells (%g pixels) and some ground", inside);
    ok(sqrt(spread) > 1 && mean > 1 && mean < 254, "neither blank nor saturated");
    for (int i = 0; i < 2; i++) {
        array_free(&image[i]);
        array_free(&labels[i]);
    }
}

static void check_coverage(void)
{
    struct synth_options o = {.look = SYNTH_FLUORESCENCE,
                              .width = 400,
                              .height = 400,
                              .coverage = 0.2,
                              .radius = 10,
                              .contrast = 1,
                              .noise = 1};
    struct rng rng = rng_new(1, "coverage");
    struct array image, labels;
    ok(synth_draw(&o, &rng, &image, &labels, &err) == 0, "coverage");
    double inside = 0;
    for (size_t i = 0; i < 160000; i++)
        inside += ((uint32_t *)labels.data)[i] != 0;
    is_near(inside / 160000, 0.2, 0.03, "as much is covered as was asked for");
    array_free(&image);
    array_free(&labels);
}

/* The cells of a whole sheet touch. */
static void check_monolayer(void)
{
    enum { SIDE = 300 };
    struct synth_options o = {.look = SYNTH_MONOLAYER,
                              .width = SIDE,
                              .height = SIDE,
                              .coverage = 0.95,
                              .radius = 15,
                              .contrast = 1,
                              .noise = 1};
    struct rng rng = rng_new(2, "sheet");
    struct array image, labels;
    ok(synth_draw(&o, &rng, &image, &labels, &err) == 0, "a sheet");
    const uint32_t *l = labels.data;
    size_t inside = 0, borders = 0, between = 0;
    for (size_t i = 0; i + 1 < SIDE * SIDE; i++) {
        inside += l[i] != 0;
        borders += l[i] != l[i + 1];
        between += l[i] != l[i + 1] && l[i] && l[i + 1];
    }
    ok(inside > SIDE * SIDE * 0.85, "covers the image (%zu pixels)", inside);
    ok(between > borders * 7 / 10, "its cells touch (%zu of %zu border pixels)", between, borders);
    array_free(&image);
    array_free(&labels);
}

static void check_tiny(void)
{
    for (int i = 0; i < SYNTH_LOOKS; i++) {
        struct synth_options o = {
            .look = (enum synth_look)i, .width = 1, .height = 3, .contrast = 1};
        struct rng rng = rng_new(1, "tiny");
        struct array image, labels;
        ok(synth_draw(&o, &rng, &image, &labels, &err) == 0, "one pixel wide");
        array_free(&image);
        array_free(&labels);
    }
    struct synth_options none = {.width = 0, .height = 3};
    struct rng rng = rng_new(1, NULL);
    struct array image, labels;
    ok(synth_draw(&none, &rng, &image, &labels, &err) == -1, "no pixels at all is an error");
}

static void check_blur(void)
{
    enum { H = 61, W = 47 };
    float data[H * W * 2] = {0};
    data[(30 * W + 23) * 2] = 1;
    ok(gaussian_blur(data, H, W, 2, 2, &err) == 0, "blur");
    double sum = 0, other = 0, second = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            sum += data[(y * W + x) * 2];
            other += fabsf(data[(y * W + x) * 2 + 1]);
            second += data[(y * W + x) * 2] * (x - 23) * (x - 23);
        }
    is_near(sum, 1, 1e-5, "blurring keeps the sum");
    is_near(second, 4, 0.15, "and has the variance asked for");
    is_near(other, 0, 0, "channels do not mix");
}

int main(void)
{
    tap_plan(40);
    for (int look = 0; look < SYNTH_LOOKS; look++)
        check_look((enum synth_look)look);
    check_coverage();
    check_monolayer();
    check_tiny();
    check_blur();
    return tap_done();
}
