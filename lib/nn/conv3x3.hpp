// Convolutions of 3 x 3 with stride 1 by kernels of our own, float32 on a CPU, without
// gradients.
#pragma once

#include "nn/internal.hpp"

namespace nn
{

// Whether these are for such weights, O x C x 3 x 3: quicker than oneDNN's, with AVX-512 or
// without.
bool suits_conv3x3(const at::Tensor &weight, const struct nn_conv &how);

// turned: by half a turn, inputs and outputs exchanged, as the gradient by x wants them.
at::Tensor pack_conv3x3(const at::Tensor &weight, bool turned);

// max(conv(x) + bias + residual, 0), channels-last; without relu no maximum.  packed: of
// weights with `outs` outputs; bias and residual may be undefined.
at::Tensor run_conv3x3(const at::Tensor &x, const at::Tensor &packed, int64_t outs, int64_t pad_h,
                       int64_t pad_w, const at::Tensor &bias, bool relu,
                       const at::Tensor &residual);

// Whether gradients can be had of such a convolution too.
bool suits_gradient3x3(const at::Tensor &weight, const struct nn_conv &how);

// The gradient by the weights, from the convolution's input and the one by its result.
at::Tensor gradient3x3(const at::Tensor &x, const at::Tensor &by_result, int64_t pad_h,
                       int64_t pad_w);

} // namespace nn
