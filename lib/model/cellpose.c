/* Cellpose 2 and 3: C. Stringer, T. Wang, M. Michaelos, M. Pachitariu, "Cellpose: a
 * generalist algorithm for cellular segmentation", Nature Methods 18 (2021).
 *
 * A residual U-Net of pre-activated convolutions; the mean of the deepest features,
 * scaled to norm 1, is the image's style and steers every block of the decoder.
 * Outputs: vertical flow, horizontal flow (both times 5), logit of the cell
 * probability.  Names as in MouseLand/cellpose 3. */
#include <stdlib.h>

#include "model/architecture.h"

#define LEVELS   4
#define EPS      1e-5
#define MOMENTUM 0.05

/* Batch normalization comes before a convolution here.  Where nothing is added in
 * between it belongs as well to the convolution before it, and is kept with that. */
struct down {
    struct batch_norm norm0, norm2, proj_norm;
    struct conv_bn conv0, conv2; /* with the normalization of the next */
    struct conv conv1, conv3, proj;
};

struct styled {
    struct batch_norm norm;
    struct conv conv;
    struct linear full;
};

struct up {
    struct batch_norm norm0, proj_norm;
    struct conv conv0, proj;
    struct styled conv1, conv2, conv3;
};

struct cellpose {
    struct down down[LEVELS];
    struct up up[LEVELS];
    struct batch_norm output_norm;
    struct conv output;
    const struct layer_mode *mode;
    int channels;
};

static const struct nn_conv same = {0};

static void build_norm(struct builder *b, struct batch_norm *norm, const char *name, int channels)
{
    build_batch_norm(b, norm, name, channels, EPS, MOMENTUM);
}

static void build_pair(struct builder *b, struct conv_bn *pair, const char *conv, const char *norm,
                       int in, int out)
{
    build_conv_bn(b, pair, conv, norm, in, out, 3, same, CONV_BIAS);
    pair->norm.momentum = MOMENTUM;
}

static void build_down(struct builder *b, struct down *down, int n, int in, int out)
{
    build_enter(b, "downsample.down.res_down_%d", n);
    build_norm(b, &down->norm0, "conv.conv_0.0", in);
    build_pair(b, &down->conv0, "conv.conv_0.2", "conv.conv_1.0", in, out);
    build_conv(b, &down->conv1, "conv.conv_1.2", out, out, 3, same, CONV_BIAS);
    build_norm(b, &down->norm2, "conv.conv_2.0", out);
    build_pair(b, &down->conv2, "conv.conv_2.2", "conv.conv_3.0", out, out);
    build_conv(b, &down->conv3, "conv.conv_3.2", out, out, 3, same, CONV_BIAS);
    build_norm(b, &down->proj_norm, "proj.0", in);
    build_conv(b, &down->proj, "proj.1", in, out, 1, same, CONV_BIAS);
    build_leave(b);
}

static void build_styled(struct builder *b, struct styled *styled, int n, int width, int style)
{
    build_enter(b, "conv.conv_%d", n);
    build_norm(b, &styled->norm, "conv.0", width);
    build_conv(b, &styled->conv, "conv.2", width, width, 3, same, CONV_BIAS);
    build_linear(b, &styled->full, "full", style, width, true);
    build_leave(b);
}

static void build_up(struct builder *b, struct up *up, int n, int in, int out, int style)
{
    build_enter(b, "upsample.up.res_up_%d", n);
    build_norm(b, &up->norm0, "conv.conv_0.0", in);
    build_conv(b, &up->conv0, "conv.conv_0.2", in, out, 3, same, CONV_BIAS);
    build_styled(b, &up->conv1, 1, out, style);
    build_styled(b, &up->conv2, 2, out, style);
    build_styled(b, &up->conv3, 3, out, style);
    build_norm(b, &up->proj_norm, "proj.0", in);
    build_conv(b, &up->proj, "proj.1", in, out, 1, same, CONV_BIAS);
    build_leave(b);
}

static void *build(struct builder *b, const struct architecture *self, int classes, int channels)
{
    (void)self;
    struct cellpose *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    int width = option_int(b, "width", 1, 1024, 32);
    int style = width << (LEVELS - 1);
    net->mode = build_mode(b);
    net->channels = channels;
    build_buffer(b, "diam_mean", 1, (int64_t[]){1}, DTYPE_F32, 30);
    build_buffer(b, "diam_labels", 1, (int64_t[]){1}, DTYPE_F32, 30);
    for (int n = 0; n < LEVELS; n++)
        build_down(b, &net->down[n], n, n > 0 ? width << (n - 1) : channels, width << n);
    for (int n = 0; n < LEVELS; n++)
        build_up(b, &net->up[n], n, n + 1 < LEVELS ? width << (n + 1) : style, width << n, style);
    build_norm(b, &net->output_norm, "output.0", width);
    build_conv(b, &net->output, "output.2", width, classes, 1, same, CONV_BIAS);
    return net;
}

