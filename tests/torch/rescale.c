/* lib/predict/rescale: what a network is shown of a tile at another size, and the way back. */
#include "predict/rescale.h"

#include <stdlib.h>

#include "core/half.h"
#include "tests/tap.h"

enum { WIDTH = 120, HEIGHT = 90, TILE = 32 };

/* A plane that rises: its value at the middle of pixel x, y is 100 + 2 x + 3 y. */
static float plane_at(double x, double y)
{
    return (float)(100 + 2 * x + 3 * y);
}

static void fill(struct array *array, double x, double y)
{
    float *to = array->data;
    for (size_t i = 0; i < array->shape[0]; i++)
        for (size_t j = 0; j < array->shape[1]; j++)
            *to++ = plane_at(x + (double)j, y + (double)i);
}

static struct rescale_image image;
static struct array tiles[3];

/* A tile in the middle, one in the first corner, and one that reaches past the last. */
static bool begin(void)
{
    static struct rescale_tile places[] = {
        {.x = 40, .y = 30}, {.x = 0, .y = 0}, {.x = 100, .y = 70}};
    struct err err;
    size_t all[] = {HEIGHT, WIDTH, 1}, tile[] = {TILE, TILE, 1};
    image = (struct rescale_image){.tiles = places, .count = 3, .width = WIDTH, .height = HEIGHT};
    if (array_new(&image.pixels, DTYPE_F32, 3, all, &err))
        return false;
    fill(&image.pixels, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        if (array_new(&tiles[i], DTYPE_F32, 3, tile, &err))
            return false;
        fill(&tiles[i], (double)places[i].x, (double)places[i].y);
        places[i].input = (struct inference_input){.image = &tiles[i], .gain = 1};
    }
    return true;
}

/* The largest difference from the plane over the window, but for `edge` pixels around it. */
static double window_error(const struct rescale_window *window, size_t tile, size_t edge)
{
    double worst = 0;
    const struct array *shown = &window->image;
    for (size_t i = edge; i + edge < shown->shape[0]; i++)
        for (size_t j = edge; j + edge < shown->shape[1]; j++) {
            double x = (double)image.tiles[tile].x +
                       ((double)j - (double)window->left + 0.5) / window->scale - 0.5;
            double y = (double)image.tiles[tile].y +
                       ((double)i - (double)window->top + 0.5) / window->scale - 0.5;
            double got = ((float *)shown->data)[i * shown->shape[1] + j];
            worst = fmax(worst, fabs(got - (double)plane_at(x, y)));
        }
    return worst;
}

static void test_windows(void)
{
    static const struct {
        size_t tile;
        double scale;
        size_t height, width, top, left;
        const char *name;
    } cases[] = {
        {0, 0.5, 32, 32, 8, 8, "half: as much around the tile as it is wide"},
        {0, 0.25, 22, 30, 7, 10, "a quarter: up to the border of the image"},
        {1, 0.5, 24, 24, 0, 0, "a corner: nothing outside of the image"},
        {0, 2, 64, 64, 0, 0, "twice: the tile alone"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rescale_window window;
        struct err err;
        if (rescale_window(&image, cases[i].tile, cases[i].scale, &window, &err)) {
            ok(false, "%s: %s", cases[i].name, err.message);
            ok(false, "its pixels");
            continue;
        }
        bool fits = window.image.shape[0] == cases[i].height &&
                    window.image.shape[1] == cases[i].width && window.top == cases[i].top &&
                    window.left == cases[i].left && window.height == TILE && window.width == TILE;
        if (!ok(fits, "%s", cases[i].name))
            printf("# %zu x %zu at %zu, %zu\n", window.image.shape[0], window.image.shape[1],
                   window.top, window.left);
        ok(window_error(&window, cases[i].tile, 1) < 1e-3, "shows what is there");
        array_free(&window.image);
    }
}

/* Two planes of what a network would give of the window: the plane, in the pixels of the tile. */
static int answer(const struct rescale_window *window, enum dtype dtype, struct array *to)
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
        for (size_t y = edge; y + edge < TILE; y++)
            for (size_t x = edge; x + edge < TILE; x++) {
                size_t i = (k * TILE + y) * TILE + x;
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
        struct rescale_window window;
        struct inference_result result = {0};
        struct err err;
        if (rescale_window(&image, 0, scales[i], &window, &err) ||
            answer(&window, DTYPE_F32, &result.logits) ||
            answer(&window, DTYPE_F16, &result.flows) || rescale_back(&result, &window, &err)) {
            ok(false, "an answer");
            ok(false, "an answer of halves");
            continue;
        }
        bool whole = result.logits.shape[1] == TILE && result.logits.shape[2] == TILE &&
                     result.flows.dtype == DTYPE_F16;
        /* With what is around the tile its own border is no border. */
        ok(whole && answer_error(&result.logits, scales[i] < 1 ? 0 : 1) < 1e-3,
           "scale %g: the answer is in the tile's pixels, up to its border", scales[i]);
        ok(answer_error(&result.flows, 1) < 0.5, "of halves, too");
        inference_free(&result);
        array_free(&window.image);
    }
}

/* Beyond the image its border is repeated. */
static void test_beyond(void)
{
    struct rescale_window window;
    struct err err;
    if (rescale_window(&image, 2, 0.5, &window, &err)) {
        ok(false, "a tile that reaches past the image: %s", err.message);
        return;
    }
    const struct array *shown = &window.image;
    const float *values = shown->data;
    double last = values[shown->shape[0] * shown->shape[1] - 1];
    ok(fabs(last - (double)plane_at(WIDTH - 1, HEIGHT - 1)) < 1e-3,
       "a tile that reaches past the image shows its border again");
    array_free(&window.image);
}

int main(void)
{
    tap_plan(15);
    if (!begin()) {
        printf("Bail out! no memory\n");
        return 1;
    }
    test_windows();
    test_back();
    test_beyond();
    return tap_done();
}
