/* ScaleFormer: H. Huang, S. Xie, L. Lin, Y. Iwamoto, X. Han, Y.-W. Chen, R. Tong,
 * "ScaleFormer: Revisiting the Transformer-based Backbones from a Scale-wise
 * Perspective for Medical Image Segmentation", IJCAI 2022.
 *
 * A residual U-encoder; beside its last four scales a transformer that attends
 * along rows and columns; then attention between the scales over patches of the
 * same place.  Names and computation as in ZJUGiveLab/ScaleFormer, which differs from
 * the paper in two places: row-and-column attention gives its tokens x channels
 * back as channels x rows x columns without transposing them, and the attention
 * between scales is not divided by the root of the head's width. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/architecture.h"

#define SCALES   4 /* of the transformer; the convolutions have one more above */
#define RESIDUAL 5
#define EPS      1e-6
#define BLOCKS   2 /* at most, of a scale */
#define DROPOUT  0.1

struct residual {
    struct conv_bn first, second, third;
};

struct axis {
    struct conv query_depthwise, key_depthwise;
    struct linear query, key;
    nn_tensor *bias; /* 1 x heads x size x size */
};

struct block {
    struct layer_norm norm1, norm2, ln1, ln2, ln3;
    struct axis rows, columns;
    struct conv value_depthwise, depthwise;
    struct linear value, out, fc1, fc2;
    int heads;
};

struct decoder {
    struct conv_bn first, second;
};

struct scaleformer {
    struct residual residual[RESIDUAL];
    struct block blocks[SCALES][BLOCKS];
    struct conv_bn down[SCALES - 1];
    struct conv squeeze[SCALES - 1]; /* of own and lower features; the last is squeeze_final */
    struct linear to_common[SCALES], from_common[SCALES];
    struct layer_norm inter_norm1, inter_norm2;
    struct linear inter_qkv, inter_proj, inter_fc1, inter_fc2;
    struct conv fuse[SCALES];
    struct decoder decoder[SCALES], final;
    struct conv head;
    const struct layer_mode *mode;
    int inter_heads;
};

static const struct nn_conv same = {0};
static const int depth[SCALES] = {2, 2, 2, 1};

/* Times the width: channels of the transformer's scales. */
static const int factor[SCALES] = {4, 8, 16, 16};

/* ---- building ---- */

static void build_residual(struct builder *b, struct residual *residual, int n, int in, int out)
{
    build_enter(b, "Encoder1.res%d", n);
    build_conv_bn(b, &residual->first, "conv.0.conv", "conv.0.bn", in, out, 3, same, 0);
    build_conv_bn(b, &residual->second, "conv.1.conv", "conv.1.bn", out, out, 3, same, 0);
    build_conv_bn(b, &residual->third, "conv1", "bn", out, out, 1, same, CONV_BIAS);
    build_leave(b);
}

static void build_depthwise(struct builder *b, struct conv *conv, const char *name, int channels)
{
    const struct nn_conv how = {.groups = channels};
    build_conv(b, conv, name, channels, channels, 3, how, CONV_BIAS);
}

static void build_axis_bias(struct builder *b, struct axis *axis, const char *name, int heads,
                            int size)
{
    axis->bias = build_parameter(b, name, 4, (int64_t[]){1, heads, size, size}, INIT_ZERO, 0);
}

static void build_dual_axis(struct builder *b, struct block *block, int channels, int size)
{
    build_enter(b, "lmhsa");
    build_axis_bias(b, &block->rows, "Bh", block->heads, size);
    build_axis_bias(b, &block->columns, "Bw", block->heads, size);
    build_depthwise(b, &block->rows.query_depthwise, "dwconv_qh.depthwise", channels);
    build_depthwise(b, &block->rows.key_depthwise, "dwconv_kh.depthwise", channels);
    build_linear(b, &block->rows.query, "fc_qh", channels, channels, true);
    build_linear(b, &block->rows.key, "fc_kh", channels, channels, true);
    build_depthwise(b, &block->value_depthwise, "dwconv_v.depthwise", channels);
    build_linear(b, &block->value, "fc_v", channels, channels, true);
    build_depthwise(b, &block->columns.query_depthwise, "dwconv_qw.depthwise", channels);
    build_depthwise(b, &block->columns.key_depthwise, "dwconv_kw.depthwise", channels);
    build_linear(b, &block->columns.query, "fc_qw", channels, channels, true);
    build_linear(b, &block->columns.key, "fc_kw", channels, channels, true);
    build_linear(b, &block->out, "fc_o", channels, channels, true);
    build_leave(b);
}

