/* lib/objects/flows: against the golden values of Cellpose's dynamics, and on shapes. */
#include <stdlib.h>

#include "core/convert.h"
#include "core/rng.h"
#include "objects/cells.h"
#include "objects/flow_targets.h"
#include "objects/flows.h"
#include "objects/morphology.h"
#include "scores/matching.h"
#include "tests/tap.h"
#include "weights/weights.h"

static double ap90(const uint32_t *prediction, const uint32_t *truth, size_t count)
{
    struct err err;
    struct overlaps o;
    struct matching m;
    if (overlaps_of(&o, truth, prediction, count, &err) ||
        matching_at(&m, &o, 0.9, CONVENTION_STRICT, &err))
        return NAN;
    overlaps_free(&o);
    return matching_ap(&m, CONVENTION_STRICT);
}

/* Mean cosine between two unit flows inside objects. */
static double agreement(const float *a, const float *b, const uint32_t *labels, size_t count)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < count; i++)
        if (labels[i]) {
            sum += (double)a[i] * b[i] + (double)a[count + i] * b[count + i];
            n++;
        }
    return sum / n;
}

struct golden {
    size_t height, width;
    uint32_t *labels, *masks;
    struct array flow, network_flow, network_prob;
};

static int load_labels(const struct array *from, uint32_t **to, struct err *err)
{
    *to = malloc(array_count(from) * sizeof **to + 1);
    return *to ? convert_labels(from, *to, err) : err_memory(err, "labels");
}

static int load_floats(const struct array *from, struct array *to, struct err *err)
{
    return array_new(to, DTYPE_F32, from->ndim, from->shape, err)
               ? -1
               : convert_floats(from, to->data, err);
}

static int load(struct golden *g, const char *path, struct err *err)
{
    struct weights file;
    if (weights_read(&file, path, err))
        return -1;
    const struct array *labels = weights_find(&file, "labels");
    g->height = labels->shape[0];
    g->width = labels->shape[1];
    int rc = load_labels(labels, &g->labels, err);
    if (rc == 0)
        rc = load_labels(weights_find(&file, "masks"), &g->masks, err);
    if (rc == 0)
        rc = load_floats(weights_find(&file, "flow"), &g->flow, err);
    if (rc == 0)
        rc = load_floats(weights_find(&file, "network_flow"), &g->network_flow, err);
    if (rc == 0)
        rc = load_floats(weights_find(&file, "network_prob"), &g->network_prob, err);
    weights_free(&file);
    return rc;
}

static void test_golden(int number)
{
    struct err err;
    struct golden g = {0};
    char path[64];
    uint32_t count;
    struct flow_options options = FLOW_OPTIONS_DEFAULT;
    snprintf(path, sizeof path, "tests/golden/cellpose_dynamics/%d.npz", number);
    if (!ok(load(&g, path, &err) == 0, "case %d", number)) {
        printf("# %s\n", err.message);
        return;
    }
    size_t pixels = g.height * g.width;
    float *flow = malloc(2 * pixels * sizeof *flow);
    uint32_t *labels = malloc(pixels * sizeof *labels);
    ok(flows_of_labels(g.labels, g.height, g.width, FLOW_DIFFUSION, flow, &err) == 0,
       "flows of its labels");
    double cosine = agreement(flow, g.flow.data, g.labels, pixels);
    if (!ok(cosine > 0.98, "agree with Cellpose's"))
        printf("# mean cosine %g\n", cosine);
    ok(flows_to_labels(g.network_flow.data, g.network_prob.data, g.height, g.width, &options,
                       labels, &count, &err) == 0,
       "labels of its network flows");
    ok(labels_fill_holes(labels, g.height, g.width, 0, &err) == 0 &&
           labels_remove_small(labels, g.height, g.width, 15, &err) == 0,
       "cleaned");
    double ap = ap90(labels, g.masks, pixels);
    if (!ok(ap >= 0.95, "agree with Cellpose's"))
        printf("# AP at IoU 0.9: %g, %u objects\n", ap, count);
    free(flow);
    free(labels);
    free(g.labels);
    free(g.masks);
    array_free(&g.flow);
    array_free(&g.network_flow);
    array_free(&g.network_prob);
}

