/* lib/objects, lib/scores: components, morphology of labels, matching of objects. */
#include <stdlib.h>
#include <time.h>

#include "core/rng.h"
#include "objects/components.h"
#include "objects/morphology.h"
#include "objects/regions.h"
#include "scores/matching.h"
#include "tests/tap.h"

static void draw(const char *picture, uint32_t *labels)
{
    for (size_t i = 0; picture[i]; i++)
        labels[i] = picture[i] == '.' ? 0 : (uint32_t)(picture[i] - '0');
}

static bool same(const uint32_t *labels, const char *picture)
{
    bool equal = true;
    for (size_t i = 0; picture[i]; i++)
        equal &= labels[i] == (picture[i] == '.' ? 0 : (uint32_t)(picture[i] - '0'));
    return equal;
}

static void test_components(void)
{
    struct err err;
    uint32_t labels[28], count = 0;
    draw("11..1.1"
         "1.11..1"
         "..1..1."
         "11111..",
         labels);
    ok(components_label(labels, 4, 7, 4, labels, &count, &err) == 0, "4-connected components");
    is_int(count, 5, "are five");
    ok(same(labels, "11..2.3"
                    "1.44..3"
                    "..4..5."
                    "44444.."),
       "in the order of their first pixels");
    draw("11..1.1"
         "1.11..1"
         "..1..1."
         "11111..",
         labels);
    ok(components_label(labels, 4, 7, 8, labels, &count, &err) == 0, "8-connected components");
    is_int(count, 1, "are one");
    draw("1122.22", labels);
    ok(components_label(labels, 1, 7, 8, labels, &count, &err) == 0 && same(labels, "1122.33"),
       "values that touch stay apart");
}

/* Flood fill, to compare with. */
static uint32_t count_by_flood(const uint8_t *mask, size_t h, size_t w, int connectivity)
{
    uint8_t *seen = calloc(h * w, 1);
    size_t *stack = malloc(h * w * sizeof *stack);
    uint32_t count = 0;
    for (size_t i = 0; i < h * w; i++) {
        if (!mask[i] || seen[i])
            continue;
        size_t depth = 0;
        stack[depth++] = i;
        seen[i] = 1;
        count++;
        while (depth > 0) {
            size_t at = stack[--depth];
            for (int d = 0; d < 9; d++) {
                int64_t y = (int64_t)(at / w) + d / 3 - 1, x = (int64_t)(at % w) + d % 3 - 1;
                if ((connectivity == 4 && d % 2 == 0) || y < 0 || x < 0 || y >= (int64_t)h ||
                    x >= (int64_t)w)
                    continue;
                size_t to = (size_t)y * w + (size_t)x;
                if (mask[to] && !seen[to]) {
                    seen[to] = 1;
                    stack[depth++] = to;
                }
            }
        }
    }
    free(seen);
    free(stack);
    return count;
}

static void test_components_at_random(void)
{
    struct err err;
    struct rng rng = rng_new(5, "components");
    static uint8_t mask[60 * 70];
    static uint32_t labels[60 * 70];
    int wrong = 0;
    for (int round = 0; round < 40; round++) {
        double share = rng_between(&rng, 0.2, 0.8);
        for (size_t i = 0; i < sizeof mask; i++)
            mask[i] = rng_uniform(&rng) < share;
        for (int connectivity = 4; connectivity <= 8; connectivity += 4) {
            uint32_t count = 0;
            for (size_t i = 0; i < sizeof mask; i++)
                labels[i] = mask[i];
            if (components_label(labels, 60, 70, connectivity, labels, &count, &err))
                wrong++;
            wrong += count != count_by_flood(mask, 60, 70, connectivity);
            wrong += labels_max(labels, sizeof mask) != count;
        }
    }
    is_int(wrong, 0, "random masks have as many components as a flood finds");
}

static void test_morphology(void)
{
    struct err err;
    uint32_t labels[36], count;
    draw("111111"
         "1.1..1"
         "111..1"
         "111112"
         ".33..2"
         ".33222",
         labels);
    ok(labels_fill_holes(labels, 6, 6, 1, &err) == 0 && labels[7] == 1 && labels[9] == 0,
       "small holes are filled");
    ok(labels_fill_holes(labels, 6, 6, 0, &err) == 0 && labels[9] == 1, "then all of them");
    ok(labels[27] == 0, "but not one between several objects");
    uint64_t median;
    ok(labels_median_area(labels, 6, 6, &median, &err) == 0 && median == 5,
       "the median of three areas");
    ok(labels_remove_small(labels, 6, 6, 5, &err) == 0 && labels[25] == 0 && labels[35] == 2,
       "small objects go");
    draw("9..9.."
         "......"
         "..77.."
         "..77.."
         "......"
         "5....5",
         labels);
    ok(labels_renumber(labels, 6, 6, &count, &err) == 0 && count == 3 && labels[14] == 2,
       "objects are numbered in order");
    ok(labels_clear_border(labels, 6, 6, &err) == 0 && labels[0] == 0 && labels[14] == 2 &&
           labels[35] == 0,
       "what touches the border goes");
    uint32_t bump[7 * 9] = {0};
    for (int i = 0; i < 27; i++)
        bump[i] = 1;
    bump[27 + 4] = 1;
    ok(labels_smooth(bump, 7, 9, 2, &err) == 0 && bump[27 + 4] == 0 && bump[18 + 4] == 1,
       "a bump is smoothed away, a straight edge stays");
}

