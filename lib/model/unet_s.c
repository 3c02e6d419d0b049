/* unet-s, a small network of our own for a laptop: a residual U-Net that works
 * from half resolution down, so that a 224 x 224 tile costs 2.3 GFLOP.
 *
 * Each image is brought to mean 0 and variance 1 (norm=0 leaves that out), so that
 * the camera's range does not matter.  A strided 5 x 5 stem, residual blocks (He et al. 2016) at
 * 1/2, 1/4, 1/8, 1/16 and 1/32, a decoder that sums skip connections after 1 x 1 convolutions, and
 * a last 3 x 3 convolution that gives each half-resolution pixel the logits of the four pixels it
 * stands for (Shi et al. 2016). */
#include <stdlib.h>

#include "model/architecture.h"

#define MAX_LEVELS 6

struct block { /* relu(x + conv(relu(conv(x)))) */
    struct conv_bn one, two;
};

struct unet_s {
    int levels;
    struct conv_bn down[MAX_LEVELS]; /* the stem is the first */
    struct block encoder[MAX_LEVELS];
    struct block deepest;
    struct conv_bn narrow[MAX_LEVELS];
    struct block decoder[MAX_LEVELS];
    struct conv head;
    const struct layer_mode *mode;
    int classes;
    bool standardize;
};

static const struct nn_conv plain = {.stride_h = 1};
static const struct nn_conv strided = {.stride_h = 2, .stride_w = 2};

static void build_block(struct builder *builder, struct block *block, const char *name, int level,
                        int width)
{
    build_enter(builder, "%s%d", name, level);
    build_conv_bn(builder, &block->one, "conv1", "bn1", width, width, 3, plain, 0);
    build_conv_bn(builder, &block->two, "conv2", "bn2", width, width, 3, plain, 0);
    build_leave(builder);
}

static nn_tensor *run_block(const struct block *block, const nn_tensor *x)
{
    nn_tensor *y = run_conv_bn(&block->one, x, NN_RELU, NULL);
    return run_conv_bn(&block->two, y, NN_RELU, x);
}

static void build_layers(struct builder *builder, struct unet_s *net, int width, int channels)
{
    static const int factor[MAX_LEVELS] = {2, 4, 8, 12, 16, 16}; /* halves of the width */
    int widths[MAX_LEVELS];
    for (int i = 0; i < net->levels; i++) {
        widths[i] = factor[i] * width / 2;
        build_enter(builder, "down%d", i);
        build_conv_bn(builder, &net->down[i], "conv", "bn", i ? widths[i - 1] : channels, widths[i],
                      i ? 3 : 5, strided, 0);
        build_leave(builder);
        build_block(builder, &net->encoder[i], "encoder", i, widths[i]);
    }
    build_block(builder, &net->deepest, "deepest", 0, widths[net->levels - 1]);
    for (int i = net->levels - 2; i >= 0; i--) {
        build_enter(builder, "narrow%d", i);
        build_conv_bn(builder, &net->narrow[i], "conv", "bn", widths[i + 1], widths[i], 1, plain,
                      0);
        build_leave(builder);
        build_block(builder, &net->decoder[i], "decoder", i, widths[i]);
    }
    build_conv(builder, &net->head, "head", widths[0], 4 * net->classes, 3, plain, CONV_BIAS);
}

static void *build_unet_s(struct builder *builder, const struct architecture *self, int classes,
                          int channels)
{
    (void)self;
    struct unet_s *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    net->classes = classes;
    net->mode = build_mode(builder);
    net->standardize = option_int(builder, "norm", 0, 1, 1);
    net->levels = option_int(builder, "levels", 2, MAX_LEVELS, 5);
    int width = option_int(builder, "width", 8, 128, 24);
    build_layers(builder, net, width / 2 * 2, channels);
    return net;
}

/* Every image with mean 0 and variance about 1, whatever the camera's range. */
static nn_tensor *standardized(const nn_tensor *x)
{
    static const int64_t dims[] = {1, 2, 3};
    nn_tensor *centered = nn_sub(x, nn_mean_dims(x, 3, dims, true));
    nn_tensor *variance = nn_mean_dims(nn_square(centered), 3, dims, true);
    return nn_div(centered, nn_affine(nn_sqrt(nn_affine(variance, 1, 1e-9)), 1, 0.0005));
}

/* B x 4K x H x W, four pixels a channel group, to B x K x 2H x 2W. */
static nn_tensor *spread_pixels(const nn_tensor *x, int classes)
{
    int64_t b = nn_size(x, 0), h = nn_size(x, 2), w = nn_size(x, 3);
    nn_tensor *y = nn_reshape(x, 6, (int64_t[]){b, classes, 2, 2, h, w});
    y = nn_permute(y, 6, (int64_t[]){0, 1, 4, 2, 5, 3});
    return nn_reshape4(y, b, classes, 2 * h, 2 * w);
}

static void forward_unet_s(void *state, const nn_tensor *x, struct model_output *out)
{
    const struct unet_s *net = state;
    nn_tensor *skip[MAX_LEVELS], *y = NULL;
    if (net->standardize)
        x = standardized(x);
    for (int i = 0; i < net->levels; i++) {
        y = run_conv_bn(&net->down[i], i ? y : x, NN_RELU, NULL);
        if (i == 0 && !net->mode->planned) /* one channel has no such order yet */
            y = nn_channels_last(y);
        skip[i] = y = run_block(&net->encoder[i], y);
    }
    y = run_block(&net->deepest, y);
    for (int i = net->levels - 2; i >= 0; i--) {
        y = run_conv_bn(&net->narrow[i], y, NN_RELU, NULL);
        y = run_upsample(net->mode, y, nn_size(skip[i], 2), nn_size(skip[i], 3), false);
        y = run_block(&net->decoder[i], nn_add(y, skip[i]));
    }
    out->all[0] = spread_pixels(run_conv(&net->head, y, NN_NONE, NULL), net->classes);
    out->count = 1;
}

const struct architecture unet_s = {
    .name = "unet-s",
    .options = "width=8..128 (24), levels=2..6 (5), norm=0..1 (1)",
    .multiple = 2,
    .first = "down0.conv.weight",
    .last = "head.weight",
    .build = build_unet_s,
    .free = free,
    .forward = forward_unet_s,
};
