/* lib/tiles/canvas, assembly: tiles put together, whole or in bands. */
#include <stdlib.h>

#include "core/rng.h"
#include "tests/tap.h"
#include "tiles/assembly.h"

enum { WIDTH = 90, HEIGHT = 200, SIDE = 30, STEP = 20, PLANES = 2 };

#define ALL                                                                                        \
    (1u << PICTURE_PREDICTION | 1u << PICTURE_TRUTH | 1u << PICTURE_FOREGROUND |                   \
     1u << PICTURE_DOUBT | 1u << PICTURE_VALUES | 1u << PICTURE_FLOWS | 1u << PICTURE_IMAGE)

static float values[PLANES * SIDE * SIDE];
static uint16_t truth[SIDE * SIDE];
static uint8_t image[SIDE * SIDE * 3];
static struct array values_array, truth_array, image_array;

/* What belongs to the tile at (x, y), a function of the place alone. */
static struct canvas_tile make_tile(int64_t x, int64_t y)
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
    return (struct canvas_tile){.values = &values_array,
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
    struct canvas canvas;
    struct canvas_rules rules = {.width = WIDTH,
                                 .height = HEIGHT,
                                 .planes = PLANES,
                                 .has_flows = flows,
                                 .wanted = ALL,
                                 .band = band};
    if (canvas_new(&canvas, &rules, err))
        return -1;
    int rc = 0;
    for (int64_t y = 0; rc == 0 && y + SIDE <= HEIGHT; y += STEP)
        for (int64_t x = 0; rc == 0 && x + SIDE <= WIDTH; x += STEP) {
            struct canvas_tile tile = make_tile(x, y);
            tile.flows = flows ? &values_array : NULL;
            rc = canvas_add(&canvas, &tile, err);
        }
    if (rc == 0)
        rc = canvas_finish(&canvas, picture, err);
    canvas_free(&canvas);
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
    ok(memcmp(whole.doubt, bands.doubt, 4 * count) == 0, "the same uncertainties");
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
    struct canvas canvas;
    struct canvas_rules rules = {.width = WIDTH, .height = HEIGHT, .planes = PLANES, .wanted = ALL};
    struct canvas_tile tile = make_tile(0, 100);
    ok(canvas_new(&canvas, &rules, &err) == 0 && canvas_add(&canvas, &tile, &err) == 0,
       "a small image's tiles");
    tile = make_tile(0, 0);
    ok(canvas_add(&canvas, &tile, &err) == 0, "come in any order");
    canvas_free(&canvas);
    rules.band = 1;
    tile = make_tile(0, 100);
    ok(canvas_new(&canvas, &rules, &err) == 0 && canvas_add(&canvas, &tile, &err) == 0,
       "a large one's");
    tile = make_tile(0, 0);
    ok(canvas_add(&canvas, &tile, &err) == -1 && err.status == STATUS_DATA, "do not");
    canvas_free(&canvas);
}

static void refuse(struct canvas_tile tile, const char *name)
{
    struct err err;
    struct canvas canvas;
    struct canvas_rules rules = {.width = WIDTH, .height = HEIGHT, .planes = PLANES, .wanted = ALL};
    ok(canvas_new(&canvas, &rules, &err) == 0 && canvas_add(&canvas, &tile, &err) == -1 &&
           err.status == STATUS_DATA,
       "%s", name);
    canvas_free(&canvas);
}

static void test_wrong_tiles(void)
{
    struct canvas_tile tile = make_tile(0, 0);
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
    tile.height = 1100 * SIDE;
    refuse(tile, "a tile that is enlarged beyond reason");
}

static int count_images(void *user, struct picture *given, struct err *err)
{
    char *names = user;
    (void)err;
    strcat(strcat(names, given->name), " ");
    return given->prediction && given->width == WIDTH ? 0 : -1;
}

static int add_to(struct assembly *assembly, const char *name, int64_t y, struct err *err)
{
    struct assembly_tile tile = {
        .name = name, .image_width = WIDTH, .image_height = HEIGHT, .tile = make_tile(0, y)};
    return assembly_add(assembly, &tile, err);
}

static void test_assembly(void)
{
    struct err err;
    char names[100] = "";
    struct assembly assembly = {.wanted = ALL, .take = count_images, .user = names};
    ok(add_to(&assembly, "a", 0, &err) == 0 && add_to(&assembly, "a", 20, &err) == 0 &&
           add_to(&assembly, "b", 0, &err) == 0,
       "tiles of two images");
    is_str(names, "a ", "the first is given away when the second begins");
    ok(add_to(&assembly, "a", 40, &err) == -1 && err.status == STATUS_DATA,
       "and has no more tiles then");
    ok(assembly_finish(&assembly, &err) == 0, "the end");
    is_str(names, "a b ", "gives the last one away");
    assembly_free(&assembly);
}

int main(void)
{
    test_bands();
    test_flows();
    test_order();
    test_wrong_tiles();
    test_assembly();
    return tap_done();
}