static void build_block(struct builder *b, struct block *block, int scale, int n, int channels,
                        int size)
{
    build_enter(b, "Encoder2.stage%d.%d", scale + 1, n);
    build_layer_norm(b, &block->norm1, "SlayerNorm", channels, EPS);
    build_layer_norm(b, &block->norm2, "ElayerNorm", channels, EPS);
    build_dual_axis(b, block, channels, size);
    build_linear(b, &block->fc1, "irffn.fc1", channels, 4 * channels, true);
    build_depthwise(b, &block->depthwise, "irffn.dwconv.0.depthwise", 4 * channels);
    build_layer_norm(b, &block->ln1, "irffn.ln1", 4 * channels, EPS);
    build_layer_norm(b, &block->ln2, "irffn.ln2", 4 * channels, EPS);
    build_layer_norm(b, &block->ln3, "irffn.ln3", 4 * channels, EPS);
    build_linear(b, &block->fc2, "irffn.fc2", 4 * channels, channels, true);
    build_leave(b);
}

static void build_transformer(struct builder *b, struct scaleformer *net, int width, int heads,
                              int size)
{
    const struct nn_conv halving = {.stride_h = 2, .stride_w = 2};
    for (int i = 0; i < SCALES; i++)
        for (int n = 0; n < depth[i]; n++) {
            net->blocks[i][n].heads = heads;
            build_block(b, &net->blocks[i][n], i, n, factor[i] * width, size >> (i + 2));
        }
    for (int i = 0; i < SCALES - 1; i++) {
        int in = factor[i] * width;
        build_enter(b, "Encoder2.downlayers.%d", i);
        build_conv_bn(b, &net->down[i], "conv", "bn", in, 2 * in, 2, halving, CONV_NO_PAD);
        build_leave(b);
    }
    for (int i = 0; i < SCALES - 1; i++) {
        char name[40] = "Encoder2.squeeze_final";
        int own = factor[i + 1] * width, lower = 2 * factor[i] * width;
        if (i < SCALES - 2)
            snprintf(name, sizeof name, "Encoder2.squeelayers.%d", i);
        build_conv(b, &net->squeeze[i], name, own + lower, own, 1, same, CONV_BIAS);
    }
}

static void build_between(struct builder *b, struct scaleformer *net, int width)
{
    int common = 4 * width;
    build_enter(b, "inter_trans");
    for (int i = 0; i < 2 * SCALES; i++) {
        char name[32];
        int own = factor[i % SCALES] * width;
        snprintf(name, sizeof name, "fc_%smodule.%d", i < SCALES ? "" : "rever_", i % SCALES);
        if (i < SCALES)
            build_linear(b, &net->to_common[i], name, own, common, true);
        else
            build_linear(b, &net->from_common[i - SCALES], name, common, own, true);
    }
    build_enter(b, "group_attention.0");
    build_layer_norm(b, &net->inter_norm1, "SlayerNorm_1", common, EPS);
    build_layer_norm(b, &net->inter_norm2, "SlayerNorm_2", common, EPS);
    build_linear(b, &net->inter_qkv, "Attention.qkv_linear", common, 3 * common, true);
    build_linear(b, &net->inter_proj, "Attention.proj", common, common, true);
    build_linear(b, &net->inter_fc1, "FFN.fc1", common, 4 * common, true);
    build_linear(b, &net->inter_fc2, "FFN.fc2", 4 * common, common, true);
    build_leave(b);
    build_leave(b);
}

static void build_decoder(struct builder *b, struct decoder *decoder, const char *name, int in,
                          int out)
{
    build_enter(b, "%s", name);
    build_conv_bn(b, &decoder->first, "conv1.0", "conv1.1", in, out, 3, same, 0);
    build_conv_bn(b, &decoder->second, "conv2.0", "conv2.1", out, out, 3, same, 0);
    build_leave(b);
}

