/* lib/predict/windows: where they are, what a network is shown of a part of an image at another
 * size, and the way back. */
#include "predict/windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/half.h"
#include "tests/tap.h"

enum { WIDTH = 120, HEIGHT = 90, PART = 32 };

/* A plane that rises: its value at the middle of pixel x, y is 100 + 2 x + 3 y. */
static float plane_at(double x, double y)
{
    return (float)(100 + 2 * x + 3 * y);
}

static struct windows_image image;
/* A part in the middle, one in the first corner, and one that reaches past the last. */
static const struct windows_part parts[] = {
    {40, 30, PART, PART}, {0, 0, PART, PART}, {100, 70, PART, PART}};

static bool begin(void)
{
    struct err err;
    image = (struct windows_image){.rows = band_new(WIDTH * sizeof(float)),
                                   .width = WIDTH,
                                   .height = HEIGHT,
                                   .channels = 1,
                                   .dtype = DTYPE_F32};
    if (band_extend(&image.rows, HEIGHT, &err))
        return false;
    for (int64_t y = 0; y < HEIGHT; y++)
        for (int64_t x = 0; x < WIDTH; x++)
            ((float *)band_row(&image.rows, y))[x] = plane_at((double)x, (double)y);
    return true;
}

static int cut(size_t part, double scale, struct window *window, struct err *err)
{
    return window_cut(&image, parts[part], scale, PART, PART, window, err);
}

