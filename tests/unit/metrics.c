/* lib/objects, lib/scores: distances, overlaps, quantiles, calibration. */
#include <stdlib.h>

#include "core/rng.h"
#include "objects/edt.h"
#include "objects/morphology.h"
#include "scores/metrics.h"
#include "tests/tap.h"

static void random_mask(struct rng *rng, uint8_t *mask, size_t count, double share)
{
    for (size_t i = 0; i < count; i++)
        mask[i] = rng_uniform(rng) < share;
}

static double brute(const uint8_t *sites, size_t h, size_t w, size_t y, size_t x, double sy,
                    double sx)
{
    double best = INFINITY;
    for (size_t v = 0; v < h; v++)
        for (size_t u = 0; u < w; u++) {
            double dy = ((double)v - (double)y) * sy, dx = ((double)u - (double)x) * sx;
            if (sites[v * w + u] && dy * dy + dx * dx < best)
                best = dy * dy + dx * dx;
        }
    return best;
}

static double worst_distance(size_t h, size_t w, double share, double sy, double sx)
{
    struct err err;
    struct edt *edt;
    struct rng rng = rng_new(h * 1000 + w, "edt");
    uint8_t *sites = malloc(h * w);
    uint32_t *columns = malloc(w * sizeof *columns);
    double *row = malloc(w * sizeof *row), *some = malloc(w * sizeof *some), worst = 0;
    random_mask(&rng, sites, h * w, share);
    if (edt_new(&edt, sites, h, w, sy, sx, &err))
        return INFINITY;
    for (size_t y = 0; y < h; y++) {
        edt_row(edt, y, row);
        size_t count = 0;
        for (size_t x = 0; x < w; x++)
            if (rng_uniform(&rng) < 0.1)
                columns[count++] = (uint32_t)x;
        edt_at(edt, y, columns, count, some);
        for (size_t x = 0; x < w; x++) {
            double expected = brute(sites, h, w, y, x, sy, sx);
            double off = row[x] == expected ? 0 : fabs(row[x] - expected);
            worst = off <= worst ? worst : off;
        }
        for (size_t i = 0; i < count; i++) {
            double off = some[i] == row[columns[i]] ? 0 : fabs(some[i] - row[columns[i]]);
            worst = off <= worst ? worst : off;
        }
    }
    free(columns);
    free(some);
    edt_free(edt);
    free(sites);
    free(row);
    return worst;
}

static void test_distances(void)
{
    is_near(worst_distance(31, 47, 0.02, 1, 1), 0, 0, "distances to few sites are exact");
    is_near(worst_distance(31, 47, 0.5, 1, 1), 0, 0, "distances to many sites are exact");
    is_near(worst_distance(1, 64, 0.1, 1, 1), 0, 0, "one row");
    is_near(worst_distance(64, 1, 0.1, 1, 1), 0, 0, "one column");
    is_near(worst_distance(20, 20, 0, 1, 1), 0, 0, "no site: infinite");
    is_near(worst_distance(40, 33, 0.03, 0.65, 0.325), 0, 1e-12, "pixels that are not square");
}

static void test_surface_of_masks(void)
{
    uint8_t mask[5 * 5] = {0}, surface[5 * 5];
    for (int y = 1; y < 5; y++)
        for (int x = 1; x < 4; x++)
            mask[y * 5 + x] = 7;
    morphology_surface(mask, 5, 5, surface);
    int count = 0;
    for (int i = 0; i < 25; i++)
        count += surface[i];
    is_int(count, 10, "a surface is what the 4-neighborhood erodes");
    is_int(surface[2 * 5 + 2] + surface[3 * 5 + 2], 0, "and no more");
    is_int(surface[4 * 5 + 2], 1, "outside the image is background");
}

static void test_quantiles(void)
{
    struct rng rng = rng_new(3, "quantile");
    double one[] = {4}, two[] = {1, 2}, many[101];
    is_near(quantile(one, 1, 0.95), 4, 0, "the quantile of one value");
    is_near(quantile(two, 2, 0.95), 1.95, 1e-15, "of two: interpolated");
    for (int i = 0; i < 101; i++)
        many[i] = i;
    for (int i = 100; i > 0; i--) {
        int k = (int)rng_below(&rng, (uint64_t)i + 1);
        double t = many[i];
        many[i] = many[k];
        many[k] = t;
    }
    is_near(quantile(many, 101, 0.95), 95, 0, "of many");
    for (int i = 0; i < 101; i++)
        many[i] = 5;
    is_near(quantile(many, 101, 0.95), 5, 0, "of equal values");
    ok(isnan(quantile(many, 0, 0.5)), "of none: not a number");
}

