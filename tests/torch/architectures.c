/* What the architectures beside TransUNet promise: options, input sizes, channels,
 * outputs, what files may lack or carry. */
#include <stdlib.h>

#include "model/model.h"
#include "predict/cellpose_eval.h"
#include "tests/tap.h"

static struct err err;

static struct model *make(const char *architecture, int classes, int channels)
{
    struct model *model;
    if (model_new(&model, architecture, classes, channels, &err) ||
        model_initialize(model, 1, &err)) {
        ok(false, "%s: %s", architecture, err.message);
        return NULL;
    }
    return model;
}

static nn_tensor *noise(int64_t batch, int64_t channels, int64_t height, int64_t width)
{
    int64_t shape[] = {batch, channels, height, width};
    return nn_seed(5) ? NULL : nn_rand(4, shape, NN_CPU);
}

static double largest_difference(const nn_tensor *x, const nn_tensor *y)
{
    double value = NAN;
    nn_tensor *difference = nn_reshape(nn_abs(nn_sub(x, y)), 1, (int64_t[]){-1});
    return nn_item(nn_max_dim(difference, 0, false), &value) ? NAN : value;
}

static void test_refused(const char *architecture, const char *reason)
{
    struct model *model;
    bool refused = model_new(&model, architecture, 2, 1, &err) && err.status == STATUS_USAGE;
    if (!ok(refused && strstr(err.message, reason), "%s is refused", architecture))
        printf("# %s\n", refused ? err.message : "it was made");
}

static void test_options(void)
{
    test_refused("unetpp:levels=5", "levels");
    test_refused("unetpp:prune=2", "prune");
    test_refused("unetpp:ds=1,levels=3,prune=4", "prune");
    test_refused("unetpp:depth=3", "no option 'depth'");
    test_refused("swinunet:width=100,heads=3", "3 heads don't divide");
    test_refused("scaleformer:size=200", "multiple of 32");
    test_refused("scaleformer:width=6,heads=5", "5 heads don't divide");
    test_refused("cellpose:width=0", "width");
}

/* One map a class of the input's size, finite. */
static void test_size(struct model *model, int64_t height, int64_t width)
{
    struct model_output out;
    double sum = NAN;
    bool gradients = nn_set_gradients(false);
    bool failed = nn_scope_begin() || model_forward(model, noise(1, 1, height, width), &out, &err);
    bool fits = !failed && nn_size(out.logits, 1) == model_classes(model) &&
                nn_size(out.logits, 2) == height && nn_size(out.logits, 3) == width &&
                !nn_item(nn_sum(out.logits), &sum);
    if (!ok(fits && isfinite(sum), "%s: %d x %d pixels", model_architecture(model), (int)width,
            (int)height))
        printf("# %s\n", failed ? err.message : "wrong shape");
    nn_scope_end();
    nn_set_gradients(gradients);
}

static void test_sizes(const char *architecture)
{
    struct model *model = make(architecture, 2, 1);
    if (!model)
        return;
    test_size(model, 32, 32);
    test_size(model, 96, 64);
    test_size(model, 224, 224);
    test_size(model, 160, 288);
    model_free(model);
}

static void test_bad_size(void)
{
    struct model *model = make("swinunet:width=8,heads=1", 2, 1);
    struct model_output out;
    if (!model || nn_scope_begin())
        return;
    int failed = model_forward(model, noise(1, 1, 40, 64), &out, &err);
    ok(failed && strstr(err.message, "multiples of 32"), "swinunet refuses 64 x 40: %s",
       err.message);
    nn_scope_end();
    model_free(model);
}

static int copy_parameters(struct model *to, const struct model *from)
{
    struct weights weights = {0};
    int failed = model_export(from, &weights, &err) || model_load(to, &weights, &err);
    weights_free(&weights);
    return failed;
}

/* Pruned to column k, the answer is the whole network's output k. */
static void test_pruning(void)
{
    struct model *whole = make("unetpp:width=4,ds=1", 2, 1);
    struct model_output all, pruned;
    bool gradients = nn_set_gradients(false);
    if (nn_scope_begin() || model_forward(whole, noise(1, 1, 32, 32), &all, &err))
        return;
    is_int(all.count, 4, "deep supervision has four outputs");
    for (int k = 1; k <= 4; k++) {
        char name[40];
        snprintf(name, sizeof name, "unetpp:width=4,ds=1,prune=%d", k);
        struct model *model = make(name, 2, 1);
        if (model && !copy_parameters(model, whole) &&
            !model_forward(model, noise(1, 1, 32, 32), &pruned, &err))
            ok(pruned.count == k && largest_difference(pruned.logits, all.all[k - 1]) == 0,
               "prune=%d answers with output %d", k, k);
        model_free(model);
    }
    nn_scope_end();
    nn_set_gradients(gradients);
    model_free(whole);
}

