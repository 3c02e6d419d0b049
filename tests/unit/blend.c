/* lib/tiles/blend and lib/core/band: one image out of overlapping tiles. */
#include "tiles/blend.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"
#include "tiles/grid.h"

enum { WIDTH = 23, HEIGHT = 31, SIZE = 8, STEP = 5 };

static float truth(int64_t x, int64_t y, size_t plane)
{
    return (float)((x * 7 + y * 3 + (int64_t)plane * 11) % 17) / 17;
}

static void fill_tile(struct array *tile, int64_t left, int64_t top)
{
    float *values = tile->data;
    for (size_t k = 0; k < tile->shape[0]; k++)
        for (size_t j = 0; j < SIZE; j++)
            for (size_t i = 0; i < SIZE; i++)
                *values++ = truth(left + (int64_t)i, top + (int64_t)j, k);
}

/* The largest difference from truth of the rows up to `bottom`, which are dropped. */
static double finish_rows(struct blend *blend, int64_t *next, int64_t bottom, int64_t *uncovered)
{
    float row[2 * WIDTH];
    double worst = 0;
    for (; *next < bottom; (*next)++) {
        *uncovered += blend_row(blend, *next, row);
        for (size_t k = 0; k < blend->planes; k++)
            for (int64_t x = 0; x < WIDTH; x++)
                worst =
                    fmax(worst, fabs((double)(row[(int64_t)k * WIDTH + x] - truth(x, *next, k))));
    }
    blend_drop(blend, bottom);
    return worst;
}

static void test_geometry(enum blend_mode mode, enum grid_edge edge, const char *name)
{
    struct blend blend;
    struct array tile;
    struct err err;
    struct grid grid = grid_new(WIDTH, HEIGHT, SIZE, STEP, edge);
    int64_t next = 0, uncovered = 0, most = 0;
    double worst = 0;
    if (blend_new(&blend, mode, 2, WIDTH, HEIGHT, &err) ||
        array_new(&tile, DTYPE_F32, 3, (size_t[]){2, SIZE, SIZE}, &err)) {
        ok(false, "%s", err.message);
        return;
    }
    for (int64_t j = 0; j < grid.y.count; j++) {
        worst = fmax(worst, finish_rows(&blend, &next, grid_start(&grid.y, j), &uncovered));
        for (int64_t i = 0; i < grid.x.count; i++) {
            fill_tile(&tile, grid_start(&grid.x, i), grid_start(&grid.y, j));
            if (blend_add(&blend, &tile, grid_start(&grid.x, i), grid_start(&grid.y, j), &err))
                worst = INFINITY;
        }
        most = blend.band.capacity > most ? blend.band.capacity : most;
    }
    worst = fmax(worst, finish_rows(&blend, &next, HEIGHT, &uncovered));
    ok(worst < 1e-6 && uncovered == 0, "%s: equal tiles give their common value", name);
    is_int(most, SIZE, "  with one row of tiles in memory");
    blend_free(&blend);
    array_free(&tile);
}

static struct array constant_tile(float *values, size_t planes, size_t side, float value)
{
    for (size_t i = 0; i < planes * side * side; i++)
        values[i] = value;
    return array_view(DTYPE_F32, 3, (size_t[]){planes, side, side}, values);
}

static void test_weights(enum blend_mode mode, float expected, const char *name)
{
    float values[16], row[7];
    struct blend blend;
    struct err err;
    struct array tile = constant_tile(values, 1, 4, 0.6f);
    bool fine =
        blend_new(&blend, mode, 1, 7, 4, &err) == 0 && blend_add(&blend, &tile, 0, 0, &err) == 0;
    tile = constant_tile(values, 1, 4, 0.2f);
    fine = fine && blend_add(&blend, &tile, 2, 0, &err) == 0;
    ok(fine, "%s: two tiles", name);
    is_int(blend_row(&blend, 1, row), 1, "  leave one pixel uncovered");
    is_near((double)row[2], (double)expected, 1e-6, "  and blend where both are");
    is_near((double)row[6], 0, 0, "  0 where none is");
    float part[3] = {9, 9, 9};
    is_int(blend_pixels(&blend, 1, 4, 3, part), 1, "  pixels of a row");
    ok(memcmp(part, row + 4, sizeof part) == 0, "  are those of the row");
    blend_free(&blend);
}

