#include "model/layers.h"

#include <math.h>
#include <stddef.h>

#include "model/internal.h"

/* What PyTorch's layers start from: uniform in +-1 / sqrt(inputs of an output). */
static double default_bound(int64_t fan_in)
{
    return fan_in > 0 ? 1 / sqrt((double)fan_in) : 0;
}

/* ---- plans ---- */

static bool is_ready(const struct layer_mode *mode, const struct nn_plan *plan)
{
    return mode->planned && plan;
}

static void drop_plan(struct nn_plan **plan)
{
    nn_plan_free(*plan);
    *plan = NULL;
}

/* Frees a packed parameter of a model that will not need it again. */
static int release(const struct layer_mode *mode, nn_tensor *parameter)
{
    return mode->frozen && parameter ? nn_release_(parameter) : 0;
}

static nn_tensor *run_activation(const nn_tensor *x, enum nn_activation activation)
{
    switch (activation) {
    case NN_RELU:
        return nn_relu(x);
    case NN_GELU:
        return nn_gelu(x);
    case NN_NONE:
        break;
    }
    return (nn_tensor *)x;
}

/* activation(x + residual) */
static nn_tensor *finish(const nn_tensor *x, enum nn_activation activation,
                         const nn_tensor *residual)
{
    return run_activation(residual ? nn_add(x, residual) : x, activation);
}

/* ---- convolution ---- */

static void build_bare_conv(struct builder *builder, struct conv *conv, const char *name, int in,
                            int out, int kernel, struct nn_conv how, unsigned flags)
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
static nn_tensor *standardized(const nn_tensor *weight)
{
    static const int64_t dims[] = {1, 2, 3};
    nn_tensor *centered = nn_sub(weight, nn_mean_dims(weight, 3, dims, true));
    nn_tensor *variance = nn_mean_dims(nn_square(centered), 3, dims, true);
    return nn_div(centered, nn_sqrt(nn_affine(variance, 1, 1e-5)));
}

static nn_tensor *kernel_of(const struct conv *conv)
{
    return conv->flags & CONV_STANDARDIZED ? standardized(conv->weight) : conv->weight;
}

static int prepare_conv(void *layer, enum dtype precision)
{
    struct conv *conv = layer;
    conv->plan = nn_plan_conv2d(kernel_of(conv), conv->bias, conv->how, precision);
    if (!conv->plan || release(conv->mode, conv->weight))
        return -1;
    return release(conv->mode, conv->bias);
}

static void drop_conv(void *layer)
{
    struct conv *conv = layer;
    drop_plan(&conv->plan);
}

void build_conv(struct builder *builder, struct conv *conv, const char *name, int in, int out,
                int kernel, struct nn_conv how, unsigned flags)
{
    build_bare_conv(builder, conv, name, in, out, kernel, how, flags);
    build_planned(builder, conv, prepare_conv, drop_conv);
}

nn_tensor *run_conv(const struct conv *conv, const nn_tensor *x, enum nn_activation activation,
                    const nn_tensor *residual)
{
    if (is_ready(conv->mode, conv->plan))
        return nn_plan_run(conv->plan, x, activation, residual);
    return finish(nn_conv2d(x, kernel_of(conv), conv->bias, conv->how), activation, residual);
}

/* ---- normalization ---- */

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
                          enum nn_activation activation)
{
    if (norm->mode->planned)
        return nn_batch_norm_fused(x, norm->weight, norm->bias, norm->mean, norm->var, norm->eps,
                                   activation);
    if (norm->mode->training && count_batch(norm->batches))
        return NULL;
    nn_tensor *y = nn_batch_norm(x, norm->weight, norm->bias, norm->mean, norm->var,
                                 norm->mode->training, norm->momentum, norm->eps);
    return run_activation(y, activation);
}

/* The normalization folded into the convolution's weights and bias. */
static int prepare_conv_bn(void *layer, enum dtype precision)
{
    struct conv_bn *l = layer;
    const struct batch_norm *n = &l->norm;
    nn_tensor *scale = nn_div(n->weight, nn_sqrt(nn_affine(n->var, 1, n->eps)));
    nn_tensor *kernel = nn_mul(kernel_of(&l->conv), nn_reshape4(scale, -1, 1, 1, 1));
    nn_tensor *mean = l->conv.bias ? nn_sub(n->mean, l->conv.bias) : n->mean;
    nn_tensor *shift = nn_sub(n->bias, nn_mul(mean, scale));
    l->plan = shift ? nn_plan_conv2d(kernel, shift, l->conv.how, precision) : NULL;
    return l->plan ? release(l->conv.mode, l->conv.weight) : -1;
}

