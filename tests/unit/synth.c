#include "pixels/synth.h"

#include <stdlib.h>

#include "pixels/gaussian.h"
#include "tests/tap.h"

static struct err err;

static void check_look(enum synth_look look)
{
    struct synth_options o = {.look = look, .width = 300, .height = 200, .contrast = 1, .noise = 1};
    struct array image[2], labels[2];
    for (int i = 0; i < 2; i++) {
        struct rng rng = rng_new(5, "image");
        ok(synth_draw(&o, &rng, &image[i], &labels[i], &err) == 0, "look %d is drawn", look);
    }
    ok(memcmp(image[0].data, image[1].data, array_bytes(&image[0])) == 0 &&
           memcmp(labels[0].data, labels[1].data, array_bytes(&labels[0])) == 0,
       "the same seed gives the same bytes");
    const uint32_t *l = labels[0].data;
    const uint8_t *v = image[0].data;
    double inside = 0, spread = 0, mean = 0;
    for (size_t i = 0; i < 300 * 200; i++) {
        inside += l[i] != 0;
        mean += v[i] / 60000.0;
    }
    for (size_t i = 0; i < 300 * 200; i++)
        spread += (v[i] - mean) * (v[i] - mean) / 60000.0;
    ok(inside > 600 && inside < 54000, "some cells (%g pixels) and some ground", inside);
    ok(sqrt(spread) > 1 && mean > 1 && mean < 254, "neither blank nor saturated");
    for (int i = 0; i < 2; i++) {
        array_free(&image[i]);
        array_free(&labels[i]);
    }
}

static void check_coverage(void)
{
    struct synth_options o = {.look = SYNTH_FLUORESCENCE,
                              .width = 400,
                              .height = 400,
                              .coverage = 0.2,
                              .radius = 10,
                              .contrast = 1,
                              .noise = 1};
    struct rng rng = rng_new(1, "coverage");
    struct array image, labels;
    ok(synth_draw(&o, &rng, &image, &labels, &err) == 0, "coverage");
    double inside = 0;
    for (size_t i = 0; i < 160000; i++)
        inside += ((uint32_t *)labels.data)[i] != 0;
    is_near(inside / 160000, 0.2, 0.03, "as much is covered as was asked for");
    array_free(&image);
    array_free(&labels);
}

/* The cells of a whole sheet touch. */
static void check_monolayer(void)
{
    enum { SIDE = 300 };
    struct synth_options o = {.look = SYNTH_MONOLAYER,
                              .width = SIDE,
                              .height = SIDE,
                              .coverage = 0.95,
                              .radius = 15,
                              .contrast = 1,
                              .noise = 1};
    struct rng rng = rng_new(2, "sheet");
    struct array image, labels;
    ok(synth_draw(&o, &rng, &image, &labels, &err) == 0, "a sheet");
    const uint32_t *l = labels.data;
    size_t inside = 0, borders = 0, between = 0;
    for (size_t i = 0; i + 1 < SIDE * SIDE; i++) {
        inside += l[i] != 0;
        borders += l[i] != l[i + 1];
        between += l[i] != l[i + 1] && l[i] && l[i + 1];
    }
    ok(inside > SIDE * SIDE * 0.85, "covers the image (%zu pixels)", inside);
    ok(between > borders * 7 / 10, "its cells touch (%zu of %zu border pixels)", between, borders);
    array_free(&image);
    array_free(&labels);
}

/* ---- the looks beyond those of a mixture ---- */

enum { NEW_SIDE = 280, MOST = 20000 };

static struct synth_options new_options(int look)
{
    return (struct synth_options){
        .look = (enum synth_look)look, .width = NEW_SIDE, .height = NEW_SIDE, .contrast = 1};
}

static void draw_new(const struct synth_options *o, uint64_t seed, struct array *image,
                     struct array *labels)
{
    struct rng rng = rng_new(seed, "new");
    if (synth_draw(o, &rng, image, labels, &err)) {
        ok(false, "%s", err.message);
        exit(tap_done());
    }
}

static size_t count_cells(const uint32_t *l, size_t *area)
{
    size_t most = 0;
    memset(area, 0, MOST * sizeof *area);
    for (size_t i = 0; i < NEW_SIDE * NEW_SIDE; i++)
        if (l[i] < MOST) {
            area[l[i]]++;
            most = l[i] > most ? l[i] : most;
        }
    return most;
}