static void build_encoders(struct builder *b, struct scaleformer *net, int width, int heads,
                           int size, int channels)
{
    build_enter(b, "p_encoder");
    for (int i = 0; i < RESIDUAL; i++)
        build_residual(b, &net->residual[i], i + 1, i ? width << (i - 1) : channels, width << i);
    build_transformer(b, net, width, heads, size);
    build_between(b, net, width);
    for (int i = 0; i < SCALES; i++) {
        char name[24];
        snprintf(name, sizeof name, "squeelayers.%d", i);
        build_conv(b, &net->fuse[i], name, 2 * factor[i] * width, factor[i] * width, 1, same,
                   CONV_BIAS);
    }
    build_leave(b);
}

static void *build(struct builder *b, const struct architecture *self, int classes, int channels)
{
    (void)self;
    struct scaleformer *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    int width = option_int(b, "width", 1, 512, 64);
    int heads = option_int(b, "heads", 1, 64, 8);
    int size = option_int(b, "size", 32, 4096, 224);
    if (4 * width % heads)
        build_fail(b, "%d heads don't divide a width of %d", heads, 4 * width);
    if (size % 32)
        build_fail(b, "size=%d is no multiple of 32", size);
    net->mode = build_mode(b);
    net->inter_heads = heads;
    build_encoders(b, net, width, heads, size, channels);
    for (int i = 0; i < SCALES; i++) {
        char name[16];
        int out = width << (SCALES - 1 - i);
        snprintf(name, sizeof name, "decoder%d", i + 1);
        build_decoder(b, &net->decoder[i], name, 4 * out, out);
    }
    build_conv(b, &net->head, "segmentation_head.0", width, classes, 3, same, CONV_BIAS);
    build_decoder(b, &net->final, "decoder_final", width, width);
    return net;
}

/* ---- running ---- */

/* B x C x H x W and B x H W x C */
static nn_tensor *to_tokens(const nn_tensor *map)
{
    return nn_transpose(nn_reshape3(map, nn_size(map, 0), nn_size(map, 1), -1), 1, 2);
}

static nn_tensor *to_map(const nn_tensor *tokens, int64_t height, int64_t width)
{
    return nn_reshape4(nn_transpose(tokens, 1, 2), nn_size(tokens, 0), nn_size(tokens, 2), height,
                       width);
}

static nn_tensor *run_residual(const struct residual *residual, const nn_tensor *x)
{
    if (nn_scope_begin())
        return NULL;
    nn_tensor *y = run_conv_bn(&residual->first, x, NN_RELU, NULL);
    y = run_conv_bn(&residual->second, y, NN_NONE, NULL);
    return nn_scope_end_keep(run_conv_bn(&residual->third, y, NN_RELU, y));
}

/* B x heads x N x D from B x C x H x W, averaged over the dimension `over` */
static nn_tensor *axis_heads(const struct conv *depthwise, const struct linear *linear,
                             const nn_tensor *x, int over, int heads)
{
    nn_tensor *y = nn_mean_dims(run_conv(depthwise, x, NN_NONE, NULL), 1, (int64_t[]){over}, false);
    y = run_linear(linear, nn_transpose(y, 1, 2), NN_NONE, NULL);
    return nn_transpose(nn_reshape4(y, nn_size(y, 0), nn_size(y, 1), heads, -1), 1, 2);
}

/* B x heads x N x N: how much each row (column) takes from each */
static nn_tensor *axis_weights(const struct axis *axis, const nn_tensor *x, int over, int heads)
{
    nn_tensor *query = axis_heads(&axis->query_depthwise, &axis->query, x, over, heads);
    nn_tensor *key = axis_heads(&axis->key_depthwise, &axis->key, x, over, heads);
    nn_tensor *scores = nn_matmul(query, nn_transpose(key, 2, 3));
    int64_t n = nn_size(query, 2);
    nn_tensor *bias = axis->bias;
    if (nn_size(bias, 2) != n)
        bias = nn_upsample_bilinear(bias, n, n, false);
    scores = nn_affine(scores, 1 / sqrt((double)nn_size(query, 3)), 0);
    return nn_softmax(nn_add(scores, nn_to_dtype(bias, nn_dtype(scores))), -1);
}

