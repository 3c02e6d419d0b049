/* lib/objects, lib/scores: shapes of objects, skeletons, watersheds. */
#include <stdlib.h>

#include "core/rng.h"
#include "objects/components.h"
#include "objects/measure.h"
#include "objects/morphology.h"
#include "objects/regions.h"
#include "objects/skeleton.h"
#include "objects/watershed.h"
#include "tests/clock.h"
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

static bool ring(double y, double x)
{
    double r = hypot(y - 200, x - 200);
    return r <= 150 && r >= 146;
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
    struct spill runs = {0};
    memset(labels, 0, sizeof labels);
    draw(inside, 7);
    if (!ok(boxes_of(&boxes, labels, SIDE, SIDE, &err) == 0 && boxes.count == 1 &&
                runs_of(&runs, &boxes, labels, SIDE, SIDE, &err) == 0 &&
                region_measure(&region, boxes.items, runs.data, &room, &err) == 0,
            "an object is measured"))
        printf("# %s\n", err.message);
    region_room_free(&room);
    spill_free(&runs);
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

struct list {
    struct region regions[4];
    int count;
};

static int append_region(void *user, const struct region *region, struct err *err)
{
    struct list *list = user;
    (void)err;
    list->regions[list->count++ % 4] = *region;
    return 0;
}

/* Objects of boxes that overlap, large and small: nothing of one is left for the next. */
static void test_several(void)
{
    struct err err;
    struct list list = {.count = 0};
    struct region large = measure(ring), alone[] = {large, measure(dot), measure(cross)};
    draw(dot, 3);
    draw(ring, 9);
    ok(measure_all(labels, SIDE, SIDE, &(struct measure_image){0}, NULL, NULL, append_region, &list,
                   &err) == 0 &&
           list.count == 3,
       "three objects are measured");
    for (int i = 0; i < 3; i++) {
        struct region *r = &list.regions[i], *same = NULL;
        for (int k = 0; k < 3; k++)
            if (alone[k].box.area == r->box.area)
                same = &alone[k];
        ok(same && r->perimeter == same->perimeter && r->solidity == same->solidity &&
               r->feret_max == same->feret_max && r->skeleton_length == same->skeleton_length &&
               r->branch_points == same->branch_points && r->major_axis == same->major_axis,
           "object %d as if it were alone", i + 1);
    }
    is_near(large.solidity, (double)large.box.area / (PI * 150 * 150), 0.01, "a ring's hull");
}

struct rows {
    const float *values;
    size_t at, width;
};

static int next_row(void *source, float *to, struct err *err)
{
    struct rows *rows = source;
    (void)err;
    memcpy(to, rows->values + rows->at, rows->width * sizeof *to);
    rows->at += rows->width;
    return 0;
}

static int keep_region(void *user, const struct region *region, struct err *err)
{
    (void)err;
    *(struct region *)user = *region;
    return 0;
}

static void test_values(void)
{
    struct err err;
    uint32_t few[] = {0, 5, 5, 0, 5, 0};
    float intensity[] = {9, 1, 9, 2, 1, 4, 9, 9, 4, 6, 9, 9};
    float probability[] = {0, 1, 0.5f, 0, 0.75f, 0};
    struct rows rows = {intensity, 0, 6};
    struct measure_image image = {2, next_row, &rows};
    struct region r = {.x = 0};
    struct quantity quantities[REGION_MAX_QUANTITIES];
    ok(measure_all(few, 2, 3, &image, probability, NULL, keep_region, &r, &err) == 0,
       "an object is measured with values under it");
    is_near(r.mean[0], (9 + 1 + 4) / 3.0, 1e-12, "mean of the first channel");
    is_near(r.mean[1], (2 + 4 + 6) / 3.0, 1e-12, "of the second");
    is_near(r.sd[1], sqrt((4.0 + 0 + 4) / 3), 1e-12, "and its standard deviation");
    is_near(r.mean_probability, 0.75, 1e-12, "mean probability");
    ok(isnan(r.mean_uncertainty), "no uncertainty");
    int count = region_quantities(&r, 2, quantities);
    is_str(quantities[count - 1].name, "sd_intensity2", "named after the channel");
    is_near(quantities[6].value, 3, 0, "an area");
    is_near(quantity_physical(&quantities[6], 0.5, 0.25), 3 * 0.125, 1e-12, "in micrometers");
    ok(isnan(quantity_physical(&quantities[7], 0.5, 0.25)), "lengths need square pixels");
}

static void random_shape(uint8_t *mask, size_t height, size_t width, uint64_t seed)
{
    struct rng rng = rng_new(seed, NULL);
    for (size_t y = 1; y + 1 < height; y++)
        for (size_t x = 1; x + 1 < width; x++)
            mask[y * width + x] = rng_uniform(&rng) < 0.8;
}

static size_t runs_of_mask(const uint8_t *mask, uint32_t height, uint32_t width, struct run *runs)
{
    size_t count = 0;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            if (mask[y * width + x])
                runs[count++] = (struct run){y, x, x + 1};
    return count;
}

/* Words of pixels for narrow objects, a list of the border for others: the same. */
static void test_skeletons(void)
{
    enum { HEIGHT = 60, NARROW = 64, WIDE = 80 };
    static uint8_t narrow[HEIGHT * NARROW + SKELETON_SLACK], wide[HEIGHT * WIDE + SKELETON_SLACK];
    static uint32_t work[HEIGHT * WIDE];
    static struct run runs[HEIGHT * NARROW];
    uint32_t left = 0;
    bool same = true;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_shape(narrow, HEIGHT, NARROW, seed);
        memset(wide, 0, sizeof wide);
        for (size_t y = 0; y < HEIGHT; y++)
            memcpy(wide + y * WIDE, narrow + y * NARROW, NARROW);
        size_t count = runs_of_mask(narrow, HEIGHT, NARROW, runs);
        skeleton_thin(narrow, HEIGHT, NARROW, runs, count, work);
        skeleton_thin(wide, HEIGHT, WIDE, runs, count, work);
        for (size_t i = 0; i < HEIGHT * NARROW; i++) {
            same &= (narrow[i] != 0) == (wide[i / NARROW * WIDE + i % NARROW] != 0);
            left += narrow[i] != 0;
        }
    }
    ok(same, "narrow and wide shapes are thinned alike");
    ok(left > 0, "to something");
}