#define SIDE 96

/* There and back: flows of discs that touch give the discs again. */
static void test_round_trip(void)
{
    struct err err;
    static uint32_t labels[SIDE * SIDE], back[SIDE * SIDE];
    static float flow[2 * SIDE * SIDE], cell[SIDE * SIDE];
    struct flow_options options = FLOW_OPTIONS_DEFAULT;
    uint32_t count;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            uint32_t label = hypot(y - 48, x - 28) < 20 ? 3 : hypot(y - 48, x - 66) < 20 ? 8 : 0;
            labels[y * SIDE + x] = label;
            cell[y * SIDE + x] = label ? 5 : -5;
        }
    ok(flows_of_labels(labels, SIDE, SIDE, FLOW_DIFFUSION, flow, &err) == 0, "flows of two discs");
    is_near(flow[48 * SIDE + 20], 0, 0.02, "left of the middle it flows");
    is_near(flow[SIDE * SIDE + 48 * SIDE + 20], 1, 0.02, "to the right");
    for (int i = 0; i < 2 * SIDE * SIDE; i++)
        flow[i] *= 5;
    ok(flows_to_labels(flow, cell, SIDE, SIDE, &options, back, &count, &err) == 0, "and back");
    is_int(count, 2, "two objects");
    is_near(ap90(back, labels, SIDE * SIDE), 1, 0, "the same");
    for (int i = 0; i < SIDE * SIDE; i++)
        flow[i] = NAN;
    ok(flows_to_labels(flow, cell, SIDE, SIDE, &options, back, &count, &err) == 0 && count == 0,
       "flows that are no numbers lead nowhere");
}

/* Discs of diameters 8, 20 and 40 on a picture of SIDE x SIDE. */
static struct array three_discs(void)
{
    static uint16_t labels[SIDE * SIDE];
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            labels[y * SIDE + x] = hypot(y - 10, x - 80) < 4    ? 4
                                   : hypot(y - 70, x - 75) < 10 ? 9
                                   : hypot(y - 40, x - 34) < 20 ? 300
                                                                : 0;
    return array_view(DTYPE_U16, 2, (size_t[]){SIDE, SIDE}, labels);
}

static void test_diameter(void)
{
    struct err err;
    struct array mask = three_discs();
    uint32_t two[] = {1, 0, 2, 2}, none[] = {0, 0};
    double diameter;
    ok(mask_diameter(&mask, &diameter, &err) == 0, "the diameter of cells");
    is_near(diameter, 20, 0.3, "is that of the middle one");
    ok(cells_diameter(two, 2, 2, &diameter, &err) == 0 && diameter == 5, "at least 5");
    ok(cells_diameter(none, 1, 2, &diameter, &err) == 0 && diameter == 0, "0 without cells");
}

enum { WINDOW = 32, TOP = 24, LEFT = 30 };

static double farthest(const float *cut, const float *whole)
{
    double apart = 0;
    for (int i = 0; i < 2 * WINDOW * WINDOW; i++) {
        int plane = i / (WINDOW * WINDOW), y = i / WINDOW % WINDOW + TOP, x = i % WINDOW + LEFT;
        double here = fabs((double)cut[i] - whole[(plane * SIDE + y) * SIDE + x]);
        if (here > apart) /* fmax stops gcc 12's compiler for arm64 */
            apart = here;
    }
    return apart;
}