/* rows' weights x value x columns' weights, in B x heads x H x W x D */
static nn_tensor *run_dual_axis(const struct block *block, const nn_tensor *x)
{
    int64_t b = nn_size(x, 0), c = nn_size(x, 1), h = nn_size(x, 2), w = nn_size(x, 3);
    int64_t heads = block->heads, d = c / heads;
    nn_tensor *rows = axis_weights(&block->rows, x, 3, block->heads);
    nn_tensor *columns = axis_weights(&block->columns, x, 2, block->heads);
    nn_tensor *v = to_tokens(run_conv(&block->value_depthwise, x, NN_NONE, NULL));
    v = run_linear(&block->value, v, NN_NONE, NULL);
    v = nn_permute(nn_reshape(v, 5, (int64_t[]){b, h, w, heads, d}), 5, (int64_t[]){0, 3, 1, 2, 4});
    nn_tensor *y = nn_matmul(rows, nn_reshape4(v, b, heads, h, w * d));
    y = nn_permute(nn_reshape(y, 5, (int64_t[]){b, heads, h, w, d}), 5, (int64_t[]){0, 1, 2, 4, 3});
    y = nn_matmul(nn_reshape4(y, b, heads, h * d, w), columns);
    y = nn_permute(nn_reshape(y, 5, (int64_t[]){b, heads, h, d, w}), 5, (int64_t[]){0, 2, 4, 1, 3});
    y = run_linear(&block->out, nn_reshape3(y, b, h * w, c), NN_NONE, NULL);
    return nn_reshape4(nn_contiguous(y), b, c, h, w); /* as published: not transposed */
}

static nn_tensor *run_block(const struct block *block, const nn_tensor *in)
{
    int64_t h = nn_size(in, 2), w = nn_size(in, 3);
    if (nn_scope_begin())
        return NULL;
    nn_tensor *y = to_map(run_layer_norm(&block->norm1, to_tokens(in)), h, w);
    nn_tensor *x = nn_add(in, run_dual_axis(block, y));
    nn_tensor *wide = run_layer_norm(&block->norm2, to_tokens(x));
    wide = run_linear(&block->fc1, wide, NN_NONE, NULL);
    y = to_tokens(run_conv(&block->depthwise, to_map(wide, h, w), NN_NONE, NULL));
    y = run_layer_norm(&block->ln1, nn_add(y, wide));
    y = run_layer_norm(&block->ln2, nn_add(y, wide));
    y = run_layer_norm(&block->ln3, nn_add(y, wide));
    y = run_linear(&block->fc2, nn_gelu(y), NN_NONE, NULL);
    return nn_scope_end_keep(nn_add(x, to_map(y, h, w)));
}

/* Features of the convolutions at the four scales to those of the transformer. */
static void run_transformer(const struct scaleformer *net, nn_tensor *const *features,
                            nn_tensor **mixed)
{
    for (int i = 0; i < SCALES; i++) {
        nn_tensor *x = features[i];
        if (i > 0) {
            nn_tensor *lower = run_conv_bn(&net->down[i - 1], mixed[i - 1], NN_RELU, NULL);
            x = run_conv(&net->squeeze[i - 1], nn_cat2(x, lower, 1), NN_NONE, NULL);
        }
        for (int n = 0; n < depth[i]; n++)
            x = run_block(&net->blocks[i][n], x);
        mixed[i] = x;
    }
}

/* B x (H W / side^2) x side^2 x C: the patches that share a place, and back */
static nn_tensor *to_patches(const nn_tensor *x, int64_t side)
{
    int64_t h = nn_size(x, 1) / side, w = nn_size(x, 2) / side, c = nn_size(x, 3);
    nn_tensor *y = nn_reshape(x, 6, (int64_t[]){-1, h, side, w, side, c});
    return nn_reshape4(nn_permute(y, 6, (int64_t[]){0, 1, 3, 2, 4, 5}), -1, h * w, side * side, c);
}

static nn_tensor *from_patches(const nn_tensor *x, int64_t side, int64_t h, int64_t w)
{
    int64_t c = nn_size(x, 3);
    nn_tensor *y = nn_reshape(x, 6, (int64_t[]){-1, h / side, w / side, side, side, c});
    return nn_reshape4(nn_permute(y, 6, (int64_t[]){0, 1, 3, 2, 4, 5}), -1, h, w, c);
}

