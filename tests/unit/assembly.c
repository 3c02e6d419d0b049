/* lib/tiles/assembly: tiles put together, whole or in bands. */
#include <stdlib.h>

#include "core/rng.h"
#include "tests/tap.h"
#include "tiles/assembly.h"

enum { WIDTH = 90, HEIGHT = 200, SIDE = 30, STEP = 20, PLANES = 2 };

#define ALL                                                                                        \
    (1u << PICTURE_PREDICTION | 1u << PICTURE_TRUTH | 1u << PICTURE_FOREGROUND |                   \
     1u << PICTURE_UNCERTAINTY | 1u << PICTURE_VALUES | 1u << PICTURE_FLOWS | 1u << PICTURE_IMAGE)

static float values[PLANES * SIDE * SIDE];
static uint16_t truth[SIDE * SIDE];
static uint8_t image[SIDE * SIDE * 3];
static struct array values_array, truth_array, image_array;

/* What belongs to the tile at (x, y), a function of the place alone. */
static struct assembly_tile make_tile(int64_t x, int64_t y)
{
    struct rng rng = rng_new((uint64_t)(y * 1000 + x), "tile");
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        size_t at = ((size_t)y + i / SIDE) * WIDTH + (size_t)x + i % SIDE;
        values[SIDE * SIDE + i] = (float)rng_uniform(&rng);
        values[i] = 1 - values[SIDE * SIDE + i];
        truth[i] = (uint16_t)(at % 65521);
        for (size_t c = 0; c < 3; c++)
            image[3 * i + c] = (uint8_t)(at + c);
    }
    values_array = array_view(DTYPE_F32, 3, (size_t[]){PLANES, SIDE, SIDE}, values);
    truth_array = array_view(DTYPE_U16, 2, (size_t[]){SIDE, SIDE}, truth);
    image_array = array_view(DTYPE_U8, 3, (size_t[]){SIDE, SIDE, 3}, image);
    return (struct assembly_tile){.values = &values_array,
                                  .truth = &truth_array,
                                  .image = &image_array,
                                  .x = x,
                                  .y = y,
                                  .height = SIDE,
                                  .width = SIDE};
}

/* All tiles in the order of their rows. */
static int compose(struct picture *picture, bool flows, size_t band, struct err *err)
{
    struct assembly assembly;
    struct assembly_options options = {.width = WIDTH,
                                       .height = HEIGHT,
                                       .planes = PLANES,
                                       .has_flows = flows,
                                       .wanted = ALL,
                                       .band = band};
    if (assembly_new(&assembly, &options, err))
        return -1;
    int rc = 0;
    for (int64_t y = 0; rc == 0 && y + SIDE <= HEIGHT; y += STEP)
        for (int64_t x = 0; rc == 0 && x + SIDE <= WIDTH; x += STEP) {
            struct assembly_tile tile = make_tile(x, y);
            tile.flows = flows ? &values_array : NULL;
            rc = assembly_add(&assembly, &tile, err);
        }
    if (rc == 0)
        rc = assembly_finish(&assembly, picture, err);
    assembly_free(&assembly);
    return rc;
}

static void test_bands(void)
{
    struct err err;
    struct picture whole = {.truth = NULL}, bands = {.truth = NULL};
    size_t count = (size_t)WIDTH * HEIGHT;
    if (!ok(compose(&whole, false, 0, &err) == 0, "tiles make a picture") ||
        !ok(compose(&bands, false, 1, &err) == 0, "also in bands as narrow as can be"))
        return;
    ok(memcmp(whole.prediction, bands.prediction, 4 * count) == 0, "the same labels");
    ok(memcmp(whole.truth, bands.truth, 4 * count) == 0, "the same truth");
    ok(memcmp(whole.foreground, bands.foreground, 4 * count) == 0, "the same probabilities");
    ok(memcmp(whole.uncertainty, bands.uncertainty, 4 * count) == 0, "the same uncertainties");
    ok(memcmp(whole.values, bands.values, 4 * PLANES * count) == 0, "the same averages");
    ok(memcmp(whole.image.data, bands.image.data, 3 * count) == 0, "the same image");
    is_int(whole.truth[57 * WIDTH + 33], 57 * WIDTH + 33, "the truth is in its place");
    is_int(((uint8_t *)whole.image.data)[(57 * WIDTH + 33) * 3 + 1], (57 * WIDTH + 34) & 255,
           "the image too");
    is_int(whole.truth[count - 1], 0, "what no tile covers is background");
    is_near(whole.foreground[count - 1], 0, 0, "with no probability");
    picture_free(&whole);
    picture_free(&bands);
}

