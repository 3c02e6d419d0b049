/* Layers prepared for inference: packed weights, fused steps, no gradients.  The
 * rules of nn.h hold. */
#ifndef NN_PLAN_H
#define NN_PLAN_H

#include "nn/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nn_plan;
enum nn_activation { NN_NONE, NN_RELU, NN_GELU };

/* New; the weights are copied into the layout that is fastest here, in `precision`
 * (DTYPE_F32, DTYPE_BF16, DTYPE_F16); they may be freed after that.  NULL: failed. */
struct nn_plan *nn_plan_conv2d(const nn_tensor *weight, const nn_tensor *bias, struct nn_conv how,
                               enum dtype precision);
struct nn_plan *nn_plan_linear(const nn_tensor *weight, const nn_tensor *bias,
                               enum dtype precision);
void nn_plan_free(struct nn_plan *plan);
/* Convolution: activation(conv(x) + residual).  Linear: activation(x W' + b) +
 * residual.  residual may be NULL.  Images come out channels-last; x is converted
 * to the plan's precision if need be. */
nn_tensor *nn_plan_run(struct nn_plan *plan, const nn_tensor *x, enum nn_activation activation,
                       const nn_tensor *residual);
/* Linear: sum + x W' + b, possibly in the place of sum, which is of no use after. */
nn_tensor *nn_plan_run_onto(struct nn_plan *plan, const nn_tensor *x, nn_tensor *sum);

/* activation(group_norm(x) + residual) in one go */
nn_tensor *nn_group_norm_fused(const nn_tensor *x, int64_t groups, const nn_tensor *weight,
                               const nn_tensor *bias, double eps, enum nn_activation activation,
                               const nn_tensor *residual);
/* activation(batch_norm(x)) with the running statistics, in one go */
nn_tensor *nn_batch_norm_fused(const nn_tensor *x, const nn_tensor *weight, const nn_tensor *bias,
                               const nn_tensor *mean, const nn_tensor *var, double eps,
                               enum nn_activation activation);
/* qkv: B x N x 3 x heads x D in this order, given as B x N x (3 heads D); gives
 * B x N x (heads D).  mask broadcasts to B x heads x N x N; NULL: none. */
nn_tensor *nn_attention_joined(const nn_tensor *qkv, int heads, double scale,
                               const nn_tensor *mask);

/* Frees the memory of a parameter that nobody will read again; its shape is lost. */
int nn_release_(nn_tensor *x) MUST_CHECK;
/* Keeps freed host memory for the next tensors of this process; call it first.
 * Large blocks come from and go to the system otherwise, at some cost. */
void nn_reuse_memory(void);

#ifdef __cplusplus
}
#endif

#endif