static void check_overlap(enum convention convention, struct confusion c, double dsc, double iou,
                          const char *name)
{
    struct overlap o = overlap_of(&c, convention);
    bool pass = (isnan(dsc) ? isnan(o.dsc) : o.dsc == dsc) &&
                (isnan(iou) ? isnan(o.iou) : fabs(o.iou - iou) < 1e-9);
    if (!ok(pass, "%s", name))
        printf("# dsc %g iou %g, expected %g %g\n", o.dsc, o.iou, dsc, iou);
}

static void test_conventions(void)
{
    struct confusion nothing = {.tn = 100}, missed = {.fn = 10, .tn = 90},
                     invented = {.fp = 10, .tn = 90}, half = {1, 1, 1, 97};
    check_overlap(CONVENTION_STRICT, nothing, NAN, NAN, "strict: nothing is not a number");
    check_overlap(CONVENTION_MEDPY, nothing, 1, 1, "medpy: nothing is 1");
    check_overlap(CONVENTION_NNUNET, nothing, NAN, NAN, "nnunet: nothing is not a number");
    check_overlap(CONVENTION_RELEASED, nothing, 0, 1, "released: nothing is 0, with IoU 1");
    check_overlap(CONVENTION_RELEASED, missed, 0, 1e-6 / (10 + 1e-6), "released: missed");
    check_overlap(CONVENTION_RELEASED, invented, 1, 1e-6 / (10 + 1e-6), "released: invented is 1");
    check_overlap(CONVENTION_STRICT, invented, 0, 0, "strict: invented is 0");
    check_overlap(CONVENTION_STRICT, half, 0.5, 1.0 / 3, "half is half");
    struct overlap o = overlap_of(&missed, CONVENTION_STRICT);
    ok(isnan(o.precision) && o.sensitivity == 0 && o.specificity == 1,
       "precision of no prediction");
}

static void test_surface_distances(void)
{
    struct err err;
    struct surface s;
    uint8_t a[20 * 30] = {0}, b[20 * 30] = {0};
    ok(surface_of(&s, a, b, 20, 30, 1, 1, CONVENTION_STRICT, &err) == 0 && isnan(s.hd),
       "empty masks have no distance");
    ok(surface_of(&s, a, b, 20, 30, 1, 1, CONVENTION_RELEASED, &err) == 0 && s.hd == 0,
       "but 0 as released");
    a[5 * 30 + 5] = b[8 * 30 + 9] = 1;
    ok(surface_of(&s, a, b, 20, 30, 1, 1, CONVENTION_STRICT, &err) == 0, "two pixels");
    is_near(s.hd, 5, 0, "are 5 apart");
    is_near(s.assd, 5, 0, "also on average");
    ok(surface_of(&s, a, b, 20, 30, 0.5, 0.25, CONVENTION_STRICT, &err) == 0, "two pixels in um");
    is_near(s.hd, sqrt(1.5 * 1.5 + 1), 1e-15, "are closer");
}

static void test_calibration(void)
{
    static struct calibration c;
    static struct risk r;
    float p[] = {0.9f, 0.9f, 0.9f, 0.9f, 0.2f}, u[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f};
    uint8_t truth[] = {1, 1, 1, 0, 0}, wrong[] = {0, 0, 0, 1, 0};
    calibration_add(&c, p, truth, 5);
    is_near(calibration_ece(&c), (0.6 + 0.2) / 5, 1e-6, "expected calibration error");
    is_near(calibration_brier(&c), (3 * 0.01 + 0.81 + 0.04) / 5, 1e-6, "Brier's score");
    risk_add(&r, u, wrong, 5);
    is_near(risk_at(&r, 0.6), 0, 1e-12, "risk of the surest");
    is_near(risk_at(&r, 0.8), 0.25, 1e-12, "risk at 80 % coverage");
    is_near(risk_at(&r, 1), 0.2, 1e-12, "risk of all");
    is_near(risk_area(&r), (0.125 + 0.225) / 5, 1e-12, "area under the curve");
}

int main(void)
{
    tap_plan(36);
    test_distances();
    test_surface_of_masks();
    test_quantiles();
    test_conventions();
    test_surface_distances();
    test_calibration();
    return tap_done();
}
