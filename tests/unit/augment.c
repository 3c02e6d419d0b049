#include "pixels/augment.h"

#include <stdlib.h>

#include "tests/tap.h"

static struct err err;

static struct array ramp(enum dtype dtype, size_t h, size_t w, size_t c)
{
    struct array a;
    if (array_new(&a, dtype, c ? 3 : 2, (size_t[]){h, w, c}, &err))
        exit(1);
    for (size_t i = 0; i < array_count(&a); i++)
        if (dtype == DTYPE_U8)
            ((uint8_t *)a.data)[i] = (uint8_t)(i * 37 % 251);
        else if (dtype == DTYPE_U16)
            ((uint16_t *)a.data)[i] = (uint16_t)(i * 997 % 65521);
        else
            ((float *)a.data)[i] = (float)(i % 97) / 97;
    return a;
}

static bool same(const struct array *a, const struct array *b)
{
    return a->dtype == b->dtype && array_bytes(a) == array_bytes(b) &&
           memcmp(a->data, b->data, array_bytes(a)) == 0;
}

static struct augment_policy policy(const char *text)
{
    struct augment_policy p;
    if (augment_policy_parse(&p, text, &err))
        printf("# %s\n", err.message);
    return p;
}

static struct array image_of(const struct augment_draw *d, const struct array *in)
{
    struct array out = {0};
    if (augment_image(d, in, &out, &err))
        printf("# %s\n", err.message);
    return out;
}

static void check_policies(void)
{
    struct augment_policy p;
    ok(augment_policy_parse(&p, "paper", &err) == 0 && p.angle == 20 && p.turns == 0.5, "paper");
    ok(augment_policy_parse(&p, "strong,zoom=3,border=zero", &err) == 0 && p.zoom == 3 &&
           p.border == AUGMENT_ZERO,
       "changes after a comma");
    static const char *const wrong[] = {"",
                                        "papers",
                                        "paper,",
                                        "paper,zoom",
                                        "paper,zoom=0.5",
                                        "strong,zoom=nan",
                                        "none,angle=400",
                                        "none,what=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ok(augment_policy_parse(&p, wrong[i], &err) == -1 && err.status == STATUS_USAGE,
           "refused: '%s': %s", wrong[i], err.message);
}

/* Every turn and flip moves whole pixels: the mask and each image type agree. */
static void check_turns(enum dtype dtype)
{
    struct augment_policy p = policy("none,turns=1");
    struct array image = ramp(dtype, 7, 5, 1);
    struct array mask = image;
    mask.ndim = 2;
    mask.dtype = dtype == DTYPE_F32 ? DTYPE_U32 : dtype;
    bool seen[4] = {false}, equal = true, shaped = true;
    for (uint64_t seed = 0; seed < 32; seed++) {
        struct rng rng = rng_new(seed, "turn");
        struct augment_draw d;
        augment_draw(&d, &p, &rng, 7, 5, 0, 0);
        struct array out = image_of(&d, &image), labels;
        shaped &= out.shape[0] == (d.turns % 2 ? 5 : 7) && out.shape[1] == (d.turns % 2 ? 7 : 5);
        equal &= augment_mask(&d, &mask, false, &labels, &err) == 0 &&
                 memcmp(labels.data, out.data, array_bytes(&out)) == 0;
        seen[d.turns] = true;
        array_free(&out);
        array_free(&labels);
    }
    ok(equal, "turns of %s move pixels whole, image and mask alike", dtype_name(dtype));
    ok(shaped && seen[0] && seen[1] && seen[2] && seen[3], "all turns come, shapes follow");
    array_free(&image);
}

static void check_known_turn(void)
{
    uint8_t pixels[] = {1, 2, 3, 4, 5, 6};
    struct array image = array_view(DTYPE_U8, 3, (size_t[]){2, 3, 1}, pixels);
    struct augment_policy p = policy("none,turns=1");
    for (uint64_t seed = 0;; seed++) {
        struct rng rng = rng_new(seed, NULL);
        struct augment_draw d;
        augment_draw(&d, &p, &rng, 2, 3, 0, 0);
        if (d.turns != 1)
            continue;
        struct array out = image_of(&d, &image);
        static const uint8_t turned_and_flipped[] = {6, 3, 5, 2, 4, 1};
        static const uint8_t transposed[] = {1, 4, 2, 5, 3, 6};
        ok(memcmp(out.data, turned_and_flipped, 6) == 0 || memcmp(out.data, transposed, 6) == 0,
           "a quarter turn with a flip is a transposition");
        array_free(&out);
        return;
    }
}