/* A window that cuts a cell has the flows of the whole cell, turned as it is turned. */
static void test_targets(void)
{
    struct err err;
    struct array mask = three_discs();
    static uint32_t labels[SIDE * SIDE];
    static float whole[2 * SIDE * SIDE], cut[2 * WINDOW * WINDOW];
    struct augment_draw draw = {.in_height = SIDE,
                                .in_width = SIDE,
                                .out_height = WINDOW,
                                .out_width = WINDOW,
                                .matrix = {1, 0, LEFT, 0, 1, TOP},
                                .zoom = 1};
    for (int i = 0; i < SIDE * SIDE; i++)
        labels[i] = ((const uint16_t *)mask.data)[i];
    ok(flows_of_labels(labels, SIDE, SIDE, FLOW_DIFFUSION, whole, &err) == 0 &&
           flow_targets(&draw, &mask, 32, FLOW_DIFFUSION, cut, &err) == 0,
       "flows of a window");
    is_near(farthest(cut, whole), 0, 1e-6, "with a margin are those of the picture");
    ok(flow_targets(&draw, &mask, 0, FLOW_DIFFUSION, cut, &err) == 0 && farthest(cut, whole) > 0.5,
       "without one they turn at the cut");
    draw = (struct augment_draw){.in_height = SIDE,
                                 .in_width = SIDE,
                                 .out_height = WINDOW,
                                 .out_width = WINDOW,
                                 .matrix = {0, -1, LEFT + 31, 1, 0, TOP},
                                 .turns = 1,
                                 .zoom = 1};
    ok(flow_targets(&draw, &mask, 32, FLOW_DIFFUSION, cut, &err) == 0, "flows of a turned window");
    double apart = 0;
    for (int y = 0; y < WINDOW; y++)
        for (int x = 0; x < WINDOW; x++) {
            int from = (TOP + x) * SIDE + LEFT + 31 - y, to = y * WINDOW + x;
            apart += fabs((double)cut[to] + whole[SIDE * SIDE + from]) +
                     fabs((double)cut[WINDOW * WINDOW + to] - whole[from]);
        }
    is_near(apart / (2 * WINDOW * WINDOW), 0, 0.02, "are turned with it");
}

/* Two touching halves of a disc, as an unsure network gives them: short arrows, noise, and a
 * value that is none. */
static void test_steady(void)
{
    enum { N = 64, COUNT = N * N };
    static uint32_t labels[COUNT], found[COUNT];
    static float flow[2 * COUNT], cell[COUNT];
    struct flow_options options = FLOW_OPTIONS_DEFAULT;
    struct rng rng = rng_new(1, "noise");
    struct err err;
    uint32_t count = 0, noisy = 0;
    for (int i = 0; i < COUNT; i++) {
        int y = i / N - 32, x = i % N - 32;
        labels[i] = y * y + x * x > 24 * 24 ? 0 : x < 0 ? 1 : 2;
        cell[i] = labels[i] ? 1 : -1;
    }
    bool made = !flows_of_labels(labels, N, N, FLOW_DIFFUSION, flow, &err);
    for (int i = 0; i < 2 * COUNT; i++)
        flow[i] = 0.3f * flow[i] + 0.3f * rng_quick_normal(&rng);
    flow[32 * N + 20] = NAN;
    options.scale = 1;
    options.flow_threshold = 0;
    made &= !flows_to_labels(flow, cell, N, N, &options, found, &noisy, &err);
    options.flow_threshold = 0.8;
    ok(made && !flows_steady(flow, N, N, 2, 1, &err) &&
           !flows_to_labels(flow, cell, N, N, &options, found, &count, &err),
       "unsure flows are made steady");
    ok(noisy > 2 && count == 2, "%u cells become %u of 2", noisy, count);
    is_near(ap90(found, labels, COUNT), 1, 0, "which are the two");
    double worst = 0;
    for (int i = 0; i < COUNT; i++) {
        double length = hypot(flow[i], flow[COUNT + i]);
        worst = fmax(worst, length > 0 ? fabs(length - 1) : 0);
    }
    is_near(worst, 0, 1e-5, "arrows have length 1");
}

