#include "model/layers.h"

#include <math.h>
#include <stddef.h>

#include "model/internal.h"

/* What PyTorch's layers start from: uniform in +-1 / sqrt(inputs of an output). */
static double default_bound(int64_t fan_in)
{
    return fan_in > 0 ? 1 / sqrt((double)fan_in) : 0;
}

nn_tensor *run_activation(const nn_tensor *x, enum activation activation)
{
    switch (activation) {
    case ACT_RELU:
        return nn_relu(x);
    case ACT_GELU:
        return nn_gelu(x);
    case ACT_NONE:
        break;
    }
    return (nn_tensor *)x;
}

/* activation(x + residual) */
static nn_tensor *finish(const nn_tensor *x, enum activation activation, const nn_tensor *residual)
{
    return run_activation(residual ? nn_add(x, residual) : x, activation);
}

/* ---- convolution ---- */

void build_conv(struct builder *builder, struct conv *conv, const char *name, int in, int out,
                int kernel, struct nn_conv how, unsigned flags)
{
    int groups = how.groups ? how.groups : 1;
    if (!how.pad_h && !how.pad_w && !(flags & CONV_NO_PAD))
        how.pad_h = how.pad_w = kernel / 2;
    int64_t shape[] = {out, in / groups, kernel, kernel};
    double bound = default_bound(shape[1] * kernel * kernel);
    *conv = (struct conv){.how = how, .flags = flags, .mode = build_mode(builder)};
    build_enter(builder, "%s", name);
    conv->weight = build_parameter(builder, "weight", 4, shape, INIT_UNIFORM, bound);
    if (flags & CONV_BIAS)
        conv->bias = build_parameter(builder, "bias", 1, shape, INIT_UNIFORM, bound);
    build_leave(builder);
}

/* (w - mean) / sqrt(variance + 1e-5), of each output's kernel */
static nn_tensor *standardised(const nn_tensor *weight)
{
    static const int64_t dims[] = {1, 2, 3};
    nn_tensor *centred = nn_sub(weight, nn_mean_dims(weight, 3, dims, true));
    nn_tensor *variance = nn_mean_dims(nn_square(centred), 3, dims, true);
    return nn_div(centred, nn_sqrt(nn_affine(variance, 1, 1e-5)));
}

nn_tensor *run_conv(const struct conv *conv, const nn_tensor *x, enum activation activation,
                    const nn_tensor *residual)
{
    nn_tensor *weight = conv->flags & CONV_STANDARDISED ? standardised(conv->weight) : conv->weight;
    return finish(nn_conv2d(x, weight, conv->bias, conv->how), activation, residual);
}

void build_deconv(struct builder *builder, struct deconv *deconv, const char *name, int in, int out,
                  int kernel, int stride)
{
    int64_t shape[] = {in, out, kernel, kernel}, size = out;
    double bound = default_bound((int64_t)out * kernel * kernel);
    *deconv = (struct deconv){.stride = stride};
    build_enter(builder, "%s", name);
    deconv->weight = build_parameter(builder, "weight", 4, shape, INIT_UNIFORM, bound);
    deconv->bias = build_parameter(builder, "bias", 1, &size, INIT_UNIFORM, bound);
    build_leave(builder);
}

nn_tensor *run_deconv(const struct deconv *deconv, const nn_tensor *x)
{
    struct nn_conv how = {.stride_h = deconv->stride, .stride_w = deconv->stride};
    return nn_conv_transpose2d(x, deconv->weight, deconv->bias, how);
}

/* ---- normalisation ---- */

void build_batch_norm(struct builder *builder, struct batch_norm *norm, const char *name,
                      int channels, double eps, double momentum)
{
    int64_t size = channels;
    *norm = (struct batch_norm){.eps = eps, .momentum = momentum, .mode = build_mode(builder)};
    build_enter(builder, "%s", name);
    norm->weight = build_parameter(builder, "weight", 1, &size, INIT_ONE, 0);
    norm->bias = build_parameter(builder, "bias", 1, &size, INIT_ZERO, 0);
    norm->mean = build_buffer(builder, "running_mean", 1, &size, DTYPE_F32, 0);
    norm->var = build_buffer(builder, "running_var", 1, &size, DTYPE_F32, 1);
    norm->batches = build_buffer(builder, "num_batches_tracked", 0, NULL, DTYPE_I64, 0);
    build_leave(builder);
}

static int count_batch(nn_tensor *batches)
{
    nn_tensor *one = nn_full(0, NULL, 1, DTYPE_I64, nn_device(batches));
    return one ? nn_add_(batches, one, 1) : -1;
}

nn_tensor *run_batch_norm(const struct batch_norm *norm, const nn_tensor *x,
                          enum activation activation)
{
    if (norm->mode->training && count_batch(norm->batches))
        return NULL;
    nn_tensor *y = nn_batch_norm(x, norm->weight, norm->bias, norm->mean, norm->var,
                                 norm->mode->training, norm->momentum, norm->eps);
    return run_activation(y, activation);
}

void build_conv_bn(struct builder *builder, struct conv_bn *layer, const char *conv_name,
                   const char *norm_name, int in, int out, int kernel, struct nn_conv how,
                   unsigned flags)
{
    build_conv(builder, &layer->conv, conv_name, in, out, kernel, how, flags);
    build_batch_norm(builder, &layer->norm, norm_name, out, 1e-5, 0.1);
}

