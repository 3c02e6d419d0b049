/* lib/ops: shapes of objects, skeletons, watersheds. */
#include <stdlib.h>

#include "core/rng.h"
#include "ops/components.h"
#include "ops/morphology.h"
#include "ops/regions.h"
#include "ops/skeleton.h"
#include "ops/watershed.h"
#include "tests/tap.h"

#define SIDE 400
#define PI   3.14159265358979323846

static uint32_t labels[SIDE * SIDE];

typedef bool shape(double y, double x);

static void draw(shape *inside, uint32_t label)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (inside(y, x))
                labels[y * SIDE + x] = label;
}

static bool disc(double y, double x)
{
    return hypot(y - 200, x - 200) <= 100;
}

static bool rectangle(double y, double x)
{
    return y >= 50 && y < 90 && x >= 100 && x < 300;
}

static bool ellipse(double y, double x)
{
    double u = (x - 200) * cos(0.5) + (y - 200) * sin(0.5);
    double v = -(x - 200) * sin(0.5) + (y - 200) * cos(0.5);
    return u * u / (150 * 150) + v * v / (50 * 50) <= 1;
}

static bool cross(double y, double x)
{
    return (fabs(y - 200) <= 2 && fabs(x - 200) <= 100) ||
           (fabs(x - 200) <= 2 && fabs(y - 200) <= 100);
}

static bool dot(double y, double x)
{
    return y == 0 && x == 0;
}

static bool two_discs(double y, double x)
{
    return hypot(y - 200, x - 140) <= 70 || hypot(y - 200, x - 260) <= 70;
}

static bool dumbbell(double y, double x)
{
    return hypot(y - 200, x - 110) <= 60 || hypot(y - 200, x - 290) <= 60 ||
           (fabs(y - 200) <= 55 && x > 110 && x < 290);
}

static struct region measure(shape *inside)
{
    struct err err;
    struct boxes boxes = {0};
    struct region region = {.perimeter = NAN};
    struct region_room room = {0};
    struct region_images images = {0};
    memset(labels, 0, sizeof labels);
    draw(inside, 7);
    if (!ok(boxes_of(&boxes, labels, SIDE, SIDE, &err) == 0 && boxes.count == 1 &&
                region_measure(&region, boxes.items, labels, SIDE, &images, &room, &err) == 0,
            "an object is measured"))
        printf("# %s\n", err.message);
    region_room_free(&room);
    boxes_free(&boxes);
    return region;
}

static void test_disc(void)
{
    struct region r = measure(disc);
    is_near((double)r.box.area / (PI * 100 * 100), 1, 0.005, "area of a disc");
    is_near(r.equivalent_diameter, 200, 0.5, "its diameter");
    is_near(r.perimeter / (2 * PI * 100), 1, 0.06, "its perimeter");
    is_near(r.y, 200, 1e-9, "its centroid, row");
    is_near(r.x, 200, 1e-9, "its centroid, column");
    is_near(r.major_axis, 200, 0.5, "its major axis");
    is_near(r.eccentricity, 0, 1e-6, "its eccentricity");
    is_near(r.solidity, 1, 0.01, "its solidity");
    is_near(r.feret_max, 201, 1, "its largest width");
    is_near(r.feret_min, 201, 1.5, "its smallest width");
    is_int(r.box.top, 100, "its first row");
    is_int(r.box.right, 301, "the column after its last");
}

static void test_rectangle(void)
{
    struct region r = measure(rectangle);
    is_int((long long)r.box.area, 40 * 200, "area of a rectangle");
    is_near(r.perimeter, 2 * (39 + 199), 1e-9, "its perimeter, from middle to middle");
    is_near(r.major_axis, 4 * sqrt((200.0 * 200 - 1) / 12), 1e-9, "its major axis");
    is_near(r.minor_axis, 4 * sqrt((40.0 * 40 - 1) / 12), 1e-9, "its minor axis");
    is_near(r.orientation, 0, 1e-9, "its orientation");
    is_near(r.solidity, 1, 1e-12, "its solidity");
    is_near(r.feret_min, 40, 1e-9, "its smallest width");
    is_near(r.feret_max, sqrt(200.0 * 200 + 39 * 39), 0.1, "its largest width");
    is_int(r.branch_ends, 2, "its skeleton has two ends");
}

