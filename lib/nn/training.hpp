// Layers that train on a CPU faster than libtorch's own, with their gradients.
#pragma once

#include "nn/internal.hpp"

namespace nn
{

// x W' + b over the last dimension
at::Tensor train_linear(const at::Tensor &x, const at::Tensor &weight,
                        const c10::optional<at::Tensor> &bias);
// A 3 x 3 convolution with stride 1, where it may be ours.
bool may_train_conv3x3(const at::Tensor &x, const at::Tensor &weight, const struct nn_conv &how);
at::Tensor train_conv3x3(const at::Tensor &x, const at::Tensor &weight,
                         const c10::optional<at::Tensor> &bias, const struct nn_conv &how);
// Products of the last two dimensions, batches broadcast.
at::Tensor train_product(const at::Tensor &x, const at::Tensor &y);
// Zeros with probability p, the others divided by 1 - p; whatever the threads, the same
// for the same state of libtorch's generator.
at::Tensor train_dropout(const at::Tensor &x, double p);
at::Tensor train_upsample(const at::Tensor &x, int64_t height, int64_t width, bool align_corners);

} // namespace nn