/* Three squares; the flow of one is turned by 70 degrees, an error of 1.3. */
static uint32_t squares_found(int turned, double small_threshold)
{
    enum { N = 96, COUNT = N * N };
    static const int side[3] = {21, 21, 9};
    static uint32_t labels[COUNT], found[COUNT];
    static float flow[2 * COUNT], cell[COUNT];
    struct err err;
    uint32_t count = 0;
    for (int i = 0; i < COUNT; i++) {
        int k = i % N / 32, x = i % 32, y = i / N - 30;
        bool inside = x >= 4 && x < 4 + side[k] && y >= 0 && y < side[k];
        labels[i] = inside ? (uint32_t)k + 1 : 0;
        cell[i] = inside ? 1 : -1;
    }
    if (flows_of_labels(labels, N, N, FLOW_DIFFUSION, flow, &err))
        return 0;
    for (int i = 0; i < COUNT; i++)
        if (labels[i] == (uint32_t)turned + 1) {
            float y = flow[i], x = flow[COUNT + i];
            flow[i] = 0.342f * y + 0.940f * x;
            flow[COUNT + i] = 0.342f * x - 0.940f * y;
        }
    struct flow_options options = FLOW_OPTIONS_DEFAULT;
    options.scale = 1;
    options.flow_threshold = 2;
    options.small_threshold = small_threshold;
    return flows_to_labels(flow, cell, N, N, &options, found, &count, &err) ? 0 : count;
}

static void test_small(void)
{
    ok(squares_found(2, 0) == 3, "a small object with a wrong flow");
    ok(squares_found(2, 1) == 2, "is dropped where small ones must be better");
    ok(squares_found(1, 1) == 3, "and a large one is not");
}

/* A disc in the middle of an image of 64 x 64, and the upper part of one as large whose middle is 4
 * rows below the border; the flow leads there. */
static uint32_t cut_found(double cut_threshold)
{
    enum { N = 64, BELOW = 16, COUNT = N * N };
    static uint32_t labels[N * (N + BELOW)], found[COUNT];
    static float whole[2 * N * (N + BELOW)], flow[2 * COUNT], cell[COUNT];
    struct err err;
    uint32_t count = 0;
    for (int i = 0; i < N * (N + BELOW); i++) {
        int y = i / N, x = i % N;
        labels[i] = hypot(y - 24, x - 20) < 11 ? 1 : hypot(y - N - 3, x - 44) < 11 ? 2 : 0;
    }
    if (flows_of_labels(labels, N + BELOW, N, FLOW_DIFFUSION, whole, &err))
        return 0;
    memcpy(flow, whole, COUNT * sizeof *flow);
    memcpy(flow + COUNT, whole + N * (N + BELOW), COUNT * sizeof *flow);
    for (int i = 0; i < COUNT; i++)
        cell[i] = labels[i] ? 1 : -1;
    struct flow_options options = FLOW_OPTIONS_DEFAULT;
    options.scale = 1;
    options.flow_threshold = 2;
    options.small_threshold = FLOW_STEADY_SMALL_ERROR;
    options.cut_threshold = cut_threshold;
    return flows_to_labels(flow, cell, N, N, &options, found, &count, &err) ? 0 : count;
}

static void test_cut(void)
{
    ok(cut_found(0) == 1,
       "a small part of a cell at the border, whose flow leads out of the image");
    ok(cut_found(FLOW_STEADY_CUT_ERROR) == 2, "is kept by the threshold of cells that are cut");
}