static void test_ellipse(void)
{
    struct region r = measure(ellipse);
    is_near(r.major_axis, 300, 0.5, "major axis of an ellipse");
    is_near(r.minor_axis, 100, 0.5, "its minor axis");
    is_near(r.orientation, 0.5, 0.002, "its orientation");
    is_near(r.eccentricity, sqrt(1 - 1.0 / 9), 0.001, "its eccentricity");
    is_near(r.feret_max, 301, 1.5, "its largest width");
    is_near(r.feret_min, 101, 1.5, "its smallest width");
}

static void test_branches(void)
{
    struct region r = measure(cross);
    is_int(r.branch_ends, 4, "a cross has four ends");
    is_int(r.branch_points, 1, "and one branch point");
    is_near(r.skeleton_length, 400, 12, "and two arms of 200");
    r = measure(dot);
    is_near(r.perimeter, 0, 0, "a single pixel has no perimeter");
    is_near(r.feret_max, 1, 1e-12, "and is one wide");
    is_near(r.solidity, 1, 0, "and solid");
    ok(isnan(r.circularity), "and not round or otherwise");
}

static void test_values(void)
{
    struct err err;
    uint32_t few[] = {0, 5, 5, 0, 5, 0};
    float intensity[] = {9, 1, 9, 2, 1, 4, 9, 9, 4, 6, 9, 9};
    float probability[] = {0, 1, 0.5f, 0, 0.75f, 0};
    struct region_images images = {intensity, 2, probability, NULL};
    struct boxes boxes;
    struct region r;
    struct region_room room = {0};
    ok(boxes_of(&boxes, few, 2, 3, &err) == 0 && boxes.count == 1, "one object");
    ok(region_measure(&r, boxes.items, few, 3, &images, &room, &err) == 0, "with values");
    is_near(r.mean[0], (9 + 1 + 4) / 3.0, 1e-12, "mean of the first channel");
    is_near(r.mean[1], (2 + 4 + 6) / 3.0, 1e-12, "of the second");
    is_near(r.sd[1], sqrt((4.0 + 0 + 4) / 3), 1e-12, "and its standard deviation");
    is_near(r.mean_probability, 0.75, 1e-12, "mean probability");
    ok(isnan(r.mean_uncertainty), "no uncertainty");
    region_room_free(&room);
    boxes_free(&boxes);
}

static uint32_t count_parts(shape *inside, double depth)
{
    struct err err;
    uint32_t count = 0;
    memset(labels, 0, sizeof labels);
    draw(inside, 1);
    if (components_label(labels, SIDE, SIDE, 8, labels, &count, &err) ||
        watershed_split(labels, SIDE, SIDE, NULL, depth, &count, &err))
        return 0;
    return count;
}

static void test_watershed(void)
{
    struct err err;
    is_int(count_parts(two_discs, 0.25), 2, "two discs that touch are two");
    struct boxes boxes = {0};
    ok(boxes_of(&boxes, labels, SIDE, SIDE, &err) == 0 && boxes.count == 2 &&
           llabs((long long)boxes.items[0].area - (long long)boxes.items[1].area) < 200,
       "of the same size");
    boxes_free(&boxes);
    is_int(count_parts(disc, 0.25), 1, "a disc is one");
    is_int(count_parts(dumbbell, 0.25), 1, "a thick neck does not part");
    is_int(count_parts(dumbbell, 0.05), 2, "unless asked for");
    is_int(count_parts(rectangle, 0.25), 1, "nor does a plateau");

    uint32_t seeds[7] = {1, 0, 0, 0, 0, 0, 2};
    uint8_t mask[7] = {1, 1, 1, 1, 1, 1, 1};
    float map[7] = {9, 8, 2, 5, 6, 7, 8};
    ok(watershed_grow(seeds, mask, map, 1, 7, &err) == 0, "seeds grow");
    ok(seeds[1] == 1 && seeds[3] == 2 && seeds[5] == 2, "and meet in the valley");
}

int main(void)
{
    test_disc();
    test_rectangle();
    test_ellipse();
    test_branches();
    test_values();
    test_watershed();
    return tap_done();
}