/* Pixels that are reached from the first of each label within it. */
static size_t first_pieces(const uint32_t *l, uint32_t *stack, bool *seen, bool *begun)
{
    size_t reached = 0;
    memset(seen, 0, NEW_SIDE * NEW_SIDE);
    memset(begun, 0, MOST);
    for (uint32_t start = 0; start < NEW_SIDE * NEW_SIDE; start++) {
        if (!l[start] || begun[l[start]])
            continue;
        size_t n = 0;
        begun[l[start]] = seen[start] = true;
        stack[n++] = start;
        while (n) {
            uint32_t at = stack[--n];
            reached++;
            int y = (int)(at / NEW_SIDE), x = (int)(at % NEW_SIDE);
            for (int k = 0; k < 9; k++) {
                int v = y + k / 3 - 1, u = x + k % 3 - 1;
                if (u < 0 || v < 0 || u >= NEW_SIDE || v >= NEW_SIDE)
                    continue;
                uint32_t to = (uint32_t)(v * NEW_SIDE + u);
                if (!seen[to] && l[to] == l[start]) {
                    seen[to] = true;
                    stack[n++] = to;
                }
            }
        }
    }
    return reached;
}

/* Numbers have no gaps, and cells are in one piece but for slivers behind others. */
static void check_numbers(int look)
{
    size_t *area = malloc(MOST * sizeof *area);
    uint32_t *stack = malloc(NEW_SIDE * NEW_SIDE * sizeof *stack);
    bool *seen = malloc(NEW_SIDE * NEW_SIDE), *begun = malloc(MOST);
    size_t gaps = 0, inside = 0, whole = 0, cells = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct synth_options o = new_options(look);
        struct array image, labels;
        draw_new(&o, seed, &image, &labels);
        size_t most = count_cells(labels.data, area);
        for (size_t i = 1; i <= most; i++) {
            gaps += area[i] == 0;
            inside += area[i];
        }
        cells += most;
        whole += first_pieces(labels.data, stack, seen, begun);
        array_free(&image);
        array_free(&labels);
    }
    ok(cells > 40 && gaps == 0, "look %d: %zu cells, no number without pixels (%zu)", look, cells,
       gaps);
    ok((double)whole > 0.98 * (double)inside, "in one piece (%zu of %zu pixels)", whole, inside);
    free(area);
    free(stack);
    free(seen);
    free(begun);
}

/* Contrast changes the cells' pixels, by much more than the ground's: the masks are where the
 * cells were drawn. */
static void check_masks(int look)
{
    double sum[2] = {0}, n[2] = {0};
    bool same = true;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct array image[2], labels[2];
        for (int i = 0; i < 2; i++) {
            struct synth_options o = new_options(look);
            o.contrast = i;
            draw_new(&o, seed, &image[i], &labels[i]);
        }
        const uint8_t *without = image[0].data, *with = image[1].data;
        const uint32_t *l = labels[0].data;
        same = same && memcmp(l, labels[1].data, array_bytes(&labels[0])) == 0;
        for (size_t i = 0; i < NEW_SIDE * NEW_SIDE; i++) {
            sum[l[i] != 0] += abs(with[i] - without[i]);
            n[l[i] != 0]++;
        }
        for (int i = 0; i < 2; i++) {
            array_free(&image[i]);
            array_free(&labels[i]);
        }
    }
    double cells = sum[1] / n[1], ground = sum[0] / n[0];
    ok(same, "look %d: contrast does not change the masks", look);
    ok(cells > 12, "look %d: cells are seen (by %.1f of 255)", look, cells);
    ok(ground < cells / 3, "where the mask has them (the ground by %.1f)", ground);
}

/* The part that is covered, and the mean area of cells. */
static double covered_by(int look, double radius, double coverage, double *mean)
{
    double cells = 0, inside = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct synth_options o = new_options(look);
        o.radius = radius;
        o.coverage = coverage;
        struct array image, labels;
        draw_new(&o, seed, &image, &labels);
        uint32_t most = 0;
        for (size_t i = 0; i < NEW_SIDE * NEW_SIDE; i++) {
            uint32_t l = ((uint32_t *)labels.data)[i];
            inside += l != 0;
            most = l > most ? l : most;
        }
        cells += most;
        array_free(&image);
        array_free(&labels);
    }
    *mean = inside / cells;
    return inside / 6 / (NEW_SIDE * NEW_SIDE);
}

