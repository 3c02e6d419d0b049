// Own passes for prepared networks on a CPU, float32 and bfloat16, without gradients.
#pragma once

#include "nn/internal.hpp"

namespace nn
{

// n floats of this thread's own, 64-byte aligned and kept for the next call: fresh ones
// would be fresh pages.
float *thread_room(int64_t n);

// Whether these may be used on x.
bool is_plain(const at::Tensor &x);

at::Tensor layer_norm(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                      double eps);
at::Tensor upsample_bilinear(const at::Tensor &x, int64_t height, int64_t width,
                             bool align_corners);

} // namespace nn