static nn_tensor *project(const struct batch_norm *norm, const struct conv *conv,
                          const nn_tensor *x)
{
    return run_conv(conv, run_batch_norm(norm, x, NN_NONE), NN_NONE, NULL);
}

static nn_tensor *run_down(const struct down *down, const nn_tensor *in)
{
    if (nn_scope_begin())
        return NULL;
    nn_tensor *y = run_batch_norm(&down->norm0, in, NN_RELU);
    y = run_conv_bn(&down->conv0, y, NN_RELU, NULL);
    nn_tensor *x = run_conv(&down->conv1, y, NN_NONE, project(&down->proj_norm, &down->proj, in));
    y = run_batch_norm(&down->norm2, x, NN_RELU);
    y = run_conv_bn(&down->conv2, y, NN_RELU, NULL);
    return nn_scope_end_keep(run_conv(&down->conv3, y, NN_NONE, x));
}

static nn_tensor *run_styled(const struct styled *styled, const nn_tensor *style,
                             const nn_tensor *x, const nn_tensor *residual)
{
    nn_tensor *shift = run_linear(&styled->full, style, NN_NONE, NULL);
    shift = nn_reshape4(shift, nn_size(shift, 0), nn_size(shift, 1), 1, 1);
    nn_tensor *y = run_batch_norm(&styled->norm, nn_add(x, shift), NN_RELU);
    return run_conv(&styled->conv, y, NN_NONE, residual);
}

static nn_tensor *run_up(const struct up *up, const nn_tensor *style, const nn_tensor *in,
                         const nn_tensor *skip)
{
    if (nn_scope_begin())
        return NULL;
    nn_tensor *y = run_batch_norm(&up->norm0, in, NN_RELU);
    y = run_conv(&up->conv0, y, NN_NONE, skip);
    nn_tensor *x = run_styled(&up->conv1, style, y, project(&up->proj_norm, &up->proj, in));
    y = run_styled(&up->conv2, style, x, NULL);
    return nn_scope_end_keep(run_styled(&up->conv3, style, y, x));
}

/* B x C: the mean over the image, its 2-norm over the channels made 1 */
static nn_tensor *image_style(const nn_tensor *x)
{
    nn_tensor *mean = nn_mean_dims(x, 2, (int64_t[]){2, 3}, false);
    nn_tensor *norm = nn_sqrt(nn_sum_dims(nn_square(mean), 1, (int64_t[]){1}, true));
    return nn_div(mean, norm);
}

static void forward(void *state, const nn_tensor *x, struct model_output *out)
{
    const struct cellpose *net = state;
    nn_tensor *features[LEVELS];
    for (int n = 0; n < LEVELS; n++) {
        const nn_tensor *in = n > 0 ? run_max_pool(net->mode, features[n - 1], 2, 2, 0) : x;
        features[n] = run_down(&net->down[n], in);
    }
    nn_tensor *style = image_style(features[LEVELS - 1]);
    out->style = style;
    nn_tensor *y = features[LEVELS - 1];
    for (int n = LEVELS - 1; n >= 0; n--) {
        if (n < LEVELS - 1)
            y = nn_upsample_nearest(y, nn_size(features[n], 2), nn_size(features[n], 3));
        y = run_up(&net->up[n], style, y, features[n]);
    }
    y = run_batch_norm(&net->output_norm, y, NN_RELU);
    out->all[out->count++] = run_conv(&net->output, y, NN_NONE, NULL);
}

/* The size model, which is read apart (predict/size_model.h). */
static const char *const constants[] = {CELLPOSE_SIZE_PREFIX "*", NULL};
static const char *const optional[] = {"diam_mean", "diam_labels", NULL};

const struct architecture cellpose = {
    .name = "cellpose",
    .options = "width=N (32)",
    .multiple = 1 << (LEVELS - 1),
    .no_softmax = true,
    .outputs = 3,
    .zero_channels = true,
    .optional = optional,
    .constants = constants,
    .first = "downsample.down.res_down_0.conv.conv_0.2.weight",
    .last = "output.2.weight",
    .build = build,
    .free = free,
    .forward = forward,
};