static float gauss_expected(void)
{
    /* pixel 2 is 2.5/4 of the way through the first tile and 0.5/4 through the second */
    double a = exp(-0.5 * pow(0.125 / 0.125, 2)), b = exp(-0.5 * pow(0.375 / 0.125, 2));
    return (float)((a * 0.6 + b * 0.2) / (a + b));
}

static void test_errors(void)
{
    float values[32], row[10];
    struct blend blend;
    struct err err;
    struct array tile = constant_tile(values, 2, 4, 1);
    ok(blend_new(&blend, BLEND_MEAN, 1, 10, 10, &err) == 0, "a blend");
    ok(blend_add(&blend, &tile, 0, 0, &err) == -1 && err.status == STATUS_DATA,
       "refuses another number of planes");
    tile = constant_tile(values, 1, 4, 1);
    ok(blend_add(&blend, &tile, -2, -2, &err) == 0 && blend_add(&blend, &tile, 8, 0, &err) == 0,
       "tiles may reach past the image");
    is_int(blend_row(&blend, 1, row), 6, "and fill what is inside");
    ok(blend_add(&blend, &tile, INT64_C(1) << 40, 0, &err) == 0, "one far outside is ignored");
    blend_drop(&blend, 4);
    ok(blend_add(&blend, &tile, 0, 3, &err) == -1 && err.status == STATUS_DATA,
       "refuses a tile above the finished rows");
    is_int(blend_row(&blend, 9, row), 10, "rows that no tile has reached are empty");
    blend_free(&blend);
    ok(blend_new(&blend, BLEND_MEAN, SIZE_MAX / 2, INT64_C(1) << 40, 1, &err) == -1,
       "sizes that do not fit are refused");
}

static void test_labels(void)
{
    static const float two[] = {0.5f, 0.4f, 0.8f, 0.5f, 0.6f, 0.2f};
    static const float three[] = {0, 0.1f, 0.2f, 0, 0.3f, 0.2f, 0, 0.6f, 0.2f};
    static const float one[] = {0.2f, 0.5f, 0.9f};
    uint8_t labels[3];
    blend_labels(two, 2, 3, 0, labels);
    ok(!memcmp(labels, "\0\1\0", 3), "two classes: the more probable, of equals the background");
    blend_labels(two, 2, 3, 0.2f, labels);
    ok(!memcmp(labels, "\1\1\1", 3), "or the foreground from a threshold on");
    blend_labels(three, 3, 3, 0, labels);
    ok(!memcmp(labels, "\0\2\0", 3), "three classes");
    blend_labels(one, 1, 3, 0, labels);
    ok(!memcmp(labels, "\0\1\1", 3), "one class: from 0.5 on");
}

static void test_band(void)
{
    struct band band = band_new(3);
    struct err err;
    bool right = true;
    for (int64_t top = 0; top < 50; top += 3) {
        band_drop(&band, top);
        right &= band_extend(&band, top + 7, &err) == 0;
        for (int64_t y = top; y < top + 7; y++) {
            unsigned char *row = band_row(&band, y);
            right &= row[0] == (y < top + 4 && top ? y : 0);
            memset(row, (int)y, 3);
        }
    }
    ok(right && band.capacity == 7, "a band keeps its rows and gives new ones empty");
    ok(band_extend(&band, INT64_MAX / 2, &err) == -1 && err.status == STATUS_MEMORY,
       "more rows than memory are refused");
    band_free(&band);
}

int main(void)
{
    tap_plan(38);
    test_geometry(BLEND_MEAN, GRID_SHIFT, "mean, shifted");
    test_geometry(BLEND_MEAN, GRID_PAD, "mean, padded");
    test_geometry(BLEND_GAUSS, GRID_SHIFT, "gauss, shifted");
    test_weights(BLEND_MEAN, 0.4f, "mean");
    test_weights(BLEND_GAUSS, gauss_expected(), "gauss");
    test_weights(BLEND_VOTE, 0.5f, "vote");
    test_errors();
    test_labels();
    test_band();
    return tap_done();
}
