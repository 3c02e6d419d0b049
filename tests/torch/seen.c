/* What a network sees of an image: the same floats in training as in prediction. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pixels/planes.h"
#include "predict/inference.h"
#include "tests/tap.h"
#include "train/loader.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE, LOGITS = 2 * PIXELS };

static struct err err;

static const struct kind {
    const char *name;
    enum dtype dtype;
    size_t channels;
} kinds[] = {{"gray", DTYPE_U8, 1},
             {"gray and alpha", DTYPE_U8, 2},
             {"RGB", DTYPE_U8, 3},
             {"RGBA", DTYPE_U8, 4},
             {"gray of 16 bits", DTYPE_U16, 1},
             {"RGB of 16 bits", DTYPE_U16, 3},
             {"gray floats", DTYPE_F32, 1},
             {"RGB floats", DTYPE_F32, 3}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct array make_image(const struct kind *kind)
{
    struct array image;
    struct rng rng = rng_new(7, kind->name);
    if (array_new(&image, kind->dtype, 3, (size_t[]){SIDE, SIDE, kind->channels}, &err))
        exit(1);
    for (size_t i = 0; i < array_count(&image); i++)
        if (kind->dtype == DTYPE_U8)
            ((uint8_t *)image.data)[i] = (uint8_t)rng_below(&rng, 256);
        else if (kind->dtype == DTYPE_U16)
            ((uint16_t *)image.data)[i] = (uint16_t)rng_below(&rng, 65536);
        else
            ((float *)image.data)[i] = (float)rng_between(&rng, -1, 2);
    return image;
}

/* The image as training has it: through a store and a loader that changes nothing. */
static void load(const struct kind *kind, bool ranges, int channels, float *planes)
{
    struct store *store;
    struct loader *loader;
    struct loader_batch batch;
    struct sample sample;
    struct array image = make_image(kind), mask;
    struct loader_options options = {.batch = 1,
                                     .height = SIDE,
                                     .width = SIDE,
                                     .ranks = 1,
                                     .repeat = 1,
                                     .channels = channels,
                                     .classes = 2,
                                     .threads = 1};
    if (augment_policy_parse(&options.policy, "none", &err) || store_new(&store, &err) ||
        sample_init(&sample, "a", &err) ||
        array_new(&mask, DTYPE_U8, 2, (size_t[]){SIDE, SIDE}, &err) ||
        sample_put_array(&sample, "image", &image, &err) ||
        sample_put_array(&sample, "mask", &mask, &err))
        exit(1);
    if (ranges)
        store_see_ranges(store);
    if (store_add(store, &sample, &err) || loader_new(&loader, store, &options, &err) ||
        loader_enter(loader, 0, 0, 1, &err) || loader_take(loader, &batch, &err))
        exit(1);
    memcpy(planes, batch.images, (size_t)channels * PIXELS * sizeof *planes);
    loader_done(loader);
    loader_free(loader);
    store_free(store);
    sample_free(&sample);
}

static void answer(struct model *model, int channels, const float *planes, float *logits)
{
    struct model_output out;
    if (nn_scope_begin())
        exit(1);
    nn_tensor *x = nn_from_host(planes, DTYPE_F32, 4, (int64_t[]){1, channels, SIDE, SIDE});
    if (!x || model_forward(model, x, &out, &err) ||
        nn_to_host(out.logits, logits, DTYPE_F32, LOGITS * sizeof *logits))
        exit(1);
    nn_scope_end();
}

static void predict(struct model *model, const struct kind *kind, bool ranges, float *logits)
{
    struct array image = make_image(kind);
    struct tile_meta none = {0};
    struct inference_options options = {.logits = true};
    struct inference_input input = {.image = &image};
    struct inference_result result;
    sample_scale(&none, kind->dtype, ranges, &input.offset, &input.gain);
    if (inference_run(model, NN_CPU, &options, &input, 1, &result, &err))
        exit(1);
    memcpy(logits, result.logits.data, LOGITS * sizeof *logits);
    array_free(&result.logits);
    array_free(&image);
}

/* Of gray, prediction shows a network one plane, and training as many, each the same. */
static bool same(struct model *model, const struct kind *kind, bool ranges, int channels)
{
    static float planes[3 * PIXELS], trained[LOGITS], predicted[LOGITS], moved[LOGITS];
    int shown = planes_seen(kind->channels, channels);
    load(kind, ranges, channels, planes);
    for (int c = shown; c < channels; c++)
        if (memcmp(planes, planes + c * PIXELS, PIXELS * sizeof *planes) != 0)
            return false;
    answer(model, shown, planes, trained);
    predict(model, kind, ranges, predicted);
    planes[PIXELS / 2] += 1e-3f; /* that would be seen */
    answer(model, shown, planes, moved);
    return memcmp(trained, predicted, sizeof trained) == 0 &&
           memcmp(trained, moved, sizeof trained) != 0;
}

static void check_network(int channels)
{
    struct model *model;
    if (model_new(&model, "unet-s", 2, channels, &err) || model_initialize(model, 1, &err) ||
        model_prepare(model, NN_CPU, DTYPE_F32, &err))
        exit(1);
    for (size_t i = 0; i < KINDS; i++) {
        ok(same(model, &kinds[i], false, channels), "%s, network of %d: by the type", kinds[i].name,
           channels);
        ok(same(model, &kinds[i], true, channels), "%s, network of %d: by its range", kinds[i].name,
           channels);
    }
    model_free(model);
}

/* What a network of `wanted` channels is given of an image of one to six. */
static void check_seen(int wanted, const char *expected)
{
    char seen[8] = "";
    for (size_t have = 1; have <= 6; have++)
        seen[have - 1] = (char)('0' + planes_seen(have, wanted));
    is_str(seen, expected, "planes that are seen of one to six channels");
}

int main(void)
{
    tap_plan(2 * 2 * KINDS + 6);
    check_network(1);
    check_network(3);
    check_seen(1, "111100");
    check_seen(2, "121100");
    check_seen(3, "113300");
    check_seen(5, "110050");
    struct array five = array_view(DTYPE_U8, 3, (size_t[]){1, 1, 5}, (char[]){"abcde"});
    struct array none = array_view(DTYPE_U8, 3, (size_t[]){0, 1, 1}, (char[]){""});
    ok(planes_check(&five, 1, &err) == -1 && err.status == STATUS_DATA, "five are no gray: %s",
       err.message);
    ok(planes_check(&none, 1, &err) == -1 && err.status == STATUS_DATA, "%s", err.message);
    return tap_done();
}
