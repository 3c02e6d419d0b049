/* Layers with parameters, for the architectures.
 *
 * A layer is a struct inside its architecture's; a build_ function registers its
 * parameters under a name with the builder, a run_ function applies it.  How it
 * runs (training, evaluation, or the prepared plan with folded and packed
 * parameters) is the layer's affair, so that an architecture is written once.
 * Fused forms (activation, residual sum) are arguments: where the plan can't
 * fuse, the layer does the steps one by one.  NULL in, NULL out, as in nn.h.
 *
 * Layers may not move after they were built. */
#ifndef MODEL_LAYERS_H
#define MODEL_LAYERS_H

#include "nn/plan.h"

struct builder;

/* ---- the builder: names ---- */

/* Later names begin with this and a dot, until build_leave. */
void build_enter(struct builder *builder, const char *format, ...) PRINTF_LIKE(2, 3);
void build_leave(struct builder *builder);

enum initial {
    INIT_ZERO,
    INIT_ONE,
    INIT_VALUE,            /* scale */
    INIT_UNIFORM,          /* in +-scale */
    INIT_NORMAL,           /* deviation: scale */
    INIT_TRUNCATED_NORMAL, /* deviation: scale */
};

/* A parameter of an architecture's own, for example position embeddings.
 * Borrowed: the model's.  NULL when something failed. */
nn_tensor *build_parameter(struct builder *builder, const char *name, int ndim,
                           const int64_t *shape, enum initial initial, double scale);
nn_tensor *build_buffer(struct builder *builder, const char *name, int ndim, const int64_t *shape,
                        enum dtype dtype, double value);

/* Another start for a parameter of a layer than the layer's own. */
void build_initial(struct builder *builder, const nn_tensor *parameter, enum initial initial,
                   double scale);

/* An impossible combination of options: the model is not made. */
void build_fail(struct builder *builder, const char *format, ...) PRINTF_LIKE(2, 3);

/* Whether the model trains now; for dropout.  Valid as long as the model. */
struct layer_mode {
    bool training;
    bool planned;         /* prepared: without gradients */
    bool frozen;          /* prepared for good: packed parameters are freed */
    enum dtype precision; /* of the plan */
};
const struct layer_mode *build_mode(struct builder *builder);

/* ---- convolution, with what may follow it ---- */

enum conv_flags {
    CONV_BIAS = 1,         /* NAME.bias */
    CONV_STANDARDIZED = 2, /* each output's kernel has mean 0, variance 1 (Qiao et al. 2019),
                              variance of the population + 1e-5 */
    CONV_NO_PAD = 4,
};

struct conv {
    nn_tensor *weight, *bias; /* O x C/groups x k x k */
    struct nn_conv how;
    unsigned flags;
    const struct layer_mode *mode;
    struct nn_plan *plan;
};

/* kernel x kernel; padded by kernel / 2 unless how or CONV_NO_PAD says otherwise;
 * stride, dilation and groups as in how. */
void build_conv(struct builder *builder, struct conv *conv, const char *name, int in, int out,
                int kernel, struct nn_conv how, unsigned flags);
/* activation(conv(x) + residual); residual may be NULL */
nn_tensor *run_conv(const struct conv *conv, const nn_tensor *x, enum nn_activation activation,
                    const nn_tensor *residual);

/* ---- normalization ---- */

struct batch_norm {
    nn_tensor *weight, *bias, *mean, *var, *batches;
    double eps, momentum;
    const struct layer_mode *mode;
    struct nn_plan *plan;
};
/* NAME.weight, .bias, .running_mean, .running_var, .num_batches_tracked */
void build_batch_norm(struct builder *builder, struct batch_norm *norm, const char *name,
                      int channels, double eps, double momentum);
nn_tensor *run_batch_norm(const struct batch_norm *norm, const nn_tensor *x,
                          enum nn_activation activation);

/* Convolution, batch normalization, activation: one convolution when prepared. */
struct conv_bn {
    struct conv conv;
    struct batch_norm norm;
    struct nn_plan *plan;
};
void build_conv_bn(struct builder *builder, struct conv_bn *layer, const char *conv_name,
                   const char *norm_name, int in, int out, int kernel, struct nn_conv how,
                   unsigned flags);
/* activation(norm(conv(x)) + residual); residual may be NULL */
nn_tensor *run_conv_bn(const struct conv_bn *layer, const nn_tensor *x,
                       enum nn_activation activation, const nn_tensor *residual);

struct group_norm {
    nn_tensor *weight, *bias;
    int groups;
    double eps;
    const struct layer_mode *mode;
};
void build_group_norm(struct builder *builder, struct group_norm *norm, const char *name,
                      int channels, int groups, double eps);
/* activation(norm(x) + residual); residual may be NULL */
nn_tensor *run_group_norm(const struct group_norm *norm, const nn_tensor *x,
                          enum nn_activation activation, const nn_tensor *residual);

/* Over the last dimension. */
struct layer_norm {
    nn_tensor *weight, *bias;
    double eps;
    const struct layer_mode *mode;
};
void build_layer_norm(struct builder *builder, struct layer_norm *norm, const char *name, int size,
                      double eps);
nn_tensor *run_layer_norm(const struct layer_norm *norm, const nn_tensor *x);

/* ---- linear layers and attention ---- */

struct linear {
    nn_tensor *weight, *bias; /* O x I */
    const struct layer_mode *mode;
    struct nn_plan *plan;
};
void build_linear(struct builder *builder, struct linear *linear, const char *name, int in, int out,
                  bool bias);
/* activation(x W' + b) + residual, over the last dimension; residual may be NULL.
 * The activation comes before the sum here, unlike in convolutions. */
nn_tensor *run_linear(const struct linear *linear, const nn_tensor *x,
                      enum nn_activation activation, const nn_tensor *residual);
/* sum + x W' + b, possibly in the place of sum, which is of no use after. */
nn_tensor *run_linear_onto(const struct linear *linear, const nn_tensor *x, nn_tensor *sum);

/* Query, key and value side by side in one product: x ... x N x I gives
 * ... x N x 3 O, from three separate linear layers with biases. */
struct qkv {
    struct linear *query, *key, *value; /* borrowed */
    const struct layer_mode *mode;
    struct nn_plan *plan;
};
void build_qkv(struct builder *builder, struct qkv *qkv, struct linear *query, struct linear *key,
               struct linear *value);
nn_tensor *run_qkv(const struct qkv *qkv, const nn_tensor *x);

/* Softmax attention from joined qkv, B x N x 3 (heads x D): softmax(q k^T scale +
 * mask) v as B x N x (heads x D).  mask (may be NULL) is added and broadcasts to
 * B x heads x N x N; dropout is of the probabilities. */
nn_tensor *run_attention(const struct layer_mode *mode, const nn_tensor *qkv, int heads,
                         double scale, const nn_tensor *mask, double dropout);

/* ---- without parameters ---- */

nn_tensor *run_upsample(const struct layer_mode *mode, const nn_tensor *x, int64_t height,
                        int64_t width, bool align_corners);
nn_tensor *run_max_pool(const struct layer_mode *mode, const nn_tensor *x, int kernel, int stride,
                        int pad);

#endif