/* Discs of that diameter, `apart` pixels from one middle to the next. */
static double diameter_of_discs(int diameter, int apart)
{
    enum { N = 240, COUNT = N * N };
    static uint32_t labels[COUNT];
    static float flow[2 * COUNT], cell[COUNT];
    struct err err;
    for (int i = 0; i < COUNT; i++) {
        int row = i / N / apart, column = i % N / apart;
        bool inside = hypot(i / N % apart - (apart - 1) / 2., i % N % apart - (apart - 1) / 2.) <
                      diameter / 2.;
        labels[i] = inside ? (uint32_t)(1 + row * N + column) : 0;
        cell[i] = inside ? 1 : -1;
    }
    if (flows_of_labels(labels, N, N, FLOW_DIFFUSION, flow, &err))
        return NAN;
    for (int i = 0; i < 2 * COUNT; i++)
        flow[i] *= 0.3f;
    return flows_diameter(flow, cell, N, N, 0);
}

static void test_divergence(void)
{
    static const int diameters[] = {8, 12, 20, 60};
    for (size_t i = 0; i < 4; i++) {
        double d = diameters[i];
        double apart = diameter_of_discs(diameters[i], d == 60 ? 80 : 40);
        ok(fabs(apart / d - 1) < 0.15, "discs %g pixels wide: %g", d, apart);
        double touching = diameter_of_discs(diameters[i], diameters[i]);
        ok(fabs(touching / d - 1) < 0.15, "%g pixels wide that touch: %g", d, touching);
    }
    float flow[2 * 9] = {0}, cell[9] = {0};
    is_near(flows_diameter(flow, cell, 3, 3, 0), 0, 0, "no cell");
    ok(flows_sigma(0) == FLOW_STEADY_FINE && flows_sigma(21) == 1.5 &&
           flows_sigma(INFINITY) == FLOW_STEADY_SIGMA,
       "flows of small cells are smoothed less");
}

/* ---- cells of any shape ---- */

enum { LONG = 128, AREA = LONG * LONG };

/* Arcs of 100 degrees about the lower left corner, 10 wide, that touch: 1, 2, 3; a cross of bars 4
 * wide: 4; a disc that touches none: 5. */
static uint32_t shape_at(int y, int x)
{
    double radius = hypot(127 - y, x), turn = atan2(127 - y, x);
    if (turn > 0.1 && turn < 1.45 && radius >= 50 && radius < 80)
        return 1 + (uint32_t)((radius - 50) / 10);
    bool upright = x >= 102 && x < 106 && y >= 4 && y < 60, flat = y >= 20 && y < 24 && x >= 80;
    if ((upright || flat) && x < 124)
        return 4;
    return hypot(y - 110, x - 16) < 12 ? 5 : 0;
}

static void draw_shapes(uint32_t *labels)
{
    for (int i = 0; i < AREA; i++)
        labels[i] = shape_at(i / LONG, i % LONG);
}

/* How far along the arc's radius, inwards where it is too far out, a flow points; away from the
 * middle line and from the ends. */
static double to_middle_line(const float *flow)
{
    double sum = 0, n = 0;
    for (int i = 0; i < AREA; i++) {
        double y = i / LONG - 127, x = i % LONG, radius = hypot(y, x), turn = atan2(-y, x);
        double far = radius - 65;
        if (fabs(far) > 4 || fabs(far) < 2 || turn < 0.25 || turn > 1.3)
            continue;
        sum += (flow[i] * y + flow[AREA + i] * x) / radius * (far > 0 ? -1 : 1);
        n++;
    }
    return sum / n;
}