static void test_cellpose_gray(void)
{
    struct model *model = make("cellpose:width=4", 3, 2);
    struct model_output gray, both;
    if (!model || nn_scope_begin())
        return;
    nn_tensor *x = noise(2, 1, 24, 40), *padded = nn_cat2(x, nn_zeros_like(x), 1);
    ok(!model_forward(model, x, &gray, &err) && !model_forward(model, padded, &both, &err) &&
           largest_difference(gray.logits, both.logits) == 0,
       "cellpose: a gray image's second channel is zero");
    ok(!model_has_softmax(model), "cellpose: outputs are no classes");
    nn_scope_end();
    model_free(model);
}

static void set_parameter(struct model *model, const char *name, double value)
{
    size_t count;
    struct model_parameter *p = model_parameters(model, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(p[i].name, name) == 0 && nn_fill_(p[i].tensor, value))
            ok(false, "%s: %s", name, nn_error());
}

/* An image of one tile is the network's own answer to it with a border of zeros. */
static void test_cellpose_eval(void)
{
    struct model *model = make("cellpose:width=2", 3, 2);
    struct model_output out;
    double mean = 0, labels = 0;
    bool gradients = nn_set_gradients(false);
    if (!model || nn_scope_begin())
        return;
    ok(!cellpose_diameters(model, &mean, &labels, &err) && mean == 30 && labels == 30,
       "cellpose: diameters");
    nn_tensor *x = noise(1, 1, 50, 61);
    nn_tensor *y = cellpose_eval(model, x, 1, &err);
    ok(!model_forward(model, nn_pad2d(x, 9, 10, 15, 15, 0), &out, &err), "one tile");
    nn_tensor *expected = nn_pad2d(out.logits, -9, -10, -15, -15, 0);
    ok(largest_difference(y, expected) < 1e-5, "cellpose: evaluation of one tile");
    x = noise(1, 2, 260, 500);
    y = cellpose_eval(model, x, 0.5, &err);
    double sum = NAN;
    ok(nn_size(y, 2) == 260 && nn_size(y, 3) == 500 && !nn_item(nn_sum(y), &sum) && isfinite(sum),
       "cellpose: evaluation of two tiles at half the size");
    set_parameter(model, "output.2.weight", 0);
    set_parameter(model, "output.2.bias", 7);
    y = cellpose_eval(model, x, 1.3, &err);
    ok(largest_difference(y, nn_full(1, (int64_t[]){1}, 7, DTYPE_F32, NN_CPU)) < 1e-4,
       "cellpose: weights of overlapping tiles add up to one");
    nn_scope_end();
    nn_set_gradients(gradients);
    model_free(model);
}

static struct weights without(const struct weights *weights, const char *name)
{
    struct weights some = {0};
    for (size_t i = 0; i < weights->count; i++)
        if (strcmp(weights->items[i].name, name) != 0 &&
            weights_add(&some, weights->items[i].name, &weights->items[i].array, &err))
            ok(false, "copy: %s", err.message);
    return some;
}

static void test_cellpose_files(void)
{
    struct model *model = make("cellpose:width=4", 3, 2), *opened = NULL;
    struct weights weights = {0};
    ok(model && !model_export(model, &weights, &err), "cellpose: export");
    struct weights old = without(&weights, "diam_labels");
    ok(!model_open(&opened, &old, "cellpose:width=4", &err),
       "cellpose: a file may lack diam_labels");
    struct weights again = {0};
    ok(opened && !model_export(opened, &again, &err) &&
           *(const float *)weights_find(&again, "diam_labels")->data == 30,
       "cellpose: which is 30 pixels then");
    weights_free(&again);
    model_free(opened);
    weights_free(&old);
    old = without(&weights, "output.2.bias");
    opened = NULL;
    ok(model_open(&opened, &old, "cellpose:width=4", &err) && strstr(err.message, "output.2.bias"),
       "cellpose: but no weights: %s", err.message);
    weights_free(&old);
    weights_free(&weights);
    model_free(model);
}