static void drop_conv_bn(void *layer)
{
    struct conv_bn *conv_bn = layer;
    drop_plan(&conv_bn->plan);
}

void build_conv_bn(struct builder *builder, struct conv_bn *layer, const char *conv_name,
                   const char *norm_name, int in, int out, int kernel, struct nn_conv how,
                   unsigned flags)
{
    layer->plan = NULL;
    build_bare_conv(builder, &layer->conv, conv_name, in, out, kernel, how, flags);
    build_batch_norm(builder, &layer->norm, norm_name, out, 1e-5, 0.1);
    build_planned(builder, layer, prepare_conv_bn, drop_conv_bn);
}

nn_tensor *run_conv_bn(const struct conv_bn *layer, const nn_tensor *x,
                       enum nn_activation activation, const nn_tensor *residual)
{
    if (is_ready(layer->conv.mode, layer->plan))
        return nn_plan_run(layer->plan, x, activation, residual);
    nn_tensor *y = run_conv(&layer->conv, x, NN_NONE, NULL);
    return finish(run_batch_norm(&layer->norm, y, NN_NONE), activation, residual);
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
                          enum nn_activation activation, const nn_tensor *residual)
{
    if (norm->mode->planned)
        return nn_group_norm_fused(x, norm->groups, norm->weight, norm->bias, norm->eps, activation,
                                   residual);
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

static int prepare_linear(void *layer, enum dtype precision)
{
    struct linear *linear = layer;
    linear->plan = nn_plan_linear(linear->weight, linear->bias, precision);
    if (!linear->plan || release(linear->mode, linear->weight))
        return -1;
    return release(linear->mode, linear->bias);
}

static void drop_linear(void *layer)
{
    struct linear *linear = layer;
    drop_plan(&linear->plan);
}

static void build_bare_linear(struct builder *builder, struct linear *linear, const char *name,
                              int in, int out, bool bias)
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

void build_linear(struct builder *builder, struct linear *linear, const char *name, int in, int out,
                  bool bias)
{
    build_bare_linear(builder, linear, name, in, out, bias);
    build_planned(builder, linear, prepare_linear, drop_linear);
}

nn_tensor *run_linear(const struct linear *linear, const nn_tensor *x,
                      enum nn_activation activation, const nn_tensor *residual)
{
    if (is_ready(linear->mode, linear->plan))
        return nn_plan_run(linear->plan, x, activation, residual);
    nn_tensor *y = run_activation(nn_linear(x, linear->weight, linear->bias), activation);
    return residual ? nn_add(y, residual) : y;
}

nn_tensor *run_linear_onto(const struct linear *linear, const nn_tensor *x, nn_tensor *sum)
{
    if (is_ready(linear->mode, linear->plan))
        return nn_plan_run_onto(linear->plan, x, sum);
    return run_linear(linear, x, NN_NONE, sum);
}

static nn_tensor *joined(const nn_tensor *query, const nn_tensor *key, const nn_tensor *value)
{
    return nn_cat((const nn_tensor *[]){query, key, value}, 3, 0);
}

static int prepare_qkv(void *layer, enum dtype precision)
{
    struct qkv *l = layer;
    nn_tensor *weight = joined(l->query->weight, l->key->weight, l->value->weight);
    nn_tensor *bias = joined(l->query->bias, l->key->bias, l->value->bias);
    l->plan = bias ? nn_plan_linear(weight, bias, precision) : NULL;
    if (!l->plan || release(l->mode, l->query->weight) || release(l->mode, l->key->weight))
        return -1;
    return release(l->mode, l->value->weight);
}

static void drop_qkv(void *layer)
{
    struct qkv *qkv = layer;
    drop_plan(&qkv->plan);
}

void build_qkv(struct builder *builder, struct qkv *qkv, struct linear *query, struct linear *key,
               struct linear *value)
{
    *qkv = (struct qkv){.query = query, .key = key, .value = value, .mode = build_mode(builder)};
    build_unplanned(builder, query);
    build_unplanned(builder, key);
    build_unplanned(builder, value);
    build_planned(builder, qkv, prepare_qkv, drop_qkv);
}

nn_tensor *run_qkv(const struct qkv *qkv, const nn_tensor *x)
{
    if (is_ready(qkv->mode, qkv->plan))
        return nn_plan_run(qkv->plan, x, NN_NONE, NULL);
    const nn_tensor *parts[] = {run_linear(qkv->query, x, NN_NONE, NULL),
                                run_linear(qkv->key, x, NN_NONE, NULL),
                                run_linear(qkv->value, x, NN_NONE, NULL)};
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
    if (mode->planned)
        return nn_attention_joined(qkv, heads, scale, mask);
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