/* Along an axis, as the starts of the windows and the end of the last. */
static void test_places(void)
{
    static const struct {
        int64_t length;
        double scale;
        const char *expected, *name;
    } cases[] = {
        {600, 1, "0 168 336 376 600", "as tile cuts by default"},
        {600, 0.5, "0 152 600", "half the size: twice as much"},
        {600, 0.25, "0 600", "a quarter: no more than there is"},
        {300, 2, "0 84 168 188 300", "twice the size: half as much"},
        {100, 1, "0 100", "a small image in one"},
        {1, 2, "0 1", "of one pixel, too"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char got[80] = "";
        struct grid windows = windows_over(cases[i].length, 50, cases[i].scale);
        struct windows_part at = {0};
        for (int64_t k = 0; k < windows.x.count; k++) {
            at = windows_place(&windows, k);
            snprintf(got + strlen(got), sizeof got - strlen(got), "%lld ", (long long)at.x);
        }
        snprintf(got + strlen(got), sizeof got - strlen(got), "%lld", (long long)(at.x + at.width));
        if (!ok(strcmp(got, cases[i].expected) == 0, "%s", cases[i].name))
            printf("# %s\n", got);
    }
}

/* The largest difference from the plane over the window, but for `edge` pixels around it. */
static double window_error(const struct window *window, size_t part, size_t edge)
{
    double worst = 0;
    const struct array *shown = &window->image;
    for (size_t i = edge; i + edge < shown->shape[0]; i++)
        for (size_t j = edge; j + edge < shown->shape[1]; j++) {
            double x = (double)parts[part].x +
                       ((double)j - (double)window->left + 0.5) / window->scale - 0.5;
            double y = (double)parts[part].y +
                       ((double)i - (double)window->top + 0.5) / window->scale - 0.5;
            double got = ((float *)shown->data)[i * shown->shape[1] + j];
            worst = fmax(worst, fabs(got - (double)plane_at(x, y)));
        }
    return worst;
}

static void test_windows(void)
{
    static const struct {
        size_t part;
        double scale;
        size_t height, width, top, left;
        const char *name;
    } cases[] = {
        {0, 0.5, 32, 32, 8, 8, "half: as much around the part as it is wide"},
        {0, 0.25, 22, 30, 7, 10, "a quarter: up to the border of the image"},
        {1, 0.5, 24, 24, 0, 0, "a corner: nothing outside of the image"},
        {0, 2, 64, 64, 0, 0, "twice: the part alone"},
        {0, 1, 32, 32, 0, 0, "as it is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct window window;
        struct err err;
        if (cut(cases[i].part, cases[i].scale, &window, &err)) {
            ok(false, "%s: %s", cases[i].name, err.message);
            ok(false, "its pixels");
            continue;
        }
        bool fits = window.image.shape[0] == cases[i].height &&
                    window.image.shape[1] == cases[i].width && window.top == cases[i].top &&
                    window.left == cases[i].left && window.height == PART && window.width == PART;
        if (!ok(fits, "%s", cases[i].name))
            printf("# %zu x %zu at %zu, %zu\n", window.image.shape[0], window.image.shape[1],
                   window.top, window.left);
        ok(window_error(&window, cases[i].part, 1) < 1e-3, "shows what is there");
        array_free(&window.image);
    }
}

/* Two planes of what a network would give of the window: the plane, in the pixels of the part. */
static int answer(const struct window *window, enum dtype dtype, struct array *to)
{
    struct err err;
    size_t shape[] = {2, window->image.shape[0], window->image.shape[1]};
    size_t plane = shape[1] * shape[2];
    if (array_new(to, dtype, 3, shape, &err))
        return -1;
    for (size_t i = 0; i < plane; i++) {
        double x = ((double)(i % shape[2]) - (double)window->left + 0.5) / window->scale - 0.5;
        double y = ((double)(i / shape[2]) - (double)window->top + 0.5) / window->scale - 0.5;
        for (size_t k = 0; k < 2; k++) {
            float value = k ? -plane_at(x, y) : plane_at(x, y);
            if (dtype == DTYPE_F16)
                ((uint16_t *)to->data)[k * plane + i] = half_from_float(value);
            else
                ((float *)to->data)[k * plane + i] = value;
        }
    }
    return 0;
}

/* Of the answer that came back, but for `edge` pixels. */
static double answer_error(const struct array *got, size_t edge)
{
    double worst = 0;
    for (size_t k = 0; k < 2; k++)
        for (size_t y = edge; y + edge < PART; y++)
            for (size_t x = edge; x + edge < PART; x++) {
                size_t i = (k * PART + y) * PART + x;
                double value = got->dtype == DTYPE_F16
                                   ? (double)half_to_float(((uint16_t *)got->data)[i])
                                   : (double)((float *)got->data)[i];
                double expected = (double)plane_at((double)x, (double)y) * (k ? -1 : 1);
                worst = fmax(worst, fabs(value - expected));
            }
    return worst;
}

static void test_back(void)
{
    static const double scales[] = {0.5, 0.25, 2};
    for (size_t i = 0; i < 3; i++) {
        struct window window;
        struct inference_result result = {0};
        struct err err;
        if (cut(0, scales[i], &window, &err) || answer(&window, DTYPE_F32, &result.logits) ||
            answer(&window, DTYPE_F16, &result.flows) || window_back(&result, &window, &err)) {
            ok(false, "an answer");
            ok(false, "an answer of halves");
            continue;
        }
        bool whole = result.logits.shape[1] == PART && result.logits.shape[2] == PART &&
                     result.flows.dtype == DTYPE_F16;
        /* With what is around the part its own border is no border. */
        ok(whole && answer_error(&result.logits, scales[i] < 1 ? 0 : 1) < 1e-3,
           "scale %g: the answer is in the part's pixels, up to its border", scales[i]);
        ok(answer_error(&result.flows, 1) < 0.5, "of halves, too");
        inference_free(&result);
        array_free(&window.image);
    }
}

/* Beyond the image its border is repeated. */
static void test_beyond(void)
{
    struct window window;
    struct err err;
    if (cut(2, 0.5, &window, &err)) {
        ok(false, "a part that reaches past the image: %s", err.message);
        return;
    }
    const struct array *shown = &window.image;
    const float *values = shown->data;
    double last = values[shown->shape[0] * shown->shape[1] - 1];
    ok(fabs(last - (double)plane_at(WIDTH - 1, HEIGHT - 1)) < 1e-3,
       "a part that reaches past the image shows its border again");
    array_free(&window.image);
}

int main(void)
{
    tap_plan(23);
    if (!begin()) {
        printf("Bail out! no memory\n");
        return 1;
    }
    test_places();
    test_windows();
    test_back();
    test_beyond();
    return tap_done();
}