static void check_sizes(int look)
{
    double small, large, radius = look == SYNTH_BACTERIA ? 3 : 9;
    double few = covered_by(look, radius, 0.15, &small);
    double many = covered_by(look, radius, 0.3, &large);
    /* a sheet counts points, some of whose cells are smaller than the space between them */
    double margin = look == SYNTH_CYTOPLASM ? 0.08 : 0.02;
    is_near(few, 0.15, margin, "15% are covered when asked for");
    is_near(many, 0.3, 1.5 * margin, "30% are covered when asked for");
    covered_by(look, 2 * radius, 0.3, &large);
    ok(large > 2.6 * small && large < 5 * small, "twice the radius: %g and %g pixels a cell", small,
       large);
}

/* How far the cells of an image stand out, gray levels: beside the same without contrast. */
static double seen(enum synth_look look, uint64_t seed)
{
    struct synth_options o = {.look = look, .width = 160, .height = 160, .contrast = 1};
    struct array image[2], labels[2];
    double sum = 0, count = 0;
    for (int i = 0; i < 2; i++, o.contrast = 0) {
        struct rng rng = rng_new(seed, "seen");
        if (synth_draw(&o, &rng, &image[i], &labels[i], &err))
            return -1;
    }
    const uint8_t *with = image[0].data, *without = image[1].data;
    const uint32_t *label = labels[0].data;
    for (size_t i = 0; i < array_count(&labels[0]); i++)
        if (label[i]) {
            sum += abs(with[i] - without[i]);
            count++;
        }
    for (int i = 0; i < 2; i++) {
        array_free(&image[i]);
        array_free(&labels[i]);
    }
    return count > 0 ? sum / count : 255;
}

static void check_seen(enum synth_look look)
{
    double least = 255;
    for (uint64_t seed = 1; seed <= 16; seed++)
        least = fmin(least, seen(look, seed));
    ok(least > 0.5, "look %d: cells can be seen in all of 16 images: by %.2f gray levels", look,
       least);
}

static void check_tiny(void)
{
    for (int i = 0; i < SYNTH_LOOKS; i++) {
        struct synth_options o = {
            .look = (enum synth_look)i, .width = 1, .height = 3, .contrast = 1};
        struct rng rng = rng_new(1, "tiny");
        struct array image, labels;
        ok(synth_draw(&o, &rng, &image, &labels, &err) == 0, "one pixel wide");
        array_free(&image);
        array_free(&labels);
    }
    struct synth_options none = {.width = 0, .height = 3};
    struct rng rng = rng_new(1, NULL);
    struct array image, labels;
    ok(synth_draw(&none, &rng, &image, &labels, &err) == -1, "no pixels at all is an error");
}

static void check_blur(void)
{
    enum { H = 61, W = 47 };
    float data[H * W * 2] = {0};
    data[(30 * W + 23) * 2] = 1;
    ok(gaussian_blur(data, H, W, 2, 2, &err) == 0, "blur");
    double sum = 0, other = 0, second = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            sum += data[(y * W + x) * 2];
            other += fabsf(data[(y * W + x) * 2 + 1]);
            second += data[(y * W + x) * 2] * (x - 23) * (x - 23);
        }
    is_near(sum, 1, 1e-5, "blurring keeps the sum");
    is_near(second, 4, 0.15, "and has the variance asked for");
    is_near(other, 0, 0, "channels do not mix");
}

int main(void)
{
    tap_plan(127);
    for (int look = 0; look < SYNTH_LOOKS; look++)
        check_look((enum synth_look)look);
    for (int look = 0; look < SYNTH_LOOKS; look++)
        check_seen((enum synth_look)look);
    check_coverage();
    check_monolayer();
    /* SYNTH_DIC has the cells of SYNTH_BRIGHTFIELD, which may cut each other in two */
    for (int look = SYNTH_BACTERIA; look <= SYNTH_SMEAR; look++) {
        check_numbers(look);
        check_masks(look);
        check_sizes(look);
    }
    check_tiny();
    check_blur();
    return tap_done();
}
