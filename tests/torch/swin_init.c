/* Swin-Unet's published start, on a made-up file with the layout of a Swin-T's. */
#include <stdlib.h>

#include "model/model.h"
#include "tests/tap.h"

#define ARCH "swinunet:width=16,heads=1,window=4"

static struct err err;

/* An array filled with a number that its name gives. */
static float value_of(const char *name)
{
    unsigned sum = 17;
    for (; *name; name++)
        sum = sum * 31 + (unsigned char)*name;
    return (float)(sum % 1000) / 1000 + 1;
}

static void add(struct weights *w, const char *name, int ndim, const size_t *shape)
{
    struct array array;
    if (array_new(&array, DTYPE_F32, ndim, shape, &err))
        exit(1);
    for (size_t i = 0; i < array_count(&array); i++)
        ((float *)array.data)[i] = value_of(name);
    if (weights_add(w, name, &array, &err))
        exit(1);
    array_free(&array);
}

static void add_like(struct weights *w, const char *name, const nn_tensor *tensor)
{
    size_t shape[ARRAY_MAX_DIMS];
    for (int i = 0; i < nn_ndim(tensor); i++)
        shape[i] = (size_t)nn_size(tensor, i);
    add(w, name, nn_ndim(tensor), shape);
}

/* The encoder, six blocks in the third stage, a classifier, constants; no "norm.bias",
 * and a first embedding of another shape. */
static struct weights swin_of(struct model *model)
{
    static const char last[] = "layers.2.blocks.1";
    struct weights w = {.format = "pth"};
    size_t count;
    const struct model_parameter *p = model_parameters(model, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = p[i].name + strlen("swin_unet.");
        if (strncmp(name, "layers.", 7) != 0 && strncmp(name, "patch_embed.proj.", 17) != 0 &&
            strcmp(name, "norm.weight") != 0)
            continue;
        add_like(&w, name, p[i].tensor);
        if (strncmp(name, last, strlen(last)) == 0) {
            char extra[256];
            snprintf(extra, sizeof extra, "layers.2.blocks.5%.200s", name + strlen(last));
            add_like(&w, extra, p[i].tensor);
        }
    }
    add(&w, "patch_embed.norm.weight", 1, (size_t[]){99});
    add(&w, "head.weight", 2, (size_t[]){1000, 128});
    add(&w, "layers.0.blocks.0.attn.relative_position_index", 2, (size_t[]){16, 16});
    return w;
}

/* The value that all elements have, or NaN. */
static double uniform_value(struct model *model, const char *name)
{
    size_t count;
    const struct model_parameter *p = model_parameters(model, &count);
    double value = NAN, spread = NAN;
    for (size_t i = 0; i < count; i++)
        if (strcmp(p[i].name, name) == 0 && nn_scope_begin() == 0) {
            nn_tensor *mean = nn_mean(p[i].tensor);
            if (nn_item(mean, &value) ||
                nn_item(nn_sum(nn_abs(nn_sub(p[i].tensor, mean))), &spread) || spread > 1e-2)
                value = NAN;
            nn_scope_end();
        }
    return value;
}

static void is_from(struct model *model, const char *ours, const char *theirs)
{
    char name[200];
    snprintf(name, sizeof name, "swin_unet.%s", ours);
    double value = uniform_value(model, name);
    if (!theirs)
        ok(isnan(value) || value == 0 || value == 1, "%s keeps its start", ours);
    else if (!ok(fabs(value - (double)value_of(theirs)) < 1e-4, "%s is %s", ours, theirs))
        printf("# %g, not %g\n", value, (double)value_of(theirs));
}

int main(void)
{
    tap_plan(17);
    struct model *model;
    if (model_new(&model, ARCH, 2, 3, &err) || model_initialize(model, 1, &err))
        return 1;
    struct weights swin = swin_of(model), none = {.format = "pth"};
    if (!ok(!model_load_initial(model, &swin, &err), "a Swin transformer is loaded"))
        printf("# %s\n", err.message);
    is_from(model, "patch_embed.proj.weight", "patch_embed.proj.weight");
    is_from(model, "layers.0.blocks.0.attn.qkv.weight", "layers.0.blocks.0.attn.qkv.weight");
    is_from(model, "layers.2.blocks.1.mlp.fc1.weight", "layers.2.blocks.1.mlp.fc1.weight");
    is_from(model, "layers.1.downsample.reduction.weight", "layers.1.downsample.reduction.weight");
    is_from(model, "norm.weight", "norm.weight");
    is_from(model, "layers_up.3.blocks.0.attn.qkv.weight", "layers.0.blocks.0.attn.qkv.weight");
    is_from(model, "layers_up.2.blocks.1.norm2.bias", "layers.1.blocks.1.norm2.bias");
    is_from(model, "layers_up.1.blocks.0.attn.relative_position_bias_table",
            "layers.2.blocks.0.attn.relative_position_bias_table");
    is_from(model, "layers_up.0.expand.weight", NULL);
    is_from(model, "layers_up.1.upsample.expand.weight", NULL);
    is_from(model, "patch_embed.norm.weight", NULL);
    is_from(model, "norm.bias", NULL);
    is_from(model, "concat_back_dim.1.weight", NULL);
    is_from(model, "output.weight", NULL);

    add(&none, "patch_embed.proj.weight", 4, (size_t[]){8, 3, 2, 2});
    ok(model_load_initial(model, &none, &err) && err.status == STATUS_DATA,
       "one that fits nowhere is refused: %s", err.message);
    struct weights own = {.format = "safetensors"};
    ok(!model_export(model, &own, &err) && !model_load_initial(model, &own, &err),
       "weights of its own are loaded whole");
    weights_free(&own);
    weights_free(&swin);
    weights_free(&none);
    model_free(model);
    return tap_done();
}