/* Two classes are two planes like flows: averages of the same. */
static void test_flows(void)
{
    struct err err;
    struct picture plain = {.truth = NULL}, whole = {.truth = NULL}, bands = {.truth = NULL};
    size_t count = (size_t)WIDTH * HEIGHT;
    if (!ok(compose(&plain, false, 0, &err) == 0 && compose(&whole, true, 0, &err) == 0 &&
                compose(&bands, true, 1, &err) == 0,
            "tiles with flows"))
        return;
    ok(!plain.flows && !whole.values, "flows are there instead of values");
    ok(memcmp(whole.flows, plain.values, 8 * count) == 0, "averaged as these");
    ok(memcmp(bands.flows, plain.values, 8 * count) == 0, "also in bands");
    ok(memcmp(whole.foreground, plain.foreground, 4 * count) == 0, "beside the probabilities");
    picture_free(&plain);
    picture_free(&whole);
    picture_free(&bands);
}

static void test_order(void)
{
    struct err err;
    struct assembly assembly;
    struct assembly_options options = {
        .width = WIDTH, .height = HEIGHT, .planes = PLANES, .wanted = ALL};
    struct assembly_tile tile = make_tile(0, 100);
    ok(assembly_new(&assembly, &options, &err) == 0 && assembly_add(&assembly, &tile, &err) == 0,
       "a small image's tiles");
    tile = make_tile(0, 0);
    ok(assembly_add(&assembly, &tile, &err) == 0, "come in any order");
    assembly_free(&assembly);
    options.band = 1;
    tile = make_tile(0, 100);
    ok(assembly_new(&assembly, &options, &err) == 0 && assembly_add(&assembly, &tile, &err) == 0,
       "a large one's");
    tile = make_tile(0, 0);
    ok(assembly_add(&assembly, &tile, &err) == -1 && err.status == STATUS_DATA, "do not");
    assembly_free(&assembly);
}

static void refuse(struct assembly_tile tile, const char *name)
{
    struct err err;
    struct assembly assembly;
    struct assembly_options options = {
        .width = WIDTH, .height = HEIGHT, .planes = PLANES, .wanted = ALL};
    ok(assembly_new(&assembly, &options, &err) == 0 && assembly_add(&assembly, &tile, &err) == -1 &&
           err.status == STATUS_DATA,
       "%s", name);
    assembly_free(&assembly);
}

static void test_wrong_tiles(void)
{
    struct assembly_tile tile = make_tile(0, 0);
    struct array narrow = array_view(DTYPE_U16, 2, (size_t[]){SIDE, SIDE - 1}, truth);
    struct array one = array_view(DTYPE_F32, 3, (size_t[]){1, SIDE, SIDE}, values);
    struct array flat = array_view(DTYPE_F32, 2, (size_t[]){SIDE, SIDE}, values);
    tile.truth = &narrow;
    refuse(tile, "a mask of another size");
    tile = make_tile(0, 0);
    tile.values = &one;
    refuse(tile, "another number of classes");
    tile = make_tile(0, 0);
    tile.uncertainty = &flat;
    refuse(tile, "an uncertainty where others have none");
    tile = make_tile(0, 0);
    tile.flows = &values_array;
    refuse(tile, "flows where others have none");
    tile = make_tile(0, 0);
    tile.image = &flat;
    refuse(tile, "an image without channels");
    tile = make_tile(0, 0);
    tile.x = INT64_MAX - 1;
    refuse(tile, "a place that cannot be");
    tile = make_tile(0, 0);
    tile.height = 140 * SIDE;
    refuse(tile, "a tile that is enlarged beyond reason");
}

int main(void)
{
    tap_plan(28);
    test_bands();
    test_flows();
    test_order();
    test_wrong_tiles();
    return tap_done();
}