/* x: patches x tokens x C */
static nn_tensor *attend_between(const struct scaleformer *net, const nn_tensor *in)
{
    if (nn_scope_begin())
        return NULL;
    bool training = net->mode->training;
    nn_tensor *qkv = run_layer_norm(&net->inter_norm1, in);
    qkv = run_linear(&net->inter_qkv, qkv, NN_NONE, NULL);
    nn_tensor *y = run_attention(net->mode, qkv, net->inter_heads, 1, NULL, 0);
    nn_tensor *x = run_linear(&net->inter_proj, y, NN_NONE, in);
    y = run_linear(&net->inter_fc1, run_layer_norm(&net->inter_norm2, x), NN_GELU, NULL);
    y = run_linear(&net->inter_fc2, nn_dropout(y, DROPOUT, training), NN_NONE, NULL);
    return nn_scope_end_keep(nn_add(x, nn_dropout(y, DROPOUT, training)));
}

/* Attention between the scales, in place. */
static void run_between(const struct scaleformer *net, nn_tensor **maps)
{
    nn_tensor *parts[SCALES];
    for (int i = 0; i < SCALES; i++) {
        nn_tensor *x = nn_permute(maps[i], 4, (int64_t[]){0, 2, 3, 1});
        x = run_linear(&net->to_common[i], x, NN_NONE, NULL);
        parts[i] = to_patches(x, 1 << (SCALES - 1 - i));
    }
    nn_tensor *x = nn_cat((const nn_tensor *const *)parts, SCALES, 2);
    int64_t batch = nn_size(x, 0), places = nn_size(x, 1), n = nn_size(x, 2), c = nn_size(x, 3);
    x = attend_between(net, nn_reshape3(x, batch * places, n, c));
    x = nn_reshape4(x, batch, places, n, c);
    for (int i = 0, start = 0; i < SCALES; i++) {
        int side = 1 << (SCALES - 1 - i);
        nn_tensor *part = nn_narrow(x, 2, start, side * side);
        part = from_patches(part, side, nn_size(maps[i], 2), nn_size(maps[i], 3));
        part = run_linear(&net->from_common[i], part, NN_NONE, NULL);
        maps[i] = nn_permute(part, 4, (int64_t[]){0, 3, 1, 2});
        start += side * side;
    }
}

static nn_tensor *run_decoder(const struct scaleformer *net, const struct decoder *decoder,
                              const nn_tensor *x, const nn_tensor *skip)
{
    if (nn_scope_begin())
        return NULL;
    nn_tensor *y = run_upsample(net->mode, x, 2 * nn_size(x, 2), 2 * nn_size(x, 3), true);
    if (skip)
        y = nn_cat2(y, skip, 1);
    y = run_conv_bn(&decoder->first, y, NN_RELU, NULL);
    return nn_scope_end_keep(run_conv_bn(&decoder->second, y, NN_RELU, NULL));
}

static void forward(void *state, const nn_tensor *x, struct model_output *out)
{
    const struct scaleformer *net = state;
    nn_tensor *features[RESIDUAL + 1], *maps[SCALES], *skips[SCALES];
    for (int i = 0; i < RESIDUAL; i++) {
        const nn_tensor *in = i > 0 ? run_max_pool(net->mode, features[i - 1], 2, 2, 0) : x;
        features[i] = run_residual(&net->residual[i], in);
    }
    features[RESIDUAL] = run_max_pool(net->mode, features[RESIDUAL - 1], 2, 2, 0);
    run_transformer(net, features + 2, maps);
    run_between(net, maps);
    for (int i = 0; i < SCALES; i++)
        skips[i] = run_conv(&net->fuse[i], nn_cat2(maps[i], features[i + 2], 1), NN_NONE, NULL);
    nn_tensor *y = skips[SCALES - 1];
    for (int i = 0; i < SCALES; i++)
        y = run_decoder(net, &net->decoder[i], y, i < SCALES - 1 ? skips[2 - i] : features[1]);
    y = run_decoder(net, &net->final, y, NULL);
    out->all[out->count++] = run_conv(&net->head, y, NN_NONE, NULL);
}

const struct architecture scaleformer = {
    .name = "scaleformer",
    .options = "width=N (64), heads=N (8), size=N (224) of the tiles it is trained on",
    .multiple = 32,
    .gray_as_rgb = true,
    .first = "p_encoder.Encoder1.res1.conv.0.conv.weight",
    .last = "segmentation_head.0.weight",
    .build = build,
    .free = free,
    .forward = forward,
};
