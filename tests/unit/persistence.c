#include "train/persistence.h"

#include <stdlib.h>

#include "core/rng.h"
#include "tests/clock.h"
#include "tests/tap.h"

static struct err err;

static bool feature_is(const struct feature *f, float birth, float death, uint32_t birth_pixel,
                       uint32_t death_pixel)
{
    bool same = f->birth == birth && f->death == death && f->birth_pixel == birth_pixel &&
                f->death_pixel == death_pixel;
    if (!same)
        printf("# got %g at %u, %g at %u\n", (double)f->birth, f->birth_pixel, (double)f->death,
               f->death_pixel);
    return same;
}

/* Three hills in a row, 0.9, 0.5 and 0.8, with passes at 0.2 and 0.3. */
static void test_hills(void)
{
    static const float row[] = {0.1f, 0.9f, 0.2f, 0.5f, 0.3f, 0.8f, 0.0f};
    struct diagram d;
    is_int(persistence_components(&d, row, 1, 7, CONNECT_4, &err), 0, "three hills");
    is_int((long long)d.count, 3, "three components");
    ok(feature_is(&d.features[0], 0.9f, 0, 1, PERSISTENCE_NO_PIXEL), "the highest never dies");
    ok(feature_is(&d.features[1], 0.8f, 0.2f, 5, 2), "the second dies at the deeper pass");
    ok(feature_is(&d.features[2], 0.5f, 0.3f, 3, 4), "the lowest dies at the higher pass");
    is_int((long long)diagram_signal(&d, 0.5f), 2, "two are signal at 0.5");
    is_int((long long)diagram_signal(&d, 0.0f), 3, "all at 0");
    is_int((long long)diagram_signal(&d, 0.9f), 0, "none at 0.9");
    diagram_free(&d);
}

/* Two corners that touch at a point: one component of 8 neighbors, two of 4. */
static void test_connectivity(void)
{
    static const float image[] = {0.9f, 0.1f, 0.1f, 0.8f};
    struct diagram d;
    is_int(persistence_components(&d, image, 2, 2, CONNECT_4, &err), 0, "4-neighborhood");
    ok(d.count == 2 && feature_is(&d.features[1], 0.8f, 0.1f, 3, 1), "two components");
    diagram_free(&d);
    is_int(persistence_components(&d, image, 2, 2, CONNECT_8, &err), 0, "8-neighborhood");
    is_int((long long)d.count, 1, "one component");
    diagram_free(&d);
}

static void test_ring(void)
{
    static const float ring[] = {
        0, 0,    0,    0,    0, //
        0, 0.9f, 0.8f, 0.9f, 0, //
        0, 0.9f, 0.2f, 0.7f, 0, //
        0, 0.9f, 0.8f, 0.9f, 0, //
        0, 0,    0,    0,    0,
    };
    struct diagram d;
    is_int(persistence_holes(&d, ring, 5, 5, CONNECT_4, &err), 0, "a ring");
    ok(d.count == 1 && feature_is(&d.features[0], 0.7f, 0.2f, 13, 12),
       "its hole is born where it closes and dies where it is filled");
    diagram_free(&d);
    is_int(persistence_components(&d, ring, 5, 5, CONNECT_4, &err), 0, "its components");
    is_int((long long)d.count, 3, "are three");
    ok(feature_is(&d.features[1], 0.9f, 0.8f, 8, 7), "the second dies on the ring");
    ok(feature_is(&d.features[2], 0.9f, 0.8f, 18, 17), "so does the third");
    diagram_free(&d);

    /* Corners that touch close a ring for 8 neighbors only. */
    static const float diamond[] = {0, 1, 0, 1, 0, 1, 0, 1, 0};
    is_int(persistence_holes(&d, diamond, 3, 3, CONNECT_8, &err), 0, "a diamond");
    ok(d.count == 1 && feature_is(&d.features[0], 1, 0, 7, 4), "has a hole for 8 neighbors");
    diagram_free(&d);
    is_int(persistence_holes(&d, diamond, 3, 3, CONNECT_4, &err), 0, "a diamond");
    is_int((long long)d.count, 0, "has none for 4");
    diagram_free(&d);
}