static void check_frequencies(void)
{
    struct augment_policy p = policy("paper");
    int turned = 0, rotated = 0, n = 4000;
    double largest = 0;
    struct rng rng = rng_new(1, "frequencies");
    for (int i = 0; i < n; i++) {
        struct augment_draw d;
        augment_draw(&d, &p, &rng, 64, 64, 0, 0);
        turned += d.flip;
        rotated += d.angle != 0;
        largest = fmax(largest, fabs(d.angle));
    }
    is_near((double)turned / n, 0.5, 0.03, "paper: half are turned and flipped");
    is_near((double)rotated / n, 0.25, 0.03, "paper: a quarter is rotated");
    ok(largest <= 20 && largest > 19, "paper: by at most 20 degrees");
}

static void check_windows(void)
{
    struct augment_policy p = policy("paper,angle=0");
    struct array image = ramp(DTYPE_U16, 40, 30, 1);
    bool inside = true;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct rng rng = rng_new(seed, "window");
        struct augment_draw d;
        augment_draw(&d, &p, &rng, 40, 30, 16, 24);
        struct array out = image_of(&d, &image);
        const uint16_t *v = out.data;
        for (size_t i = 0; i < array_count(&out); i++) { /* every pixel is one of the input */
            bool found = false;
            for (size_t j = 0; j < array_count(&image); j++)
                found |= v[i] == ((uint16_t *)image.data)[j] && (v[i] != 0 || j == 0);
            inside &= found;
        }
        array_free(&out);
    }
    ok(inside, "a window smaller than the image stays inside");
    array_free(&image);
}

static void check_strong(void)
{
    struct augment_policy p = policy("strong");
    struct array image = ramp(DTYPE_U8, 33, 47, 3);
    struct array mask = ramp(DTYPE_U8, 33, 47, 0);
    bool equal = true, safe = true;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct array out[2], labels;
        for (int i = 0; i < 2; i++) {
            struct rng rng = rng_new(seed, "strong");
            struct augment_draw d;
            augment_draw(&d, &p, &rng, 33, 47, 64, 64);
            out[i] = image_of(&d, &image);
            if (i)
                safe &= augment_mask(&d, &mask, true, &labels, &err) == 0;
        }
        equal &= same(&out[0], &out[1]);
        safe &= labels.dtype == DTYPE_U32;
        for (int i = 0; i < 2; i++)
            array_free(&out[i]);
        array_free(&labels);
    }
    ok(equal, "the same seed and key give the same bytes");
    ok(safe, "instance masks become uint32");
    array_free(&image);
    array_free(&mask);
}

/* A cell in one corner, seen again in the mirrored border, is another cell. */
static void check_instances(void)
{
    uint16_t labels[16 * 16] = {[5 * 16 + 5] = 3, [5 * 16 + 6] = 3};
    struct array mask = array_view(DTYPE_U16, 2, (size_t[]){16, 16}, labels);
    struct augment_policy p = policy("none,border=reflect");
    struct rng rng = rng_new(1, NULL);
    struct augment_draw d;
    augment_draw(&d, &p, &rng, 16, 16, 48, 48);
    struct array out;
    ok(augment_mask(&d, &mask, true, &out, &err) == 0, "mirrored instances");
    int cells[65536] = {0}, distinct = 0, wrong = 0;
    for (size_t i = 0; i < 48 * 48; i++)
        cells[((uint32_t *)out.data)[i] % 65536]++;
    for (int l = 1; l < 65536; l++) {
        distinct += cells[l] > 0;
        wrong += cells[l] > 2;
    }
    ok(distinct > 1 && wrong == 0 && cells[3] == 2, "copies have labels of their own");
    array_free(&out);
}

static void check_refusals(void)
{
    struct augment_policy p = policy("paper");
    struct rng rng = rng_new(1, NULL);
    struct augment_draw d;
    augment_draw(&d, &p, &rng, 8, 8, 0, 0);
    struct array wrong = ramp(DTYPE_U8, 8, 9, 1), out;
    ok(augment_image(&d, &wrong, &out, &err) == -1, "an image of another size is refused");
    array_free(&wrong);
    wrong = ramp(DTYPE_F32, 8, 8, 0);
    ok(augment_mask(&d, &wrong, false, &out, &err) == -1, "a mask of floats is refused");
    array_free(&wrong);
}

int main(void)
{
    tap_plan(27);
    check_policies();
    check_turns(DTYPE_U8);
    check_turns(DTYPE_U16);
    check_turns(DTYPE_F32);
    check_known_turn();
    check_frequencies();
    check_windows();
    check_strong();
    check_instances();
    check_refusals();
    return tap_done();
}