/* All ways to pair a small number of nodes. */
static double best_by_search(const double *weight, int left, int right, int at, unsigned used)
{
    if (at == left)
        return 0;
    double best = best_by_search(weight, left, right, at + 1, used);
    for (int j = 0; j < right; j++)
        if (!(used >> j & 1) && weight[at * right + j] > 0) {
            double sum = weight[at * right + j] +
                         best_by_search(weight, left, right, at + 1, used | 1u << j);
            best = sum > best ? sum : best;
        }
    return best;
}

static void test_assignment(void)
{
    struct err err;
    struct rng rng = rng_new(6, "assignment");
    double worst = 0;
    for (int round = 0; round < 300; round++) {
        int left = 1 + (int)rng_below(&rng, 6), right = 1 + (int)rng_below(&rng, 6);
        double weight[36], sum = 0;
        struct edge edges[36];
        uint32_t partner[6];
        size_t count = 0;
        for (int i = 0; i < left * right; i++) {
            weight[i] = rng_uniform(&rng) < 0.6 ? rng_uniform(&rng) : 0;
            if (weight[i] > 0)
                edges[count++] =
                    (struct edge){(uint32_t)(i / right), (uint32_t)(i % right), weight[i]};
        }
        if (matching_solve(edges, count, (uint32_t)left, (uint32_t)right, partner, &err))
            sum = NAN;
        unsigned used = 0;
        for (int i = 0; i < left; i++) {
            if (partner[i] == UINT32_MAX)
                continue;
            sum += used >> partner[i] & 1 ? NAN : weight[i * right + (int)partner[i]];
            used |= 1u << partner[i];
        }
        double off = fabs(sum - best_by_search(weight, left, right, 0, 0));
        worst = off <= worst ? worst : off;
    }
    is_near(worst, 0, 1e-12, "assignments are the best there are");
}

static void test_matching(void)
{
    struct err err;
    struct overlaps o;
    struct matching m;
    uint32_t truth[12], prediction[12];
    double aji;
    draw("1111..222233", truth);
    draw("111....22455", prediction);
    ok(overlaps_of(&o, truth, prediction, 12, &err) == 0, "overlaps");
    is_int(o.truth_count, 3, "three true objects");
    is_int(o.prediction_count, 4, "four predicted");
    is_int(o.prediction_max, 5, "with labels up to 5");
    is_int((long long)o.pair_count, 4, "four pairs that meet");
    ok(matching_at(&m, &o, 0.5, CONVENTION_STRICT, &err) == 0, "matching at 0.5");
    ok(m.tp == 3 && m.fp == 1 && m.fn == 0, "three pairs, one invented");
    is_near(m.iou_sum, 0.75 + 0.5 + 1, 1e-15, "sum of IoU");
    is_near(matching_pq(&m, CONVENTION_STRICT), 2.25 / 3.5, 1e-15, "panoptic quality");
    ok(matching_at(&m, &o, 0.75, CONVENTION_CELLPOSE, &err) == 0 && m.tp == 2 && m.fp == 3,
       "Cellpose counts labels that are not there");
    ok(matching_aji(&aji, &o, CONVENTION_STRICT, &err) == 0, "AJI");
    is_near(aji, 7.0 / (4 + 4 + 2 + 1), 1e-15, "over unions and what is left");
    ok(matching_aji(&aji, &o, CONVENTION_CELLPOSE, &err) == 0, "AJI as Cellpose has it");
    is_near(aji, 7.0 / 10, 1e-15, "over all foreground");
    overlaps_free(&o);
    uint32_t none[2] = {0};
    ok(overlaps_of(&o, none, none, 2, &err) == 0 &&
           matching_at(&m, &o, 0.5, CONVENTION_STRICT, &err) == 0,
       "no objects");
    ok(isnan(matching_ap(&m, CONVENTION_STRICT)) && matching_ap(&m, CONVENTION_STARDIST) == 0,
       "AP is not a number, for StarDist 0");
    overlaps_free(&o);
}

/* A million cells side by side, predictions shifted by half a cell: all of them
 * one chain of overlaps. */
static void test_many_objects(void)
{
    struct err err;
    struct overlaps o;
    struct matching m;
    size_t count = 4000000;
    uint32_t *truth = malloc(count * sizeof *truth), *prediction = malloc(count * sizeof *truth);
    for (size_t i = 0; i < count; i++) {
        truth[i] = (uint32_t)(i / 4 + 1);
        prediction[i] = (uint32_t)((i + 2) / 4 + 1);
    }
    clock_t begin = clock();
    ok(overlaps_of(&o, truth, prediction, count, &err) == 0, "overlaps of a million objects");
    ok(matching_at(&m, &o, 0.1, CONVENTION_STRICT, &err) == 0 && m.tp == 1000000,
       "all of them matched");
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    if (!ok(seconds < 60, "in a time that is not quadratic"))
        printf("# %g s\n", seconds);
    overlaps_free(&o);
    free(truth);
    free(prediction);
}

int main(void)
{
    tap_plan(35);
    test_components();
    test_components_at_random();
    test_morphology();
    test_assignment();
    test_matching();
    test_many_objects();
    return tap_done();
}