static void test_edges(void)
{
    static const float zeros[6], flat[6] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
    float nan[2] = {0, NAN};
    struct diagram d;
    is_int(persistence_components(&d, zeros, 2, 3, CONNECT_4, &err), 0, "nothing");
    is_int((long long)d.count, 0, "has no component");
    diagram_free(&d);
    is_int(persistence_components(&d, flat, 2, 3, CONNECT_4, &err), 0, "a plain");
    ok(d.count == 1 && feature_is(&d.features[0], 0.5f, 0, 0, PERSISTENCE_NO_PIXEL), "has one");
    diagram_free(&d);
    is_int(persistence_holes(&d, flat, 2, 3, CONNECT_4, &err), 0, "a plain");
    is_int((long long)d.count, 0, "has no hole");
    diagram_free(&d);
    is_int(persistence_components(&d, NULL, 0, 5, CONNECT_4, &err), 0, "no pixels");
    is_int((long long)d.count, 0, "have no component");
    diagram_free(&d);
    is_int(persistence_components(&d, nan, 1, 2, CONNECT_4, &err), -1, "a NaN is refused");
}

static struct feature at(float birth, float death)
{
    return (struct feature){birth, death, 0, 0};
}

static void test_matching(void)
{
    struct feature a[] = {at(0.9f, 0.1f), at(0.8f, 0.7f), at(0.5f, 0.125f)};
    struct feature b[] = {at(0.5f, 0.25f), at(0.8f, 0.2f)};
    uint32_t partner[3];
    double distance;
    is_int(wasserstein_match(a, 3, b, 2, WASSERSTEIN_2_L2, partner, &distance, &err), 0, "match");
    ok(partner[0] == 1 && partner[1] == UINT32_MAX && partner[2] == 0, "as it should");
    is_near(distance, sqrt(0.02 + 0.005 + 0.015625), 1e-7, "order 2");
    is_int(wasserstein_match(a, 3, b, 2, WASSERSTEIN_1_MAX, partner, &distance, &err), 0, "match");
    is_near(distance, 0.1 + 0.05 + 0.125, 1e-7, "order 1");
    is_int(wasserstein_match(b, 2, a, 3, WASSERSTEIN_2_L2, partner, &distance, &err), 0, "back");
    ok(partner[0] == 2 && partner[1] == 0, "the same pairs");
    is_near(distance, sqrt(0.02 + 0.005 + 0.015625), 1e-7, "the same distance");
    is_int(wasserstein_match(a, 3, b, 0, WASSERSTEIN_1_MAX, partner, &distance, &err), 0, "alone");
    ok(partner[0] == UINT32_MAX && partner[2] == UINT32_MAX, "all go to the diagonal");
    is_near(distance, 0.4 + 0.05 + 0.1875, 1e-7, "half their persistence");
    is_int(wasserstein_match(NULL, 0, b, 2, WASSERSTEIN_1_MAX, NULL, &distance, &err), 0, "none");
    is_near(distance, 0.125 + 0.3, 1e-7, "the other's");
}

/* The least cost over all ways to pair, tried one by one. */
static double least_cost(const struct feature *a, int rows, const struct feature *b, int columns,
                         unsigned used)
{
    if (rows == 0) {
        double rest = 0;
        for (int j = 0; j < columns; j++)
            if (!(used >> j & 1))
                rest += pow((double)b[j].birth - (double)b[j].death, 2) / 2;
        return rest;
    }
    double best = pow((double)a->birth - (double)a->death, 2) / 2 +
                  least_cost(a + 1, rows - 1, b, columns, used);
    for (int j = 0; j < columns; j++)
        if (!(used >> j & 1))
            best = fmin(best, pow((double)a->birth - (double)b[j].birth, 2) +
                                  pow((double)a->death - (double)b[j].death, 2) +
                                  least_cost(a + 1, rows - 1, b, columns, used | 1u << j));
    return best;
}

static void random_features(struct rng *rng, struct feature *features, int n)
{
    for (int i = 0; i < n; i++) {
        double death = rng_uniform(rng);
        features[i] = at((float)rng_between(rng, death, 1), (float)death);
    }
}

static void test_against_all_ways(void)
{
    struct rng rng = rng_new(5, "wasserstein");
    double worst = 0;
    for (int trial = 0; trial < 300; trial++) {
        struct feature a[6], b[6];
        uint32_t partner[6];
        double distance;
        int rows = (int)rng_below(&rng, 7), columns = (int)rng_below(&rng, 7);
        random_features(&rng, a, rows);
        random_features(&rng, b, columns);
        if (wasserstein_match(a, (size_t)rows, b, (size_t)columns, WASSERSTEIN_2_L2, partner,
                              &distance, &err))
            worst = INFINITY;
        worst = fmax(worst, fabs(distance - sqrt(least_cost(a, rows, b, columns, 0))));
    }
    is_near(worst, 0, 1e-9, "300 small diagrams, against all ways to pair");
}