static void test_distance(void)
{
    static uint32_t labels[AREA];
    static float distance[2 * AREA], diffusion[2 * AREA];
    struct err err;
    for (int i = 0; i < AREA; i++)
        labels[i] = hypot(i / LONG - 60, i % LONG - 64) < 30;
    bool made = !flows_of_labels(labels, LONG, LONG, FLOW_DISTANCE, distance, &err) &&
                !flows_of_labels(labels, LONG, LONG, FLOW_DIFFUSION, diffusion, &err);
    double least = 1, longest = 0;
    for (int i = 0; i < AREA; i++) {
        double dot =
            (double)distance[i] * diffusion[i] + (double)distance[AREA + i] * diffusion[AREA + i];
        double radius = hypot(i / LONG - 60, i % LONG - 64);
        if (labels[i] && radius > 3 && dot < least)
            least = dot;
        if (!labels[i] && fabsf(distance[i]) + fabsf(distance[AREA + i]) > 0)
            longest = 1;
    }
    ok(made && least > 0.966, "in a disc both lead to the middle, within 15 degrees");
    is_near(longest, 0, 0, "and outside nowhere");
    draw_shapes(labels);
    ok(!flows_of_labels(labels, LONG, LONG, FLOW_DISTANCE, distance, &err) &&
           !flows_of_labels(labels, LONG, LONG, FLOW_DIFFUSION, diffusion, &err),
       "flows of long, bent and branched cells");
    ok(to_middle_line(distance) > 0.95, "of distance lead to the middle line");
    ok(to_middle_line(diffusion) < 0.75, "and of diffusion less");
}

/* AP at IoU 0.9 of what flows of that target lead back to, with the rules beside classes. */
static double back_again(const uint32_t *labels, enum flow_target target, uint32_t *count)
{
    static float flow[2 * AREA], cell[AREA];
    static uint32_t found[AREA];
    struct err err;
    struct cell_options options = {
        .connectivity = 8, .flow = FLOW_OPTIONS_DEFAULT, .min_size = -1, .min_relative = -1};
    cells_beside_classes(&options, target, 0, false);
    for (int i = 0; i < AREA; i++)
        cell[i] = labels[i] != 0;
    if (flows_of_labels(labels, LONG, LONG, target, flow, &err) ||
        cells_find(found, LONG, LONG, &options, NULL, flow, cell, count, &err))
        return NAN;
    return ap90(found, labels, AREA);
}

/* Bars 64 x 14 that touch along their long sides, and two bent ones of 20 that touch. */
static uint32_t bar_at(int y, int x)
{
    if (y < 42 && x >= 4 && x < 68)
        return y < 14 ? 1 : y < 28 ? 2 : 3;
    double radius = hypot(127 - y, x);
    return y > 60 && radius < 60 && radius > 20 && x > 4 ? (radius < 40 ? 4 : 5) : 0;
}

static void test_any_shape(void)
{
    static uint32_t labels[AREA];
    uint32_t count;
    draw_shapes(labels);
    is_near(back_again(labels, FLOW_DISTANCE, &count), 1, 0, "distance finds cells of any shape");
    is_int(count, 5, "and no others");
    for (int i = 0; i < AREA; i++)
        labels[i] = bar_at(i / LONG, i % LONG);
    is_near(back_again(labels, FLOW_DISTANCE, &count), 1, 0, "distance finds long ones that touch");
    is_near(back_again(labels, FLOW_DIFFUSION, &count), 1, 0, "and diffusion, where they are wide");
    for (int i = 0; i < AREA; i++)
        labels[i] =
            i / LONG % 12 && i % LONG % 13 ? 1 + (uint32_t)(i / LONG / 12 * 10 + i % LONG / 13) : 0;
    is_near(back_again(labels, FLOW_DISTANCE, &count), 1, 0, "small cells, a pixel apart");
}

static void test_named(void)
{
    enum flow_target target;
    struct err err;
    ok(!flow_target_named("", &target, &err) && target == FLOW_DIFFUSION, "no name is diffusion");
    ok(!flow_target_named("distance", &target, &err) && target == FLOW_DISTANCE, "a name is known");
    ok(flow_target_named("wind", &target, &err) && err.status == STATUS_DATA, "or is not");
}

int main(void)
{
    tap_plan(72);
    test_distance();
    test_any_shape();
    test_named();
    test_round_trip();
    test_diameter();
    test_targets();
    test_steady();
    test_small();
    test_cut();
    test_divergence();
    for (int i = 0; i < 4; i++)
        test_golden(i);
    return tap_done();
}