static void test_swin_constants(void)
{
    struct model *model = make("swinunet:width=8,heads=1", 2, 1), *opened = NULL;
    struct weights weights = {0};
    float values[4] = {0};
    struct array constant = array_view(DTYPE_F32, 2, (size_t[]){2, 2}, values);
    ok(model && !model_export(model, &weights, &err) &&
           !weights_add(&weights, "swin_unet.layers.0.blocks.1.attn_mask", &constant, &err) &&
           !weights_add(&weights, "swin_unet.layers.0.blocks.1.attn.relative_position_index",
                        &constant, &err),
       "swinunet: export with constants");
    ok(!model_open(&opened, &weights, NULL, &err), "swinunet: constants in a file are accepted");
    model_free(opened);
    ok(!weights_add(&weights, "swin_unet.extra", &constant, &err), "something else");
    opened = NULL;
    ok(model_open(&opened, &weights, NULL, &err) && strstr(err.message, "swin_unet.extra"),
       "swinunet: nothing else is: %s", err.message);
    weights_free(&weights);
    model_free(model);
}

/* Classes come from a file without flows, and are the same then. */
static void test_flows(const char *plain, const char *with)
{
    struct model *one = make(plain, 2, 1), *two = make(with, 2, 1);
    struct weights weights = {0};
    struct model_output a, b;
    bool gradients = nn_set_gradients(false);
    if (!one || !two || nn_scope_begin())
        return;
    ok(!model_has_flows(one) && model_has_flows(two) && model_classes(two) == 2, "%s: two classes",
       with);
    ok(!model_export(one, &weights, &err) && model_load(two, &weights, &err) &&
           err.status == STATUS_DATA,
       "%s: a file without flows is not its own", with);
    nn_tensor *x = noise(2, 1, 64, 64);
    if (ok(!model_load_initial(two, &weights, &err) && !model_forward(one, x, &a, &err) &&
               !model_forward(two, x, &b, &err),
           "%s: but may be its start", with)) {
        ok(largest_difference(a.logits, b.logits) < 1e-4, "%s: the same classes", with);
        ok(!a.flows && nn_size(b.flows, 1) == 2 && nn_size(b.flows, 2) == 64 &&
               nn_size(b.logits, 1) == 2 && nn_size(b.answer, 1) == 4,
           "%s: and two maps of flow", with);
    }
    weights_free(&weights);
    ok(!model_export(two, &weights, &err) && !model_load_initial(one, &weights, &err) &&
           !model_forward(one, x, &a, &err) && !a.flows &&
           largest_difference(a.logits, b.logits) < 1e-4,
       "%s: and its classes that of one without", with);
    struct model *three = make(with, 3, 1);
    ok(three && model_load_initial(three, &weights, &err) == 1 &&
           !model_forward(three, x, &a, &err) && nn_size(a.logits, 1) == 3,
       "%s: three classes start from all but the last layer", with);
    model_free(three);
    nn_scope_end();
    nn_set_gradients(gradients);
    weights_free(&weights);
    model_free(one);
    model_free(two);
}

static void test_traits(void)
{
    struct model_traits cellpose, other;
    ok(!model_find_traits("cellpose:width=4", &cellpose, &err) && cellpose.shown_gray &&
           !model_find_traits("unet-s", &other, &err) && !other.shown_gray,
       "cellpose is shown gray");
    ok(model_find_traits("cellpose2", &other, &err) == -1 && err.status == STATUS_USAGE,
       "no architecture: %s", err.message);
}

int main(void)
{
    tap_plan(63);
    test_traits();
    test_options();
    test_sizes("unetpp:width=4,levels=3");
    test_sizes("cellpose:width=4");
    test_sizes("swinunet:width=8,heads=1");
    test_sizes("scaleformer:width=4,heads=2");
    test_bad_size();
    test_pruning();
    test_flows("unet-s:width=8,levels=3", "unet-s:width=8,levels=3,flows=1");
    test_flows("unetpp:width=4,levels=2", "unetpp:width=4,levels=2,flows=1");
    test_refused("unet-s:flows=3", "flows");
    test_refused("cellpose:flows=1", "no option 'flows'");
    test_cellpose_gray();
    test_cellpose_eval();
    test_cellpose_files();
    test_swin_constants();
    return tap_done();
}