/* Student: a hill of 0.9 that is the teacher's 1.0, and a false one of 0.3. */
static void test_loss(void)
{
    static const float student[] = {0.9f, 0.1f, 0.3f, 0.0f}, teacher[] = {1, 0, 0, 0};
    struct topology_options options = TOPOLOGY_DEFAULTS;
    double loss;
    float gradient[4];
    options.matching = WASSERSTEIN_2_L2;
    is_int(topology_loss(student, teacher, 1, 4, &options, &loss, gradient, &err), 0, "loss");
    is_near(loss, 0.01 + 0.04, 1e-7, "signal moved by 0.1, noise of 0.2 removed");
    is_near((double)gradient[0], -0.2, 1e-6, "the hill rises");
    is_near((double)gradient[1], -0.4, 1e-6, "the pass rises");
    is_near((double)gradient[2], 0.4, 1e-6, "the false hill falls");
    is_near((double)gradient[3], 0, 0, "the rest stays");
    is_int(topology_loss(teacher, teacher, 1, 4, &options, &loss, gradient, &err), 0, "same");
    is_near(loss, 0, 0, "nothing to do against itself");
    options.patch = 2;
    is_int(topology_loss(student, teacher, 1, 4, &options, &loss, gradient, &err), 0, "patches");
    is_near(loss, 0.01 + 0.09, 1e-7, "each patch has its own highest hill");
    is_near((double)gradient[2], 0.6, 1e-6, "gradients land in their patch");
}

/* Away from ties, the gradient is that of the loss: central differences. */
static void test_gradient(void)
{
    enum { H = 17, W = 23 };
    struct rng rng = rng_new(7, "gradient");
    float student[H * W], teacher[H * W], gradient[H * W];
    struct topology_options options = TOPOLOGY_DEFAULTS;
    options = (struct topology_options){
        .patch = 10, .threshold = 0.4f, .matching = WASSERSTEIN_2_L2, .holes = true};
    /* Values in steps of 1/1024, so that no order changes within 1/4096. */
    uint16_t order[H * W];
    for (int i = 0; i < H * W; i++) {
        uint64_t j = rng_below(&rng, (uint64_t)i + 1);
        order[i] = order[j];
        order[j] = (uint16_t)i;
        teacher[i] = (float)rng_uniform(&rng);
    }
    for (int i = 0; i < H * W; i++)
        student[i] = (float)order[i] / 1024 + 0.25f;
    double loss, worst = 0, largest = 0;
    ok(!topology_loss(student, teacher, H, W, &options, &loss, gradient, &err), "a noisy image");
    for (int i = 0; i < H * W; i++) {
        float kept = student[i], step = 1.0f / 8192;
        double up, down;
        student[i] = kept + step;
        if (topology_loss(student, teacher, H, W, &options, &up, NULL, &err))
            up = NAN;
        student[i] = kept - step;
        if (topology_loss(student, teacher, H, W, &options, &down, NULL, &err))
            down = NAN;
        student[i] = kept;
        worst = fmax(worst, fabs((up - down) / (2 * (double)step) - (double)gradient[i]));
        largest = fmax(largest, fabs((double)gradient[i]));
    }
    ok(largest > 0.5, "has a gradient to speak of (%g)", largest);
    is_near(worst, 0, 1e-4, "which finite differences confirm");
}

/* Generous limits: against a wrong order of growth, not for measurement. */
static void test_speed(void)
{
    enum { SIDE = 224, COUNT = 200 };
    struct rng rng = rng_new(9, "speed");
    float *image = malloc(SIDE * SIDE * sizeof *image);
    struct feature a[COUNT], b[COUNT];
    uint32_t partner[COUNT];
    struct diagram d;
    if (!image)
        exit(1);
    for (int i = 0; i < SIDE * SIDE; i++)
        image[i] = (float)rng_uniform(&rng);
    random_features(&rng, a, COUNT);
    random_features(&rng, b, COUNT);
    double start = work_milliseconds();
    bool done = !persistence_components(&d, image, SIDE, SIDE, CONNECT_4, &err);
    double middle = work_milliseconds();
    done = done && !wasserstein_match(a, COUNT, b, COUNT, WASSERSTEIN_2_L2, partner, NULL, &err);
    double end = work_milliseconds();
    printf("# %d x %d of noise, %zu features: %.1f ms; matching %d with %d: %.1f ms\n", SIDE, SIDE,
           d.count, middle - start, COUNT, COUNT, end - middle);
    ok(done && middle - start < 500 && end - middle < 1000, "fast enough");
    diagram_free(&d);
    free(image);
}

int main(void)
{
    tap_plan(60);
    test_hills();
    test_connectivity();
    test_ring();
    test_edges();
    test_matching();
    test_against_all_ways();
    test_loss();
    test_gradient();
    test_speed();
    return tap_done();
}
