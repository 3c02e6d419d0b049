/* lib/tiles/grid: the windows of a tiling. */
#include "tiles/grid.h"

#include <stdlib.h>

#include "tests/tap.h"

static struct grid paper_grid(int64_t size)
{
    struct grid_overlap overlap;
    struct err err;
    int64_t step = 0;
    if (grid_parse_overlap("35%", &overlap, &err) || grid_step(size, &overlap, &step, &err))
        ok(false, "%s", err.message);
    return grid_new(4000, 3000, size, step, GRID_FIT);
}

static void test_paper(void)
{
    static const int64_t sizes[] = {224, 448, 1000, 1500, 2000}, counts[] = {540, 117, 20, 6, 2};
    for (int i = 0; i < 5; i++) {
        struct grid grid = paper_grid(sizes[i]);
        ok(grid_count(&grid) == counts[i], "the paper's %lld tiles of %lld in 4000 x 3000",
           (long long)counts[i], (long long)sizes[i]);
    }
    struct grid grid = paper_grid(224);
    is_int(grid_start(&grid.x, 3), 3 * 145, "windows begin at multiples of floor(224 * 0.65)");
    grid = grid_whole(4000, 3000);
    is_int(grid_count(&grid), 1, "the full image is one window");
}

/* The lists of patches that came with the paper's code name 35 images; where their last windows
 * begin tells each one's size, within a step.  The same rule as above gives its 15,710 patches
 * (pipelines/paper/deviations.md). */
static void test_patches(void)
{
    static const struct {
        int images, width, height;
    } sizes[] = {{1, 2689, 2834}, {15, 2776, 2834}, {4, 2776, 2979}, {1, 2834, 2776},
                 {2, 2834, 2834}, {5, 2834, 2950},  {2, 2834, 2979}, {5, 2950, 2834}};
    int64_t images = 0, patches = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        images += sizes[i].images;
        for (int k = 0; k < 5; k++) {
            struct grid grid = paper_grid(((const int64_t[]){224, 448, 1000, 1500, 2000})[k]);
            grid = grid_new(sizes[i].width, sizes[i].height, grid.x.size, grid.x.step, GRID_FIT);
            patches += sizes[i].images * grid_count(&grid);
        }
    }
    is_int(images, 35, "images of the paper's lists");
    is_int(patches, 15710, "its patches");
    is_int(patches * 4 / 5, 12568, "of which four fifths are for training");
}

static void test_overlaps(void)
{
    struct grid_overlap overlap;
    struct err err;
    int64_t step;
    ok(grid_parse_overlap("56", &overlap, &err) == 0 && grid_step(224, &overlap, &step, &err) == 0,
       "an overlap in pixels");
    is_int(step, 168, "leaves the step");
    ok(grid_step(56, &overlap, &step, &err) == -1, "an overlap of the whole size is an error");
    ok(grid_parse_overlap("99.9%", &overlap, &err) == 0 && grid_step(10, &overlap, &step, &err),
       "a step below one is an error");
    ok(grid_parse_overlap("0%", &overlap, &err) == 0 && grid_step(7, &overlap, &step, &err) == 0 &&
           step == 7,
       "no overlap");
    static const char *const wrong[] = {"", "%", "x", "-1", "1.5", "100%", "200%", "5 %", "5%%"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ok(grid_parse_overlap(wrong[i], &overlap, &err) == -1, "not an overlap: '%s'", wrong[i]);
}

/* Whether every pixel of the axis is in a window, and the windows keep to the
 * rules of their edge mode. */
static bool is_sound(const struct grid_axis *axis)
{
    int64_t covered = 0;
    for (int64_t i = 0; i < axis->count; i++) {
        int64_t start = grid_start(axis, i), end = start + axis->size;
        bool crosses = end > axis->length;
        if (start < 0 || start > covered || start >= axis->length)
            return false;
        if (crosses &&
            (axis->edge == GRID_FIT || (axis->edge == GRID_SHIFT && axis->length >= axis->size)))
            return false;
        covered = end;
    }
    return axis->edge == GRID_FIT ? covered <= axis->length : covered >= axis->length;
}

static void test_coverage(void)
{
    int wrong = 0;
    for (int64_t length = 1; length < 60; length++)
        for (int64_t size = 1; size < 20; size++)
            for (int64_t step = 1; step <= size; step++)
                for (int edge = GRID_SHIFT; edge <= GRID_FIT; edge++) {
                    struct grid_axis axis = grid_axis_new(length, size, step, (enum grid_edge)edge);
                    wrong += !is_sound(&axis);
                }
    is_int(wrong, 0, "no gap and no window out of place, for every small length, size and step");
    struct grid grid = grid_new(4000, 3000, 224, 168, GRID_SHIFT);
    is_int(grid_count(&grid), 24 * 18, "the default geometry on 4000 x 3000");
    is_int(grid_start(&grid.x, 23), 4000 - 224, "its last window ends with the image");
    grid = grid_new(4000, 3000, 224, 168, GRID_PAD);
    is_int(grid_start(&grid.x, 23), 23 * 168, "and with padding it keeps the step");
}

static void test_parts(void)
{
    int wrong = 0;
    for (int64_t rows = 0; rows < 20; rows++)
        for (int64_t parts = 1; parts < 25; parts++) {
            struct grid grid = {.x = {.count = 3}, .y = {.count = rows}};
            int64_t next = 0, first, end;
            for (int64_t part = 1; part <= parts; part++) {
                grid_part(&grid, part, parts, &first, &end);
                wrong += first != next || end < first || end - first > rows / parts + 1;
                next = end;
            }
            wrong += next != rows;
        }
    is_int(wrong, 0, "parts share the rows of tiles, none twice, none left out");
}

int main(void)
{
    tap_plan(29);
    test_paper();
    test_patches();
    test_overlaps();
    test_coverage();
    test_parts();
    return tap_done();
}
