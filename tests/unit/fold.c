/* image/fold.h: rows of planes of every type of sample, the largest, the least and the mean. */
#include "image/fold.h"

#include "tests/tap.h"

enum { N = 4, DEPTH = 3 };

/* What the planes of each type hold: 3, 9 and 1 at first, more by `i` and a unit further on. */
static double value(int plane, int i, double unit)
{
    static const double first[DEPTH] = {3, 9, 1};
    return unit * (first[plane] + i);
}

static void put(const struct image_info *info, void *row, int i, double x)
{
    if (info->bits == 8)
        ((uint8_t *)row)[i] = (uint8_t)x;
    else if (info->bits == 16)
        ((uint16_t *)row)[i] = (uint16_t)x;
    else if (info->is_label)
        ((uint32_t *)row)[i] = (uint32_t)x;
    else
        ((float *)row)[i] = (float)x;
}

static double get(const struct image_info *info, const void *row, int i)
{
    if (info->bits == 8)
        return ((const uint8_t *)row)[i];
    if (info->bits == 16)
        return ((const uint16_t *)row)[i];
    if (info->is_label)
        return ((const uint32_t *)row)[i];
    return (double)((const float *)row)[i];
}

/* The planes as a reader has them folded, of which `skipped` holds no number (-1: none). */
static void fold_all(const struct image_info *info, enum planes_projection projection, double unit,
                     int skipped, void *folded)
{
    double sums[N], row[N];
    struct fold fold = fold_new(projection, DEPTH, info, sums);
    for (int plane = 0; plane < DEPTH; plane++) {
        void *target = fold_target(&fold, folded, row);
        for (int i = 0; i < N; i++)
            put(info, target, i, plane == skipped ? NAN : value(plane, i, unit));
        fold_add(&fold, target, folded);
    }
}

static void test_type(const char *name, struct image_info info, double unit, double mean_of_first)
{
    static const enum planes_projection all[] = {PLANES_MAX, PLANES_MIN, PLANES_MEAN};
    const double expected[] = {9 * unit, unit, mean_of_first};
    for (int p = 0; p < 3; p++) {
        double folded[N];
        info.width = N;
        info.channels = 1;
        fold_all(&info, all[p], unit, -1, folded);
        is_near(get(&info, folded, 0), expected[p], 1e-3, name);
        is_near(get(&info, folded, N - 1), expected[p] + (N - 1) * unit, 1e-3, name);
    }
}

static void test_no_numbers(void)
{
    const struct image_info info = {.width = N, .channels = 1, .bits = 32};
    double folded[N];
    for (int skipped = 0; skipped < DEPTH; skipped++) {
        double most = skipped == 1 ? 3 : 9, least = skipped == 2 ? 3 : 1;
        fold_all(&info, PLANES_MAX, 1, skipped, folded);
        is_near(get(&info, folded, 0), most, 0, "the largest of those that are numbers");
        fold_all(&info, PLANES_MIN, 1, skipped, folded);
        is_near(get(&info, folded, 0), least, 0, "the least of those that are numbers");
    }
}

int main(void)
{
    tap_plan(4 * 6 + 6);
    test_type("8 bits", (struct image_info){.bits = 8}, 10, 43);
    test_type("16 bits", (struct image_info){.bits = 16}, 5000, 21667);
    test_type("labels", (struct image_info){.bits = 32, .is_label = true}, 3e8, 1300000000);
    test_type("floats", (struct image_info){.bits = 32}, 0.25, 13.0 / 12);
    test_no_numbers();
    return tap_done();
}