nn_tensor *run_conv_bn(const struct conv_bn *layer, const nn_tensor *x, enum activation activation,
                       const nn_tensor *residual)
{
    nn_tensor *y = run_conv(&layer->conv, x, ACT_NONE, NULL);
    return finish(run_batch_norm(&layer->norm, y, ACT_NONE), activation, residual);
}

void build_group_norm(struct builder *builder, struct group_norm *norm, const char *name,
                      int channels, int groups, double eps)
{
    int64_t size = channels;
    *norm = (struct group_norm){.groups = groups, .eps = eps, .mode = build_mode(builder)};
    build_enter(builder, "%s", name);
    norm->weight = build_parameter(builder, "weight", 1, &size, INIT_ONE, 0);
    norm->bias = build_parameter(builder, "bias", 1, &size, INIT_ZERO, 0);
    build_leave(builder);
}

nn_tensor *run_group_norm(const struct group_norm *norm, const nn_tensor *x,
                          enum activation activation, const nn_tensor *residual)
{
    nn_tensor *y = nn_group_norm(x, norm->groups, norm->weight, norm->bias, norm->eps);
    return finish(y, activation, residual);
}

void build_layer_norm(struct builder *builder, struct layer_norm *norm, const char *name, int size,
                      double eps)
{
    int64_t shape = size;
    *norm = (struct layer_norm){.eps = eps, .mode = build_mode(builder)};
    build_enter(builder, "%s", name);
    norm->weight = build_parameter(builder, "weight", 1, &shape, INIT_ONE, 0);
    norm->bias = build_parameter(builder, "bias", 1, &shape, INIT_ZERO, 0);
    build_leave(builder);
}

nn_tensor *run_layer_norm(const struct layer_norm *norm, const nn_tensor *x)
{
    return nn_layer_norm(x, norm->weight, norm->bias, norm->eps);
}

/* ---- linear layers and attention ---- */

void build_linear(struct builder *builder, struct linear *linear, const char *name, int in, int out,
                  bool bias)
{
    int64_t shape[] = {out, in};
    double bound = default_bound(in);
    *linear = (struct linear){.mode = build_mode(builder)};
    build_enter(builder, "%s", name);
    linear->weight = build_parameter(builder, "weight", 2, shape, INIT_UNIFORM, bound);
    if (bias)
        linear->bias = build_parameter(builder, "bias", 1, shape, INIT_UNIFORM, bound);
    build_leave(builder);
}

nn_tensor *run_linear(const struct linear *linear, const nn_tensor *x, enum activation activation,
                      const nn_tensor *residual)
{
    nn_tensor *y = run_activation(nn_linear(x, linear->weight, linear->bias), activation);
    return residual ? nn_add(y, residual) : y;
}

void build_qkv(struct builder *builder, struct qkv *qkv, struct linear *query, struct linear *key,
               struct linear *value)
{
    *qkv = (struct qkv){.query = query, .key = key, .value = value, .mode = build_mode(builder)};
}

nn_tensor *run_qkv(const struct qkv *qkv, const nn_tensor *x)
{
    const nn_tensor *parts[] = {run_linear(qkv->query, x, ACT_NONE, NULL),
                                run_linear(qkv->key, x, ACT_NONE, NULL),
                                run_linear(qkv->value, x, ACT_NONE, NULL)};
    return nn_cat(parts, 3, -1);
}

/* One of three: B x heads x N x D from B x N x 3 x heads x D. */
static nn_tensor *head_part(const nn_tensor *joined, int which)
{
    return nn_transpose(nn_select(joined, 2, which), 1, 2);
}

nn_tensor *run_attention(const struct layer_mode *mode, const nn_tensor *qkv, int heads,
                         double scale, const nn_tensor *mask, double dropout)
{
    int64_t batch = nn_size(qkv, 0), n = nn_size(qkv, 1), width = nn_size(qkv, 2) / 3;
    int64_t shape[] = {batch, n, 3, heads, width / heads};
    nn_tensor *joined = nn_reshape(qkv, 5, shape);
    nn_tensor *q = head_part(joined, 0), *k = head_part(joined, 1), *v = head_part(joined, 2);
    nn_tensor *mixed;
    if (mode->training && dropout > 0) {
        nn_tensor *scores = nn_matmul(nn_affine(q, scale, 0), nn_transpose(k, -2, -1));
        nn_tensor *weights = nn_softmax(mask ? nn_add(scores, mask) : scores, -1);
        mixed = nn_matmul(nn_dropout(weights, dropout, true), v);
    } else {
        mixed = nn_attention(q, k, v, mask, scale);
    }
    return nn_reshape3(nn_transpose(mixed, 1, 2), batch, n, width);
}

/* ---- without parameters ---- */

nn_tensor *run_upsample(const struct layer_mode *mode, const nn_tensor *x, int64_t height,
                        int64_t width, bool align_corners)
{
    (void)mode;
    return nn_upsample_bilinear(x, height, width, align_corners);
}

nn_tensor *run_max_pool(const struct layer_mode *mode, const nn_tensor *x, int kernel, int stride,
                        int pad)
{
    (void)mode;
    return nn_max_pool2d(x, kernel, stride, pad);
}