/* A square of 1400 columns with a comb of long thin teeth: what is thin at once must not be
 * looked at until the square is. */
static void test_comb(void)
{
    enum { BIG = 2900 };
    uint8_t *mask = calloc(BIG * BIG + SKELETON_SLACK, 1);
    uint32_t *work = malloc((size_t)BIG * BIG * sizeof *work);
    struct run *runs = malloc(BIG * sizeof *runs);
    struct skeleton skeleton;
    size_t count = 0;
    if (!mask || !work || !runs)
        exit(1);
    for (uint32_t y = 50; y < BIG - 50; y++, count++) {
        runs[count] = (struct run){y, 50, y % 4 ? 1450 : BIG - 50};
        memset(mask + (size_t)y * BIG + 50, 1, runs[count].end - 50);
    }
    double begin = work_milliseconds();
    skeleton_thin(mask, BIG, BIG, runs, count, work);
    double seconds = (work_milliseconds() - begin) / 1000;
    skeleton_measure(mask, BIG, runs, count, &skeleton);
    is_near(skeleton.ends, 700, 2, "a comb's skeleton has its ends");
    ok(seconds < 4, "and is found in %.2f s", seconds);
    free(mask);
    free(work);
    free(runs);
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
}

int main(void)
{
    tap_plan(67);
    test_disc();
    test_rectangle();
    test_ellipse();
    test_branches();
    test_several();
    test_values();
    test_skeletons();
    test_comb();
    test_watershed();
    return tap_done();
}
